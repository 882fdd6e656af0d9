// Registers of 4 values: NEON, which every 64-bit ARM machine has.
#if defined(__aarch64__)
#define PSEED_KERNEL search_kernel_neon
#define PSEED_LABEL "neon"
#define PSEED_LANES 4
#include "search_kernel.inc"
#else
#include "search_kernel.hpp"

namespace pseed {
const SearchKernel *search_kernel_neon() { return nullptr; }
}  // namespace pseed
#endif
