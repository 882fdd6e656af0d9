package io.pseed.gpu;

/**
 * What a device could do at the most, from its data sheet and from what the kernels cannot do
 * without; see {@code trellis_search.cuh}.
 *
 * @param perSecond weights a second
 * @param by what bounds it
 */
record Bound(double perSecond, String by) {
  /** Instructions that a multiprocessor begins in a clock, and multiplications among them. */
  private static final double ISSUED = 128;

  private static final double MULTIPLIED = 64;

  /**
   * The bound of a search: each state takes a difference, a square, a sum and a minimum, more where
   * distances are capped (from k = 5 on) or weighted; each row before in the block a product and a
   * difference, and each {@link SearchLayout#FEEDBACK_ROWS} of them a target that is read and
   * written; metrics that are not in shared memory are written and read once a step.
   *
   * @param feedbackRows rows before whose errors count, on average; 0: no feedback
   */
  static Bound ofSearch(
      CudaDriver.Properties device, int seedBits, int rate, boolean weighted, double feedbackRows) {
    int instructions = weighted ? (rate <= 4 ? 6 : 9) : rate <= 4 ? 3 : 7;
    int products = weighted ? (rate <= 4 ? 4 : 5) : rate <= 4 ? 2 : 4;
    double clocksOfState = Math.max(instructions / ISSUED, products / MULTIPLIED);
    double clocks = clocksOfState * (1 << seedBits) + feedbackRows * 2 / ISSUED;
    double arithmetic = device.multiprocessors() * device.clockKHz() * 1e3 / clocks;
    SearchKernel kernel = SearchKernel.of(seedBits, rate, device.sharedPerBlock());
    double stepBytes =
        SearchLayout.decisionBytes(seedBits, rate)
            + (kernel == SearchKernel.MEMORY ? SearchLayout.metricBytes(seedBits, rate) : 0)
            + 8 * feedbackRows / SearchLayout.FEEDBACK_ROWS;
    double memory = device.bytesPerSecond() / stepBytes;
    return arithmetic <= memory
        ? new Bound(arithmetic, "instructions")
        : new Bound(memory, "memory");
  }
}
