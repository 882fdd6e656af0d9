package io.pseed.codec.trellis;

import io.pseed.format.CorruptException;
import io.pseed.format.Halfs;
import io.pseed.format.TensorRecord;
import java.nio.ByteBuffer;
import java.util.Arrays;

/**
 * The factors of the rows or of the columns of a matrix, signs included, in one of five kinds
 * (specification, section 8.6).
 *
 * <pre>
 * kind 0  f32
 * kind 1  f32 * n
 * kind 2  e, 0, 0, 0, f16 * n         value * 2^e
 * kind 3  e, 0, 0, 0, u8 * n          (16 + (v mod 16)) * 2^(v >> 4) * 2^e, sign in bit 7
 * kind 4  f32, signs as a bit stream
 * </pre>
 */
public enum Scales {
  /** One value for all lines. */
  CONSTANT(0),
  /** Binary32, one a line. */
  F32(1),
  /** Binary16 with a common exponent. */
  F16(2),
  /** Eight bits with a common exponent: sign, 3 bits of exponent, 4 of mantissa. */
  F8(3),
  /** One value for all lines, and a sign for each. */
  SIGNS(4);

  static final int MAX_ID = 4;
  static final int MAX_EXPONENT = 100;

  /** Largest magnitude of a scale: |Z| * 2^48 * 2^48 stays finite. */
  static final float LARGEST = 0x1p48f;

  private final int id;

  Scales(int id) {
    this.id = id;
  }

  /** The number that a record stores; it never changes. */
  public int id() {
    return id;
  }

  /**
   * The kind that a record stores as {@code id}.
   *
   * @throws IllegalArgumentException where there is none
   */
  public static Scales ofId(int id) {
    for (Scales kind : values()) {
      if (kind.id == id) {
        return kind;
      }
    }
    throw new IllegalArgumentException("no kind of scales has the number " + id);
  }

  /** Bytes for {@code n} lines, without the padding to a multiple of four. */
  public long byteSize(long n) {
    return switch (this) {
      case CONSTANT -> 4;
      case F32 -> 4 * n;
      case F16 -> 4 + 2 * n;
      case F8 -> 4 + n;
      case SIGNS -> 4 + (n + 7) / 8;
    };
  }

  /** Bytes for {@code n} lines with the padding. */
  public long paddedSize(long n) {
    return (byteSize(n) + 3) & ~3L;
  }

  /**
   * Reads the scales of {@code n} lines at {@code offset} of a record's body; the caller has
   * checked that the bytes are there.
   *
   * @throws CorruptException where a value is not finite, an exponent is out of range or padding is
   *     not zero
   */
  float[] read(TensorRecord record, int offset, int n) throws CorruptException {
    ByteBuffer in = record.body();
    float[] scales = new float[n];
    switch (this) {
      case CONSTANT -> Arrays.fill(scales, bounded(record, offset, in.getFloat(offset)));
      case F32 -> {
        for (int i = 0; i < n; i++) {
          scales[i] = bounded(record, offset + 4 * i, in.getFloat(offset + 4 * i));
        }
      }
      case F16 -> {
        float unit = unit(record, offset);
        for (int i = 0; i < n; i++) {
          int at = offset + 4 + 2 * i;
          scales[i] = bounded(record, at, Halfs.toFloat(in.getShort(at)) * unit);
        }
      }
      case F8 -> {
        float unit = unit(record, offset);
        for (int i = 0; i < n; i++) {
          int code = Byte.toUnsignedInt(in.get(offset + 4 + i));
          if (code == 0x80) {
            throw record.corruptBody(offset + 4 + i, "scale", "0x80", "another 8-bit scale");
          }
          scales[i] = bounded(record, offset + 4 + i, f8(code) * unit);
        }
      }
      case SIGNS -> {
        float value = bounded(record, offset, in.getFloat(offset));
        for (int i = 0; i < n; i++) {
          boolean negative = (in.get(offset + 4 + (i >> 3)) >> (7 - (i & 7)) & 1) != 0;
          scales[i] = negative ? -value : value;
        }
        if ((n & 7) != 0) {
          int last = Byte.toUnsignedInt(in.get(offset + 4 + (n >> 3)));
          if ((last & 0xFF >> (n & 7)) != 0) {
            throw record.corruptBody(offset + 4 + (n >> 3), "unused sign bits", last, "zeros");
          }
        }
      }
    }
    int end = Math.toIntExact(offset + byteSize(n));
    record.requireZeroInBody(end, (int) (paddedSize(n) - byteSize(n)), "padding of scales");
    return scales;
  }

