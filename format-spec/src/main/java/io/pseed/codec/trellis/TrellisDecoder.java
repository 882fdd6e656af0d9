package io.pseed.codec.trellis;

import io.pseed.codec.hadamard.PairedHadamard;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteOrder;
import java.util.Arrays;

/**
 * From a trellis body to weights: streams to codes, the Hadamard transform in exact integers, two
 * ordered float products (specification, sections 8.2 to 8.5). Stateless: any band of rows on its
 * own, from any thread.
 */
public final class TrellisDecoder {
  private static final VarHandle LONGS =
      MethodHandles.byteArrayViewVarHandle(long[].class, ByteOrder.BIG_ENDIAN);

  private final TrellisBody body;
  private final int rowStride;
  private final long[] panelOffset;
  private final int[] panelStart;

  /** A decoder of {@code body}. */
  public TrellisDecoder(TrellisBody body) {
    this.body = body;
    Panels panels = body.panels();
    this.rowStride = panels.byRows() ? 0 : panels.columnRowBytes();
    this.panelOffset = new long[panels.count() + 1];
    this.panelStart = new int[panels.count()];
    for (int p = 0; p < panels.count(); p++) {
      int n = panels.byRows() ? body.view().cols() : panels.lengths()[p];
      long bytes = Panels.segmentBytes(n, panels.rates()[p]);
      panelStart[p] = p == 0 ? 0 : panelStart[p - 1] + panels.lengths()[p - 1];
      panelOffset[p + 1] = panelOffset[p] + (panels.byRows() ? bytes * panels.lengths()[p] : bytes);
    }
  }

  /** Rows that must be decoded together: the Hadamard block on the rows. */
  public int bandRows() {
    return 1 << body.rowBlockLog2();
  }

  /** Whether coded rows stand in another order than the rows of the view. */
  public boolean permutesRows() {
    return body.panels().byRows() && body.permutation() != null;
  }

  /** The view's row that holds coded row {@code i}. */
  public int viewRow(int i) {
    return body.panels().byRows() && body.permutation() != null ? body.permutation()[i] : i;
  }

  /**
   * Decodes the coded rows {@code first} to {@code first + count - 1}.
   *
   * @param first a multiple of {@link #bandRows()}
   * @param count a multiple of it
   * @param out at least count * C floats; row i of the result belongs to the view's row {@link
   *     #viewRow}
   */
  public void decode(int first, int count, float[] out) {
    int cols = body.view().cols();
    // Rows that are in work together: a block, or two rows where rows are not transformed.
    int group = Math.min(count, Math.max(2, bandRows()));
    int[] upper = new int[cols];
    int[] lower = new int[cols];
    long[][] pairs = new long[(group + 1) / 2][cols];
    for (int row = 0; row < count; row += group) {
      int rows = Math.min(group, count - row);
      int used = (rows + 1) / 2;
      for (int p = 0; p < used; p++) {
        codes(first + row + 2 * p, lower, 0);
        if (2 * p + 1 < rows) {
          codes(first + row + 2 * p + 1, upper, 0);
        }
        PairedHadamard.alongRow(lower, upper, pairs[p], cols, body.colBlockLog2());
      }
      if (body.rowBlockLog2() > 1) {
        PairedHadamard.acrossPairs(pairs, cols, body.rowBlockLog2() - 1);
      }
      for (int p = 0; p < used; p++) {
        scale(pairs[p], first, row + 2 * p, 2 * p + 1 < rows, out);
      }
    }
  }

