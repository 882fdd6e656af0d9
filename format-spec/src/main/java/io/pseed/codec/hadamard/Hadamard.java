package io.pseed.codec.hadamard;

/**
 * The block Hadamard transform on rows and columns of a matrix (specification, section 8.4). H_b
 * has the entries (-1)^popcount(i and j); it is its own inverse up to the factor b. The integer
 * form is exact while |values| stay below 2^31.
 */
public final class Hadamard {
  /** Largest block: 2^7. */
  public static final int MAX_LOG2 = 7;

  private Hadamard() {}

  /** The largest block, as a power of two up to {@code maxLog2}, that divides {@code n}. */
  public static int largestLog2(int n, int maxLog2) {
    return Math.min(maxLog2, Integer.numberOfTrailingZeros(n));
  }

  /**
   * Transforms the columns' index of each row, in place: each aligned group of 2^log2 values of a
   * row is multiplied by H.
   *
   * @param m row-major, {@code rows} rows of {@code cols} values; 2^log2 divides {@code cols}
   */
  public static void alongRows(int[] m, int rows, int cols, int log2) {
    int n = rows * cols;
    for (int half = 1; half < 1 << log2; half <<= 1) {
      for (int base = 0; base < n; base += 2 * half) {
        butterfly(m, base, base + half, half);
      }
    }
  }

  /**
   * Transforms the rows' index, in place: each aligned group of 2^log2 rows is multiplied by H from
   * the left.
   */
  public static void acrossRows(int[] m, int rows, int cols, int log2) {
    for (int half = 1; half < 1 << log2; half <<= 1) {
      for (int row = 0; row < rows; row += 2 * half) {
        butterfly(m, row * cols, (row + half) * cols, half * cols);
      }
    }
  }

  private static void butterfly(int[] m, int a, int b, int n) {
    for (int i = 0; i < n; i++) {
      int x = m[a + i];
      int y = m[b + i];
      m[a + i] = x + y;
      m[b + i] = x - y;
    }
  }

  /** {@link #alongRows(int[], int, int, int)} for the encoder's real numbers; not normative. */
  public static void alongRows(float[] m, int rows, int cols, int log2) {
    int n = rows * cols;
    for (int half = 1; half < 1 << log2; half <<= 1) {
      for (int base = 0; base < n; base += 2 * half) {
        butterfly(m, base, base + half, half);
      }
    }
  }

  /** {@link #acrossRows(int[], int, int, int)} for the encoder's real numbers; not normative. */
  public static void acrossRows(float[] m, int rows, int cols, int log2) {
    for (int half = 1; half < 1 << log2; half <<= 1) {
      for (int row = 0; row < rows; row += 2 * half) {
        butterfly(m, row * cols, (row + half) * cols, half * cols);
      }
    }
  }

  private static void butterfly(float[] m, int a, int b, int n) {
    for (int i = 0; i < n; i++) {
      float x = m[a + i];
      float y = m[b + i];
      m[a + i] = x + y;
      m[b + i] = x - y;
    }
  }
}
