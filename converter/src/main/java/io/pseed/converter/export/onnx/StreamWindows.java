package io.pseed.converter.export.onnx;

import io.pseed.converter.onnx.proto.TensorProto;

/**
 * Seeds read from a stream by a convolution. Eight weights take k bytes, so a filter with stride k
 * and eight channels yields the seeds of eight weights at each place: channel p sums the bytes that
 * hold the {@code bits} bits up to bit (p+1) k - 1 - {@code older}, each times a power of two. The
 * sum's integer part modulo 2^bits is the seed (specification, section 8.2).
 *
 * <p>A sum has at most 24 significant bits, so binary32 holds it exactly in any order of addition.
 *
 * @param bits bits of a window
 * @param rate k, 1 to 8
 * @param older how many bits the window lies before the newest bit of its weight
 * @param before bytes in front of the group of k bytes that the filter covers
 * @param taps 8 filters of {@code before + rate} taps
 */
record StreamWindows(int bits, int rate, int older, int before, float[] taps) {
  /** Significant bits of a float. */
  private static final int EXACT_BITS = 24;

  /** Seeds of weights that stand side by side in a group of k bytes. */
  static final int PHASES = 8;

  static StreamWindows of(int bits, int rate, int older) {
    int before = 0;
    for (int p = 0; p < PHASES; p++) {
      int end = (p + 1) * rate - 1 - older;
      int last = Math.floorDiv(end, 8);
      before = Math.max(before, bytes(bits, end) - 1 - last);
    }
    int width = before + rate;
    float[] taps = new float[PHASES * width];
    for (int p = 0; p < PHASES; p++) {
      int end = (p + 1) * rate - 1 - older;
      int last = Math.floorDiv(end, 8);
      for (int d = 0; d < bytes(bits, end); d++) {
        taps[p * width + before + last - d] = Math.scalb(1f, 8 * d - unused(end));
      }
    }
    return new StreamWindows(bits, rate, older, before, taps);
  }

  /** Whether a window of {@code bits} bits always fits into 24 bits of whole bytes. */
  static boolean exact(int bits, int rate) {
    for (int p = 0; p < PHASES; p++) {
      if (8 * bytes(bits, (p + 1) * rate - 1) > EXACT_BITS) {
        return false;
      }
    }
    return true;
  }

  /** Bits of the last byte that are newer than bit {@code end}. */
  private static int unused(int end) {
    return 7 - Math.floorMod(end, 8);
  }

  private static int bytes(int bits, int end) {
    return (bits + unused(end) + 7) / 8;
  }

  /** The filters as [8, 1, width]. */
  TensorProto tensor() {
    return Protos.floats(new long[] {PHASES, 1, before + rate}, taps);
  }

  /** Zeros in front of a segment and behind it, so that n weights get ceil(n / 8) places. */
  long[] pads(int n) {
    int groups = (n + PHASES - 1) / PHASES;
    int bytes = (int) (((long) n * rate + 7) / 8);
    return new long[] {before, (long) groups * rate - bytes};
  }
}
