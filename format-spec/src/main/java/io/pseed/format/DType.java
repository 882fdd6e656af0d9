package io.pseed.format;

import java.util.HashMap;
import java.util.Map;
import java.util.Optional;

/**
 * Element types of tensors, with their permanent ids (specification, section 1.1). Constant names
 * are the names used in headers; where safetensors has the type, it is the safetensors name.
 */
public enum DType {
  F32(1, 32),
  F16(2, 16),
  BF16(3, 16),
  F64(4, 64),
  I8(5, 8),
  U8(6, 8),
  I16(7, 16),
  U16(8, 16),
  I32(9, 32),
  U32(10, 32),
  I64(11, 64),
  U64(12, 64),
  BOOL(13, 8),
  F8_E4M3(14, 8),
  F8_E5M2(15, 8),
  F8_E8M0(16, 8),
  F8_E4M3FNUZ(17, 8),
  F8_E5M2FNUZ(18, 8),
  F6_E2M3(19, 6),
  F6_E3M2(20, 6),
  F4(21, 4),
  I4(22, 4),
  U4(23, 4),
  C64(24, 64),
  C128(25, 128);

  private static final DType[] BY_ID = new DType[26];
  private static final Map<String, DType> BY_NAME = new HashMap<>();

  static {
    for (DType type : values()) {
      BY_ID[type.id] = type;
      BY_NAME.put(type.name(), type);
    }
  }

  private final int id;
  private final int bits;

  DType(int id, int bits) {
    this.id = id;
    this.bits = bits;
  }

  /** The id that a record stores. */
  public int id() {
    return id;
  }

  /** Bits of one element. */
  public int bits() {
    return bits;
  }

  /** Whether a codec other than {@code raw} may hold it: F32, F16, BF16 and F64. */
  public boolean isCoded() {
    return id <= 4;
  }

  /**
   * Bytes of {@code elements} elements, packed: ceil(elements * bits / 8); {@link Long#MAX_VALUE}
   * where they do not fit into a long, so that a comparison with a limit stays right.
   *
   * @param elements 0 to 2^60 - 1
   */
  public long byteSize(long elements) {
    if (bits % 8 != 0) {
      return (elements * bits + 7) / 8;
    }
    long bytes = bits / 8;
    return elements > Long.MAX_VALUE / bytes ? Long.MAX_VALUE : elements * bytes;
  }

  /**
   * Like {@link #byteSize}, for any number of elements.
   *
   * @throws ArithmeticException where the bytes do not fit into a long
   */
  public long byteSizeExact(long elements) {
    return bits % 8 == 0
        ? Math.multiplyExact(elements, (long) (bits / 8))
        : Math.addExact(Math.multiplyExact(elements, (long) bits), 7) / 8;
  }

  /** The type with that id, or empty. */
  public static Optional<DType> ofId(int id) {
    return id > 0 && id < BY_ID.length ? Optional.of(BY_ID[id]) : Optional.empty();
  }

  /** The type with that name, or empty. */
  public static Optional<DType> ofName(String name) {
    return Optional.ofNullable(BY_NAME.get(name));
  }
}
