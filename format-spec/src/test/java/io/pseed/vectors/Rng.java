package io.pseed.vectors;

/** SplitMix64: the same numbers on every Java version, so vectors can be made again. */
final class Rng {
  private long state;

  Rng(long seed) {
    this.state = seed;
  }

  /** The generator of a named thing: its numbers do not depend on what was made before it. */
  static Rng of(String name) {
    long hash = 0xCBF29CE484222325L;
    for (int i = 0; i < name.length(); i++) {
      hash = (hash ^ name.charAt(i)) * 0x100000001B3L;
    }
    return new Rng(hash);
  }

  long next() {
    state += 0x9E3779B97F4A7C15L;
    long z = state;
    z = (z ^ z >>> 30) * 0xBF58476D1CE4E5B9L;
    z = (z ^ z >>> 27) * 0x94D049BB133111EBL;
    return z ^ z >>> 31;
  }

  /** Uniform in 0 to n - 1. */
  int below(int n) {
    return (int) Long.remainderUnsigned(next(), n);
  }

  /** Uniform in low to high, both included. */
  int between(int low, int high) {
    return low + below(high - low + 1);
  }

  boolean flip() {
    return next() < 0;
  }

  byte[] bytes(int n) {
    byte[] bytes = new byte[n];
    for (int i = 0; i < n; i++) {
      bytes[i] = (byte) (next() >>> 56);
    }
    return bytes;
  }

  /** A float of either sign with an exponent of low to high. */
  float real(int low, int high) {
    int exponent = between(low, high);
    int mantissa = below(1 << 23);
    return Float.intBitsToFloat((flip() ? 1 << 31 : 0) | (exponent + 127) << 23 | mantissa);
  }

  /** A permutation of 0 to n - 1. */
  int[] permutation(int n) {
    int[] p = new int[n];
    for (int i = 0; i < n; i++) {
      int j = below(i + 1);
      p[i] = p[j];
      p[j] = i;
    }
    return p;
  }
}
