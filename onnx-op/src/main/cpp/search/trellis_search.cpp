#include "trellis_search.hpp"

namespace pseed {

namespace {

constexpr size_t kAlignment = 64;

// What a memory holds, from its first aligned byte on.
struct Layout {
  int32_t *plain;
  int32_t *near;
  int32_t *fold;
  int32_t *best[2];
  int32_t *start;  // the groups before the first step

  Layout(void *memory, int bits, int rate) {
    const size_t states = size_t{1} << bits;
    const size_t groups = states >> rate;
    const uintptr_t address = (reinterpret_cast<uintptr_t>(memory) + kAlignment - 1) / kAlignment * kAlignment;
    int32_t *at = reinterpret_cast<int32_t *>(address);
    plain = at;
    near = at += states;
    fold = at += rate <= 4 ? states : 0;
    best[0] = at += groups;
    best[1] = at += groups;
    start = at + groups;
  }
};

}  // namespace

int search_kernels(const SearchKernel *kernels[4]) {
  int n = 0;
  kernels[n++] = search_kernel_portable();
  if (search_kernel_neon() != nullptr) {
    kernels[n++] = search_kernel_neon();
  }
#if defined(__x86_64__) && defined(__GNUC__)
  if (search_kernel_avx2() != nullptr && __builtin_cpu_supports("avx2")) {
    kernels[n++] = search_kernel_avx2();
  }
  if (search_kernel_avx512() != nullptr && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw")) {
    kernels[n++] = search_kernel_avx512();
  }
#endif
  return n;
}

const SearchKernel *search_kernel_best() {
  const SearchKernel *kernels[4];
  return kernels[search_kernels(kernels) - 1];
}

size_t search_memory_bytes(int bits, int rate) {
  if (bits < kSearchMinBits || bits > kSearchMaxBits || rate < 1 || rate > kSearchMaxRate || bits - rate < kSearchMinGroupsLog2) {
    return 0;
  }
  const size_t states = size_t{1} << bits;
  return (states * (rate <= 4 ? 2 : 1) + (states >> rate) * 4) * sizeof(int32_t) + kAlignment;
}

void search_prepare(const SearchKernel &kernel, void *memory, int bits, int rate, const int32_t *codes, int32_t unreachable) {
  const Layout layout(memory, bits, rate);
  const size_t groups = size_t{1} << (bits - rate);
  const size_t lanes = static_cast<size_t>(kernel.lanes);
  const int shift = search_shift(rate);
  size_t at = 0;
  for (size_t m = 0; m < groups; m += lanes) {
    for (size_t j = 0; j < size_t{1} << rate; j++) {
      for (size_t lane = 0; lane < lanes; lane++, at++) {
        const int32_t code = codes[j * groups + m + lane];
        layout.plain[at] = kernel.code(code, rate <= 4);
        if (rate <= 4) {
          layout.near[at] = kernel.code(code * (1 << (shift / 2)), true);
        }
      }
    }
  }
  for (size_t g = 0; g < groups; g++) {
    // A group's states have one number j where 2 k <= L: so it is for all rates up to 4.
    layout.fold[g] = rate <= 4 ? static_cast<int32_t>((g << rate) / groups) : 0;
    layout.start[g] = (g == 0 ? 0 : unreachable * (1 << shift)) + layout.fold[g];
  }
}

void search_segment(const SearchKernel &kernel, void *memory, int bits, int rate, int32_t *targets, const int32_t *weights, size_t n,
                    uint8_t *decisions) {
  const Layout layout(memory, bits, rate);
  const size_t groups = size_t{1} << (bits - rate);
  for (size_t g = 0; g < groups; g++) {
    layout.best[0][g] = layout.start[g];
  }
  const SearchMemory loops = {layout.near, layout.plain, layout.fold, {layout.best[0], layout.best[1]}};
  const int32_t *last = loops.best[kernel.forward(loops, bits, rate, targets, weights, n, decisions)];
  // The least metric; of equal ones the lowest state, whose number j comes first.
  const uint8_t *numbers = decisions + (n - 1) * groups;
  size_t best = 0;
  int32_t least = 0;
  for (size_t g = 0; g < groups; g++) {
    const int32_t metric = last[g] - layout.fold[g] + numbers[g];
    if (g == 0 || metric < least) {
      least = metric;
      best = g;
    }
  }
  size_t group = best;
  for (size_t t = n; t-- > 0;) {
    const size_t state = decisions[t * groups + group] * groups + group;
    targets[t] = static_cast<int32_t>(state);
    group = state >> rate;
  }
}

}  // namespace pseed
