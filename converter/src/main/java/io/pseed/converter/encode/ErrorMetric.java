package io.pseed.converter.encode;

/**
 * What an error of a matrix costs: the sum over columns j of {@code columns[j] * e_j^T matrix e_j},
 * where e_j is the error of column j. The matrix is the second moment of what meets the rows, so
 * errors of rows can make up for one another; without a metric, every error counts by its square.
 *
 * @param size R, rows of the view
 * @param block how many rows a block on the matrix' diagonal has, the last one maybe fewer; {@code
 *     size} where the matrix is whole
 * @param matrix size x block, row-major: row i has the columns of its block; symmetric, positive
 *     semidefinite
 * @param columns weight of each column, at least 0
 * @param damping what is added to the diagonal, relative to its mean: how little the metric is
 *     trusted
 */
@SuppressWarnings("ArrayRecordComponent")
public record ErrorMetric(int size, int block, double[] matrix, double[] columns, double damping) {
  /** Checks the sizes. */
  public ErrorMetric {
    if (block < 1 || matrix.length != (long) size * block) {
      throw new IllegalArgumentException(
          "a metric of " + matrix.length + " numbers, expected " + (long) size * block);
    }
  }

  /** A whole matrix. */
  public ErrorMetric(int size, double[] matrix, double[] columns, double damping) {
    this(size, size, matrix, columns, damping);
  }
}
