package io.pseed.converter.encode;

/**
 * The factors of a metric that tell how the error of a row is made up for by the rows behind it: H'
 * = A^T D A with A unit lower triangular, where H' is the metric as the rotated rows see it. With
 * errors e, e^T H' e = sum of D[i] (e[i] + sum over k &lt; i of A[i][k] e[k])^2, so row i is best
 * coded towards its value minus that inner sum, and D[i] is what its own error then costs.
 *
 * <p>Frantar et al., "GPTQ" (ICLR 2023); the form with LDL^T and its optimality: Chee et al.,
 * "QuIP" (NeurIPS 2023); with trellis codes: Tseng et al., "QTIP" (NeurIPS 2024).
 */
final class FeedbackFactor {
  private final int size;
  private final int block;
  private final float[] feedback;
  private final double[] own;

  private FeedbackFactor(int size, int block, float[] feedback, double[] own) {
    this.size = size;
    this.block = block;
    this.feedback = feedback;
    this.own = own;
  }

  /**
   * Rotates and factors a metric, block by block.
   *
   * @param rowLevels what each row is divided by before it is rotated
   * @param rowBlockLog2 Hadamard block on the rows, a divisor of the metric's blocks; signs are
   *     those of {@link Signs}
   */
  static FeedbackFactor of(ErrorMetric metric, float[] rowLevels, int rowBlockLog2) {
    int n = metric.size();
    int width = metric.block();
    if (width < n && width % (1 << rowBlockLog2) != 0) {
      throw new IllegalArgumentException(
          "blocks of " + width + " rows do not hold rotations of " + (1 << rowBlockLog2));
    }
    double trace = 0;
    for (int i = 0; i < n; i++) {
      trace += metric.matrix()[i * width + i % width];
    }
    double added = metric.damping() * trace / n;
    if (!(added > 0)) {
      // Nothing is known: every row counts alike.
      added = 1;
    }
    FeedbackFactor all = new FeedbackFactor(n, width, new float[n * width], new double[n]);
    for (int start = 0; start < n; start += width) {
      all.fill(metric, start, Math.min(width, n - start), added, rowLevels, rowBlockLog2);
    }
    return all;
  }

  private void fill(
      ErrorMetric metric, int start, int n, double added, float[] rowLevels, int rowBlockLog2) {
    double[] h = new double[n * n];
    for (int i = 0; i < n; i++) {
      System.arraycopy(metric.matrix(), (start + i) * block, h, i * n, n);
      h[i * n + i] += added;
      double factor = rowLevels[start + i] * Signs.of(0, start + i);
      for (int j = 0; j < n; j++) {
        h[i * n + j] *= factor * rowLevels[start + j] * Signs.of(0, start + j);
      }
    }
    rotate(h, n, rowBlockLog2);
    double[] factor = factor(h, n);
    for (int i = 0; i < n; i++) {
      // R[i][j] = L[n-1-j][n-1-i] undoes the reversal of rows and columns.
      double diagonal = factor[(n - 1 - i) * n + n - 1 - i];
      own[start + i] = diagonal * diagonal;
      for (int j = 0; j < i; j++) {
        feedback[(start + i) * block + j] =
            (float) (factor[(n - 1 - j) * n + n - 1 - i] / diagonal);
      }
    }
  }

  /** Orthonormal block Hadamard transform of rows and columns. */
  private static void rotate(double[] h, int n, int log2) {
    for (int half = 1; half < 1 << log2; half <<= 1) {
      for (int base = 0; base < n * n; base += 2 * half) {
        butterfly(h, base, base + half, half);
      }
      for (int row = 0; row < n; row += 2 * half) {
        butterfly(h, row * n, (row + half) * n, half * n);
      }
    }
    double scale = 1.0 / (1 << log2);
    for (int i = 0; i < h.length; i++) {
      h[i] *= scale;
    }
  }

  private static void butterfly(double[] m, int a, int b, int n) {
    for (int i = 0; i < n; i++) {
      double x = m[a + i];
      double y = m[b + i];
      m[a + i] = x + y;
      m[b + i] = x - y;
    }
  }

  /** L with L L^T = the matrix with rows and columns reversed. */
  private static double[] factor(double[] h, int n) {
    double[] l = new double[n * n];
    for (int i = 0; i < n; i++) {
      for (int j = 0; j <= i; j++) {
        l[i * n + j] = h[(n - 1 - i) * n + n - 1 - j];
      }
    }
    // Column by column, so that the inner loop runs along rows without a sum.
    double[] column = new double[n];
    for (int k = 0; k < n; k++) {
      double pivot = Math.sqrt(l[k * n + k]);
      if (!(pivot > 0)) {
        throw new IllegalArgumentException("the metric is not positive at row " + k);
      }
      l[k * n + k] = pivot;
      for (int i = k + 1; i < n; i++) {
        l[i * n + k] /= pivot;
        column[i] = l[i * n + k];
      }
      for (int i = k + 1; i < n; i++) {
        double factor = column[i];
        int at = i * n;
        for (int j = k + 1; j <= i; j++) {
          l[at + j] -= factor * column[j];
        }
      }
    }
    return l;
  }

  /** How much of the error of row k is made up for in row i; 0 where k is in another block. */
  float feedback(int i, int k) {
    int start = i / block * block;
    return k < start ? 0 : feedback[i * block + k - start];
  }

  /** The first row whose error is made up for in row i. */
  int first(int i) {
    return i / block * block;
  }

  /**
   * rows x block factors, as {@link SearchRequest.Feedback} has them. Shared: not to be changed.
   */
  float[] matrix() {
    return feedback;
  }

  /** Rows of a block. */
  int block() {
    return block;
  }

  /** What the error of each row costs that is not made up for. */
  double[] own() {
    return own;
  }

  /**
   * How much the energy of a row's targets exceeds that of its values, on average over rows,
   * because errors of rows before it are fed back.
   *
   * @param noise of each row before, as a share of its energy
   */
  double excess(double[] noise) {
    double sum = 0;
    for (int i = 0; i < size; i++) {
      for (int k = first(i); k < i; k++) {
        double factor = feedback(i, k);
        sum += factor * factor * noise[k];
      }
    }
    return sum / size;
  }
}
