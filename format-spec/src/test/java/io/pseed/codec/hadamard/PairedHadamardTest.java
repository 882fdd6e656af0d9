package io.pseed.codec.hadamard;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Random;
import org.junit.jupiter.api.Test;

/** Two rows in one long give what each gives alone, up to the largest magnitude that a file has. */
class PairedHadamardTest {
  private static final int COLS = 384;

  @Test
  void aPairKeepsBothValues() {
    int[] values = {0, 1, -1, Integer.MAX_VALUE, Integer.MIN_VALUE, 1 << 28, -(1 << 28)};
    for (int upper : values) {
      for (int lower : values) {
        long pair = ((long) upper << 32) + lower;
        assertThat(PairedHadamard.lower(pair)).isEqualTo(lower);
        assertThat(PairedHadamard.upper(pair)).isEqualTo(upper);
      }
    }
  }

  @Test
  void bothRowsAsOneByOne() {
    for (int colLog2 = 0; colLog2 <= 7; colLog2++) {
      for (int rowLog2 = 1; rowLog2 <= 7; rowLog2++) {
        for (boolean extreme : new boolean[] {false, true}) {
          check(colLog2, rowLog2, extreme);
        }
      }
    }
  }

  private static void check(int colLog2, int rowLog2, boolean extreme) {
    int rows = 1 << rowLog2;
    int[] expected = new int[rows * COLS];
    long[][] pairs = new long[rows / 2][COLS];
    Random random = new Random(colLog2 * 8 + rowLog2);
    for (int i = 0; i < expected.length; i++) {
      expected[i] = extreme ? -(1 << 14) : random.nextInt(1 << 15) - (1 << 14);
    }
    for (int p = 0; p < rows / 2; p++) {
      int[] lower = new int[COLS];
      int[] upper = new int[COLS];
      System.arraycopy(expected, 2 * p * COLS, lower, 0, COLS);
      System.arraycopy(expected, (2 * p + 1) * COLS, upper, 0, COLS);
      PairedHadamard.alongRow(lower, upper, pairs[p], COLS, colLog2);
    }
    Hadamard.alongRows(expected, rows, COLS, colLog2);
    Hadamard.acrossRows(expected, rows, COLS, rowLog2);
    PairedHadamard.acrossPairs(pairs, COLS, rowLog2 - 1);
    int[] found = new int[expected.length];
    for (int p = 0; p < rows / 2; p++) {
      for (int j = 0; j < COLS; j++) {
        int lower = PairedHadamard.lower(pairs[p][j]);
        int upper = PairedHadamard.upper(pairs[p][j]);
        found[2 * p * COLS + j] = lower + upper;
        found[(2 * p + 1) * COLS + j] = lower - upper;
      }
    }
    assertThat(found).as("columns 2^%s, rows 2^%s", colLog2, rowLog2).isEqualTo(expected);
  }
}
