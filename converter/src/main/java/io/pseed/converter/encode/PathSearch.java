package io.pseed.converter.encode;

/**
 * Finds the path of least metric through a trellis, as {@link TrellisSearch} describes it: the same
 * path in every implementation. An instance belongs to one thread.
 */
interface PathSearch {
  /**
   * Searches one segment, a stream that starts from zero bits.
   *
   * @param targets n values in the metric's units, clamped
   * @param weights of each squared error, 1 to {@link TrellisSearch#FULL_WEIGHT}; null: all of them
   *     that
   * @param n at least 1
   * @param states receives the n states of the path
   */
  void find(int[] targets, byte[] weights, int n, int[] states);
}
