package io.pseed.format;

import java.io.EOFException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;

/** Random access to the bytes of a container, in a file or in memory. */
interface ByteSource extends AutoCloseable {
  /** Name for messages. */
  String label();

  /** Bytes in all. */
  long size() throws IOException;

  /** Fills {@code dst} with the bytes from {@code offset} on. Safe from several threads. */
  void read(long offset, ByteBuffer dst) throws IOException;

  @Override
  void close() throws IOException;

  /** Opens a file. */
  static ByteSource open(Path file) throws IOException {
    if (Files.exists(file) && !Files.isRegularFile(file)) {
      // A pipe would be waited for, and a device has no length.
      throw new IOException(file + ": is no regular file, expected a .pseed file");
    }
    FileChannel channel = FileChannel.open(file, StandardOpenOption.READ);
    return new ByteSource() {
      @Override
      public String label() {
        return file.toString();
      }

      @Override
      public long size() throws IOException {
        return channel.size();
      }

      @Override
      public void read(long offset, ByteBuffer dst) throws IOException {
        long at = offset;
        while (dst.hasRemaining()) {
          int n = channel.read(dst, at);
          if (n < 0) {
            throw new EOFException(
                file
                    + ": ends at offset "
                    + at
                    + ", "
                    + dst.remaining()
                    + " bytes before it should");
          }
          at += n;
        }
      }

      @Override
      public void close() throws IOException {
        channel.close();
      }
    };
  }

  /** Bytes in memory, from position to limit. */
  static ByteSource of(ByteBuffer bytes, String label) {
    ByteBuffer content = bytes.slice();
    return new ByteSource() {
      @Override
      public String label() {
        return label;
      }

      @Override
      public long size() {
        return content.limit();
      }

      @Override
      public void read(long offset, ByteBuffer dst) throws IOException {
        if (offset < 0 || offset > content.limit() - dst.remaining()) {
          throw new EOFException(label + ": ends at offset " + content.limit());
        }
        dst.put(content.slice((int) offset, dst.remaining()));
      }

      @Override
      public void close() {}
    };
  }
}
