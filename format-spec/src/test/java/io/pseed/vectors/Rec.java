package io.pseed.vectors;

import java.util.Arrays;

/** Builds a record from its fields (specification, section 3); every field may be wrong. */
final class Rec {
  static final int RAW = 1;
  static final int POINCARE = 2;
  static final int TRELLIS = 3;

  private Rec() {}

  /** A Poincaré seed with its amplitude and shift. */
  record Seed(long bits, float amplitude, int shift) {
    static final Seed NONE = new Seed(0, 0f, 0);
  }

  /** A record whose decodedCrc is that of the reference decoder's result. */
  static byte[] of(int codec, int dtype, long[] shape, Seed layer, byte[] body) {
    byte[] record = undecoded(codec, dtype, shape, layer, body);
    int crc = Bytes.crc32c(Reference.decode(record));
    return fix(Bytes.patch32(record, 32, crc));
  }

  /** A record whose decodedCrc is 0: for those that cannot be decoded. */
  static byte[] undecoded(int codec, int dtype, long[] shape, Seed layer, byte[] body) {
    Bytes out = new Bytes();
    out.raw(new byte[] {'P', 'S', 'R', '1'}).u8(codec).u8(dtype).u8(shape.length).u8(0);
    out.u64(40L + 8L * shape.length + body.length + 4);
    out.u64(layer.bits).f32(layer.amplitude).u8(layer.shift).zeros(3);
    out.u32(0).zeros(4);
    for (long dim : shape) {
      out.u64(dim);
    }
    out.raw(body).u32(0);
    return fix(out.toArray());
  }

  /** Sets recordCrc again. */
  static byte[] fix(byte[] record) {
    int at = record.length - 4;
    return Bytes.patch32(record, at, Bytes.crc32c(record, 0, at));
  }

  /** Sets length and recordCrc again, after the body was cut or extended. */
  static byte[] fixLength(byte[] record) {
    return fix(Bytes.patch64(record, 8, record.length));
  }

  /** Replaces bytes and sets recordCrc again. */
  static byte[] with(byte[] record, int at, int... values) {
    return fix(Bytes.patch(record, at, values));
  }

  /** Offset of the body. */
  static int body(byte[] record) {
    return 40 + 8 * record[6];
  }

  /** Replaces bytes of the body and sets recordCrc again. */
  static byte[] withBody(byte[] record, int at, int... values) {
    return with(record, body(record) + at, values);
  }

  /** Takes {@code count} bytes from the end of the body. */
  static byte[] shorten(byte[] record, int count) {
    return fixLength(Arrays.copyOf(record, record.length - count));
  }

  /** Appends bytes to the body. */
  static byte[] extend(byte[] record, int... values) {
    byte[] longer = Arrays.copyOf(record, record.length + values.length);
    return fixLength(Bytes.patch(longer, record.length - 4, values));
  }

  /** A raw record of random bytes. */
  static byte[] raw(int dtype, int bits, long[] shape, Rng rng) {
    long n = 1;
    for (long dim : shape) {
      n *= dim;
    }
    return of(RAW, dtype, shape, Seed.NONE, rng.bytes((int) ((n * bits + 7) / 8)));
  }

  /** The view of section 4. */
  static Bytes view(int rows, int cols, boolean transposed) {
    return new Bytes().u32(rows).u32(cols).u8(transposed ? 1 : 0).zeros(7);
  }
}
