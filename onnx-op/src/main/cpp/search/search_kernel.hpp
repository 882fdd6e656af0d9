// The loop of the trellis search that all states go through, once for each instruction set. All sets give the same numbers: integers.
#ifndef PSEED_SEARCH_KERNEL_HPP
#define PSEED_SEARCH_KERNEL_HPP

#include <cstddef>
#include <cstdint>

namespace pseed {

// Memory of one search. With V lanes, G = 2^(L-k) groups and state s = j G + b V + lane, a table has the value of s at
// ((b << k) + j) V + lane: in the order in which the loop asks for it.
struct SearchMemory {
  const int32_t *near;   // codes for squares alone, rates 1 to 4: scaled by 2^(shift/2)
  const int32_t *plain;  // codes in the metric's units
  const int32_t *fold;   // G values: the number j of a group's states, 0 where it differs among them or rates are above 4
  int32_t *best[2];      // G values each: metrics of groups, shifted left, plus fold
};

struct SearchKernel {
  const char *label;
  int lanes;
  // A code as the loop wants it. scaled: for `near`.
  int32_t (*code)(int32_t value, bool narrow);
  // n steps from memory.best[0] on. targets and weights (1 to 64; null: all 64) have n values; each step writes G bytes of decisions: the
  // number j of the predecessor of each group of the next step. Returns which of memory.best has the groups after the last step.
  int (*forward)(const SearchMemory &memory, int bits, int rate, const int32_t *targets, const int32_t *weights, size_t n,
                 uint8_t *decisions);
};

// Null where the build has none.
const SearchKernel *search_kernel_portable();
const SearchKernel *search_kernel_avx2();
const SearchKernel *search_kernel_avx512();
const SearchKernel *search_kernel_neon();

// Metrics are shifted left to have j in their low bits, by an even number for rates 1 to 4, so that the square of a scaled distance is
// shifted by itself.
inline int search_shift(int rate) { return rate <= 4 ? rate + (rate & 1) : rate; }

}  // namespace pseed
#endif
