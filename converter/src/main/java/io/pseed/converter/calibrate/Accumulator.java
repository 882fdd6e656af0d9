package io.pseed.converter.calibrate;

import java.util.Arrays;

/** Sums the statistics of one weight over runs. Not for several threads. */
final class Accumulator {
  private final int size;
  private final int block;
  private final double[] metric;
  private long samples;

  /**
   * A sum of size x size numbers, of which blocks of {@code block} on the diagonal are kept.
   *
   * @param block of rows and columns; {@code size}: the whole
   */
  Accumulator(int size, int block) {
    this.size = size;
    this.block = block;
    this.metric = new double[Math.multiplyExact(size, block)];
  }

  /** How many vectors have been added. */
  long samples() {
    return samples;
  }

  int size() {
    return size;
  }

  int block() {
    return block;
  }

  /**
   * metric += sum over t, s of k[t][s] x[t]^T x[s], for vectors x of {@code size} numbers.
   *
   * @param k symmetric, T x T
   */
  void add(float[] x, int count, double[] k) {
    float[] y = new float[count * size];
    for (int t = 0; t < count; t++) {
      for (int s = 0; s < count; s++) {
        float factor = (float) k[t * count + s];
        if (factor != 0) {
          axpy(factor, x, s * size, y, t * size, size);
        }
      }
    }
    add(x, y, count, 1);
    samples += count;
  }

  /**
   * metric += factor * the sum of x[t]^T x[t]; counts no samples. Vectors of any size: the largest
   * number decides the unit, so that squares of small ones do not vanish.
   */
  void addSquares(float[] x, int count, double factor) {
    float largest = 0;
    for (int i = 0; i < count * size; i++) {
      largest = Math.max(largest, Math.abs(x[i]));
    }
    if (largest > 0) {
      float[] y = new float[count * size];
      for (int i = 0; i < y.length; i++) {
        y[i] = x[i] / largest;
      }
      add(y, y, count, factor * largest * largest);
    }
  }

  /** Counts vectors that were added in another form. */
  void count(long vectors) {
    samples += vectors;
  }

  /** metric += factor * the sum over t of x[t]^T y[t], where that is symmetric. */
  private void add(float[] x, float[] y, int count, double factor) {
    float[] row = new float[block];
    for (int i = 0; i < size; i++) {
      int start = i / block * block;
      int n = i - start + 1;
      Arrays.fill(row, 0, n, 0);
      int t = 0;
      for (; t + 4 <= count; t += 4) {
        axpy4(
            x[t * size + i],
            x[(t + 1) * size + i],
            x[(t + 2) * size + i],
            x[(t + 3) * size + i],
            y,
            t * size + start,
            row,
            n);
      }
      for (; t < count; t++) {
        axpy(x[t * size + i], y, t * size + start, row, 0, n);
      }
      int at = i * block;
      for (int j = 0; j < n; j++) {
        metric[at + j] += factor * row[j];
      }
    }
  }

  private void axpy4(float a, float b, float c, float d, float[] y, int at, float[] row, int n) {
    int q = at + size;
    int r = q + size;
    int s = r + size;
    for (int j = 0; j < n; j++) {
      row[j] += a * y[at + j] + b * y[q + j] + (c * y[r + j] + d * y[s + j]);
    }
  }

  static void axpy(float a, float[] x, int from, float[] y, int at, int n) {
    for (int j = 0; j < n; j++) {
      y[at + j] += a * x[from + j];
    }
  }

  static double dot(float[] a, int from, float[] b, int at, int n) {
    double sum = 0;
    for (int j = 0; j < n; j++) {
      sum += (double) a[from + j] * b[at + j];
    }
    return sum;
  }

  /** The Gram matrix of {@code count} vectors, row-major. */
  static double[] gram(float[] x, int count, int size) {
    float[] turned = new float[x.length];
    for (int t = 0; t < count; t++) {
      for (int j = 0; j < size; j++) {
        turned[j * count + t] = x[t * size + j];
      }
    }
    float[] row = new float[count];
    double[] k = new double[count * count];
    for (int t = 0; t < count; t++) {
      Arrays.fill(row, 0);
      for (int j = 0; j < size; j++) {
        axpy(x[t * size + j], turned, j * count, row, 0, count);
      }
      for (int s = 0; s < count; s++) {
        k[t * count + s] = row[s];
      }
    }
    return k;
  }

  /** Adds another sum of the same size, times a factor. */
  void add(Accumulator other, double factor) {
    for (int i = 0; i < metric.length; i++) {
      metric[i] += factor * other.metric[i];
    }
    samples += other.samples;
  }

  /** The sum of the diagonal. */
  double trace() {
    double trace = 0;
    for (int i = 0; i < size; i++) {
      trace += metric[i * block + i % block];
    }
    return trace;
  }

  /**
   * Fills the upper triangles and gives the sum: row i has the {@code block} columns of its block,
   * those beyond {@code size} zero.
   */
  double[] symmetric() {
    for (int i = 0; i < size; i++) {
      int start = i / block * block;
      for (int j = start; j < i; j++) {
        metric[j * block + i - start] = metric[i * block + j - start];
      }
    }
    return metric;
  }
}
