package io.pseed.format;

import java.nio.ByteBuffer;

/** Reads elements of the coded types, F32, F16, BF16 and F64, from bytes. */
public final class CodedElements {
  private CodedElements() {}

  /**
   * The value of the element at byte {@code at}; exact.
   *
   * @param bytes in little-endian order
   * @throws IllegalArgumentException for a type that is not coded
   */
  public static double get(ByteBuffer bytes, DType dtype, int at) {
    return switch (dtype) {
      case F32 -> bytes.getFloat(at);
      case F16 -> Halfs.toFloat(bytes.getShort(at));
      case BF16 -> Halfs.fromBFloat16(bytes.getShort(at));
      case F64 -> bytes.getDouble(at);
      default -> throw new IllegalArgumentException(dtype + " is no coded type");
    };
  }
}
