// The decoding kernels on a device: equal to the decoder in C++ on random records, then their speed beside the memory's. For hand runs where
// there is no Java:
//
//     nvcc -std=c++17 -O3 --fmad=false -arch=sm_90 -I onnx-op/src/main/cpp/core -I onnx-op/src/test/cpp -I gpu/src/test/cpp
//         gpu/src/test/cuda/decode_device.cu onnx-op/src/main/cpp/core/*.cpp -o decode_device
//     ./decode_device [RECORDS [ROWS COLUMNS]]
#include <cuda_runtime.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>

#include "../../main/cuda/decode.cu"

#include "decode_cases.hpp"

using namespace pseed_test;

#define CHECK(call)                                                                         \
  do {                                                                                      \
    const cudaError_t error = (call);                                                       \
    if (error != cudaSuccess) {                                                             \
      std::printf("%s:%d %s: %s\n", __FILE__, __LINE__, #call, cudaGetErrorString(error)); \
      std::exit(1);                                                                         \
    }                                                                                       \
  } while (0)

static cudaDeviceProp device;

template <class T>
static T *up(const std::vector<T> &values) {
  T *at = nullptr;
  CHECK(cudaMalloc(&at, std::max<size_t>(1, values.size() * sizeof(T))));
  if (!values.empty()) {
    CHECK(cudaMemcpy(at, values.data(), values.size() * sizeof(T), cudaMemcpyHostToDevice));
  }
  return at;
}

// A record on the device.
struct OnDevice {
  explicit OnDevice(const RecordParts &parts) : record(parts.record) {
    payload = up(parts.payload);
    panels = up(parts.panels);
    permutation = up(parts.permutation);
    row_scales = up(parts.row_scales);
    col_scales = up(parts.col_scales);
    table = up(parts.table);
    radii = up(parts.radii);
    angles = up(parts.angles);
    record.payload = payload + RecordParts::kBefore;
    record.panels = panels;
    record.permutation = parts.permutation.empty() ? nullptr : permutation;
    record.row_scales = row_scales;
    record.col_scales = col_scales;
  }
  ~OnDevice() {
    void *const all[] = {payload, panels, permutation, row_scales, col_scales, table, radii, angles};
    for (void *at : all) {
      cudaFree(at);
    }
  }

  void launch(unsigned blocks, bool by_table, size_t shared, void *out) const {
    if (by_table) {
      CHECK(cudaFuncSetAttribute(pseed_decode_table, cudaFuncAttributeMaxDynamicSharedMemorySize, static_cast<int>(shared)));
      pseed_decode_table<<<blocks, pseed_decode::kThreads, shared>>>(record, table, out);
    } else {
      CHECK(cudaFuncSetAttribute(pseed_decode_mix, cudaFuncAttributeMaxDynamicSharedMemorySize, static_cast<int>(shared)));
      pseed_decode_mix<<<blocks, pseed_decode::kThreads, shared>>>(record, radii, angles, out);
    }
    CHECK(cudaGetLastError());
  }

  pseed_decode::Record record;
  uint8_t *payload;
  pseed_decode::Panel *panels;
  uint32_t *permutation;
  float *row_scales;
  float *col_scales;
  int16_t *table;
  int16_t *radii;
  int16_t *angles;
};

static int compare(const std::string &name, const std::vector<uint8_t> &bytes) {
  std::vector<uint8_t> expected;
  RecordParts parts;
  const std::string refused = decode_by_core(name, bytes, 0, expected);
  if (!refused.empty() || !parts.of(name, bytes)) {
    std::printf("FAIL %s: %s\n", name.c_str(), refused.c_str());
    return 1;
  }
  const OnDevice on(parts);
  int failures = 0;
  uint8_t *out = nullptr;
  CHECK(cudaMalloc(&out, expected.size()));
  std::vector<uint8_t> found(expected.size());
  for (const bool by_table : {false, true}) {
    const size_t shared = parts.shared(by_table);
    if (shared > device.sharedMemPerBlockOptin) {
      continue;
    }
    CHECK(cudaMemset(out, 0x5A, expected.size()));
    on.launch(static_cast<unsigned>(std::min<uint64_t>(parts.tiles(), static_cast<uint64_t>(device.multiProcessorCount))), by_table, shared,
              out);
    CHECK(cudaMemcpy(found.data(), out, found.size(), cudaMemcpyDeviceToHost));
    if (found != expected) {
      size_t at = 0;
      while (found[at] == expected[at]) {
        at++;
      }
      std::printf("FAIL %s: %u x %u, L %u, %s: byte %zu of %zu differs\n", name.c_str(), parts.record.rows, parts.record.cols,
                  parts.record.bits, by_table ? "table" : "mix", at, found.size());
      failures++;
    }
  }
  CHECK(cudaFree(out));
  return failures;
}

template <class F>
static float best_milliseconds(F run) {
  cudaEvent_t begin;
  cudaEvent_t end;
  CHECK(cudaEventCreate(&begin));
  CHECK(cudaEventCreate(&end));
  float best = 1e30f;
  for (int i = 0; i < 8; i++) {
    CHECK(cudaEventRecord(begin));
    run();
    CHECK(cudaEventRecord(end));
    CHECK(cudaEventSynchronize(end));
    float time = 0;
    CHECK(cudaEventElapsedTime(&time, begin, end));
    best = std::min(best, time);
  }
  CHECK(cudaEventDestroy(begin));
  CHECK(cudaEventDestroy(end));
  return best;
}

int main(int argc, char **argv) {
  CHECK(cudaGetDeviceProperties(&device, 0));
  std::printf("%s: %d multiprocessors, %zu bytes of shared memory a block\n", device.name, device.multiProcessorCount,
              device.sharedMemPerBlockOptin);
  SplitMix64 random(20);
  const int records = argc > 1 ? std::atoi(argv[1]) : 260;
  int failures = 0;
  for (int i = 0; i < records; i++) {
    failures += compare("random " + std::to_string(i), random_record(random, 8 + i % 13));
  }
  std::printf("%d random records, %d failures\n", records, failures);
  std::fflush(stdout);

  const uint32_t rows = argc > 3 ? static_cast<uint32_t>(std::atoi(argv[2])) : 8192;
  const uint32_t cols = argc > 3 ? static_cast<uint32_t>(std::atoi(argv[3])) : 16384;
  const double weights = static_cast<double>(rows) * cols;
  uint8_t *out = nullptr;
  CHECK(cudaMalloc(&out, 4 * size_t{rows} * cols));
  const float filled = best_milliseconds([&] { CHECK(cudaMemsetAsync(out, 1, 4 * size_t{rows} * cols)); });
  const double bandwidth = 4 * weights / filled * 1e-6;
  std::printf("memory: %.0f GB/s written by cudaMemset\n\n", bandwidth);
  std::printf("%u x %u\n%2s %2s %5s %6s %7s %5s %10s %8s %14s\n", rows, cols, "L", "k", "type", "codes", "blocks", "view", "Gweights/s",
              "GB/s", "of the memset");

  struct Case {
    int bits, rate, row_log, col_log, type;
    bool by_table, transposed;
  };
  const Case cases[] = {
      {12, 4, 7, 7, 1, true, false},  {12, 4, 7, 7, 2, true, false},  {12, 4, 7, 7, 3, true, false},
      {16, 4, 7, 7, 1, true, false},  {16, 4, 7, 7, 2, true, false},  {16, 4, 7, 7, 3, true, false},
      {16, 4, 7, 7, 1, false, false}, {16, 4, 7, 7, 2, false, false}, {20, 4, 7, 7, 1, false, false},
      {16, 2, 7, 7, 1, true, false},  {16, 3, 7, 7, 1, true, false},  {16, 8, 7, 7, 1, true, false},
      {16, 4, 7, 0, 1, true, false},  {16, 4, 7, 0, 2, true, false},  {16, 4, 0, 0, 2, true, false},
      {16, 4, 7, 7, 1, true, true},   {16, 4, 7, 7, 2, true, true},
  };
  for (const Case &c : cases) {
    TrellisShape shape{rows, cols};
    shape.bits = c.bits;
    shape.rate = c.rate;
    shape.row_block_log2 = c.row_log;
    shape.col_block_log2 = c.col_log;
    shape.dtype = c.type;
    shape.transposed = c.transposed;
    RecordParts parts;
    if (!parts.of("large", trellis_record(shape, 7, 0))) {
      std::printf("FAIL: the large record is refused\n");
      return 1;
    }
    const size_t shared = parts.shared(c.by_table);
    if (shared > device.sharedMemPerBlockOptin) {
      std::printf("%2d %2d: %zu bytes of shared memory are too many\n", c.bits, c.rate, shared);
      continue;
    }
    const OnDevice on(parts);
    const float time = best_milliseconds(
        [&] { on.launch(static_cast<unsigned>(device.multiProcessorCount), c.by_table, shared, out); });
    const double bytes = weights * (c.type == 1 ? 4 : 2);
    std::printf("%2d %2d %5s %6s %3d,%3d %5s %10.1f %8.0f %12.1f %%\n", c.bits, c.rate, c.type == 1 ? "F32" : c.type == 2 ? "F16" : "BF16",
                c.by_table ? "table" : "mix", 1 << c.row_log, 1 << c.col_log, c.transposed ? "trans" : "plain", weights / time * 1e-6,
                bytes / time * 1e-6, 100 * bytes / time * 1e-6 / bandwidth);
    std::fflush(stdout);
  }
  return failures == 0 ? 0 : 1;
}
