// The search as its definition has it, one state at a time: what the kernels must find. See io.pseed.converter.encode.TrellisSearch.
#ifndef PSEED_SEARCH_REFERENCE_HPP
#define PSEED_SEARCH_REFERENCE_HPP

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstdlib>
#include <vector>

namespace pseed_test {

inline int unitLog2(int rate) {
  static const int kLog2[] = {0, 6, 5, 4, 4, 2, 1, 0, 0};
  return kLog2[rate];
}

/// Codes in the units of a rate.
inline std::vector<int16_t> scaledCodes(const int16_t *codes, int seedBits, int rate) {
  const int unit = unitLog2(rate);
  std::vector<int16_t> scaled(size_t{1} << seedBits);
  for (size_t s = 0; s < scaled.size(); s++) {
    scaled[s] = static_cast<int16_t>((codes[s] + ((1 << unit) >> 1)) >> unit);
  }
  return scaled;
}

/// The path of least cost through n steps: the state after each.
inline std::vector<uint32_t> referencePath(const float *wanted, const uint8_t *weights, size_t n, const int16_t *codes, int seedBits, int rate) {
  const size_t states = size_t{1} << seedBits;
  const size_t groups = states >> rate;
  const int unit = unitLog2(rate);
  const int limit = (7 * 4096) >> unit;
  const std::vector<int16_t> scaled = scaledCodes(codes, seedBits, rate);
  constexpr int64_t kUnreachable = int64_t{1} << 60;
  std::vector<int64_t> metric(states, kUnreachable);
  metric[0] = 0;
  std::vector<std::vector<uint16_t>> from(n, std::vector<uint16_t>(groups));
  for (size_t t = 0; t < n; t++) {
    std::vector<int64_t> best(groups);
    for (size_t g = 0; g < groups; g++) {
      best[g] = metric[g];
      for (size_t j = 1; j < size_t{1} << rate; j++) {
        if (metric[j * groups + g] < best[g]) {
          best[g] = metric[j * groups + g];
          from[t][g] = static_cast<uint16_t>(j);
        }
      }
    }
    const double scaledTarget = std::floor(static_cast<double>(wanted[t] * (1.0f / static_cast<float>(1 << unit))) + 0.5);
    const auto target = static_cast<int64_t>(std::clamp(scaledTarget, static_cast<double>(-limit), static_cast<double>(limit)));
    for (size_t s = 0; s < states; s++) {
      const int64_t x = target - scaled[s];
      int64_t cost = x * x;
      if (rate >= 5) {
        cost = std::min(cost, 1000000 + 4 * std::abs(x));
      }
      if (weights != nullptr) {
        cost = (cost * weights[t]) >> 6;
      }
      metric[s] = best[s >> rate] + cost;
    }
  }
  std::vector<uint32_t> path(n);
  size_t state = static_cast<size_t>(std::min_element(metric.begin(), metric.end()) - metric.begin());
  for (size_t t = n; t-- > 0;) {
    path[t] = static_cast<uint32_t>(state);
    const size_t group = state >> rate;
    state = from[t][group] * groups + group;
  }
  return path;
}

/// The bits of a path, most significant first.
inline void putSymbols(const std::vector<uint32_t> &path, int rate, uint8_t *payload) {
  for (size_t t = 0; t < path.size(); t++) {
    for (int b = 0; b < rate; b++) {
      const size_t bit = t * static_cast<size_t>(rate) + static_cast<size_t>(b);
      const uint32_t value = path[t] >> (rate - 1 - b) & 1;
      payload[bit / 8] = static_cast<uint8_t>(payload[bit / 8] | value << (7 - bit % 8));
    }
  }
}

}  // namespace pseed_test

#endif
