package io.pseed.codec.trellis;

import io.pseed.codec.hadamard.Hadamard;
import io.pseed.format.View;
import java.nio.ByteBuffer;
import java.util.Arrays;

/**
 * From a trellis body to weights: streams to codes, the Hadamard transform in exact integers, two
 * ordered float products (specification, sections 8.2 to 8.5). Stateless: any band of rows on its
 * own, from any thread.
 */
public final class TrellisDecoder {
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
   * @param scratch at least count * C ints
   * @param out at least count * C floats; row i of the result belongs to the view's row {@link
   *     #viewRow}
   */
  public void decode(int first, int count, int[] scratch, float[] out) {
    View view = body.view();
    int cols = view.cols();
    for (int i = 0; i < count; i++) {
      codes(first + i, scratch, i * cols);
    }
    Hadamard.alongRows(scratch, count, cols, body.colBlockLog2());
    Hadamard.acrossRows(scratch, count, cols, body.rowBlockLog2());
    float[] colScales = body.colScales();
    boolean permuteCols = !body.panels().byRows() && body.permutation() != null;
    for (int i = 0; i < count; i++) {
      float rowScale = body.rowScales()[first + i];
      int base = i * cols;
      if (permuteCols) {
        for (int j = 0; j < cols; j++) {
          out[base + body.permutation()[j]] = ((float) scratch[base + j] * rowScale) * colScales[j];
        }
      } else {
        for (int j = 0; j < cols; j++) {
          out[base + j] = ((float) scratch[base + j] * rowScale) * colScales[j];
        }
      }
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

  private void segment(int offset, int n, int rate, int[] out, int at) {
    if (rate == 0) {
      for (int t = 0; t < n; t++) {
        out[at + t] = 0;
      }
      return;
    }
    ByteBuffer payload = body.payload();
    short[] codes = body.code().codes();
    int mask = codes.length - 1;
    // The low `held` bits of window have been read but not consumed; above them lie the bits
    // before, down to L of them.
    long window = 0;
    int held = 0;
    int next = offset;
    for (int t = 0; t < n; t++) {
      while (held < rate) {
        window = window << 8 | Byte.toUnsignedLong(payload.get(next++));
        held += 8;
      }
      held -= rate;
      out[at + t] = codes[(int) (window >>> held) & mask];
    }
  }
}
