package io.pseed.codec.trellis;

import io.pseed.codec.hadamard.Hadamard;
import io.pseed.format.OverLimitException;
import io.pseed.format.PseedException;
import io.pseed.format.TensorRecord;
import io.pseed.format.UnknownCodecException;
import io.pseed.format.View;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Arrays;

/**
 * The body of a trellis record (specification, section 8.1).
 *
 * <pre>
 * offset  0     16  17   18     19           20           21           22           23         24          28        29  32
 *         +-----+---+----+------+------------+------------+------------+------------+----------+-----------+---------+---+--------+
 *         |view | L |law |kappa |rowBlockLog2|colBlockLog2|rowScaleKind|colScaleKind|panelAxis |panelCount |permuted | 0 | panels |
 *         +-----+---+----+------+------------+------------+------------+------------+----------+-----------+---------+---+--------+
 *         | row scales | column scales | permutation | payload
 * </pre>
 *
 * @param view the tensor as a matrix
 * @param code the generator: L and its radial law
 * @param law radial law
 * @param kappa its parameter
 * @param rowBlockLog2 Hadamard block on the rows, 0 to 7
 * @param colBlockLog2 Hadamard block on the columns, 0 to 7
 * @param rowScaleKind how the factors of the rows are stored
 * @param colScaleKind how the factors of the columns are stored
 * @param rowScales R factors
 * @param colScales C factors
 * @param panels rates
 * @param permutation where a coded row (panels by rows) or column goes in the view; null: where it
 *     is
 * @param payload the streams, row after row
 */
