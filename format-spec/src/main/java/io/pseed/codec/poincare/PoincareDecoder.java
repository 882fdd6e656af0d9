package io.pseed.codec.poincare;

import io.pseed.format.CorruptException;
import io.pseed.format.LayerSeed;
import java.util.Arrays;
import java.util.Objects;

/**
 * Weights that a layer seed contributes to a matrix (specification, sections 6.3 and 9): f32(code)
 * * amplitude, one f32 product a place. Tile grids are {@link PoincareTiles}. A range of rows can
 * be decoded on its own; ranges are independent, so many threads may share the work.
 */
public final class PoincareDecoder {
  private PoincareDecoder() {}

  /**
   * Writes the contribution of rows [rowFrom, rowTo) of the view, row after row.
   *
   * @param seed the layer seed; 0 means none and contributes nothing (here: zeros)
   * @param amplitude weight of code 1; finite
   * @param shift scale of the codes
   * @param rows rows of the view
   * @param cols columns of the view
   * @param dst receives (rowTo - rowFrom) * cols weights
   * @param offset where in dst the first one goes
   * @throws CorruptException if a code is beyond {@value PoincareCodes#LARGEST_CODE}, the shift out
   *     of range or the amplitude not finite
   * @throws IndexOutOfBoundsException if the rows are not in the view or dst is too short
   */
  public static void fill(
      long seed,
      float amplitude,
      int shift,
      int rows,
      int cols,
      int rowFrom,
      int rowTo,
      float[] dst,
      int offset)
      throws CorruptException {
    decode(seed, amplitude, shift, rows, cols, rowFrom, rowTo, dst, offset, cols, false);
  }

  /**
   * Adds the contribution of rows [rowFrom, rowTo) of the view to what is in dst, one f32 addition
   * a place; parameters and errors as for {@link #fill}.
   */
  public static void add(
      long seed,
      float amplitude,
      int shift,
      int rows,
      int cols,
      int rowFrom,
      int rowTo,
      float[] dst,
      int offset)
      throws CorruptException {
    decode(seed, amplitude, shift, rows, cols, rowFrom, rowTo, dst, offset, cols, true);
  }

  /** As {@link #fill} or {@link #add}, with the rows of dst standing {@code stride} apart. */
  static void decode(
      long seed,
      float amplitude,
      int shift,
      int rows,
      int cols,
      int rowFrom,
      int rowTo,
      float[] dst,
      int offset,
      int stride,
      boolean add)
      throws CorruptException {
    checkAmplitude(amplitude);
    PoincareCodes.checkShift(shift);
    Objects.checkFromToIndex(rowFrom, rowTo, rows);
    if (rowFrom == rowTo) {
      return;
    }
    long span = (rowTo - rowFrom - 1L) * stride + cols;
    Objects.checkFromIndexSize((long) offset, span, (long) dst.length);
    if (seed == 0) {
      for (int i = rowFrom; i < rowTo && !add; i++) {
        int start = offset + (i - rowFrom) * stride;
        Arrays.fill(dst, start, start + cols, 0f);
      }
      return;
    }
    PoincareGenerator generator = new PoincareGenerator(PoincareSeed.fromBits(seed), rows, cols);
    int[] codes = new int[cols];
    for (int i = rowFrom; i < rowTo; i++) {
      PoincareCodes.fill(generator, shift, i, i + 1, codes, 0);
      int start = offset + (i - rowFrom) * stride;
      if (add) {
        for (int j = 0; j < cols; j++) {
          dst[start + j] += codes[j] * amplitude;
        }
      } else {
        for (int j = 0; j < cols; j++) {
          dst[start + j] = codes[j] * amplitude;
        }
      }
    }
  }

  static void checkAmplitude(float amplitude) throws CorruptException {
    if (!(Math.abs(amplitude) <= LayerSeed.LARGEST_AMPLITUDE)) {
      throw new CorruptException(
          "amplitude of a Poincaré seed is %s, expected at most 2^64 in magnitude"
              .formatted(amplitude));
    }
  }
}
