package io.pseed.converter.encode;

/**
 * The random signs that make the Hadamard transform spread any pattern: from SplitMix64 (Steele,
 * Lea, Flood, "Fast splittable pseudorandom number generators", OOPSLA 2014). Not normative: signs
 * are stored with the scales.
 */
final class Signs {
  private Signs() {}

  /** +1 or -1 for line {@code i}; {@code axis} keeps rows and columns apart. */
  static float of(int axis, int i) {
    long z = (i + 1) * 0x9E3779B97F4A7C15L + axis * 0xD1B54A32D192ED03L;
    z = (z ^ (z >>> 30)) * 0xBF58476D1CE4E5B9L;
    z = (z ^ (z >>> 27)) * 0x94D049BB133111EBL;
    return (z ^ (z >>> 31)) < 0 ? -1f : 1f;
  }
}