  /** Takes a pair apart; where rows are transformed, sum and difference are the last step. */
  private void scale(long[] pair, int first, int row, boolean two, float[] out) {
    int cols = body.view().cols();
    float[] colScales = body.colScales();
    float scale0 = body.rowScales()[first + row];
    float scale1 = two ? body.rowScales()[first + row + 1] : 0;
    int base = row * cols;
    int[] to = body.panels().byRows() ? null : body.permutation();
    if (two && body.rowBlockLog2() > 0 && to == null) {
      sumAndDifference(pair, cols, scale0, scale1, colScales, out, base);
      return;
    }
    boolean transformed = body.rowBlockLog2() > 0;
    for (int j = 0; j < cols; j++) {
      int z0 = PairedHadamard.lower(pair[j]);
      int z1 = PairedHadamard.upper(pair[j]);
      int y0 = transformed ? z0 + z1 : z0;
      int y1 = transformed ? z0 - z1 : z1;
      int at = base + (to == null ? j : to[j]);
      out[at] = ((float) y0 * scale0) * colScales[j];
      if (two) {
        out[at + cols] = ((float) y1 * scale1) * colScales[j];
      }
    }
  }

  /** The usual case, without a question in the loop. */
  private static void sumAndDifference(
      long[] pair, int cols, float scale0, float scale1, float[] colScales, float[] out, int base) {
    for (int j = 0; j < cols; j++) {
      int z0 = PairedHadamard.lower(pair[j]);
      int z1 = PairedHadamard.upper(pair[j]);
      float scale = colScales[j];
      out[base + j] = ((float) (z0 + z1) * scale0) * scale;
      out[base + cols + j] = ((float) (z0 - z1) * scale1) * scale;
    }
  }

  /** The codes of coded row {@code row}, before the transform: C values from {@code out[at]}. */
  public void codes(int row, int[] out, int at) {
    Panels panels = body.panels();
    if (panels.byRows()) {
      int found = Arrays.binarySearch(panelStart, row);
      int p = found >= 0 ? found : -found - 2;
      int rate = panels.rates()[p];
      long bytes = Panels.segmentBytes(body.view().cols(), rate);
      long offset = panelOffset[p] + (row - panelStart[p]) * bytes;
      segment(Math.toIntExact(offset), body.view().cols(), rate, out, at);
      return;
    }
    int column = at;
    for (int p = 0; p < panels.count(); p++) {
      int offset = Math.toIntExact((long) row * rowStride + panelOffset[p]);
      segment(offset, panels.lengths()[p], panels.rates()[p], out, column);
      column += panels.lengths()[p];
    }
  }

  /**
   * The codes of one segment. The bits of weight t end at bit (t + 1) k; a big-endian load of 64
   * bits that ends there holds its seed, and those of the weights before it.
   */
  private void segment(int offset, int n, int rate, int[] out, int at) {
    if (rate == 0) {
      Arrays.fill(out, at, at + n, 0);
      return;
    }
    // The bits before a row are zeros.
    int bytes = Panels.segmentBytes(n, rate);
    byte[] bits = new byte[Long.BYTES + bytes];
    body.payload().get(offset, bits, Long.BYTES, bytes);
    short[] codes = body.code().codes();
    int done = 0;
    // Eight weights take `rate` bytes; one load has all their seeds.
    if (7 * rate + body.code().bits() <= Long.SIZE) {
      done = n & ~7;
      eights(bits, done, rate, codes, out, at);
    }
    int mask = codes.length - 1;
    for (int t = done; t < n; t++) {
      int end = (t + 1) * rate;
      long window = (long) LONGS.get(bits, (end + 7) >> 3);
      out[at + t] = codes[(int) (window >>> (-end & 7)) & mask];
    }
  }

  private static void eights(byte[] bits, int n, int rate, short[] codes, int[] out, int at) {
    int mask = codes.length - 1;
    int from = rate;
    for (int t = at; t < at + n; t += 8) {
      long w = (long) LONGS.get(bits, from);
      from += rate;
      out[t + 7] = codes[(int) w & mask];
      w >>>= rate;
      out[t + 6] = codes[(int) w & mask];
      w >>>= rate;
      out[t + 5] = codes[(int) w & mask];
      w >>>= rate;
      out[t + 4] = codes[(int) w & mask];
      w >>>= rate;
      out[t + 3] = codes[(int) w & mask];
      w >>>= rate;
      out[t + 2] = codes[(int) w & mask];
      w >>>= rate;
      out[t + 1] = codes[(int) w & mask];
      w >>>= rate;
      out[t] = codes[(int) w & mask];
    }
  }
}
