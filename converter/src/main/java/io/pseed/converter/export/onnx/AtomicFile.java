package io.pseed.converter.export.onnx;

import java.io.BufferedOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.channels.Channels;
import java.nio.channels.FileChannel;
import java.nio.file.AtomicMoveNotSupportedException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;

/** Writes a file beside its target, syncs it and renames it, so that no half file is ever seen. */
final class AtomicFile {
  private AtomicFile() {}

  /** What goes into the file. */
  @FunctionalInterface
  interface Content {
    void writeTo(OutputStream out) throws IOException;
  }

  static void write(Path target, Content content) throws IOException {
    Path absolute = target.toAbsolutePath();
    Path folder = absolute.getParent();
    if (folder == null || !Files.isDirectory(folder)) {
      throw new IOException(target + ": its folder does not exist; create it first");
    }
    Path part = absolute.resolveSibling(absolute.getFileName() + ".part");
    // What stands there is an interrupted run's, or a link that somebody put there: neither is
    // written through.
    Files.deleteIfExists(part);
    try {
      try (FileChannel channel =
          FileChannel.open(part, StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE)) {
        OutputStream out = new BufferedOutputStream(Channels.newOutputStream(channel), 1 << 16);
        content.writeTo(out);
        out.flush();
        channel.force(true);
      }
      try {
        Files.move(
            part, absolute, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
      } catch (AtomicMoveNotSupportedException e) {
        Files.move(part, absolute, StandardCopyOption.REPLACE_EXISTING);
      }
    } catch (IOException e) {
      // What the system says of a write, such as that the disk is full, names no file.
      throw e.getClass() == IOException.class && e.getCause() == null
          ? new IOException(
              target + ": cannot write " + part.getFileName() + ": " + e.getMessage(), e)
          : e;
    } finally {
      Files.deleteIfExists(part);
    }
  }
}
