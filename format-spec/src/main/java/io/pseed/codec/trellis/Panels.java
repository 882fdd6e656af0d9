package io.pseed.codec.trellis;

import java.util.Arrays;

/**
 * How the rate varies inside a tensor: ranges of rows or of columns, each with a rate
 * (specification, sections 8.1 and 8.2).
 *
 * @param byRows true: the ranges are of rows; false: of columns
 * @param lengths rows or columns of each panel, at least 1
 * @param rates bits a weight of each panel, 0 to 8
 */
@SuppressWarnings("ArrayRecordComponent") // A value of a parsed record; nobody changes the arrays.
public record Panels(boolean byRows, int[] lengths, int[] rates) {
  /** One rate for all columns. */
  public static Panels uniform(int cols, int rate) {
    return new Panels(false, new int[] {cols}, new int[] {rate});
  }

  /** Number of panels. */
  public int count() {
    return lengths.length;
  }

  /** Bytes of a segment of {@code n} weights. */
  public static int segmentBytes(int n, int rate) {
    return Math.toIntExact(((long) n * rate + 7) / 8);
  }

  /** Bytes of one row, for panels of columns. */
  int columnRowBytes() {
    int sum = 0;
    for (int p = 0; p < lengths.length; p++) {
      sum = Math.addExact(sum, segmentBytes(lengths[p], rates[p]));
    }
    return sum;
  }

  /** The rate of a coded row, for panels of rows. */
  public int rateOfRow(int row) {
    int p = 0;
    for (int end = lengths[0]; row >= end; end += lengths[p]) {
      p++;
    }
    return rates[p];
  }

  /** Bytes of one coded row of {@code cols} weights. */
  public int rowBytes(int row, int cols) {
    return byRows ? segmentBytes(cols, rateOfRow(row)) : columnRowBytes();
  }

  /** Bytes of the payload of a rows x cols matrix. */
  public long payloadBytes(int rows, int cols) {
    if (!byRows) {
      return (long) rows * columnRowBytes();
    }
    long sum = 0;
    for (int p = 0; p < lengths.length; p++) {
      sum += (long) lengths[p] * segmentBytes(cols, rates[p]);
    }
    return sum;
  }

  /**
   * The same with every rate raised by one bit, up to the highest; equal to this where all are
   * there already.
   */
  public Panels raised() {
    int[] higher = rates.clone();
    for (int p = 0; p < higher.length; p++) {
      higher[p] = Math.min(TrellisCode.MAX_RATE, higher[p] + 1);
    }
    return new Panels(byRows, lengths, higher);
  }

  /** Mean rate over all weights, in bits. */
  public double meanRate() {
    double bits = 0;
    long total = 0;
    for (int p = 0; p < lengths.length; p++) {
      bits += (double) lengths[p] * rates[p];
      total += lengths[p];
    }
    return bits / total;
  }

  @Override
  public boolean equals(Object other) {
    return other instanceof Panels that
        && byRows == that.byRows
        && Arrays.equals(lengths, that.lengths)
        && Arrays.equals(rates, that.rates);
  }

  @Override
  public int hashCode() {
    return 31 * Arrays.hashCode(lengths) + Arrays.hashCode(rates);
  }

  @Override
  public String toString() {
    return (byRows ? "rows " : "columns ")
        + Arrays.toString(lengths)
        + " at "
        + Arrays.toString(rates);
  }
}
