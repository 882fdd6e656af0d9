// Trellis search with seeds of 8 to 11 bits.
#include "trellis_search.cuh"

/// Blocks of kSmallThreads threads, no dynamic shared memory.
extern "C" __global__ void __launch_bounds__(pseed::kSmallThreads) trellis_small(const pseed::SearchArguments arguments) {
  PSEED_SHARED_ARRAY(int, best, 2 << 10);
  pseed::searchJobs<pseed::Storage::kSmall>(arguments, best);
}
