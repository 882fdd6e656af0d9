package io.pseed.vectors;

import java.util.Arrays;

/**
 * Builds a trellis body (specification, section 8.1) with random streams: any bits are a legal
 * stream, so no encoder is needed.
 */
final class Trellis {
  final int rows;
  final int cols;
  boolean transposed;
  int bits = 16;
  int law;
  int kappa;
  int rowLog2;
  int colLog2;
  int rowKind;
  int colKind;
  int rowExponent = -20;
  int colExponent = -10;
  boolean byRows;
  int[] lengths;
  int[] rates;
  int[] permutation;

  Trellis(int rows, int cols) {
    this.rows = rows;
    this.cols = cols;
    this.lengths = new int[] {cols};
    this.rates = new int[] {2};
  }

  Trellis bits(int value) {
    bits = value;
    return this;
  }

  Trellis law(int newLaw, int newKappa) {
    law = newLaw;
    kappa = newKappa;
    return this;
  }

  Trellis transposed() {
    transposed = true;
    return this;
  }

  Trellis blocks(int newRowLog2, int newColLog2) {
    rowLog2 = newRowLog2;
    colLog2 = newColLog2;
    return this;
  }

  Trellis kinds(int newRowKind, int newColKind) {
    rowKind = newRowKind;
    colKind = newColKind;
    return this;
  }

  /** The binary exponents around which random scales of the rows and the columns lie. */
  Trellis exponents(int row, int col) {
    rowExponent = row;
    colExponent = col;
    return this;
  }

  Trellis rate(int k) {
    rates = new int[] {k};
    return this;
  }

  Trellis columnPanels(int[] newLengths, int... newRates) {
    byRows = false;
    lengths = newLengths;
    rates = newRates;
    return this;
  }

  Trellis rowPanels(int[] newLengths, int... newRates) {
    byRows = true;
    lengths = newLengths;
    rates = newRates;
    return this;
  }

  Trellis permuted(Rng rng) {
    permutation = rng.permutation(byRows ? rows : cols);
    return this;
  }

  /** The tensor's dimensions: those of the view, or its transpose's. */
  long[] shape() {
    return transposed ? new long[] {cols, rows} : new long[] {rows, cols};
  }

  byte[] record(int dtype, Rng rng) {
    return record(dtype, shape(), Rec.Seed.NONE, rng);
  }

  byte[] record(int dtype, long[] shape, Rec.Seed layer, Rng rng) {
    return Rec.of(Rec.TRELLIS, dtype, shape, layer, body(rng));
  }

  byte[] body(Rng rng) {
    Bytes out = Rec.view(rows, cols, transposed);
    out.u8(bits).u8(law).u8(kappa).u8(rowLog2).u8(colLog2).u8(rowKind).u8(colKind);
    out.u8(byRows ? 1 : 0).u32(lengths.length).u8(permutation == null ? 0 : 1).zeros(3);
    for (int p = 0; p < lengths.length; p++) {
      out.u32(lengths[p]).u8(rates[p]).zeros(3);
    }
    scales(out, rowKind, rows, rowExponent, rng);
    scales(out, colKind, cols, colExponent, rng);
    if (permutation != null) {
      Arrays.stream(permutation).forEach(out::u32);
    }
    if (byRows) {
      for (int p = 0; p < lengths.length; p++) {
        for (int r = 0; r < lengths[p]; r++) {
          segment(out, cols, rates[p], rng);
        }
      }
    } else {
      for (int r = 0; r < rows; r++) {
        for (int p = 0; p < lengths.length; p++) {
          segment(out, lengths[p], rates[p], rng);
        }
      }
    }
    return out.toArray();
  }

  private static void segment(Bytes out, int n, int rate, Rng rng) {
    byte[] stream = rng.bytes((n * rate + 7) / 8);
    int unused = 8 * stream.length - n * rate;
    if (stream.length > 0) {
      stream[stream.length - 1] &= (byte) (0xFF << unused);
    }
    out.raw(stream);
  }

  private static void scales(Bytes out, int kind, int n, int exponent, Rng rng) {
    switch (kind) {
      case 0 -> out.f32(rng.real(exponent, exponent));
      case 1 -> {
        for (int i = 0; i < n; i++) {
          out.f32(
              switch (rng.below(8)) {
                case 0 -> 0f;
                case 1 -> -0f;
                case 2 -> Float.intBitsToFloat(rng.below(1 << 23));
                default -> rng.real(exponent - 3, exponent + 3);
              });
        }
      }
      case 2 -> {
        out.u8(Math.max(-100, Math.min(100, exponent))).zeros(3);
        for (int i = 0; i < n; i++) {
          // Zeros, subnormal values and all others, with both signs.
          int magnitude =
              switch (rng.below(6)) {
                case 0 -> 0;
                case 1 -> rng.below(0x400);
                default -> rng.below(0x7C00);
              };
          out.u16(rng.flip() ? magnitude | 0x8000 : magnitude);
        }
      }
      case 3 -> {
        out.u8(Math.max(-100, Math.min(100, exponent))).zeros(3);
        for (int i = 0; i < n; i++) {
          int code = rng.below(256);
          out.u8(code == 0x80 ? 0 : code);
        }
      }
      case 4 -> {
        byte[] signs = rng.bytes((n + 7) / 8);
        if (n % 8 != 0) {
          signs[signs.length - 1] &= (byte) (0xFF << (8 - n % 8));
        }
        out.f32(rng.real(exponent, exponent)).raw(signs);
      }
      default -> throw new IllegalArgumentException("scale kind " + kind);
    }
    out.align(4);
  }
}
