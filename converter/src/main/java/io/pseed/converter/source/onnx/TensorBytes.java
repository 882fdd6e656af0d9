package io.pseed.converter.source.onnx;

import com.google.protobuf.ByteString;
import io.pseed.converter.source.SourceException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Path;

/** Random access to the elements of one tensor as little-endian bytes, wherever they stand. */
interface TensorBytes {
  /** Bytes of all elements. */
  long size();

  /**
   * Fills {@code dst} from its position to its limit with the bytes that start at {@code offset}.
   * The range lies within {@link #size}. Safe to call from several threads.
   */
  void read(long offset, ByteBuffer dst) throws IOException;

  /**
   * Says that a tensor takes these bytes for itself.
   *
   * @throws SourceException where too many tensors take the same ones
   */
  default void take() throws SourceException {}

  /**
   * The same bytes, where a model that is mapped and lost its end meanwhile gives an error that
   * names it: Java reports the fault of the page as an {@link InternalError}.
   */
  default TensorBytes named(Path file, String label) {
    TensorBytes bytes = this;
    return new TensorBytes() {
      @Override
      public long size() {
        return bytes.size();
      }

      @Override
      public void read(long offset, ByteBuffer dst) throws IOException {
        try {
          bytes.read(offset, dst);
        } catch (InternalError e) {
          throw new SourceException(
              file,
              label
                  + ": its bytes from "
                  + offset
                  + " on cannot be read any more, expected "
                  + size()
                  + " of them (was the file changed meanwhile?)",
              e);
        }
      }
    };
  }

  /** The bit pattern of an element of a typed list, in the low bits. */
  @FunctionalInterface
  interface Bits {
    long at(int index);
  }

  /** The bytes as they stand in {@code raw_data}. */
  static TensorBytes raw(ByteString bytes) {
    return new TensorBytes() {
      @Override
      public long size() {
        return bytes.size();
      }

      @Override
      public void read(long offset, ByteBuffer dst) {
        ByteBuffer all = bytes.asReadOnlyByteBuffer();
        dst.put(all.slice(all.position() + (int) offset, dst.remaining()));
      }
    };
  }

  /** {@code count} elements of a typed list, of which the low {@code elementBytes} bytes count. */
  static TensorBytes typed(int elementBytes, int count, Bits bits) {
    return new TensorBytes() {
      @Override
      public long size() {
        return (long) elementBytes * count;
      }

      @Override
      public void read(long offset, ByteBuffer dst) {
        ByteBuffer out = dst.duplicate().order(ByteOrder.LITTLE_ENDIAN);
        int index = (int) (offset / elementBytes);
        int skip = (int) (offset % elementBytes);
        while (out.hasRemaining()) {
          long element = bits.at(index++);
          if (skip > 0 || out.remaining() < elementBytes) {
            for (int i = skip; i < elementBytes && out.hasRemaining(); i++) {
              out.put((byte) (element >>> (8 * i)));
            }
            skip = 0;
            continue;
          }
          switch (elementBytes) {
            case 1 -> out.put((byte) element);
            case 2 -> out.putShort((short) element);
            case 4 -> out.putInt((int) element);
            default -> out.putLong(element);
          }
        }
        dst.position(out.position());
      }
    };
  }
}
