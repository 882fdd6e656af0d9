// Registers of 4 values: NEON, which every 64-bit ARM machine has.
#if defined(__aarch64__)
#define PSEED_KERNEL trellis_kernel_neon
#define PSEED_LANES 4
#include "trellis_kernel.inc"
#else
#include "trellis_kernel.hpp"

namespace pseed {
const TrellisKernel *trellis_kernel_neon() { return nullptr; }
}  // namespace pseed
#endif
