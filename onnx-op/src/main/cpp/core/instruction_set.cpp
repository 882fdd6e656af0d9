#include "instruction_set.hpp"

#include "pseed_core.h"

#if defined(__x86_64__) && defined(__GNUC__)
#include <cpuid.h>
#endif

namespace pseed {

namespace {

#if defined(__x86_64__) && defined(__GNUC__)
// What every known machine with AVX2 has too, and its file is compiled for. Not every compiler's __builtin_cpu_supports knows F16C.
bool has_avx2_and_kin() {
  unsigned a;
  unsigned b;
  unsigned c;
  unsigned d;
  return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("bmi2") && __get_cpuid(1, &a, &b, &c, &d) != 0 &&
         (c & bit_F16C) != 0;
}
#endif

const TrellisKernel *avx2() {
#if defined(__x86_64__) && defined(__GNUC__)
  return has_avx2_and_kin() ? trellis_kernel_avx2() : nullptr;
#else
  return nullptr;
#endif
}

const TrellisKernel *avx512() {
#if defined(__x86_64__) && defined(__GNUC__)
  return has_avx2_and_kin() && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512dq") &&
                 __builtin_cpu_supports("avx512vl")
             ? trellis_kernel_avx512()
             : nullptr;
#else
  return nullptr;
#endif
}

struct Sets {
  InstructionSet of[4] = {
      {PSEED_SET_PORTABLE, "portable", trellis_kernel_portable(), &crc32c_portable()},
      {PSEED_SET_AVX2, "avx2", avx2(), &crc32c_best()},
      {PSEED_SET_AVX512, "avx512", avx512(), &crc32c_best()},
      {PSEED_SET_NEON, "neon", trellis_kernel_neon(), &crc32c_best()},
  };
  // Sums are made by the best instruction even where the loops are portable, unless a test asks for them.
  InstructionSet best{PSEED_SET_PORTABLE, "portable", trellis_kernel_portable(), &crc32c_best()};
  Sets() {
    for (const InstructionSet &set : of) {
      if (set.kernel != nullptr && set.id != PSEED_SET_PORTABLE) {
        best = set;
      }
    }
  }
};

}  // namespace

const InstructionSet *instruction_set(int id) {
  static const Sets sets;
  if (id == PSEED_SET_BEST) {
    return &sets.best;
  }
  return id >= PSEED_SET_PORTABLE && id <= PSEED_SET_NEON ? &sets.of[id - 1] : nullptr;
}

}  // namespace pseed
