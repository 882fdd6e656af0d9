// Registers of 8 values. The build compiles this file, and no other, for its instructions.
#if defined(__AVX2__)
#define PSEED_KERNEL search_kernel_avx2
#define PSEED_LABEL "avx2"
#define PSEED_LANES 8
#include "search_kernel.inc"
#else
#include "search_kernel.hpp"

namespace pseed {
const SearchKernel *search_kernel_avx2() { return nullptr; }
}  // namespace pseed
#endif
