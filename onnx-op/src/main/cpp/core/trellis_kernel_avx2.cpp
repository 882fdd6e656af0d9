// Registers of 8 values. The build compiles this file, and no other, with -mavx2 -mf16c -mbmi2.
#if defined(__AVX2__)
#define PSEED_KERNEL trellis_kernel_avx2
#define PSEED_LANES 8
#include "trellis_kernel.inc"
#else
#include "trellis_kernel.hpp"

namespace pseed {
const TrellisKernel *trellis_kernel_avx2() { return nullptr; }
}  // namespace pseed
#endif
