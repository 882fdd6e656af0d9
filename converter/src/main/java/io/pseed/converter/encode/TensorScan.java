package io.pseed.converter.encode;

import io.pseed.converter.source.SourceTensor;
import io.pseed.format.CodedElements;
import io.pseed.format.DType;
import io.pseed.format.Halfs;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.zip.CRC32C;

/**
 * One pass over a tensor's bytes, in bounded memory.
 *
 * @param crc CRC-32C of the bytes
 * @param sumOfSquares of the finite elements; 0 for types that are not coded
 * @param notFinite number of NaN and infinite elements
 * @param exactlyF16 whether every element is an IEEE binary16 value; false for types that are not
 *     coded
 */
public record TensorScan(int crc, double sumOfSquares, long notFinite, boolean exactlyF16) {
  private static final int CHUNK = 1 << 20;

  /** Reads the tensor once. */
  public static TensorScan of(SourceTensor tensor) throws IOException {
    CRC32C crc = new CRC32C();
    DType dtype = tensor.dtype();
    int width = dtype.isCoded() ? dtype.bits() / 8 : 0;
    ByteBuffer buffer =
        ByteBuffer.allocate((int) Math.min(CHUNK, Math.max(1, tensor.byteSize())))
            .order(ByteOrder.LITTLE_ENDIAN);
    double squares = 0;
    long notFinite = 0;
    boolean f16 = dtype.isCoded();
    for (long at = 0; at < tensor.byteSize(); at += buffer.limit()) {
      buffer.clear().limit((int) Math.min(buffer.capacity(), tensor.byteSize() - at));
      tensor.read(at, buffer);
      buffer.flip();
      crc.update(buffer.duplicate());
      for (int i = 0; width > 0 && i < buffer.limit(); i += width) {
        double value = CodedElements.get(buffer, dtype, i);
        // Beyond binary32 a coded value would be infinite.
        if (Double.isNaN(value) || Math.abs(value) > Float.MAX_VALUE) {
          notFinite++;
        } else {
          squares += value * value;
        }
        f16 = f16 && Halfs.toFloat(Halfs.fromFloat((float) value)) == value;
      }
    }
    return new TensorScan((int) crc.getValue(), squares, notFinite, f16);
  }
}
