// Makes trellis records for tests and benchmarks: any bits are a legal stream, so no encoder is needed.
#ifndef PSEED_TEST_RECORDS_HPP
#define PSEED_TEST_RECORDS_HPP

#include <cmath>
#include <cstdint>
#include <cstring>
#include <vector>

#include "crc32c.hpp"

namespace pseed_test {

struct TrellisShape {
  uint32_t rows;
  uint32_t cols;
  int bits = 12;
  int rate = 4;
  int row_block_log2 = 0;
  int col_block_log2 = 0;
  int dtype = 1;
  bool transposed = false;
  bool permuted = false;
  int least_exponent = -14;  // scales are 1 to 1000 times two to its power
};

class SplitMix64 {
 public:
  explicit SplitMix64(uint64_t seed) : state_(seed) {}
  uint64_t next() {
    uint64_t z = state_ += 0x9E3779B97F4A7C15u;
    z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9u;
    z = (z ^ z >> 27) * 0x94D049BB133111EBu;
    return z ^ z >> 31;
  }

 private:
  uint64_t state_;
};

// A record with f32 scales for rows and columns and a random stream; its decodedCrc is `decoded_crc`.
inline std::vector<uint8_t> trellis_record(const TrellisShape &shape, uint64_t seed, uint32_t decoded_crc) {
  std::vector<uint8_t> out;
  const auto put = [&out](auto value) {
    const size_t at = out.size();
    out.resize(at + sizeof value);
    std::memcpy(out.data() + at, &value, sizeof value);
  };
  SplitMix64 random(seed);
  const size_t row_bytes = (static_cast<size_t>(shape.cols) * static_cast<size_t>(shape.rate) + 7) / 8;
  const size_t payload = row_bytes * shape.rows;
  const size_t permutation = shape.permuted ? 4 * static_cast<size_t>(shape.cols) : 0;
  const size_t length = 56 + 32 + 8 + 4 * (static_cast<size_t>(shape.rows) + shape.cols) + permutation + payload + 4;
  put(uint32_t{0x31525350});
  put(uint8_t{3});
  put(static_cast<uint8_t>(shape.dtype));
  put(uint8_t{2});
  put(uint8_t{0});
  put(uint64_t{length});
  put(uint64_t{0});
  put(uint64_t{0});
  put(decoded_crc);
  put(uint32_t{0});
  put(uint64_t{shape.transposed ? shape.cols : shape.rows});
  put(uint64_t{shape.transposed ? shape.rows : shape.cols});
  put(shape.rows);
  put(shape.cols);
  put(static_cast<uint64_t>(shape.transposed));
  put(static_cast<uint8_t>(shape.bits));
  put(uint16_t{0});
  put(static_cast<uint8_t>(shape.row_block_log2));
  put(static_cast<uint8_t>(shape.col_block_log2));
  put(uint8_t{1});
  put(uint8_t{1});
  put(uint8_t{0});
  put(uint32_t{1});
  put(static_cast<uint32_t>(shape.permuted));
  put(shape.cols);
  put(static_cast<uint32_t>(shape.rate));
  for (uint32_t i = 0; i < shape.rows + shape.cols; i++) {
    const float magnitude = std::ldexp(static_cast<float>(1 + random.next() % 1000), shape.least_exponent);
    put((random.next() & 1) != 0 ? -magnitude : magnitude);
  }
  if (shape.permuted) {
    std::vector<uint32_t> lines(shape.cols);
    for (uint32_t i = 0; i < shape.cols; i++) {
      const uint32_t j = static_cast<uint32_t>(random.next() % (i + 1));
      lines[i] = lines[j];
      lines[j] = i;
    }
    for (uint32_t line : lines) {
      put(line);
    }
  }
  const unsigned unused = static_cast<unsigned>(8 * row_bytes - static_cast<size_t>(shape.cols) * static_cast<size_t>(shape.rate));
  for (size_t i = 0; i < payload; i++) {
    uint8_t byte = static_cast<uint8_t>(random.next());
    if ((i + 1) % row_bytes == 0) {
      byte = static_cast<uint8_t>(byte >> unused << unused);
    }
    out.push_back(byte);
  }
  put(pseed::crc32c_portable().update(0, out.data(), out.size()));
  return out;
}

}  // namespace pseed_test
#endif
