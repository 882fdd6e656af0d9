package io.pseed.converter.calibrate;

/**
 * What calibration found out about one weight, seen as a matrix W of n rows (input) and m columns
 * (output). With an error E of W, the expected squared error of the model's outputs, relative to
 * their energy, is about
 *
 * <pre>
 *   linear:  sum over columns j of columns[j] * E[.][j]^T metric E[.][j]
 *   lookup:  sum over rows r of rows[r] * E[r] metric E[r]^T
 * </pre>
 *
 * A Kronecker-factored approximation of the Hessian: Martens and Grosse, "Optimizing Neural
 * Networks with Kronecker-factored Approximate Curvature" (ICML 2015); its use for quantization
 * with the whole model's outputs: Tseng et al., "Model-Preserving Adaptive Rounding" (YAQA, 2025).
 *
 * @param kind how the weight is used
 * @param size n for a linear weight, m for a table
 * @param metric size x size, row-major, symmetric, positive semidefinite
 * @param columns weight of each output of a linear weight, of mean 1; empty for a table
 * @param rows weight of each row of a table: how often it was looked up times what that matters;
 *     empty for a linear weight
 * @param counts how often each row was looked up; empty for a linear weight
 * @param samples how many vectors made the metric
 * @param sensitive whether the metric holds the outputs' sensitivity; else only the inputs' energy
 */
@SuppressWarnings("ArrayRecordComponent")
public record TensorStatistics(
    Probe.Kind kind,
    int size,
    double[] metric,
    double[] columns,
    double[] rows,
    long[] counts,
    long samples,
    boolean sensitive) {
  /** Whether rows are looked up. */
  public boolean lookup() {
    return kind == Probe.Kind.LOOKUP;
  }
}
