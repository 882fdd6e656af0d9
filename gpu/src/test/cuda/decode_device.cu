// The decoding kernels on a device against the decoder in C++, then their speed beside that of plain writes. For hand runs without Java:
//
//     nvcc -std=c++17 -O3 --fmad=false -arch=sm_90 -I gpu/src/main/cuda -I onnx-op/src/main/cpp/core gpu/src/test/cuda/decode_device.cu
//         onnx-op/src/main/cpp/core/*.cpp -o decode_device
#include <cuda_runtime.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <vector>

#include "crc32c.hpp"
#include "pseed_core.h"
#include "tensor_record.hpp"
#include "trellis_body.hpp"

#include "decode.cu"

#define CHECK(call)                                                                        \
  do {                                                                                     \
    cudaError_t error = (call);                                                            \
    if (error != cudaSuccess) {                                                            \
      std::printf("%s:%d %s: %s\n", __FILE__, __LINE__, #call, cudaGetErrorString(error)); \
      std::exit(1);                                                                        \
    }                                                                                      \
  } while (0)

namespace {

/// A record of rows x cols weights at one rate, blocks of 128 x 128, a scale for each line, random bits; see the specification, section 5.
std::vector<uint8_t> record(int bits, uint32_t rate, int dtype, uint32_t rows, uint32_t cols, bool transposed) {
  std::vector<uint8_t> out;
  const auto put = [&out](auto value) {
    const size_t at = out.size();
    out.resize(at + sizeof value);
    std::memcpy(out.data() + at, &value, sizeof value);
  };
  uint64_t state = 88172645463325252ull;
  const auto random = [&state] {
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return state;
  };
  put(uint32_t{0x31525350});
  put(uint8_t{3});
  put(static_cast<uint8_t>(dtype));
  put(uint8_t{2});
  put(uint8_t{0});
  put(uint64_t{0});
  put(uint64_t{0});
  put(uint64_t{0});
  put(uint32_t{0});
  put(uint32_t{0});
  put(uint64_t{transposed ? cols : rows});
  put(uint64_t{transposed ? rows : cols});
  put(rows);
  put(cols);
  put(static_cast<uint64_t>(transposed));
  for (int byte : {bits, 0, 0, 7, 7, 1, 1, 0}) {
    put(static_cast<uint8_t>(byte));
  }
  put(uint32_t{1});
  put(uint32_t{0});
  put(cols);
  put(rate);
  for (uint32_t i = 0; i < rows + cols; i++) {
    put((random() & 1) != 0 ? -0.001f : 0.001f * static_cast<float>(1 + random() % 9));
  }
  const size_t payload = size_t{rows} * (size_t{cols} * rate / 8);
  const size_t at = out.size();
  out.resize(at + payload);
  for (size_t i = 0; i < payload; i += 8) {
    const uint64_t value = random();
    std::memcpy(out.data() + at + i, &value, 8);
  }
  const uint64_t length = out.size() + 4;
  std::memcpy(out.data() + 8, &length, 8);
  put(pseed::crc32c_portable().update(0, out.data(), out.size()));
  return out;
}

template <class T>
T *up(const T *values, size_t count, size_t before = 0, size_t behind = 0) {
  uint8_t *device = nullptr;
  CHECK(cudaMalloc(&device, before + count * sizeof(T) + behind));
  CHECK(cudaMemcpy(device + before, values, count * sizeof(T), cudaMemcpyHostToDevice));
  return reinterpret_cast<T *>(device + before);
}

template <class F>
float fastest(F launch) {
  cudaEvent_t begin, end;
  CHECK(cudaEventCreate(&begin));
  CHECK(cudaEventCreate(&end));
  float best = 1e30f;
  for (int i = 0; i < 6; i++) {
    CHECK(cudaEventRecord(begin));
    launch();
    CHECK(cudaEventRecord(end));
    CHECK(cudaDeviceSynchronize());
    float ms;
    CHECK(cudaEventElapsedTime(&ms, begin, end));
    best = std::min(best, ms);
  }
  return best;
}

int failures = 0;
double written = 0;  // bytes a second of a memset

void run(int bits, uint32_t rate, int dtype, uint32_t rows, uint32_t cols, bool transposed) {
  const std::vector<uint8_t> bytes = record(bits, rate, dtype, rows, cols, transposed);
  pseed::TensorRecord parsed(pseed::Place("made", "", 0));
  pseed::TrellisBody body;
  pseed::Error trouble;
  if (!parsed.parse(bytes.data(), bytes.size(), PSEED_LIMIT_LARGE, trouble) || !body.parse(parsed, trouble)) {
    std::printf("the record is refused\n");
    std::exit(1);
  }
  const pseed_place place{"made", "", 0};
  pseed_record *opened = nullptr;
  pseed_error error;
  if (pseed_record_open(bytes.data(), bytes.size(), &place, PSEED_LIMIT_LARGE, &opened, &error) != PSEED_OK) {
    std::printf("%s\n", error.message);
    std::exit(1);
  }
  pseed_record_info info;
  pseed_record_get_info(opened, &info);
  std::vector<uint8_t> expected(info.decoded_bytes);
  const pseed_decode_options options{8, PSEED_SET_BEST};
  pseed_record_decode(opened, expected.data(), expected.size(), &options, &error);  // The checksum of decoded values is not set.
  pseed_record_close(opened);

  std::vector<float> row_scales(rows), col_scales(cols);
  body.row_scales.fill(0, rows, row_scales.data());
  body.col_scales.fill(0, cols, col_scales.data());
  const pseed_decode::Panel panel{0, cols, rate, 0, 0};
  pseed_decode::Record its = {};
  const size_t payload = static_cast<size_t>(parsed.body() + parsed.body_size() - body.payload);
  its.payload = up(body.payload, payload, 256, 256);
  its.panels = up(&panel, 1);
  its.row_scales = up(row_scales.data(), rows);
  its.col_scales = up(col_scales.data(), cols);
  its.row_bytes = body.row_bytes;
  its.panel_count = 1;
  its.rows = rows;
  its.cols = cols;
  its.bits = static_cast<uint32_t>(bits);
  its.row_block_log2 = 7;
  its.col_block_log2 = 7;
  its.by_rows = body.by_rows;
  its.transposed = transposed;
  its.type = static_cast<uint32_t>(dtype);
  const int16_t *table = up(body.code->codes(), size_t{1} << bits);
  const int16_t *radii = up(body.code->radii().data(), body.code->radii().size());
  const int16_t *angles = up(body.code->angles().data(), body.code->angles().size());
  uint8_t *out = nullptr;
  CHECK(cudaMalloc(&out, info.decoded_bytes));
  cudaDeviceProp device;
  CHECK(cudaGetDeviceProperties(&device, 0));
  const unsigned tiles = rows / 128 * (cols / 128);
  for (const bool by_table : {true, false}) {
    const size_t shared = 65536 + 35840 + (by_table ? size_t{2} << bits : 0);
    if (shared > device.sharedMemPerBlockOptin) {
      continue;
    }
    int resident = 0;
    float ms;
    if (by_table) {
      CHECK(cudaFuncSetAttribute(pseed_decode_table, cudaFuncAttributeMaxDynamicSharedMemorySize, static_cast<int>(shared)));
      CHECK(cudaOccupancyMaxActiveBlocksPerMultiprocessor(&resident, pseed_decode_table, 256, shared));
    } else {
      CHECK(cudaFuncSetAttribute(pseed_decode_mix, cudaFuncAttributeMaxDynamicSharedMemorySize, static_cast<int>(shared)));
      CHECK(cudaOccupancyMaxActiveBlocksPerMultiprocessor(&resident, pseed_decode_mix, 256, shared));
    }
    const unsigned blocks = std::min(tiles, static_cast<unsigned>(resident * device.multiProcessorCount));
    CHECK(cudaMemset(out, 0xFF, info.decoded_bytes));
    if (by_table) {
      ms = fastest([&] { pseed_decode_table<<<blocks, 256, shared>>>(its, table, out); });
    } else {
      ms = fastest([&] { pseed_decode_mix<<<blocks, 256, shared>>>(its, radii, angles, out); });
    }
    std::vector<uint8_t> actual(info.decoded_bytes);
    CHECK(cudaMemcpy(actual.data(), out, actual.size(), cudaMemcpyDeviceToHost));
    const bool same = actual == expected;
    failures += !same;
    const double rate_of_bytes = static_cast<double>(info.decoded_bytes) / ms / 1e6;
    std::printf("L=%2d k=%u %-4s %s %s %u blocks: %s, %7.3f ms, %7.1f Gweights/s, %7.1f GB/s written, %3.0f %% of plain writes\n", bits, rate,
                dtype == 1 ? "F32" : dtype == 2 ? "F16" : "BF16", transposed ? "transposed" : "as it is  ", by_table ? "table" : "mix  ", blocks,
                same ? "equal" : "DIFFERS", static_cast<double>(ms), static_cast<double>(rows) * cols / ms / 1e6, rate_of_bytes,
                100 * rate_of_bytes / written);
    std::fflush(stdout);
  }
  CHECK(cudaFree(out));
}

}  // namespace

int main() {
  uint8_t *big = nullptr;
  const size_t size = size_t{4} << 30;
  CHECK(cudaMalloc(&big, size));
  written = static_cast<double>(size) / fastest([&] { CHECK(cudaMemsetAsync(big, 1, size)); }) / 1e6;
  CHECK(cudaFree(big));
  std::printf("plain writes: %.0f GB/s\n", written);
  for (const int bits : {12, 16}) {
    for (const int dtype : {1, 2, 3}) {
      run(bits, 4, dtype, 8192, 8192, false);
    }
    run(bits, 4, 1, 8192, 8192, true);
  }
  run(12, 2, 1, 8192, 8192, false);
  run(12, 3, 1, 8192, 8192, false);
  run(14, 8, 2, 8192, 8192, false);
  run(20, 4, 1, 4096, 4096, false);
  std::printf("%d differ\n", failures);
  return failures != 0;
}
