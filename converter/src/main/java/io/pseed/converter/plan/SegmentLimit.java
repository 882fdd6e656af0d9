package io.pseed.converter.plan;

/** How long a row's segment may be so that the search of a thread stays in bounded memory. */
public final class SegmentLimit {
  /** Bytes of decisions that one thread may keep. */
  private static final long DECISION_BYTES = 256L << 20;

  private SegmentLimit() {}

  /**
   * Most weights of a segment: a step keeps one byte for each of the 2^(L-k) groups of states.
   *
   * @param seedBits L
   * @param rate k
   */
  public static int longest(int seedBits, int rate) {
    return (int) (DECISION_BYTES >> (seedBits - rate));
  }
}
