// Registers of 16 values. The build compiles this file, and no other, for its instructions.
#if defined(__AVX512BW__)
#if defined(__GNUC__) && !defined(__clang__)
// GCC 12 takes its own header's undefined registers for ours (GCC bug 105593).
#pragma GCC diagnostic ignored "-Wuninitialized"
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"
#endif
#define PSEED_KERNEL search_kernel_avx512
#define PSEED_LABEL "avx512"
#define PSEED_LANES 16
#include "search_kernel.inc"
#else
#include "search_kernel.hpp"

namespace pseed {
const SearchKernel *search_kernel_avx512() { return nullptr; }
}  // namespace pseed
#endif
