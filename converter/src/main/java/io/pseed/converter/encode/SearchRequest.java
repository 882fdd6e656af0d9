package io.pseed.converter.encode;

import io.pseed.codec.trellis.Panels;
import io.pseed.codec.trellis.TrellisCode;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * Rows of one matrix whose streams are to be found: in, what each code should come near to; out,
 * the payload. Without feedback all rows are independent of one another; with it, each row's
 * targets make up for the errors of rows before it, and only panels of columns are independent.
 *
 * @param code the generator
 * @param panels of the whole matrix
 * @param firstRow the matrix's row that is the first here; 0 with feedback
 * @param rows number of rows
 * @param cols columns of the matrix
 * @param targets rows x cols, in code units
 * @param feedback how errors are made up for; empty: not at all
 * @param payload receives the streams; zeros before
 * @param rowOffset rows + 1 offsets in {@code payload} of the rows
 */
@SuppressWarnings("ArrayRecordComponent") // Made, handed over and dropped; nothing compares it.
public record SearchRequest(
    TrellisCode code,
    Panels panels,
    int firstRow,
    int rows,
    int cols,
    float[] targets,
    Optional<Feedback> feedback,
    byte[] payload,
    int[] rowOffset) {

  /** A request with an empty payload, laid out as the format has it. */
  public static SearchRequest of(
      TrellisCode code,
      Panels panels,
      int firstRow,
      int rows,
      int cols,
      float[] targets,
      Optional<Feedback> feedback) {
    int[] offset = new int[rows + 1];
    for (int i = 0; i < rows; i++) {
      offset[i + 1] = Math.addExact(offset[i], panels.rowBytes(firstRow + i, cols));
    }
    return new SearchRequest(
        code, panels, firstRow, rows, cols, targets, feedback, new byte[offset[rows]], offset);
  }

  /**
   * How errors of rows are made up for. Before row i is searched, for k from {@link #first} to i -
   * 1 in this order, {@code feedback(i, k) * error[k]} is subtracted from its targets, in binary32
   * with each product and each difference rounded; error[k] is row k's codes minus its targets as
   * given.
   *
   * @param factor rows x block; feedback(i, k) stands at i * block + k - first(i)
   * @param block rows make up for rows of the same block of so many
   * @param weights of each column's error by panel, as in {@link TrellisSearch}; a null element:
   *     all alike
   */
  @SuppressWarnings("ArrayRecordComponent") // Made, handed over and dropped; nothing compares it.
  public record Feedback(float[] factor, int block, List<byte[]> weights) {
    /** The first row that row {@code i} makes up for. */
    public int first(int i) {
      return i / block * block;
    }

    /** How much of the error of row {@code k} is made up for in row {@code i}. */
    public float of(int i, int k) {
      return factor[i * block + k - first(i)];
    }
  }

  /**
   * A panel of columns; the whole width where rates vary by row.
   *
   * @param number from 0
   * @param firstColumn its first column
   * @param columns number of columns
   * @param at offset of its stream in each row's bytes
   */
  public record Part(int number, int firstColumn, int columns, int at) {}

  /** All panels, those of rate 0 included. */
  public List<Part> parts() {
    if (panels.byRows()) {
      return List.of(new Part(0, 0, cols, 0));
    }
    List<Part> parts = new ArrayList<>();
    int column = 0;
    int at = 0;
    for (int p = 0; p < panels.count(); p++) {
      int n = panels.lengths()[p];
      parts.add(new Part(p, column, n, at));
      column += n;
      at += Panels.segmentBytes(n, panels.rates()[p]);
    }
    return parts;
  }

  /** Bits a weight of a row's stream, 0 to 8. */
  public int rate(Part part, int row) {
    return panels.byRows() ? panels.rateOfRow(firstRow + row) : panels.rates()[part.number()];
  }
}
