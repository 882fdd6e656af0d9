package io.pseed.format;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.WritableByteChannel;
import java.util.List;

/** The bytes of a record on their way into a file. */
public interface RecordContent {
  /** Bytes of the whole record. */
  long length();

  /** Writes exactly {@link #length} bytes. */
  void writeTo(WritableByteChannel channel) throws IOException;

  /** A record in memory, as {@link TensorRecord#assemble} makes it. */
  static RecordContent of(List<ByteBuffer> parts) {
    return new RecordContent() {
      @Override
      public long length() {
        long sum = 0;
        for (ByteBuffer part : parts) {
          sum += part.remaining();
        }
        return sum;
      }

      @Override
      public void writeTo(WritableByteChannel channel) throws IOException {
        for (ByteBuffer part : parts) {
          ByteBuffer bytes = part.duplicate();
          while (bytes.hasRemaining()) {
            channel.write(bytes);
          }
        }
      }
    };
  }
}
