package io.pseed.format;

import java.nio.ByteBuffer;

/**
 * A tensor seen as a matrix (specification, section 4).
 *
 * @param rows R, 1 to 2^31 - 1
 * @param cols C, 1 to 2^31 - 1
 * @param transposed false: view[r][c] is element r * C + c; true: element c * R + r
 */
public record View(int rows, int cols, boolean transposed) {
  /** Bytes of a view at the start of a body. */
  public static final int LENGTH = 16;

  /** Reads and checks the view at the start of the record's body. */
  public static View parse(TensorRecord record) throws CorruptException {
    ByteBuffer in = record.body();
    if (in.remaining() < LENGTH) {
      throw record.corruptBody(0, "body", in.remaining() + " bytes", "at least " + LENGTH);
    }
    int rows = in.getInt(0);
    int cols = in.getInt(4);
    if (rows < 1 || cols < 1) {
      throw record.corruptBody(
          0,
          "view",
          Integer.toUnsignedString(rows) + " x " + Integer.toUnsignedString(cols),
          "rows and columns of 1 to 2147483647");
    }
    if ((long) rows * cols != record.elements()) {
      throw record.corruptBody(
          0,
          "view",
          rows + " x " + cols,
          "a product of " + record.elements() + ", the number of elements");
    }
    int transposed = Byte.toUnsignedInt(in.get(8));
    if (transposed > 1) {
      throw record.corruptBody(8, "transposed flag", transposed, "0 or 1");
    }
    record.requireZeroInBody(9, 7, "reserved bytes");
    return new View(rows, cols, transposed == 1);
  }

  /** Appends the view to a body. */
  public void write(ByteBuffer out) {
    out.putInt(rows).putInt(cols).put((byte) (transposed ? 1 : 0));
    out.put(new byte[7]);
  }

  /** Index in row-major order of the tensor's element at row r and column c of the view. */
  public long element(int r, int c) {
    return transposed ? (long) c * rows + r : (long) r * cols + c;
  }
}
