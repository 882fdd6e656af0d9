// Trellis search with longer seeds, and where metrics do not fit into a device's shared memory.
#include "trellis_search.cuh"

/// Blocks of kMemoryThreads threads, no dynamic shared memory; seeds of at least 12 bits.
extern "C" __global__ void __launch_bounds__(pseed::kMemoryThreads, 1) trellis_memory(const pseed::SearchArguments arguments) {
  const uint64_t metrics = pseed::Scratch::of(arguments.largestDecisionBytes, arguments.longest, 0).metrics;
  pseed::searchJobs<pseed::Storage::kMemory>(
      arguments, reinterpret_cast<int *>(arguments.scratch + blockIdx.x * arguments.scratchPerBlock + metrics));
}
