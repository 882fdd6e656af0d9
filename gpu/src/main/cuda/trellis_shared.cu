// Trellis search with seeds of 12 to 16 bits, metrics in shared memory.
#include "trellis_search.cuh"

/// Blocks of 2^L / 128 threads; dynamic shared memory: sharedMetricBytes.
extern "C" __global__ void __launch_bounds__(512, 1) trellis_shared(const pseed::SearchArguments arguments) {
  PSEED_DYNAMIC_SHARED(int, metrics);
  pseed::searchJobs<pseed::Storage::kRegisters>(arguments, metrics);
}
