package io.pseed.gpu;

import io.pseed.codec.trellis.Panels;
import io.pseed.codec.trellis.TrellisBody;
import io.pseed.format.DType;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/**
 * What the host and the decoding kernels agree on, {@code struct Record} of {@code
 * src/main/cuda/decode.cu}: where the parts of a record lie in one piece of device memory.
 */
final class DecodeLayout {
  /** Bytes of {@code struct Record}. */
  static final int RECORD_BYTES = 88;

  /** A block decodes tiles of so many rows and columns. */
  private static final int TILE = 128;

  /** Bytes that kernels read before and behind the payload, and ignore. */
  private static final int BEFORE = 16;

  private static final int BEHIND = 160;
  private static final int PANEL_BYTES = 24;

  private final TrellisBody body;
  private final long payload;
  private final long panels;
  private final long permutation;
  private final long rowScales;
  private final long colScales;
  private final long codes;
  private final long out;
  private final long bytes;

  /**
   * A layout.
   *
   * @param codeBytes bytes of the generator's tables
   * @param outBytes bytes of the decoded tensor
   */
  DecodeLayout(TrellisBody body, long codeBytes, long outBytes) {
    this.body = body;
    payload = SearchLayout.round256(BEFORE);
    long at = payload + SearchLayout.round256((long) body.payload().remaining() + BEHIND);
    panels = at;
    at += SearchLayout.round256((long) PANEL_BYTES * body.panels().count());
    permutation = at;
    at += SearchLayout.round256(body.permutation() == null ? 0 : 4L * body.permutation().length);
    rowScales = at;
    at += SearchLayout.round256(4L * roundedRows());
    colScales = at;
    at += SearchLayout.round256(4L * body.view().cols());
    codes = at;
    at += SearchLayout.round256(codeBytes);
    out = at;
    bytes = at + SearchLayout.round256(outBytes);
  }

  long payload() {
    return payload;
  }

  long panels() {
    return panels;
  }

  long permutation() {
    return permutation;
  }

  long rowScales() {
    return rowScales;
  }

  long colScales() {
    return colScales;
  }

  long codes() {
    return codes;
  }

  long out() {
    return out;
  }

  long bytes() {
    return bytes;
  }

  /** Rows, rounded up to whole tiles. */
  int roundedRows() {
    return (body.view().rows() + TILE - 1) / TILE * TILE;
  }

  long tiles() {
    return (long) (roundedRows() / TILE) * ((body.view().cols() + TILE - 1) / TILE);
  }

  /** The panels as the kernels read them. */
  ByteBuffer panelBytes() {
    Panels all = body.panels();
    ByteBuffer to = ByteBuffer.allocate(PANEL_BYTES * all.count()).order(ByteOrder.LITTLE_ENDIAN);
    int start = 0;
    long offset = 0;
    for (int p = 0; p < all.count(); p++) {
      int length = all.lengths()[p];
      int rate = all.rates()[p];
      to.putInt(start).putInt(length).putInt(rate).putInt(0).putLong(offset);
      start += length;
      offset +=
          all.byRows()
              ? (long) length * Panels.segmentBytes(body.view().cols(), rate)
              : Panels.segmentBytes(length, rate);
    }
    return to.flip();
  }

  /** The argument of a kernel, for memory that begins at {@code base}. */
  void put(ByteBuffer to, long base, DType type) {
    Panels all = body.panels();
    to.putLong(base + payload).putLong(base + panels);
    to.putLong(body.permutation() == null ? 0 : base + permutation);
    to.putLong(base + rowScales).putLong(base + colScales);
    to.putLong(all.byRows() ? 0 : all.rowBytes(0, body.view().cols()));
    to.putInt(all.count()).putInt(body.view().rows()).putInt(body.view().cols());
    to.putInt(body.code().bits()).putInt(body.rowBlockLog2()).putInt(body.colBlockLog2());
    to.putInt(all.byRows() ? 1 : 0).putInt(body.view().transposed() ? 1 : 0);
    to.putInt(type.id()).putInt(0);
  }
}
