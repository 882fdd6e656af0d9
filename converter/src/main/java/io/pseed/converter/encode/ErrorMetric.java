package io.pseed.converter.encode;

import java.io.IOException;

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

  /**
   * What zeros in place of columns of a matrix would cost: w_j^T matrix w_j, neither weighted nor
   * damped.
   *
   * @param columns numbers of columns, ascending
   * @return one for each of {@code columns}
   */
  public double[] energies(WeightMatrix weights, int[] columns) throws IOException {
    float[] row = new float[weights.cols()];
    double[][] taken = new double[columns.length][size];
    for (int i = 0; i < size; i++) {
      weights.read(i, 1, row);
      for (int c = 0; c < columns.length; c++) {
        taken[c][i] = row[columns[c]];
      }
    }
    double[] energies = new double[columns.length];
    for (int c = 0; c < columns.length; c++) {
      double[] w = taken[c];
      for (int i = 0; i < size; i++) {
        int start = i / block * block;
        double inner = 0;
        for (int k = start; k < Math.min(size, start + block); k++) {
          inner += matrix[i * block + k - start] * w[k];
        }
        energies[c] += inner * w[i];
      }
    }
    return energies;
  }
}
