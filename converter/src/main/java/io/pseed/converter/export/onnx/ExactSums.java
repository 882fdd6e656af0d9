package io.pseed.converter.export.onnx;

import io.pseed.codec.hadamard.Hadamard;
import io.pseed.codec.trellis.TrellisBody;
import io.pseed.codec.trellis.TrellisDecoder;
import java.util.Arrays;
import java.util.stream.IntStream;

/**
 * Whether the Hadamard transform of a tensor's codes is exact in binary32: it is where every
 * partial sum is an integer of at most 2^24, in whatever order a runtime adds. Decided on the
 * tensor's own codes, because the bound over all possible codes is many times larger.
 */
enum ExactSums {
  /** Both transforms at once are exact: the sums of |code| over each block stay in the bound. */
  AT_ONCE,
  /** Exact if the rows are transformed first and the columns after: two steps are needed. */
  ROWS_FIRST,
  /** Only binary64 holds the sums. */
  DOUBLE;

  private static final long LIMIT = 1 << 24;
  private static final int LARGEST_CODE = (1 << 14) - 1;

  static ExactSums of(TrellisBody body) {
    int blockRows = 1 << body.rowBlockLog2();
    int blockCols = 1 << body.colBlockLog2();
    if ((long) blockRows * blockCols * LARGEST_CODE <= LIMIT) {
      return AT_ONCE;
    }
    int bands = body.view().rows() / blockRows;
    return IntStream.range(0, bands)
        .parallel()
        .mapToObj(band -> ofBand(body, band * blockRows))
        .reduce(AT_ONCE, (a, b) -> a.compareTo(b) >= 0 ? a : b);
  }

  /** The worst block of one band of rows. */
  private static ExactSums ofBand(TrellisBody body, int first) {
    int rows = 1 << body.rowBlockLog2();
    int cols = body.view().cols();
    int[] codes = new int[rows * cols];
    TrellisDecoder decoder = new TrellisDecoder(body);
    for (int i = 0; i < rows; i++) {
      decoder.codes(first + i, codes, i * cols);
    }
    long[] columnSums = new long[cols];
    for (int i = 0; i < rows; i++) {
      addMagnitudes(codes, i * cols, columnSums);
    }
    int blockCols = 1 << body.colBlockLog2();
    if (largestBlock(columnSums, blockCols) <= LIMIT) {
      return AT_ONCE;
    }
    Hadamard.acrossRows(codes, rows, cols, body.rowBlockLog2());
    long[] row = new long[cols];
    for (int i = 0; i < rows; i++) {
      Arrays.fill(row, 0);
      addMagnitudes(codes, i * cols, row);
      if (largestBlock(row, blockCols) > LIMIT) {
        return DOUBLE;
      }
    }
    // The first step's own sums are bounded by those of its columns.
    return largestBlock(columnSums, 1) <= LIMIT ? ROWS_FIRST : DOUBLE;
  }

  private static void addMagnitudes(int[] codes, int at, long[] sums) {
    for (int j = 0; j < sums.length; j++) {
      sums[j] += Math.abs(codes[at + j]);
    }
  }

  private static long largestBlock(long[] sums, int block) {
    long largest = 0;
    for (int start = 0; start < sums.length; start += block) {
      long sum = 0;
      for (int j = start; j < start + block; j++) {
        sum += sums[j];
      }
      largest = Math.max(largest, sum);
    }
    return largest;
  }
}
