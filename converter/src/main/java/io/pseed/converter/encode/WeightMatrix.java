package io.pseed.converter.encode;

import io.pseed.converter.source.SourceTensor;
import io.pseed.format.CodedElements;
import io.pseed.format.DType;
import io.pseed.format.View;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/**
 * A tensor's elements as a matrix of floats, read in bands of rows. Safe for use from several
 * threads.
 */
public abstract class WeightMatrix {
  private final int rows;
  private final int cols;

  WeightMatrix(int rows, int cols) {
    this.rows = rows;
    this.cols = cols;
  }

  /** R. */
  public int rows() {
    return rows;
  }

  /** C. */
  public int cols() {
    return cols;
  }

  /** Reads rows {@code first} to {@code first + count - 1} into {@code out[0 .. count * C - 1]}. */
  public abstract void read(int first, int count, float[] out) throws IOException;

  /**
   * The matrix of a tensor under a view. A transposed view holds the tensor's bytes in memory, the
   * other reads them as needed.
   */
  public static WeightMatrix of(SourceTensor tensor, View view) throws IOException {
    DType dtype = tensor.dtype();
    int width = dtype.bits() / 8;
    if (!view.transposed()) {
      return new WeightMatrix(view.rows(), view.cols()) {
        @Override
        public void read(int first, int count, float[] out) throws IOException {
          int n = Math.multiplyExact(count, view.cols());
          ByteBuffer bytes =
              ByteBuffer.allocate(Math.multiplyExact(n, width)).order(ByteOrder.LITTLE_ENDIAN);
          tensor.read((long) first * view.cols() * width, bytes);
          for (int i = 0; i < n; i++) {
            out[i] = element(bytes, dtype, i * width);
          }
        }
      };
    }
    ByteBuffer all =
        ByteBuffer.allocate(Math.toIntExact(tensor.byteSize())).order(ByteOrder.LITTLE_ENDIAN);
    tensor.read(0, all);
    return new WeightMatrix(view.rows(), view.cols()) {
      @Override
      public void read(int first, int count, float[] out) {
        for (int c = 0; c < view.cols(); c++) {
          for (int r = 0; r < count; r++) {
            out[r * view.cols() + c] = element(all, dtype, (c * view.rows() + first + r) * width);
          }
        }
      }
    };
  }

  /** A matrix in memory; {@code values} is row-major and not copied. */
  public static WeightMatrix of(int rows, int cols, float[] values) {
    return new WeightMatrix(rows, cols) {
      @Override
      public void read(int first, int count, float[] out) {
        System.arraycopy(values, first * cols, out, 0, count * cols);
      }
    };
  }

  /** The element of a coded type at a byte offset; F64 is rounded to binary32. */
  static float element(ByteBuffer bytes, DType dtype, int at) {
    return (float) CodedElements.get(bytes, dtype, at);
  }
}
