// Searches that kernels are checked with: matrices of several panels, with and without feedback, at rates that vary by row or by column.
#ifndef PSEED_SEARCH_CASES_HPP
#define PSEED_SEARCH_CASES_HPP

#include <cstdint>
#include <cstdio>
#include <string>
#include <vector>

#include "../../main/cuda/trellis_layout.h"
#include "search_reference.hpp"
#include "trellis_code.hpp"

namespace pseed_test {

/// A launch: what the kernel reads, and what it must write.
struct SearchCase {
  std::string name;
  int seedBits = 0;
  std::vector<pseed::SearchJob> jobs;
  std::vector<float> targets, factor;
  std::vector<uint64_t> offsets;
  std::vector<uint8_t> rates, weights;
  std::vector<int16_t> codes;
  std::vector<uint8_t> payload;
  std::vector<float> errors, found;
  uint64_t errorCount = 0, foundCount = 0;
  int leastRate = 8;
  uint64_t largestDecisionBytes = 0;
  uint32_t longest = 0;
};

class Random {
 public:
  explicit Random(uint64_t seed) : state_(seed * 2654435769u + 1) {}
  uint32_t next(uint32_t bound) {
    state_ = state_ * 6364136223846793005ull + 1442695040888963407ull;
    return static_cast<uint32_t>((state_ >> 33) % bound);
  }
  /// About normal, with a rare value far out.
  float value() {
    float sum = 0;
    for (int i = 0; i < 12; i++) {
      sum += static_cast<float>(next(1 << 20)) / (1 << 20);
    }
    return (sum - 6) * (next(200) == 0 ? 40000.0f : 4096.0f);
  }