@SuppressWarnings("ArrayRecordComponent") // equals, hashCode and toString below read the arrays.
public record TrellisBody(
    View view,
    TrellisCode code,
    int law,
    int kappa,
    int rowBlockLog2,
    int colBlockLog2,
    Scales rowScaleKind,
    Scales colScaleKind,
    float[] rowScales,
    float[] colScales,
    Panels panels,
    int[] permutation,
    ByteBuffer payload) {
  static final int FIXED_LENGTH = 32;
  static final int PANEL_LENGTH = 8;

  /** Most rows or columns whose scales fit into one array of less than 2 GiB. */
  static final int MAX_LINES = (1 << 29) - 16;

  /**
   * Reads and checks the body of {@code record}.
   *
   * @throws OverLimitException where there are more lines than Java's arrays take
   */
  public static TrellisBody parse(TensorRecord record) throws PseedException {
    View view = View.parse(record);
    ByteBuffer in = record.body();
    if (in.remaining() < FIXED_LENGTH) {
      throw record.corruptBody(0, "body", in.remaining() + " bytes", "at least " + FIXED_LENGTH);
    }
    int bits = field(record, 16, "seed length L", TrellisCode.MIN_L, TrellisCode.MAX_L);
    int law = Byte.toUnsignedInt(in.get(17));
    if (law > TrellisCode.LAW_DISK) {
      throw new UnknownCodecException(
          record.place().label()
              + ": trellis radial law "
              + law
              + " is unknown to this version, which knows 0 Rayleigh, 1 disk; a newer pseed may read it");
    }
    int kappa =
        law == TrellisCode.LAW_RAYLEIGH
            ? field(record, 18, "kappa", 0, 0)
            : field(record, 18, "kappa", 1, 255);
    int rowLog2 = block(record, 19, "row block", view.rows());
    int colLog2 = block(record, 20, "column block", view.cols());
    Scales rowKind = Scales.ofId(field(record, 21, "rowScaleKind", 0, Scales.MAX_ID));
    Scales colKind = Scales.ofId(field(record, 22, "colScaleKind", 0, Scales.MAX_ID));
    boolean byRows = field(record, 23, "panelAxis", 0, 1) == 1;
    int axis = byRows ? view.rows() : view.cols();
    int count = in.getInt(24);
    if (count < 1 || count > axis || count > (in.limit() - FIXED_LENGTH) / PANEL_LENGTH) {
      throw record.corruptBody(
          24,
          "panelCount",
          Integer.toUnsignedString(count),
          "1 to " + axis + ", with 8 bytes for each in the record");
    }
    boolean permuted = field(record, 28, "permuted", 0, 1) == 1;
    record.requireZeroInBody(29, 3, "reserved bytes");
    Panels panels = panels(record, byRows, axis, count);

    long rowScaleOffset = FIXED_LENGTH + (long) PANEL_LENGTH * count;
    long colScaleOffset = rowScaleOffset + rowKind.paddedSize(view.rows());
    long permutationOffset = colScaleOffset + colKind.paddedSize(view.cols());
    long payloadOffset = permutationOffset + (permuted ? 4L * axis : 0);
    long end = payloadOffset + panels.payloadBytes(view.rows(), view.cols());
    if (end != in.limit()) {
      throw record.corruptBody(
          0, "body", in.limit() + " bytes", end + " for its view, scales and rates");
    }
    // One stored scale may stand for 2^31 - 1 lines, which are more floats than an array takes.
    if (Math.max(view.rows(), view.cols()) > MAX_LINES) {
      throw new OverLimitException(
          String.format(
              "%s: a trellis view of %d x %d, Java takes at most %d rows and columns",
              record.place().label(), view.rows(), view.cols(), MAX_LINES));
    }
    return new TrellisBody(
        view,
        TrellisCode.of(bits, law, kappa),
        law,
        kappa,
        rowLog2,
        colLog2,
        rowKind,
        colKind,
        rowKind.read(record, (int) rowScaleOffset, view.rows()),
        colKind.read(record, (int) colScaleOffset, view.cols()),
        panels,
        permuted ? permutation(record, (int) permutationOffset, axis) : null,
        payload(record, panels, view, (int) payloadOffset));
  }

  /** Everything of the body that stands before the payload. */
  public ByteBuffer head() {
    int axis = panels.byRows() ? view.rows() : view.cols();
    long size =
        FIXED_LENGTH
            + (long) PANEL_LENGTH * panels.count()
            + rowScaleKind.paddedSize(view.rows())
            + colScaleKind.paddedSize(view.cols())
            + (permutation == null ? 0 : 4L * axis);
    ByteBuffer out = ByteBuffer.allocate(Math.toIntExact(size)).order(ByteOrder.LITTLE_ENDIAN);
    view.write(out);
    out.put((byte) code.bits()).put((byte) law).put((byte) kappa);
    out.put((byte) rowBlockLog2).put((byte) colBlockLog2);
    out.put((byte) rowScaleKind.id()).put((byte) colScaleKind.id());
    out.put((byte) (panels.byRows() ? 1 : 0)).putInt(panels.count());
    out.put((byte) (permutation == null ? 0 : 1)).put(new byte[3]);
    for (int p = 0; p < panels.count(); p++) {
      out.putInt(panels.lengths()[p]).put((byte) panels.rates()[p]).put(new byte[3]);
    }
    rowScaleKind.write(rowScales, out);
    colScaleKind.write(colScales, out);
    if (permutation != null) {
      for (int line : permutation) {
        out.putInt(line);
      }
    }
    return out.flip();
  }

  private static Panels panels(TensorRecord record, boolean byRows, int axis, int count)
      throws PseedException {
    ByteBuffer in = record.body();
    int[] lengths = new int[count];
    int[] rates = new int[count];
    long sum = 0;
    for (int p = 0; p < count; p++) {
      int at = FIXED_LENGTH + PANEL_LENGTH * p;
      lengths[p] = in.getInt(at);
      if (lengths[p] < 1) {
        throw record.corruptBody(
            at, "panel length", Integer.toUnsignedString(lengths[p]), "at least 1");
      }
      rates[p] = field(record, at + 4, "panel rate", 0, TrellisCode.MAX_RATE);
      record.requireZeroInBody(at + 5, 3, "reserved bytes");
      sum += lengths[p];
    }
    if (sum != axis) {
      throw record.corruptBody(FIXED_LENGTH, "sum of panel lengths", sum, axis);
    }
    return new Panels(byRows, lengths, rates);
  }

  private static int[] permutation(TensorRecord record, int offset, int n) throws PseedException {
    ByteBuffer in = record.body();
    int[] permutation = new int[n];
    boolean[] seen = new boolean[n];
    for (int i = 0; i < n; i++) {
      int line = in.getInt(offset + 4 * i);
      if (line < 0 || line >= n || seen[line]) {
        throw record.corruptBody(
            offset + 4 * i,
            "permutation entry",
            Integer.toUnsignedString(line),
            "each of 0 to " + (n - 1) + " once");
      }
      seen[line] = true;
      permutation[i] = line;
    }
    return permutation;
  }

  private static ByteBuffer payload(TensorRecord record, Panels panels, View view, int offset)
      throws PseedException {
    ByteBuffer in = record.body();
    ByteBuffer payload = in.slice(offset, in.limit() - offset);
    int at = 0;
    // Once, not a panel: a hostile record may have a million panels.
    int rowBytes = panels.byRows() ? 0 : panels.columnRowBytes();
    for (int p = 0; p < panels.count(); p++) {
      int n = panels.byRows() ? view.cols() : panels.lengths()[p];
      int bytes = Panels.segmentBytes(n, panels.rates()[p]);
      int unused = (int) (8L * bytes - (long) n * panels.rates()[p]);
      int segments = panels.byRows() ? panels.lengths()[p] : view.rows();
      int stride = panels.byRows() ? bytes : rowBytes;
      if (unused > 0) {
        for (int s = 0; s < segments; s++) {
          int last = at + s * stride + bytes - 1;
          if ((payload.get(last) & (1 << unused) - 1) != 0) {
            throw record.corruptBody(
                offset + last,
                "unused bits at the end of a segment",
                payload.get(last) & (1 << unused) - 1,
                0);
          }
        }
      }
      at += panels.byRows() ? segments * bytes : bytes;
    }
    return payload;
  }

  private static int block(TensorRecord record, int offset, String what, int n)
      throws PseedException {
    int log2 = field(record, offset, what + " exponent", 0, Hadamard.MAX_LOG2);
    if (n % (1 << log2) != 0) {
      throw record.corruptBody(offset, what, 1 << log2, "a divisor of " + n);
    }
    return log2;
  }

  private static int field(TensorRecord record, int offset, String what, int min, int max)
      throws PseedException {
    int value = Byte.toUnsignedInt(record.body().get(offset));
    if (value < min || value > max) {
      throw record.corruptBody(
          offset, what, value, min == max ? String.valueOf(min) : min + " to " + max);
    }
    return value;
  }

  @Override
  public boolean equals(Object other) {
    return other instanceof TrellisBody that
        && head().equals(that.head())
        && payload.equals(that.payload);
  }

  @Override
  public int hashCode() {
    return head().hashCode() * 31 + payload.hashCode();
  }

  @Override
  public String toString() {
    return "trellis L="
        + code.bits()
        + " "
        + view
        + " "
        + panels
        + (permutation == null ? "" : " permuted " + Arrays.hashCode(permutation));
  }
}
