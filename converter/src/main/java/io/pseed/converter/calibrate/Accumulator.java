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
    float[][] from = vectors(x, count, size);
    float[][] y = new float[count][size];
    for (int t = 0; t < count; t++) {
      for (int s = 0; s < count; s++) {
        float factor = (float) k[t * count + s];
        if (factor != 0) {
          axpy(factor, from[s], y[t], 0, size);
        }
      }
    }
    add(x, y, 1);
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
      add(y, vectors(y, count, size), factor * largest * largest);
    }
  }

  /** Counts vectors that were added in another form. */
  void count(long vectors) {
    samples += vectors;
  }

  /**
   * The vectors of {@code size} numbers that lie in {@code x} one behind another, each on its own:
   * the JIT of Java 17 makes vector code of loops over several arrays at one index, but not at
   * several offsets of one array (three to five times slower).
   */
  static float[][] vectors(float[] x, int count, int size) {
    float[][] vectors = new float[count][];
    for (int t = 0; t < count; t++) {
      vectors[t] = Arrays.copyOfRange(x, t * size, (t + 1) * size);
    }
    return vectors;
  }

  /** metric += factor * the sum over t of x[t]^T y[t], where that is symmetric. */
  private void add(float[] x, float[][] y, double factor) {
    float[] row = new float[size];
    for (int i = 0; i < size; i++) {
      int start = i / block * block;
      int end = i + 1;
      Arrays.fill(row, start, end, 0);
      int t = 0;
      for (; t + 4 <= y.length; t += 4) {
        axpy4(
            x[t * size + i],
            y[t],
            x[(t + 1) * size + i],
            y[t + 1],
            x[(t + 2) * size + i],
            y[t + 2],
            x[(t + 3) * size + i],
            y[t + 3],
            row,
            start,
            end);
      }
      for (; t < y.length; t++) {
        axpy(x[t * size + i], y[t], row, start, end);
      }
      int at = i * block - start;
      for (int j = start; j < end; j++) {
        metric[at + j] += factor * row[j];
      }
    }
  }

  private static void axpy4(
      float a,
      float[] p,
      float b,
      float[] q,
      float c,
      float[] r,
      float d,
      float[] s,
      float[] sum,
      int start,
      int end) {
    for (int j = start; j < end; j++) {
      sum[j] += a * p[j] + b * q[j] + (c * r[j] + d * s[j]);
    }
  }

  /** y += a x, from {@code start} to {@code end}. */
  static void axpy(float a, float[] x, float[] y, int start, int end) {
    for (int j = start; j < end; j++) {
      y[j] += a * x[j];
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
    float[][] turned = new float[size][count];
    for (int t = 0; t < count; t++) {
      for (int j = 0; j < size; j++) {
        turned[j][t] = x[t * size + j];
      }
    }
    float[] row = new float[count];
    double[] k = new double[count * count];
    for (int t = 0; t < count; t++) {
      Arrays.fill(row, 0);
      for (int j = 0; j < size; j++) {
        axpy(x[t * size + j], turned[j], row, 0, count);
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
