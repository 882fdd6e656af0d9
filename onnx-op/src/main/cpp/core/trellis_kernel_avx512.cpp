// Registers of 16 values. The build compiles this file, and no other, for AVX-512.
#if defined(__AVX512F__) && defined(__AVX512BW__) && defined(__AVX512DQ__) && defined(__AVX512VL__)
#define PSEED_KERNEL trellis_kernel_avx512
#define PSEED_LANES 16
#include "trellis_kernel.inc"
#else
#include "trellis_kernel.hpp"

namespace pseed {
const TrellisKernel *trellis_kernel_avx512() { return nullptr; }
}  // namespace pseed
#endif
