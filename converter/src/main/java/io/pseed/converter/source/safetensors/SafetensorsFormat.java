package io.pseed.converter.source.safetensors;

import io.pseed.format.DType;
import java.util.Comparator;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;

/**
 * The bytes of a safetensors file, described once for reader and writer.
 *
 * <pre>
 * +-----------------------+ 0
 * | u64 N, little-endian  |   bytes of the header, at most 100 000 000
 * +-----------------------+ 8
 * | JSON object, UTF-8    |   tensor name -&gt; {dtype, shape, data_offsets: [begin, end]};
 * | padded with spaces    |   "__metadata__" -&gt; object of strings
 * +-----------------------+ 8 + N
 * | data of the tensors   |   begin and end count from here; no holes, no overlaps, nothing after
 * +-----------------------+ end of the file
 * </pre>
 */
public final class SafetensorsFormat {
  /** Bytes before the header: its length. */
  public static final int PREFIX_BYTES = 8;

  /** Most bytes that the header may have. */
  public static final int MAX_HEADER_BYTES = 100_000_000;

  /** The writer pads the header to a multiple of this, so that data can be mapped aligned. */
  public static final int HEADER_ALIGNMENT = 8;

  /** The header member that is no tensor. */
  public static final String METADATA = "__metadata__";

  /** Ending of a checkpoint's file name. */
  public static final String FILE_SUFFIX = ".safetensors";

  /** Ending of the file name of a sharded checkpoint's index. */
  public static final String INDEX_SUFFIX = ".safetensors.index.json";

  /**
   * The published element types in the order of the reference implementation, which stores tensors
   * from the last to the first so that each is aligned to its element.
   */
  public static final List<DType> DTYPES =
      List.of(
          DType.BOOL,
          DType.F4,
          DType.F6_E2M3,
          DType.F6_E3M2,
          DType.U8,
          DType.I8,
          DType.F8_E5M2,
          DType.F8_E4M3,
          DType.F8_E8M0,
          DType.F8_E4M3FNUZ,
          DType.F8_E5M2FNUZ,
          DType.I16,
          DType.U16,
          DType.F16,
          DType.BF16,
          DType.I32,
          DType.U32,
          DType.F32,
          DType.C64,
          DType.F64,
          DType.I64,
          DType.U64);

  /** Orders strings by code point, which is the order of their UTF-8 bytes. */
  public static final Comparator<String> BY_CODE_POINT = SafetensorsFormat::compareCodePoints;

  private static final Map<DType, Integer> RANK = new EnumMap<>(DType.class);

  static {
    for (DType type : DTYPES) {
      RANK.put(type, RANK.size());
    }
  }

  private SafetensorsFormat() {}

  /** Whether safetensors has that type (it has no I4, U4 and C128). */
  public static boolean has(DType type) {
    return RANK.containsKey(type);
  }

  /** Place of a published type in {@link #DTYPES}. */
  public static int rank(DType type) {
    Integer rank = RANK.get(type);
    if (rank == null) {
      throw new IllegalArgumentException("safetensors has no element type " + type);
    }
    return rank;
  }

  /**
   * Product of the dimensions; 1 for a scalar.
   *
   * @throws ArithmeticException where the product overflows on its way from left to right
   */
  public static long elements(List<Long> shape) {
    long product = 1;
    for (long dimension : shape) {
      product = Math.multiplyExact(product, dimension);
    }
    return product;
  }

  /**
   * Whether the elements fill whole bytes, which the format asks of types below 8 bits.
   *
   * @throws ArithmeticException where the number of bits overflows
   */
  public static boolean fillsBytes(DType type, long elements) {
    return type.bits() % 8 == 0 || Math.multiplyExact(elements, (long) type.bits()) % 8 == 0;
  }

  /** Whether the string has no surrogate without its partner, so that it has a UTF-8 form. */
  public static boolean isWellFormed(String text) {
    int i = 0;
    while (i < text.length()) {
      int codePoint = text.codePointAt(i);
      if (codePoint >= Character.MIN_SURROGATE && codePoint <= Character.MAX_SURROGATE) {
        return false;
      }
      i += Character.charCount(codePoint);
    }
    return true;
  }

  /** Quotes text of a file for a message: at most 100 characters, nothing unprintable. */
  public static String quote(String text) {
    String quoted = "'" + printable(text, 100) + "'";
    return text.length() <= 100 ? quoted : quoted + "... (" + text.length() + " characters)";
  }

  /** The first characters of a text, those escaped that could move a terminal's cursor or hide. */
  static String printable(String text, int most) {
    StringBuilder shown = new StringBuilder();
    for (int i = 0; i < Math.min(text.length(), most); i++) {
      char c = text.charAt(i);
      if (Character.isISOControl(c)
          || Character.isSurrogate(c)
          || Character.getType(c) == Character.FORMAT) {
        shown.append(String.format("\\u%04x", (int) c));
      } else {
        shown.append(c);
      }
    }
    return shown.toString();
  }

  private static int compareCodePoints(String a, String b) {
    int shared = Math.min(a.length(), b.length());
    for (int i = 0; i < shared; i++) {
      char x = a.charAt(i);
      char y = b.charAt(i);
      if (x != y) {
        // Surrogates stand for code points above every other char, U+E000 to U+FFFF included.
        boolean xHigh = Character.isSurrogate(x);
        return xHigh == Character.isSurrogate(y) ? Character.compare(x, y) : xHigh ? 1 : -1;
      }
    }
    return Integer.compare(a.length(), b.length());
  }
}
