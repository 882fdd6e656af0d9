package io.pseed.converter.inputs;

import io.pseed.format.Halfs;
import java.nio.ByteBuffer;
import java.util.Locale;

/** Types of numbers that array files hold, with the code that {@code .npy} has for them. */
enum Element {
  BOOL("b1", 1, Kind.BOOL),
  INT8("i1", 1, Kind.INTEGER),
  INT16("i2", 2, Kind.INTEGER),
  INT32("i4", 4, Kind.INTEGER),
  INT64("i8", 8, Kind.INTEGER),
  UINT8("u1", 1, Kind.INTEGER),
  UINT16("u2", 2, Kind.INTEGER),
  UINT32("u4", 4, Kind.INTEGER),
  UINT64("u8", 8, Kind.INTEGER),
  FLOAT16("f2", 2, Kind.REAL),
  BFLOAT16("", 2, Kind.REAL),
  FLOAT32("f4", 4, Kind.REAL),
  FLOAT64("f8", 8, Kind.REAL);

  /** What may stand for what: kinds are not mixed, sizes may be. */
  enum Kind {
    BOOL,
    INTEGER,
    REAL
  }

  private final String code;
  private final int size;
  private final Kind kind;

  Element(String code, int size, Kind kind) {
    this.code = code;
    this.size = size;
    this.kind = kind;
  }

  /** The type with a {@code .npy} code without its byte order; null where there is none. */
  static Element ofCode(String code) {
    for (Element element : values()) {
      if (!code.isEmpty() && element.code.equals(code)) {
        return element;
      }
    }
    return null;
  }

  int size() {
    return size;
  }

  Kind kind() {
    return kind;
  }

  /** The name that numpy has for it. */
  String label() {
    return name().toLowerCase(Locale.ROOT);
  }

  /** The number at a place, in the buffer's byte order. */
  double real(ByteBuffer bytes, int at) {
    return switch (this) {
      case FLOAT16 -> Halfs.toFloat(bytes.getShort(at));
      case BFLOAT16 -> Float.intBitsToFloat(bytes.getShort(at) << 16);
      case FLOAT32 -> bytes.getFloat(at);
      case FLOAT64 -> bytes.getDouble(at);
      default -> throw new IllegalStateException(label());
    };
  }

  /**
   * The number at a place, in the buffer's byte order; uint64 above the range comes out below 0.
   */
  long integer(ByteBuffer bytes, int at) {
    return switch (this) {
      case BOOL, UINT8 -> bytes.get(at) & 0xFF;
      case INT8 -> bytes.get(at);
      case INT16 -> bytes.getShort(at);
      case UINT16 -> bytes.getShort(at) & 0xFFFF;
      case INT32 -> bytes.getInt(at);
      case UINT32 -> bytes.getInt(at) & 0xFFFF_FFFFL;
      case INT64, UINT64 -> bytes.getLong(at);
      default -> throw new IllegalStateException(label());
    };
  }
}
