package io.pseed.converter.command;

import io.pseed.converter.report.Figures;
import java.math.BigDecimal;
import java.math.RoundingMode;
import java.util.Arrays;
import java.util.Locale;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Numbers as people read and write them. */
public final class Units {
  private static final Pattern SIZE =
      Pattern.compile("(\\d+(?:\\.\\d+)?)\\s*(B|KB|MB|GB|KIB|MIB|GIB|K|M|G)?");

  private static final Pattern SHAPE = Pattern.compile("(\\d{1,9}|\\?)(x(\\d{1,9}|\\?)){0,7}");

  private static final Map<String, Long> FACTORS =
      Map.of(
          "B", 1L,
          "K", 1_000L,
          "KB", 1_000L,
          "M", 1_000_000L,
          "MB", 1_000_000L,
          "G", 1_000_000_000L,
          "GB", 1_000_000_000L,
          "KIB", 1L << 10,
          "MIB", 1L << 20,
          "GIB", 1L << 30);

  private Units() {}

  /**
   * Reads {@code 8MB}, {@code 7.5 MiB} or {@code 8000000}.
   *
   * @throws IllegalArgumentException with a sentence, where it is no size
   */
  public static long size(String value) {
    Matcher matcher = SIZE.matcher(value.strip().toUpperCase(Locale.ROOT));
    if (matcher.matches()) {
      String unit = matcher.group(2) == null ? "B" : matcher.group(2);
      BigDecimal bytes =
          new BigDecimal(matcher.group(1))
              .multiply(BigDecimal.valueOf(FACTORS.get(unit)))
              .setScale(0, RoundingMode.DOWN);
      if (bytes.signum() > 0 && bytes.toBigInteger().bitLength() < 63) {
        return bytes.longValue();
      }
    }
    throw new IllegalArgumentException(
        "'" + value + "' is no size; write it as 8MB, 7.5MiB or a number of bytes");
  }

  /**
   * Reads {@code 1x3x48x320}; a question mark leaves a dimension open (-1).
   *
   * @throws IllegalArgumentException with a sentence, where it is no shape
   */
  public static long[] shape(String value) {
    if (!SHAPE.matcher(value).matches()) {
      throw new IllegalArgumentException(
          "'"
              + value
              + "' is no shape; write it as 1x3x48x320, at most 8 dimensions, ? for open ones");
    }
    return Arrays.stream(value.split("x"))
        .mapToLong(dim -> dim.equals("?") ? -1 : Long.parseLong(dim))
        .toArray();
  }

  /** For example {@code 11.53 MB}; decimal units. */
  public static String bytes(long bytes) {
    return Figures.bytes(bytes);
  }

  /** For example {@code 22.57 M}. */
  public static String count(long n) {
    return Figures.count(n);
  }

  /** For example {@code 4.2 s}, {@code 3 min 20 s}. */
  public static String time(double seconds) {
    return Figures.time(seconds);
  }

  /** For example {@code 1.9 M weights/s}. */
  public static String rate(double weights, double seconds) {
    return count(Math.round(weights / Math.max(seconds, 1e-9))) + " weights/s";
  }

  /** A signal to noise ratio. */
  public static String decibels(double snr) {
    return Double.isInfinite(snr) ? "lossless" : String.format(Locale.ROOT, "%.2f", snr);
  }
}
