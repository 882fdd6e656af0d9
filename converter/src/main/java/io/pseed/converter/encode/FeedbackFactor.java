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
  private final float[] feedback;
  private final double[] own;

  private FeedbackFactor(int size, float[] feedback, double[] own) {
    this.size = size;
    this.feedback = feedback;
    this.own = own;
  }

  /**
   * Rotates and factors a metric.
   *
   * @param rowLevels what each row is divided by before it is rotated
   * @param rowBlockLog2 Hadamard block on the rows; signs are those of {@link Signs}
   */
  static FeedbackFactor of(ErrorMetric metric, float[] rowLevels, int rowBlockLog2) {
    int n = metric.size();
    double[] h = metric.matrix().clone();
    double trace = 0;
    for (int i = 0; i < n; i++) {
      trace += h[i * n + i];
    }
    double added = metric.damping() * trace / n;
    if (!(added > 0)) {
      // Nothing is known: every row counts alike.
      added = 1;
    }
    for (int i = 0; i < n; i++) {
      h[i * n + i] += added;
      double factor = rowLevels[i] * Signs.of(0, i);
      for (int j = 0; j < n; j++) {
        h[i * n + j] *= factor * rowLevels[j] * Signs.of(0, j);
      }
    }
    rotate(h, n, rowBlockLog2);
    double[] factor = factor(h, n);
    float[] feedback = new float[n * n];
    double[] own = new double[n];
    for (int i = 0; i < n; i++) {
      // R[i][j] = L[n-1-j][n-1-i] undoes the reversal of rows and columns.
      double diagonal = factor[(n - 1 - i) * n + n - 1 - i];
      own[i] = diagonal * diagonal;
      for (int j = 0; j < i; j++) {
        feedback[i * n + j] = (float) (factor[(n - 1 - j) * n + n - 1 - i] / diagonal);
      }
    }
    return new FeedbackFactor(n, feedback, own);
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

  int size() {
    return size;
  }

  /** Row i, column k &lt; i: how much of the error of row k is made up for in row i. */
  float[] feedback() {
    return feedback;
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
      for (int k = 0; k < i; k++) {
        sum += (double) feedback[i * size + k] * feedback[i * size + k] * noise[k];
      }
    }
    return sum / size;
  }
}
