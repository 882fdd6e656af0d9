package io.pseed.format;

/**
 * Conversions between binary32, IEEE binary16 and bfloat16, to nearest, ties to even
 * (specification, section 9).
 */
public final class Halfs {
  private Halfs() {}

  /** The value of a binary16 bit pattern; exact. */
  public static float toFloat(short half) {
    int exponent = half >> 10 & 0x1F;
    int mantissa = half & 0x3FF;
    float magnitude;
    if (exponent == 0) {
      magnitude = mantissa * 0x1p-24f;
    } else if (exponent == 31) {
      // Keeps a NaN's payload.
      magnitude = Float.intBitsToFloat(0x7F800000 | mantissa << 13);
    } else {
      magnitude = Float.intBitsToFloat((exponent + 112) << 23 | mantissa << 13);
    }
    return Float.intBitsToFloat(Float.floatToRawIntBits(magnitude) | (half & 0x8000) << 16);
  }

  /** The nearest binary16; beyond 65520 infinity, NaN stays NaN. */
  public static short fromFloat(float value) {
    int bits = Float.floatToRawIntBits(value);
    int sign = bits >>> 16 & 0x8000;
    int magnitude = bits & 0x7FFFFFFF;
    if (magnitude > 0x7F800000) {
      return (short) (sign | 0x7E00 | ((magnitude >> 13) & 0x3FF));
    }
    if (magnitude >= 0x477FF000) {
      return (short) (sign | 0x7C00);
    }
    if (magnitude < 0x38800000) {
      // Adding 0.5 aligns the last place of a subnormal half with that of the sum, which rounds it
      // to even.
      float sum = Float.intBitsToFloat(magnitude) + 0.5f;
      return (short) (sign | (Float.floatToRawIntBits(sum) - Float.floatToRawIntBits(0.5f)));
    }
    int rounded = magnitude + 0xFFF + (magnitude >> 13 & 1);
    return (short) (sign | (rounded - 0x38000000) >> 13);
  }

  /** The nearest bfloat16; NaN stays NaN. */
  public static short toBFloat16(float value) {
    int bits = Float.floatToRawIntBits(value);
    if ((bits & 0x7FFFFFFF) > 0x7F800000) {
      return (short) (bits >>> 16 | 0x40);
    }
    return (short) ((bits + 0x7FFF + (bits >>> 16 & 1)) >>> 16);
  }

  /** The value of a bfloat16 bit pattern; exact. */
  public static float fromBFloat16(short value) {
    return Float.intBitsToFloat(value << 16);
  }
}
