package io.pseed.gpu;

/** The kernels of the trellis search, each in a PTX text of its own. */
enum SearchKernel {
  /** L = 8 to 11. */
  SMALL("trellis_small"),
  /** L = 12 to 16, metrics in shared memory. */
  SHARED("trellis_shared"),
  /** Everything else. */
  MEMORY("trellis_memory");

  private static final int SMALL_THREADS = 128;
  private static final int MEMORY_THREADS = 1024;

  /** Shared memory that the kernels and the system use beside the metrics, at most. */
  private static final int STATIC_SHARED = 4608;

  private final String text;

  SearchKernel(String text) {
    this.text = text;
  }

  /** Its name, and that of its PTX. */
  String text() {
    return text;
  }

  /**
   * The kernel for a search.
   *
   * @param sharedPerBlock bytes of shared memory that a block may ask for
   */
  static SearchKernel of(int seedBits, int leastRate, int sharedPerBlock) {
    if (seedBits < 12) {
      return SMALL;
    }
    return seedBits <= 16
            && SearchLayout.sharedMetricBytes(seedBits, leastRate) + STATIC_SHARED <= sharedPerBlock
        ? SHARED
        : MEMORY;
  }

  int threads(int seedBits) {
    return switch (this) {
      case SMALL -> SMALL_THREADS;
      case SHARED -> 1 << (seedBits - 7);
      case MEMORY -> MEMORY_THREADS;
    };
  }

  /** Bytes of dynamic shared memory of a block. */
  int sharedBytes(int seedBits, int leastRate) {
    return this == SHARED ? SearchLayout.sharedMetricBytes(seedBits, leastRate) : 0;
  }

  /** Bytes of scratch of a block. */
  long scratchBytes(int seedBits, SearchUnit.Bucket bucket) {
    return SearchLayout.scratchBytes(
        bucket.largestDecisionBytes(seedBits),
        bucket.longest(),
        this == MEMORY ? SearchLayout.metricBytes(seedBits, bucket.leastRate()) : 0);
  }
}
