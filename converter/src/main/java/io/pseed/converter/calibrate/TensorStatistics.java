package io.pseed.converter.calibrate;

import io.pseed.format.View;

/**
 * What calibration found out about one weight, seen as a matrix W of n rows (input) and m columns
 * (output; for a table of looked-up rows, n are a row's numbers and m the rows). With an error E of
 * W, the expected squared error of the model's outputs, relative to their energy, is about
 *
 * <pre>
 *   sum over columns j of columns[j] * E[.][j]^T metric E[.][j]
 * </pre>
 *
 * A Kronecker-factored approximation of the Hessian: Martens and Grosse, "Optimizing Neural
 * Networks with Kronecker-factored Approximate Curvature" (ICML 2015); for convolutions, whose
 * vectors are patches: Grosse and Martens, "A Kronecker-factored approximate Fisher matrix for
 * convolution layers" (ICML 2016); its use for quantization with the whole model's outputs: Tseng
 * et al., "Model-Preserving Adaptive Rounding" (YAQA, 2025).
 *
 * @param view W: n rows, m columns, and which of both the tensor has first
 * @param lookup whether rows are looked up
 * @param block rows of a block of the metric; n where the metric is whole
 * @param metric n x block, row-major: row i has the columns of its block on the diagonal;
 *     symmetric, positive semidefinite, of trace 1
 * @param columns weight of each column
 * @param counts how often each row of a table was looked up; empty for others
 * @param samples how many vectors made the metric
 * @param sensitive whether the outputs' sensitivity is in; else the cost is the energy of the
 *     layer's own output error, in its own units
 */
@SuppressWarnings("ArrayRecordComponent")
public record TensorStatistics(
    View view,
    boolean lookup,
    int block,
    double[] metric,
    double[] columns,
    long[] counts,
    long samples,
    boolean sensitive) {
  /** Of a vector that meets no other: its elements are the columns of one row. */
  static TensorStatistics ofVector(double[] columns, long samples) {
    View view = new View(1, columns.length, false);
    return new TensorStatistics(
        view, false, 1, new double[] {1}, columns, new long[0], samples, true);
  }

  /** n. */
  public int size() {
    return view.rows();
  }
}
