// Weights a second that one core searches, for each instruction set: bench_search [SECONDS [L...]]. Normal targets, rows of 384.
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <vector>

#include "records.hpp"
#include "trellis_code.hpp"
#include "trellis_search.hpp"

namespace {

const int kUnitLog2[] = {0, 6, 5, 4, 4, 2, 1, 0, 0};
constexpr size_t kRow = 384;

double rate_of(const pseed::SearchKernel &kernel, int bits, int rate, bool weighted, double seconds) {
  const auto code = pseed::TrellisCode::of(bits, 0, 0);
  const int unit = kUnitLog2[rate];
  std::vector<int32_t> codes(size_t{1} << bits);
  for (size_t s = 0; s < codes.size(); s++) {
    codes[s] = (code->codes()[s] + (1 << unit >> 1)) >> unit;
  }
  std::vector<uint8_t> memory(pseed::search_memory_bytes(bits, rate));
  std::vector<uint8_t> decisions(kRow << (bits - rate));
  pseed::search_prepare(kernel, memory.data(), bits, rate, codes.data(), 1 << 21);
  pseed_test::SplitMix64 random(1);
  std::vector<int32_t> targets(kRow);
  std::vector<int32_t> weights(kRow);
  for (size_t t = 0; t < kRow; t++) {
    double sum = -6;
    for (int i = 0; i < 12; i++) {
      sum += static_cast<double>(random.next() >> 11) * 0x1p-53;
    }
    targets[t] = static_cast<int32_t>(std::lround(sum * (4096 >> unit)));
    weights[t] = 1 + static_cast<int32_t>(random.next() % 64);
  }
  // Time of the processor, so that other programs count less.
  const std::clock_t start = std::clock();
  size_t done = 0;
  double passed = 0;
  while (passed < seconds) {
    std::vector<int32_t> states = targets;
    pseed::search_segment(kernel, memory.data(), bits, rate, states.data(), weighted ? weights.data() : nullptr, kRow, decisions.data());
    done += kRow;
    passed = static_cast<double>(std::clock() - start) / CLOCKS_PER_SEC;
  }
  return static_cast<double>(done) / passed / 1e6;
}

}  // namespace

int main(int argc, char **argv) {
  const double seconds = argc > 1 ? std::atof(argv[1]) : 0.2;
  std::vector<int> lengths;
  for (int i = 2; i < argc; i++) {
    lengths.push_back(std::atoi(argv[i]));
  }
  if (lengths.empty()) {
    lengths = {12, 16};
  }
  const pseed::SearchKernel *kernels[4];
  const int count = pseed::search_kernels(kernels);
  for (int bits : lengths) {
    std::printf("L = %d, one core, Mweights/s; weighted in brackets\n  k", bits);
    for (int k = 0; k < count; k++) {
      std::printf("%20s", kernels[k]->label);
    }
    std::printf("\n");
    for (int rate = 1; rate <= 8; rate++) {
      if (pseed::search_memory_bytes(bits, rate) == 0) {
        continue;
      }
      std::printf("  %d", rate);
      for (int k = 0; k < count; k++) {
        std::printf("    %7.3f (%6.3f)", rate_of(*kernels[k], bits, rate, false, seconds), rate_of(*kernels[k], bits, rate, true, seconds));
      }
      std::printf("\n");
    }
  }
  return 0;
}
