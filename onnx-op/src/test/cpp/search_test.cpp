// The search of every instruction set against Viterbi's algorithm in 64 bits without any of its shortcuts: the same states for all seeds and
// rates, weighted or not, with ties, and with targets as far outside as can be, where metrics are largest.
#include <algorithm>
#include <cstdio>
#include <string>
#include <vector>

#include "records.hpp"
#include "trellis_code.hpp"
#include "trellis_search.hpp"

namespace {

int failures = 0;

// As io.pseed.converter.encode.TrellisSearch has them.
const int kUnitLog2[] = {0, 6, 5, 4, 4, 2, 1, 0, 0};
constexpr int64_t kReach = 7 * 4096;

int64_t largest_cost(int rate) {
  const int64_t farthest = (kReach + (1 << 14)) >> kUnitLog2[rate];
  return rate <= 4 ? farthest * farthest : std::min<int64_t>(farthest * farthest, 1000000 + 4 * farthest);
}

int64_t cost(int rate, int64_t x, int weight) {
  const int64_t far = x < 0 ? -x : x;
  const int64_t full = rate <= 4 ? x * x : std::min(x * x, 1000000 + 4 * far);
  return full * weight / 64;
}

std::vector<int32_t> codes_of(int bits, int rate, int law, int kappa) {
  const auto code = pseed::TrellisCode::of(bits, law, kappa);
  const int unit = kUnitLog2[rate];
  std::vector<int32_t> codes(size_t{1} << bits);
  for (size_t s = 0; s < codes.size(); s++) {
    codes[s] = (code->codes()[s] + (1 << unit >> 1)) >> unit;
  }
  return codes;
}

std::vector<int32_t> plain_search(const std::vector<int32_t> &codes, int rate, const std::vector<int32_t> &targets,
                                  const std::vector<int32_t> &weights) {
  const size_t states = codes.size();
  const size_t groups = states >> rate;
  const size_t n = targets.size();
  std::vector<int64_t> metrics(states, INT64_MAX / 2);
  std::vector<int64_t> next(states);
  metrics[0] = 0;
  std::vector<std::vector<uint32_t>> from(n, std::vector<uint32_t>(groups));
  for (size_t t = 0; t < n; t++) {
    for (size_t g = 0; g < groups; g++) {
      size_t best = g;
      for (size_t s = g; s < states; s += groups) {
        best = metrics[s] < metrics[best] ? s : best;
      }
      from[t][g] = static_cast<uint32_t>(best);
      for (size_t s = g << rate; s < (g + 1) << rate; s++) {
        next[s] = metrics[best] + cost(rate, int64_t{targets[t]} - codes[s], weights[t]);
      }
    }
    metrics.swap(next);
  }
  size_t state = 0;
  for (size_t s = 0; s < states; s++) {
    state = metrics[s] < metrics[state] ? s : state;
  }
  std::vector<int32_t> path(n);
  for (size_t t = n; t-- > 0;) {
    path[t] = static_cast<int32_t>(state);
    state = from[t][state >> rate];
  }
  return path;
}

void check_kind(const pseed::SearchKernel *const *kernels, int count, int bits, int rate, size_t n) {
  const int law = rate % 2;
  const std::vector<int32_t> codes = codes_of(bits, rate, law, law == 0 ? 0 : 200);
  const int32_t limit = static_cast<int32_t>(kReach >> kUnitLog2[rate]);
  const int32_t unreachable = static_cast<int32_t>((bits + rate - 1) / rate * largest_cost(rate) + 1);
  pseed_test::SplitMix64 random(static_cast<uint64_t>(bits * 16 + rate));
  for (int kind = 0; kind < 4; kind++) {
    std::vector<int32_t> targets(n);
    std::vector<int32_t> weights(n, 64);
    for (size_t t = 0; t < n; t++) {
      const int32_t a = static_cast<int32_t>(random.next() % static_cast<uint64_t>(2 * limit + 1)) - limit;
      // Sums of few are near zero more often. Kinds: mixed, all zeros, only the ends, mixed without weights.
      targets[t] = kind == 1 ? 0 : kind == 2 ? (a < 0 ? -limit : limit) : a / (1 + static_cast<int32_t>(random.next() % 8));
      if (kind != 3) {
        weights[t] = 1 + static_cast<int32_t>(random.next() % 64);
      }
    }
    const std::vector<int32_t> expected = plain_search(codes, rate, targets, weights);
    for (int k = 0; k < count; k++) {
      // Exactly the memory that was promised to be enough, at an odd place.
      std::vector<uint8_t> memory(pseed::search_memory_bytes(bits, rate) + 4);
      std::vector<uint8_t> decisions(n << (bits - rate));
      pseed::search_prepare(*kernels[k], memory.data() + 4, bits, rate, codes.data(), unreachable);
      for (int again = 0; again < 2; again++) {
        std::vector<int32_t> states = targets;
        pseed::search_segment(*kernels[k], memory.data() + 4, bits, rate, states.data(), kind == 3 && again == 1 ? nullptr : weights.data(), n,
                              decisions.data());
        if (states != expected) {
          std::fprintf(stderr, "FAIL L=%d k=%d n=%zu kind %d, %s: another path\n", bits, rate, n, kind, kernels[k]->label);
          failures++;
        }
      }
    }
  }
}

}  // namespace

int main() {
  const pseed::SearchKernel *kernels[4];
  const int count = pseed::search_kernels(kernels);
  int kinds = 0;
  for (int bits = 0; bits <= 24; bits++) {
    for (int rate = -1; rate <= 9; rate++) {
      const bool possible = bits >= 8 && bits <= 20 && rate >= 1 && rate <= 8 && bits - rate >= 4;
      if ((pseed::search_memory_bytes(bits, rate) > 0) != possible) {
        std::fprintf(stderr, "FAIL L=%d k=%d: memory of %zu bytes\n", bits, rate, pseed::search_memory_bytes(bits, rate));
        failures++;
      }
      // The longest seeds take seconds each under a sanitizer.
      if (!possible || (bits > 16 && (bits != 20 || rate % 3 != 1))) {
        continue;
      }
      check_kind(kernels, count, bits, rate, bits <= 12 ? 67 : bits <= 16 ? 23 : 21);
      check_kind(kernels, count, bits, rate, 1);
      kinds++;
    }
  }
  std::printf("%d kinds of searches, %d instruction sets, the best %s: %d failures\n", kinds, count, pseed::search_kernel_best()->label,
              failures);
  return failures == 0 ? 0 : 1;
}
