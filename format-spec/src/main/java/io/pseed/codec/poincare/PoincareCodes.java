package io.pseed.codec.poincare;

import io.pseed.format.CorruptException;
import java.util.Objects;

/**
 * Integer codes of a seed, q = round(value * 2^shift), and the rule that makes them equal on every
 * machine (specification, section 6.3).
 */
public final class PoincareCodes {
  /** Largest |q|; a decoder refuses more. */
  public static final int LARGEST_CODE = 32767;

  /** Smallest shift. */
  public static final int MIN_SHIFT = -64;

  /** Largest shift. */
  public static final int MAX_SHIFT = 64;

  /**
   * A scaled value must be farther from a half-integer than this part of the matrix's scaled
   * envelope. 2^-37 is 7 times what a decoder may be wrong by (10^-12).
   */
  public static final double MARGIN = 0x1p-37;

  /** Basis 8: |cos t| must be larger than this wherever the local radius is not 0. */
  public static final double SMALLEST_COSINE = 0x1p-40;

  private PoincareCodes() {}

  /**
   * How far a seed, a shift and a size of matrix are from trouble.
   *
   * @param largest largest |value * 2^shift| of the matrix
   * @param envelope largest |value * 2^shift| if the angular factor were 1 everywhere; at least
   *     {@code largest}
   * @param distance smallest distance of value * 2^shift from a half-integer, at most 0.5
   * @param cosine smallest |cos t| over the places with a local radius above 0 for basis 8;
   *     infinite for the other bases
   */
  public record Margin(double largest, double envelope, double distance, double cosine) {
    /** Nothing seen yet: the neutral element of {@link #and}. */
    public static final Margin NONE = new Margin(0, 0, 0.5, Double.POSITIVE_INFINITY);

    /** Whether an encoder may use the seed, by the rule of section 6.3. */
    public boolean isSafe() {
      return largest <= LARGEST_CODE && distance > MARGIN * envelope && cosine > SMALLEST_COSINE;
    }

    /** The margin of two sets of places together. */
    public Margin and(Margin other) {
      return new Margin(
          Math.max(largest, other.largest),
          Math.max(envelope, other.envelope),
          Math.min(distance, other.distance),
          Math.min(cosine, other.cosine));
    }
  }

  /**
   * Codes of rows [rowFrom, rowTo), row after row.
   *
   * @param shift {@value #MIN_SHIFT} to {@value #MAX_SHIFT}
   * @param dst receives (rowTo - rowFrom) * cols codes
   * @param offset where in dst the first one goes
   * @throws CorruptException if a code is beyond {@value #LARGEST_CODE}, or the shift out of range
   * @throws IndexOutOfBoundsException if the rows are not in the matrix or dst is too short
   */
  public static void fill(
      PoincareGenerator generator, int shift, int rowFrom, int rowTo, int[] dst, int offset)
      throws CorruptException {
    checkShift(shift);
    Objects.checkFromToIndex(rowFrom, rowTo, generator.rows());
    int cols = generator.cols();
    Objects.checkFromIndexSize((long) offset, (long) (rowTo - rowFrom) * cols, (long) dst.length);
    double factor = Math.scalb(1.0, shift);
    double[] row = new double[cols];
    for (int i = rowFrom; i < rowTo; i++) {
      generator.fill(i, i + 1, row, 0);
      int start = offset + (i - rowFrom) * cols;
      for (int j = 0; j < cols; j++) {
        dst[start + j] = code(row[j] * factor, generator, shift, i, j);
      }
    }
  }

  /**
   * All codes of a matrix, row after row.
   *
   * @throws CorruptException if a code is beyond {@value #LARGEST_CODE}, or the shift out of range
   */
  public static int[] of(PoincareSeed seed, int shift, int rows, int cols) throws CorruptException {
    PoincareGenerator generator = new PoincareGenerator(seed, rows, cols);
    int[] codes = new int[Math.multiplyExact(rows, cols)];
    fill(generator, shift, 0, rows, codes, 0);
    return codes;
  }

  private static int code(double scaled, PoincareGenerator generator, int shift, int i, int j)
      throws CorruptException {
    double rounded = Math.rint(scaled);
    if (Math.abs(rounded) > LARGEST_CODE) {
      throw new CorruptException(
          "Poincaré seed %s with shift %d has code %s at row %d, column %d of %d x %d, expected at most %d"
              .formatted(
                  generator.seed().toHex(),
                  shift,
                  codeText(rounded),
                  i,
                  j,
                  generator.rows(),
                  generator.cols(),
                  LARGEST_CODE));
    }
    return (int) rounded;
  }

  /**
   * A code as a sentence names it: an integer below 2^24, a float from there on. Decoders agree on
   * values to 10^-12 only (specification, section 6.3), so further digits would be each decoder's
   * own. No code is too large for a float: values are below 2^40 * 2^12, shifts at most 64.
   */
  static String codeText(double code) {
    return Math.abs(code) < 1 << 24 ? Long.toString((long) code) : Float.toString((float) code);
  }

  /**
   * Checks a shift.
   *
   * @throws CorruptException if it is outside {@value #MIN_SHIFT} to {@value #MAX_SHIFT}
   */
  static void checkShift(int shift) throws CorruptException {
    if (shift < MIN_SHIFT || shift > MAX_SHIFT) {
      throw new CorruptException(
          "shift of a Poincaré seed is %d, expected %d to %d"
              .formatted(shift, MIN_SHIFT, MAX_SHIFT));
    }
  }

  /** The margin of a whole matrix; one pass over it, one row in memory. */
  public static Margin marginOf(PoincareGenerator generator, int shift) {
    Margin margin = Margin.NONE;
    double[] row = new double[generator.cols()];
    for (int i = 0; i < generator.rows(); i++) {
      generator.fill(i, i + 1, row, 0);
      margin = margin.and(marginOfRow(generator, shift, i, row));
    }
    return margin;
  }

  /**
   * The margin of one row whose values are at hand, for encoders that pass over a matrix once.
   *
   * @param row the generator's values of row i, at the start of the array
   */
  public static Margin marginOfRow(PoincareGenerator generator, int shift, int i, double[] row) {
    double factor = Math.scalb(1.0, shift);
    double largest = 0;
    double distance = 0.5;
    for (int j = 0; j < generator.cols(); j++) {
      double scaled = Math.abs(row[j] * factor);
      largest = Math.max(largest, scaled);
      distance = Math.min(distance, Math.abs(scaled - Math.floor(scaled) - 0.5));
    }
    double cosine = Double.POSITIVE_INFINITY;
    if (generator.seed().basis() == 8) {
      for (int j = 0; j < generator.cols(); j++) {
        if (!generator.isCentre(i, j)) {
          cosine = Math.min(cosine, generator.absoluteCosine(i, j));
        }
      }
    }
    double envelope = Math.max(largest, generator.envelope() * factor);
    return new Margin(largest, envelope, distance, cosine);
  }

  /** Whether an encoder may use the seed with the shift on a matrix of this size. */
  public static boolean isSafe(PoincareSeed seed, int shift, int rows, int cols) {
    return shift >= MIN_SHIFT
        && shift <= MAX_SHIFT
        && marginOf(new PoincareGenerator(seed, rows, cols), shift).isSafe();
  }
}