  /**
   * Appends {@code scales} in this kind; the values must be exact in it, as {@link #nearest} makes
   * them.
   */
  void write(float[] scales, ByteBuffer out) {
    int start = out.position();
    switch (this) {
      case CONSTANT -> out.putFloat(scales[0]);
      case F32 -> {
        for (float scale : scales) {
          out.putFloat(scale);
        }
      }
      case F16 -> {
        int exponent = exponentF16(scales);
        out.put((byte) exponent).put(new byte[3]);
        float unit = Math.scalb(1f, exponent);
        for (float scale : scales) {
          out.putShort(Halfs.fromFloat(scale / unit));
        }
      }
      case F8 -> {
        int exponent = exponentF8(scales);
        out.put((byte) exponent).put(new byte[3]);
        float unit = Math.scalb(1f, exponent);
        for (float scale : scales) {
          out.put((byte) toF8(scale / unit));
        }
      }
      case SIGNS -> {
        out.putFloat(Math.abs(scales[0]));
        byte[] signs = new byte[(scales.length + 7) / 8];
        for (int i = 0; i < scales.length; i++) {
          if (Float.floatToRawIntBits(scales[i]) < 0) {
            signs[i >> 3] |= (byte) (0x80 >> (i & 7));
          }
        }
        out.put(signs);
      }
    }
    while ((out.position() - start) % 4 != 0) {
      out.put((byte) 0);
    }
  }

  /**
   * The values of this kind that are nearest to {@code scales}: what a decoder will read. For the
   * kinds with one value, the root of the mean square. Signs of zero are dropped, but for {@link
   * #SIGNS}.
   *
   * @param scales finite, |value| below 2^80
   */
  public float[] nearest(float[] scales) {
    float[] out = scales.clone();
    switch (this) {
      case CONSTANT -> Arrays.fill(out, rootMeanSquare(scales));
      case F32 -> {}
      case F16 -> {
        float unit = Math.scalb(1f, exponentF16(scales));
        for (int i = 0; i < out.length; i++) {
          out[i] = Halfs.toFloat(Halfs.fromFloat(scales[i] / unit)) * unit;
        }
      }
      case F8 -> {
        float unit = Math.scalb(1f, exponentF8(scales));
        for (int i = 0; i < out.length; i++) {
          out[i] = f8(toF8(scales[i] / unit)) * unit;
        }
      }
      case SIGNS -> {
        float value = rootMeanSquare(scales);
        for (int i = 0; i < out.length; i++) {
          out[i] = Math.copySign(value, scales[i]);
        }
      }
    }
    return out;
  }

  private static float rootMeanSquare(float[] scales) {
    double sum = 0;
    for (float scale : scales) {
      sum += (double) scale * scale;
    }
    return (float) Math.sqrt(sum / scales.length);
  }

  /** The largest |scale| lands in [2^14, 2^15): all of binary16's precision below it. */
  private static int exponentF16(float[] scales) {
    return exponentFor(scales, 14);
  }

  /** The largest |scale| is at most 31 * 2^7 units. */
  private static int exponentF8(float[] scales) {
    int exponent = exponentFor(scales, 11);
    float max = largest(scales);
    // Rounding up to 32 * 2^7 would not fit: a maximum within half a step of it takes the next
    // exponent.
    return max / Math.scalb(1f, exponent) >= 31.5f * 128 ? clamp(exponent + 1) : exponent;
  }

  private static int exponentFor(float[] scales, int target) {
    float max = largest(scales);
    return max == 0 ? 0 : clamp(Math.getExponent(max) - target);
  }

  private static int clamp(int exponent) {
    return Math.max(-MAX_EXPONENT, Math.min(MAX_EXPONENT, exponent));
  }

  private static float largest(float[] scales) {
    float max = 0;
    for (float scale : scales) {
      max = Math.max(max, Math.abs(scale));
    }
    return max;
  }

  private static float f8(int code) {
    int v = code & 0x7F;
    if (v == 0) {
      return 0f;
    }
    float magnitude = (16 + (v & 15)) << (v >> 4);
    return (code & 0x80) != 0 ? -magnitude : magnitude;
  }

  /** The nearest 8-bit scale; magnitudes below half of the smallest one give 0. */
  private static int toF8(float value) {
    float magnitude = Math.abs(value);
    if (magnitude < 8.5f) {
      return 0;
    }
    int exponent = Math.max(0, Math.getExponent(magnitude) - 4);
    int mantissa = Math.round(Math.scalb(magnitude, -exponent));
    if (mantissa > 31) {
      exponent++;
      mantissa = 16;
    }
    int v = Math.max(1, Math.min(127, exponent << 4 | Math.max(0, mantissa - 16)));
    return v | (value < 0 ? 0x80 : 0);
  }

  private static float unit(TensorRecord record, int offset) throws CorruptException {
    int exponent = record.body().get(offset);
    if (Math.abs(exponent) > MAX_EXPONENT) {
      throw record.corruptBody(offset, "exponent of scales", exponent, "-100 to 100");
    }
    record.requireZeroInBody(offset + 1, 3, "reserved bytes");
    return Math.scalb(1f, exponent);
  }

  private static float bounded(TensorRecord record, int offset, float value)
      throws CorruptException {
    if (!(Math.abs(value) <= LARGEST)) {
      throw record.corruptBody(offset, "scale", value, "at most 2^48 in magnitude");
    }
    return value;
  }
}
