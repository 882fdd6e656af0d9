// The search kernels, compiled for the host and run block by block, against the definition of the search and against what Java found.
//
//     search_test [VECTORS]      a file that io.pseed.gpu.SearchVectorsTest wrote
#include <fstream>

#include "search_cases.hpp"

#include "../../main/cuda/trellis_memory.cu"
#include "../../main/cuda/trellis_shared.cu"
#include "../../main/cuda/trellis_small.cu"

using namespace pseed_test;

namespace {

/// Shared memory that a block may have on the device that is played.
constexpr size_t kSharedMemory = 227 << 10;

void launch(SearchCase &c, unsigned blocks) {
  uint32_t counter = 0;
  pseed::SearchArguments a{};
  a.jobs = c.jobs.data();
  a.jobCount = static_cast<uint32_t>(c.jobs.size());
  a.counter = &counter;
  a.targets = c.targets.data();
  a.errors = c.errors.data();
  a.factor = c.factor.data();
  a.offsets = c.offsets.data();
  a.rates = c.rates.data();
  a.weights = c.weights.data();
  a.found = c.found.data();
  a.codes = c.codes.data();
  a.payload = c.payload.data();
  a.seedBits = static_cast<uint32_t>(c.seedBits);
  a.longest = c.longest;
  a.largestDecisionBytes = c.largestDecisionBytes;
  const size_t sharedBytes = pseed::sharedMetricBytes(c.seedBits, c.leastRate);
  const bool shared = c.seedBits >= 12 && c.seedBits <= 16 && sharedBytes + sizeof(pseed::BlockShared) <= kSharedMemory;
  const bool memory = c.seedBits >= 12 && !shared;
  a.scratchPerBlock = pseed::Scratch::of(c.largestDecisionBytes, c.longest, memory ? pseed::metricBytes(c.seedBits, c.leastRate) : 0).total;
  // Exactly as much as the host promises, so that sanitizers find what goes beyond.
  std::vector<uint64_t> scratch(a.scratchPerBlock * blocks / 8);
  a.scratch = reinterpret_cast<uint8_t *>(scratch.data());
  if (shared) {
    pseed_shim::launch(blocks, 1u << (c.seedBits - 7), sharedBytes, trellis_shared, a);
  } else if (memory) {
    pseed_shim::launch(blocks, pseed::kMemoryThreads, 0, trellis_memory, a);
  } else {
    pseed_shim::launch(blocks, pseed::kSmallThreads, 0, trellis_small, a);
  }
}

/// @param blocks how many run one after another; the jobs are shared among them as on a device
/// @param slice rows of a launch
void run(SearchCase &c, unsigned blocks, uint32_t slice) {
  uint32_t rows = 0;
  for (const pseed::SearchJob &job : c.jobs) {
    rows = std::max(rows, job.allRows);
  }
  for (uint32_t first = 0; first < rows; first += slice) {
    for (pseed::SearchJob &job : c.jobs) {
      job.firstRow = first;
      job.rows = std::min(first + slice, job.allRows);
    }
    launch(c, blocks);
  }
}

template <class T>
T take(std::istream &in) {
  T value{};
  in.read(reinterpret_cast<char *>(&value), sizeof(value));
  return value;
}

/// The paths that Java found. Each: L, k, n, whether weighted (int32 each), n targets (float), n weights (bytes), the payload; little-endian.
int checkVectors(const char *file) {
  std::ifstream in(file, std::ios::binary);
  int failed = 0;
  int count = 0;
  while (in.peek() != std::ifstream::traits_type::eof()) {
    SearchCase c;
    c.seedBits = take<int32_t>(in);
    const int k = take<int32_t>(in);
    const auto n = static_cast<uint32_t>(take<int32_t>(in));
    const bool weighted = take<int32_t>(in) != 0;
    if (!in || n == 0 || n > 1 << 20 || k < 1 || k > 8) {
      std::printf("%s: vector %d is cut off or no vector\n", file, count);
      return 1;
    }
    c.name = std::string(file) + ", vector " + std::to_string(count) + ", L=" + std::to_string(c.seedBits) + " k=" + std::to_string(k);
    for (uint32_t i = 0; i < n; i++) {
      c.targets.push_back(take<float>(in));
    }
    for (uint32_t i = 0; weighted && i < n; i++) {
      c.weights.push_back(take<uint8_t>(in));
    }
    std::vector<uint8_t> expected((static_cast<size_t>(n) * static_cast<size_t>(k) + 7) / 8);
    in.read(reinterpret_cast<char *>(expected.data()), static_cast<std::streamsize>(expected.size()));
    if (!in) {
      std::printf("%s: vector %d is cut off\n", file, count);
      return 1;
    }
    pseed::SearchJob job{};
    job.weights = weighted ? 0 : pseed::kNone;
    job.found = pseed::kNone;
    job.stride = n;
    job.rows = 1;
    job.allRows = 1;
    job.n = n;
    c.jobs.push_back(job);
    c.offsets.push_back(0);
    c.rates.push_back(static_cast<uint8_t>(k));
    c.leastRate = k;
    c.largestDecisionBytes = pseed::decisionBytes(c.seedBits, k);
    c.longest = n;
    c.codes = codeTables(c.seedBits);
    c.payload.assign(expected.size(), 0);
    run(c, 1, 1);
    if (c.payload != expected) {
      std::printf("%s: not the path that Java found\n", c.name.c_str());
      failed++;
    }
    count++;
  }
  if (count == 0) {
    std::printf("%s: no vectors\n", file);
    return 1;
  }
  std::printf("%d vectors of Java, %d differ\n", count, failed);
  return failed;
}

}  // namespace

int main(int argc, char **argv) {
  int failed = 0;
  int count = 0;
  for (SearchCase &given : searchCases(false)) {
    SearchCase actual = given;
    solve(given);
    run(actual, 3, count % 2 == 0 ? 1000 : 7);
    failed += !same(given, actual);
    count++;
  }
  std::printf("%d searches, %d differ from the definition\n", count, failed);
  if (argc > 1) {
    failed += checkVectors(argv[1]);
  }
  return failed != 0;
}
