// The search on a device against its definition, then its speed beside its bound. For hand runs where there is no Java:
//
//     nvcc -std=c++17 -O3 --fmad=false -arch=sm_90 -I onnx-op/src/main/cpp/core gpu/src/test/cuda/search_device.cu
//         onnx-op/src/main/cpp/core/trellis_code.cpp -o search_device
#include <cuda_runtime.h>

#include <cstdlib>

#include "../../main/cuda/trellis_memory.cu"
#include "../../main/cuda/trellis_shared.cu"
#include "../../main/cuda/trellis_small.cu"
#include "../cpp/search_cases.hpp"

using namespace pseed_test;

#define CHECK(call)                                                                      \
  do {                                                                                   \
    cudaError_t error = (call);                                                          \
    if (error != cudaSuccess) {                                                          \
      std::printf("%s:%d %s: %s\n", __FILE__, __LINE__, #call, cudaGetErrorString(error)); \
      std::exit(1);                                                                      \
    }                                                                                    \
  } while (0)

template <class T>
static T *up(const std::vector<T> &values, size_t count = 0) {
  T *device = nullptr;
  CHECK(cudaMalloc(&device, std::max<size_t>(1, std::max(count, values.size())) * sizeof(T)));
  CHECK(cudaMemset(device, 0, std::max<size_t>(1, std::max(count, values.size())) * sizeof(T)));
  if (!values.empty()) {
    CHECK(cudaMemcpy(device, values.data(), values.size() * sizeof(T), cudaMemcpyHostToDevice));
  }
  return device;
}

template <class T>
static void down(std::vector<T> &values, T *device) {
  if (!values.empty()) {
    CHECK(cudaMemcpy(values.data(), device, values.size() * sizeof(T), cudaMemcpyDeviceToHost));
  }
  CHECK(cudaFree(device));
}

/// Runs a case; gives milliseconds of the kernel, the best of several runs.
static float run(SearchCase &c, int repeat) {
  cudaDeviceProp device;
  CHECK(cudaGetDeviceProperties(&device, 0));
  pseed::SearchArguments a{};
  a.jobs = up(c.jobs);
  a.jobCount = static_cast<uint32_t>(c.jobs.size());
  a.counter = up(std::vector<uint32_t>{0});
  a.targets = up(c.targets);
  a.errors = up(c.errors);
  a.factor = up(c.factor);
  a.offsets = up(c.offsets);
  a.rates = up(c.rates);
  a.weights = up(c.weights);
  a.found = up(c.found);
  a.codes = up(c.codes);
  a.payload = up(c.payload);
  a.seedBits = static_cast<uint32_t>(c.seedBits);
  a.longest = c.longest;
  a.largestDecisionBytes = c.largestDecisionBytes;
  const size_t sharedBytes = pseed::sharedMetricBytes(c.seedBits, c.leastRate);
  void (*kernel)(const pseed::SearchArguments) = trellis_small;
  int threads = pseed::kSmallThreads;
  size_t shared = 0;
  size_t inScratch = 0;
  if (c.seedBits >= 12) {
    if (c.seedBits <= 16 && sharedBytes + sizeof(pseed::BlockShared) + 1024 <= device.sharedMemPerBlockOptin) {
      kernel = trellis_shared;
      threads = 1 << (c.seedBits - 7);
      shared = sharedBytes;
      CHECK(cudaFuncSetAttribute(kernel, cudaFuncAttributeMaxDynamicSharedMemorySize, static_cast<int>(shared)));
    } else {
      kernel = trellis_memory;
      threads = pseed::kMemoryThreads;
      inScratch = pseed::metricBytes(c.seedBits, c.leastRate);
    }
  }
  int perMultiprocessor = 0;
  CHECK(cudaOccupancyMaxActiveBlocksPerMultiprocessor(&perMultiprocessor, kernel, threads, shared));
  const unsigned blocks = static_cast<unsigned>(std::min<size_t>(c.jobs.size(), static_cast<size_t>(perMultiprocessor) * static_cast<size_t>(device.multiProcessorCount)));
  a.scratchPerBlock = pseed::Scratch::of(c.largestDecisionBytes, c.longest, inScratch).total;
  CHECK(cudaMalloc(&a.scratch, a.scratchPerBlock * blocks));
  cudaEvent_t begin, end;
  CHECK(cudaEventCreate(&begin));
  CHECK(cudaEventCreate(&end));
  float best = 1e30f;
  for (int i = 0; i < repeat; i++) {
    CHECK(cudaMemset(a.counter, 0, 4));
    CHECK(cudaEventRecord(begin));
    kernel<<<blocks, static_cast<unsigned>(threads), shared>>>(a);
    CHECK(cudaEventRecord(end));
    CHECK(cudaDeviceSynchronize());
    float ms;
    CHECK(cudaEventElapsedTime(&ms, begin, end));
    best = std::min(best, ms);
  }
  CHECK(cudaFree(a.scratch));
  down(c.payload, a.payload);
  down(c.found, a.found);
  down(c.errors, a.errors);
  CHECK(cudaFree(const_cast<pseed::SearchJob *>(a.jobs)));
  CHECK(cudaFree(a.counter));
  CHECK(cudaFree(const_cast<float *>(a.targets)));
  CHECK(cudaFree(const_cast<float *>(a.factor)));
  CHECK(cudaFree(const_cast<uint64_t *>(a.offsets)));
  CHECK(cudaFree(const_cast<uint8_t *>(a.rates)));
  CHECK(cudaFree(const_cast<uint8_t *>(a.weights)));
  CHECK(cudaFree(const_cast<int16_t *>(a.codes)));
  return best;
}

/// Matrices of rows x cols in panels of n columns.
static void speed(int seedBits, int k, int matrices, uint32_t rows, uint32_t cols, uint32_t n, bool feedback, bool weighted) {
  SearchCase c;
  c.seedBits = seedBits;
  Random random(7);
  const uint64_t weights = static_cast<uint64_t>(matrices) * rows * cols;
  c.targets.resize(weights);
  for (auto &target : c.targets) {
    target = (static_cast<float>(random.next(1 << 20)) / (1 << 19) - 1) * 7000;
  }
  c.factor.assign(feedback ? static_cast<size_t>(rows) * rows : 0, 0.001f);
  c.weights.assign(weighted ? cols : 0, 20);
  const uint64_t segment = (static_cast<uint64_t>(n) * static_cast<uint64_t>(k) + 7) / 8;
  const uint32_t panels = cols / n;
  for (uint64_t r = 0; r < static_cast<uint64_t>(matrices) * rows; r++) {
    c.offsets.push_back(r * segment * panels);
    c.rates.push_back(static_cast<uint8_t>(k));
  }
  c.payload.assign(static_cast<size_t>(matrices) * rows * panels * segment, 0);
  for (int m = 0; m < matrices; m++) {
    for (uint32_t first = 0; first < rows; first += feedback ? rows : 1) {
      for (uint32_t p = 0; p < panels; p++) {
        pseed::SearchJob job{};
        const uint64_t row = static_cast<uint64_t>(m) * rows + first;
        job.targets = row * cols + static_cast<uint64_t>(p) * n;
        job.errors = c.errorCount;
        job.offsets = row;
        job.rates = row;
        job.weights = weighted ? static_cast<uint64_t>(p) * n : pseed::kNone;
        job.found = pseed::kNone;
        job.at = static_cast<uint32_t>(p * segment);
        job.stride = cols;
        job.rows = feedback ? rows : 1;
        job.allRows = job.rows;
        job.n = n;
        job.block = feedback ? rows : 0;
        c.errorCount += feedback ? static_cast<uint64_t>(rows) * n : 0;
        c.jobs.push_back(job);
      }
    }
  }
  c.errors.assign(c.errorCount, 0);
  c.longest = n;
  c.leastRate = k;
  c.largestDecisionBytes = pseed::decisionBytes(seedBits, k);
  c.codes = codeTables(seedBits);
  const float ms = run(c, 2);
  const double perSecond = static_cast<double>(weights) / ms / 1e3;
  std::printf("L=%2d k=%d %s%-9s %d x %u x %u, panels of %u: %8.2f ms, %8.2f Mweights/s, %6.2f Tstates/s\n", seedBits, k,
              feedback ? "LDLQ " : "free ", weighted ? "weighted" : "", matrices, rows, cols, n, static_cast<double>(ms), perSecond,
              perSecond * static_cast<double>(1 << seedBits) / 1e6);
  std::fflush(stdout);
}

int main(int argc, char **argv) {
  const std::string mode = argc > 1 ? argv[1] : "all";
  const bool quick = mode == "quick";
  if (mode == "rates") {
    for (int k = 1; k <= 8; k++) {
      speed(16, k, 1, 528, 2048, 2048, false, false);
    }
    for (int k : {2, 4, 5, 8}) {
      speed(16, k, 1, 528, 2048, 2048, false, true);
    }
    speed(12, 4, 1, 2048, 4096, 4096, false, false);
    return 0;
  }
  if (mode == "profile") {
    speed(16, argc > 2 ? std::atoi(argv[2]) : 4, 1, 264, 1024, 1024, false, argc > 3);
    return 0;
  }
  int failed = 0;
  int passed = 0;
  for (SearchCase &given : searchCases(!quick)) {
    SearchCase actual = given;
    solve(given);
    run(actual, 1);
    (same(given, actual) ? passed : failed)++;
  }
  std::printf("%d passed, %d failed\n", passed, failed);
  std::fflush(stdout);
  if (quick) {
    return failed != 0;
  }
  for (int k : {2, 3, 4, 5, 6, 8}) {
    speed(16, k, 1, 1024, 4096, 4096, false, false);
  }
  speed(16, 1, 1, 264, 1024, 1024, false, false);
  for (int k : {2, 4}) {
    speed(16, k, 1, 1024, 4096, 4096, false, true);
  }
  for (int k : {2, 4}) {
    speed(12, k, 1, 4096, 4096, 4096, false, false);
    speed(14, k, 1, 4096, 4096, 4096, false, false);
  }
  for (int k : {2, 4}) {
    speed(16, k, 33, 256, 4096, 1024, true, true);
  }
  speed(16, 4, 33, 1024, 4096, 1024, true, true);
  speed(12, 4, 32, 1024, 4096, 256, true, true);
  speed(20, 4, 1, 264, 256, 256, false, false);
  speed(20, 2, 1, 264, 256, 256, false, false);
  speed(18, 4, 1, 264, 512, 512, false, false);
  speed(10, 4, 1, 1024, 4096, 4096, false, false);
  return failed != 0;
}
