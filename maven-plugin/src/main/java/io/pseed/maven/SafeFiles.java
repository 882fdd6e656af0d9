package io.pseed.maven;

import java.io.BufferedOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.channels.Channels;
import java.nio.channels.FileChannel;
import java.nio.file.AtomicMoveNotSupportedException;
import java.nio.file.FileVisitResult;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.SimpleFileVisitor;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.BasicFileAttributes;
import java.security.DigestInputStream;
import java.security.DigestOutputStream;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;

/** Files of which nobody ever sees a half: written beside, synced, renamed. */
final class SafeFiles {
  private SafeFiles() {}

  /** What goes into a file. */
  @FunctionalInterface
  interface Content {
    void writeTo(OutputStream out) throws IOException;
  }

  /** Writes a file; two writers of one file do not disturb each other. */
  static void write(Path target, Content content) throws IOException {
    Path part = Files.createTempFile(target.getParent(), "pseed", ".part");
    try {
      try (FileChannel channel = FileChannel.open(part, StandardOpenOption.WRITE)) {
        OutputStream out = new BufferedOutputStream(Channels.newOutputStream(channel), 1 << 16);
        content.writeTo(out);
        out.flush();
        channel.force(true);
      }
      share(part, target.getParent());
      move(part, target);
    } finally {
      Files.deleteIfExists(part);
    }
  }

  /** Temporary files are for their owner alone; a result is for whom its folder is. */
  private static void share(Path part, Path folder) throws IOException {
    if (part.getFileSystem().supportedFileAttributeViews().contains("unix")) {
      int mode = (int) Files.getAttribute(folder, "unix:mode");
      Files.setAttribute(part, "unix:mode", 0600 | (mode & 0044));
    }
  }

  /** Copies a file and says the SHA-256 of what was copied. */
  static String copy(Path source, Path target) throws IOException {
    MessageDigest digest = sha256();
    try (InputStream in = Files.newInputStream(source)) {
      write(target, out -> in.transferTo(new DigestOutputStream(out, digest)));
    }
    return HexFormat.of().formatHex(digest.digest());
  }

  /** Moves a synced file to its place, replacing an older one. */
  static void move(Path source, Path target) throws IOException {
    try {
      Files.move(
          source, target, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
    } catch (AtomicMoveNotSupportedException e) {
      // Another file system.
      copy(source, target);
      Files.delete(source);
    }
  }

  /** SHA-256 of a file, hexadecimal. */
  static String digest(Path file) throws IOException {
    MessageDigest digest = sha256();
    try (InputStream in = new DigestInputStream(Files.newInputStream(file), digest)) {
      in.transferTo(OutputStream.nullOutputStream());
    }
    return HexFormat.of().formatHex(digest.digest());
  }

  static MessageDigest sha256() {
    try {
      return MessageDigest.getInstance("SHA-256");
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("every Java has SHA-256", e);
    }
  }

  /** Deletes a folder with all that is in it, if there is one. */
  static void deleteTree(Path folder) throws IOException {
    if (!Files.exists(folder)) {
      return;
    }
    Files.walkFileTree(
        folder,
        new SimpleFileVisitor<>() {
          @Override
          public FileVisitResult visitFile(Path file, BasicFileAttributes attributes)
              throws IOException {
            Files.delete(file);
            return FileVisitResult.CONTINUE;
          }

          @Override
          public FileVisitResult postVisitDirectory(Path at, IOException failure)
              throws IOException {
            if (failure != null) {
              throw failure;
            }
            Files.delete(at);
            return FileVisitResult.CONTINUE;
          }
        });
  }
}
