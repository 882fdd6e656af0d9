package io.pseed.converter.source.onnx;

import com.google.protobuf.ByteString;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/** Random access to the elements of one tensor as little-endian bytes, wherever they stand. */
interface TensorBytes {
  /** Bytes of all elements. */
  long size();

  /**
   * Fills {@code dst} from its position to its limit with the bytes that start at {@code offset}.
   * The range lies within {@link #size}. Safe to call from several threads.
   */
  void read(long offset, ByteBuffer dst) throws IOException;

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
