package io.pseed.codec.hadamard;

/**
 * The integer form of {@link Hadamard} on two rows at a time: a long holds a value of the upper row
 * times 2^32 plus one of the lower row. Sums and differences of such longs are those of both rows,
 * exact while |values| stay below 2^31, so each addition does the work of two. Rows of pairs are
 * arrays of their own, which is what the JIT vectorises.
 */
public final class PairedHadamard {
  /** Columns that are transformed across rows before the next ones: 128 rows of them fit the L2. */
  private static final int CHUNK = 256;

  private PairedHadamard() {}

  /** The value of the lower row. */
  public static int lower(long pair) {
    return (int) pair;
  }

  /** The value of the upper row: a negative lower one has taken one from it. */
  public static int upper(long pair) {
    return (int) ((pair >> 32) + (pair >>> 31 & 1));
  }

  /**
   * Joins two rows and multiplies each aligned group of 2^log2 values by H.
   *
   * @param out {@code n} pairs
   */
  public static void alongRow(int[] lower, int[] upper, long[] out, int n, int log2) {
    if (log2 < 3) {
      for (int i = 0; i < n; i++) {
        out[i] = ((long) upper[i] << 32) + lower[i];
      }
      for (int half = 1; half < 1 << log2; half <<= 1) {
        twos(out, n, half);
      }
      return;
    }
    eights(lower, upper, out, n);
    int half = 8;
    int left = log2 - 3;
    for (; left >= 2; left -= 2) {
      fours(out, n, half);
      half *= 4;
    }
    if (left == 1) {
      twos(out, n, half);
    }
  }

  /** The first three steps, in registers. */
  private static void eights(int[] lower, int[] upper, long[] out, int n) {
    for (int i = 0; i < n; i += 8) {
      long a0 = ((long) upper[i] << 32) + lower[i];
      long a1 = ((long) upper[i + 1] << 32) + lower[i + 1];
      long a2 = ((long) upper[i + 2] << 32) + lower[i + 2];
      long a3 = ((long) upper[i + 3] << 32) + lower[i + 3];
      long b0 = a0 + a1;
      long b1 = a0 - a1;
      long b2 = a2 + a3;
      long b3 = a2 - a3;
      a0 = b0 + b2;
      a1 = b1 + b3;
      a2 = b0 - b2;
      a3 = b1 - b3;
      long a4 = ((long) upper[i + 4] << 32) + lower[i + 4];
      long a5 = ((long) upper[i + 5] << 32) + lower[i + 5];
      long a6 = ((long) upper[i + 6] << 32) + lower[i + 6];
      long a7 = ((long) upper[i + 7] << 32) + lower[i + 7];
      b0 = a4 + a5;
      b1 = a4 - a5;
      b2 = a6 + a7;
      b3 = a6 - a7;
      a4 = b0 + b2;
      a5 = b1 + b3;
      a6 = b0 - b2;
      a7 = b1 - b3;
      out[i] = a0 + a4;
      out[i + 1] = a1 + a5;
      out[i + 2] = a2 + a6;
      out[i + 3] = a3 + a7;
      out[i + 4] = a0 - a4;
      out[i + 5] = a1 - a5;
      out[i + 6] = a2 - a6;
      out[i + 7] = a3 - a7;
    }
  }

  private static void twos(long[] m, int n, int half) {
    for (int base = 0; base < n; base += 2 * half) {
      for (int i = base; i < base + half; i++) {
        long x = m[i];
        long y = m[i + half];
        m[i] = x + y;
        m[i + half] = x - y;
      }
    }
  }

  /** Two steps at once. */
  private static void fours(long[] m, int n, int half) {
    for (int base = 0; base < n; base += 4 * half) {
      for (int i = base; i < base + half; i++) {
        long a = m[i];
        long b = m[i + half];
        long c = m[i + 2 * half];
        long d = m[i + 3 * half];
        long e = a + b;
        long f = a - b;
        long g = c + d;
        long h = c - d;
        m[i] = e + g;
        m[i + half] = f + h;
        m[i + 2 * half] = e - g;
        m[i + 3 * half] = f - h;
      }
    }
  }

  /**
   * Multiplies the rows of pairs by H from the left, in place.
   *
   * @param rows 2^log2 rows of at least {@code n} pairs
   */
  public static void acrossPairs(long[][] rows, int n, int log2) {
    for (int from = 0; from < n; from += CHUNK) {
      int to = Math.min(n, from + CHUNK);
      int half = 1;
      int left = log2;
      for (; left >= 2; left -= 2) {
        for (int base = 0; base < 1 << log2; base += 4 * half) {
          for (int r = base; r < base + half; r++) {
            butterflies(rows[r], rows[r + half], rows[r + 2 * half], rows[r + 3 * half], from, to);
          }
        }
        half *= 4;
      }
      if (left == 1) {
        for (int r = 0; r < half; r++) {
          butterfly(rows[r], rows[r + half], from, to);
        }
      }
    }
  }

  private static void butterfly(long[] a, long[] b, int from, int to) {
    for (int i = from; i < to; i++) {
      long x = a[i];
      long y = b[i];
      a[i] = x + y;
      b[i] = x - y;
    }
  }

  private static void butterflies(long[] a, long[] b, long[] c, long[] d, int from, int to) {
    for (int i = from; i < to; i++) {
      long e = a[i] + b[i];
      long f = a[i] - b[i];
      long g = c[i] + d[i];
      long h = c[i] - d[i];
      a[i] = e + g;
      b[i] = f + h;
      c[i] = e - g;
      d[i] = f - h;
    }
  }
}
