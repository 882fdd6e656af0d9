package io.pseed.converter.calibrate;

import java.util.Arrays;

/** Sums the statistics of one weight over runs. Not for several threads. */
final class Accumulator {
  private final int size;
  private final double[] metric;
  private long samples;

  Accumulator(int size) {
    this.size = size;
    this.metric = new double[Math.multiplyExact(size, size)];
  }

  /** How many vectors have been added. */
  long samples() {
    return samples;
  }

  int size() {
    return size;
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
    float[] row = new float[size];
    for (int i = 0; i < size; i++) {
      Arrays.fill(row, 0, i + 1, 0);
      int t = 0;
      for (; t + 4 <= count; t += 4) {
        axpy4(
            x[t * size + i],
            x[(t + 1) * size + i],
            x[(t + 2) * size + i],
            x[(t + 3) * size + i],
            y,
            t * size,
            row,
            i + 1);
      }
      for (; t < count; t++) {
        axpy(x[t * size + i], y, t * size, row, 0, i + 1);
      }
      int at = i * size;
      for (int j = 0; j <= i; j++) {
        metric[at + j] += row[j];
      }
    }
    samples += count;
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

  /** Fills the upper triangle. */
  double[] symmetric() {
    for (int i = 0; i < size; i++) {
      for (int j = 0; j < i; j++) {
        metric[j * size + i] = metric[i * size + j];
      }
    }
    return metric;
  }
}