 private:
  uint64_t state_;
};

/// All tables that a launch at one seed length needs.
inline std::vector<int16_t> codeTables(int seedBits) {
  const auto code = pseed::TrellisCode::of(seedBits, 0, 0);
  std::vector<int16_t> tables;
  for (int k = 1; k <= 8; k++) {
    const auto scaled = scaledCodes(code->codes(), seedBits, k);
    tables.insert(tables.end(), scaled.begin(), scaled.end());
  }
  tables.insert(tables.end(), code->codes(), code->codes() + (size_t{1} << seedBits));
  return tables;
}

/// @param rates of the panels of columns; or of the rows, where byRows
inline SearchCase searchCase(int seedBits, const std::vector<int> &rates, bool byRows, uint32_t rows, uint32_t n, bool feedback, bool weighted,
                             uint64_t seed) {
  Random random(seed);
  SearchCase c;
  c.name = "L=" + std::to_string(seedBits) + (byRows ? " rows" : " columns") + " at";
  for (int k : rates) {
    c.name += " " + std::to_string(k);
  }
  c.name += ", " + std::to_string(rows) + " x " + std::to_string(n) + (feedback ? ", feedback" : "") + (weighted ? ", weighted" : "");
  c.seedBits = seedBits;
  const uint32_t panels = byRows ? 1 : static_cast<uint32_t>(rates.size());
  const uint32_t cols = panels * n;
  for (uint32_t i = 0; i < rows * cols; i++) {
    c.targets.push_back(random.value());
  }
  const uint32_t block = feedback ? std::max(2u, rows * 2 / 3) : 0;
  for (uint32_t i = 0; i < rows * block; i++) {
    c.factor.push_back(static_cast<float>(random.next(2001)) / 4000.0f - 0.25f);
  }
  if (weighted) {
    for (uint32_t i = 0; i < cols; i++) {
      c.weights.push_back(static_cast<uint8_t>(1 + random.next(64)));
    }
  }
  uint64_t at = 0;
  for (uint32_t r = 0; r < rows; r++) {
    c.offsets.push_back(at);
    for (uint32_t p = 0; p < panels; p++) {
      const int k = byRows ? rates[r % rates.size()] : rates[p];
      at += (static_cast<uint64_t>(n) * static_cast<uint64_t>(k) + 7) / 8;
    }
  }
  c.payload.assign(at, 0);
  uint32_t inRow = 0;
  for (uint32_t p = 0; p < panels; p++) {
    const uint64_t firstRate = c.rates.size();
    for (uint32_t r = 0; r < rows; r++) {
      const int k = byRows ? rates[r % rates.size()] : rates[p];
      c.rates.push_back(static_cast<uint8_t>(k));
      if (k > 0) {
        c.leastRate = std::min(c.leastRate, k);
        c.largestDecisionBytes = std::max(c.largestDecisionBytes, pseed::decisionBytes(seedBits, k));
      }
    }
    // Without feedback rows are jobs of their own, as hosts launch them.
    for (uint32_t first = 0; first < rows; first += feedback ? rows : 1) {
      pseed::SearchJob job{};
      job.targets = static_cast<uint64_t>(p) * n + static_cast<uint64_t>(first) * cols;
      job.errors = c.errorCount;
      job.factor = 0;
      job.offsets = first;
      job.rates = firstRate + first;
      job.weights = weighted ? static_cast<uint64_t>(p) * n : pseed::kNone;
      job.found = c.foundCount;
      job.at = inRow;
      job.stride = cols;
      job.rows = feedback ? rows : 1;
      job.allRows = job.rows;
      job.n = n;
      job.block = block;
      c.jobs.push_back(job);
      c.foundCount += static_cast<uint64_t>(job.rows) * n;
      c.errorCount += feedback ? static_cast<uint64_t>(rows) * n : 0;
    }
    inRow += byRows ? 0 : static_cast<uint32_t>((static_cast<uint64_t>(n) * static_cast<uint64_t>(rates[p]) + 7) / 8);
  }
  c.longest = n;
  c.codes = codeTables(seedBits);
  c.errors.assign(c.errorCount, 0);
  c.found.assign(c.foundCount, 0);
  return c;
}

/// Fills in what must come out.
inline void solve(SearchCase &c) {
  const auto code = pseed::TrellisCode::of(c.seedBits, 0, 0);
  for (const pseed::SearchJob &job : c.jobs) {
    for (uint32_t r = 0; r < job.rows; r++) {
      const float *targets = c.targets.data() + job.targets + static_cast<size_t>(r) * job.stride;
      std::vector<float> wanted(targets, targets + job.n);
      if (job.block > 0) {
        const uint32_t start = r / job.block * job.block;
        for (uint32_t k = start; k < r; k++) {
          const float factor = c.factor[job.factor + static_cast<size_t>(r) * job.block + k - start];
          for (uint32_t j = 0; j < job.n; j++) {
            const float product = factor * c.errors[job.errors + static_cast<size_t>(k) * job.n + j];
            wanted[j] = wanted[j] - product;
          }
        }
      }
      const int k = c.rates[job.rates + r];
      std::vector<float> found(job.n, 0.0f);
      if (k > 0) {
        const auto path = referencePath(wanted.data(), job.weights == pseed::kNone ? nullptr : c.weights.data() + job.weights, job.n,
                                        code->codes(), c.seedBits, k);
        putSymbols(path, k, c.payload.data() + c.offsets[job.offsets + r] + job.at);
        for (uint32_t j = 0; j < job.n; j++) {
          found[j] = code->codes()[path[j]];
        }
      }
      for (uint32_t j = 0; j < job.n; j++) {
        c.found[job.found + static_cast<size_t>(r) * job.n + j] = found[j];
        if (job.block > 0) {
          c.errors[job.errors + static_cast<size_t>(r) * job.n + j] = found[j] - targets[j];
        }
      }
    }
  }
}

/// Says where outputs differ from what must come out.
inline bool same(const SearchCase &expected, const SearchCase &actual) {
  for (size_t i = 0; i < expected.payload.size(); i++) {
    if (expected.payload[i] != actual.payload[i]) {
      std::printf("%s: payload byte %zu is %02x, expected %02x\n", expected.name.c_str(), i, actual.payload[i], expected.payload[i]);
      return false;
    }
  }
  for (size_t i = 0; i < expected.found.size(); i++) {
    if (expected.found[i] != actual.found[i]) {
      std::printf("%s: code %zu is %g, expected %g\n", expected.name.c_str(), i, static_cast<double>(actual.found[i]),
                  static_cast<double>(expected.found[i]));
      return false;
    }
  }
  if (expected.errors != actual.errors) {
    std::printf("%s: errors differ\n", expected.name.c_str());
    return false;
  }
  return true;
}

/// Cases for every kernel; the long seeds take seconds on a processor.
inline std::vector<SearchCase> searchCases(bool all) {
  std::vector<SearchCase> cases;
  uint64_t seed = 1;
  for (int seedBits : {8, 9, 11, 12, 13, 14, 15, 16}) {
    for (int k = 1; k <= 8; k++) {
      if (!all && seedBits > 13 && k % 3 != 1) {
        continue;
      }
      const uint32_t n = seedBits >= 14 ? 141 : 333;
      cases.push_back(searchCase(seedBits, {k}, false, 2, n, false, false, seed++));
      if (all || seedBits <= 12) {
        cases.push_back(searchCase(seedBits, {k}, false, 2, n, false, true, seed++));
      }
    }
  }
  cases.push_back(searchCase(12, {2, 4, 0, 7}, false, 9, 75, true, true, seed++));
  cases.push_back(searchCase(12, {3, 5, 0, 1}, true, 21, 130, true, false, seed++));
  cases.push_back(searchCase(10, {2, 6}, false, 8, 64, true, true, seed++));
  cases.push_back(searchCase(12, {4}, false, 40, 1, true, false, seed++));
  // Groups of rows that are fed back together, to more rows than get it at a time; more columns than a block has threads.
  cases.push_back(searchCase(12, {4, 0}, false, 90, 77, true, true, seed++));
  cases.push_back(searchCase(8, {3}, false, 118, 300, true, false, seed++));
  // Metrics as far apart as they come: targets out of reach, first on one side, then on the other.
  for (int seedBits : {12, 16}) {
    cases.push_back(searchCase(seedBits, {1}, false, 1, 120, false, seedBits == 16, seed++));
    for (size_t i = 0; i < cases.back().targets.size(); i++) {
      cases.back().targets[i] = i / 40 % 2 == 0 ? 1e6f : -1e6f;
    }
    cases.back().name += ", out of reach";
  }
  if (all) {
    cases.push_back(searchCase(16, {3, 4}, false, 21, 200, true, true, seed++));
    for (int k : {1, 2, 4, 6, 8}) {
      cases.push_back(searchCase(18, {k}, false, 2, 90, false, k == 4, seed++));
    }
    cases.push_back(searchCase(17, {3}, false, 2, 90, false, false, seed++));
    cases.push_back(searchCase(20, {4}, false, 1, 70, false, false, seed++));
    cases.push_back(searchCase(20, {2}, false, 1, 40, false, true, seed++));
  } else {
    cases.push_back(searchCase(17, {4}, false, 1, 20, false, false, seed++));
  }
  return cases;
}

}  // namespace pseed_test

#endif
