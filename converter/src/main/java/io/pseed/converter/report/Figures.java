package io.pseed.converter.report;

import java.math.BigDecimal;
import java.math.RoundingMode;
import java.util.Locale;

/** Numbers as people read them. */
public final class Figures {
  private Figures() {}

  /** For example {@code 11.53 MB}; decimal units. */
  public static String bytes(long bytes) {
    if (bytes < 1_000) {
      return bytes + " B";
    }
    return scaled((double) bytes, new String[] {"", "KB", "MB", "GB", "TB"});
  }

  /** For example {@code 22.57 M}. */
  public static String count(long n) {
    if (n < 1_000) {
      return String.valueOf(n);
    }
    return scaled((double) n, new String[] {"", "K", "M", "G", "T"});
  }

  private static String scaled(double value, String[] units) {
    int unit = 0;
    double scaled = value;
    while (scaled >= 999.95 && unit < units.length - 1) {
      scaled /= 1000;
      unit++;
    }
    return String.format(Locale.ROOT, scaled < 99.995 ? "%.2f %s" : "%.1f %s", scaled, units[unit]);
  }

  /** For example {@code 4.2 s}, {@code 3 min 20 s}. */
  public static String time(double seconds) {
    if (seconds < 60) {
      return String.format(Locale.ROOT, "%.1f s", seconds);
    }
    long whole = Math.round(seconds);
    return whole < 3600
        ? whole / 60 + " min " + whole % 60 + " s"
        : whole / 3600 + " h " + whole / 60 % 60 + " min";
  }

  /** With so many digits behind the point. */
  static String fixed(double value, int digits) {
    return Double.isFinite(value)
        ? String.format(Locale.ROOT, "%." + digits + "f", value)
        : Double.isNaN(value) ? "unknown" : value > 0 ? "∞" : "−∞";
  }

  /**
   * A cosine with as many digits as tell it from 1: {@code 0.99}, {@code 0.99985}; five at least,
   * eight at most.
   */
  static String cosine(double value) {
    double loss = 1 - value;
    int digits = 5;
    while (digits < 8 && loss > 0 && loss < 20 * Math.pow(10, -digits)) {
      digits++;
    }
    if (!Double.isFinite(value)) {
      return fixed(value, digits);
    }
    // What is not 1 must not look like it.
    BigDecimal exact = BigDecimal.valueOf(value);
    BigDecimal rounded = exact.setScale(digits, RoundingMode.HALF_EVEN);
    return (value < 1 && rounded.compareTo(BigDecimal.ONE) == 0
            ? exact.setScale(digits, RoundingMode.FLOOR)
            : rounded)
        .toPlainString();
  }

  /** A share as percents: {@code 12.8 %}; small ones with more digits. */
  static String percent(double share) {
    double value = 100 * share;
    if (!Double.isFinite(value)) {
      return fixed(value, 1);
    }
    return value == 0 ? "0 %" : value < 0.01 ? "< 0.01 %" : fixed(value, value < 1 ? 2 : 1) + " %";
  }
}
