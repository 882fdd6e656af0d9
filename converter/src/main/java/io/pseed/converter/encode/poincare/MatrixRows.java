package io.pseed.converter.encode.poincare;

import java.util.Objects;

/**
 * A matrix of weights that is read row by row, so that large tensors need not be in memory. Rows
 * may be asked for several times, in ascending order each time.
 */
public interface MatrixRows {
  /** Number of rows, at least 1. */
  int rows();

  /** Number of columns, at least 1. */
  int cols();

  /**
   * Copies one row.
   *
   * @param r row, 0 to rows - 1
   * @param dst receives cols values at its start
   */
  void row(int r, float[] dst);

  /**
   * A matrix over an array, which is not copied.
   *
   * @param data rows * cols values, row after row
   * @throws IllegalArgumentException if the length does not fit
   */
  static MatrixRows of(float[] data, int rows, int cols) {
    Objects.requireNonNull(data, "data");
    if (rows < 1 || cols < 1 || data.length != (long) rows * cols) {
      throw new IllegalArgumentException(
          "%d weights for a %d x %d matrix".formatted(data.length, rows, cols));
    }
    return new MatrixRows() {
      @Override
      public int rows() {
        return rows;
      }

      @Override
      public int cols() {
        return cols;
      }

      @Override
      public void row(int r, float[] dst) {
        System.arraycopy(data, r * cols, dst, 0, cols);
      }
    };
  }
}
