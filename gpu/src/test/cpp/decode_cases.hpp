// Records for the tests of the decoding kernels, here and on a device: random ones, what they decode to, and their parts as the kernels
// take them.
#ifndef PSEED_TEST_DECODE_CASES_HPP
#define PSEED_TEST_DECODE_CASES_HPP

#include <cmath>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <string>
#include <vector>

#include "crc32c.hpp"
#include "dtype.hpp"
#include "pseed_core.h"
#include "records.hpp"
#include "tensor_record.hpp"
#include "trellis_body.hpp"

// After the kernels' source, whose structs are used here.

namespace pseed_test {

// The elements by the decoder in C++; the sentence if it refuses the record, else empty.
inline std::string decode_by_core(const std::string &name, const std::vector<uint8_t> &bytes, uint32_t threads,
                                  std::vector<uint8_t> &out) {
  const pseed_place place{name.c_str(), "", 0};
  pseed_record *opened = nullptr;
  pseed_error error;
  if (pseed_record_open(bytes.data(), bytes.size(), &place, PSEED_LIMIT_STANDARD, &opened, &error) != PSEED_OK) {
    return error.message;
  }
  pseed_record_info info;
  pseed_record_get_info(opened, &info);
  out.assign(info.decoded_bytes, 0);
  const pseed_decode_options options{threads, PSEED_SET_BEST};
  const int kind = pseed_record_decode(opened, out.data(), out.size(), &options, &error);
  pseed_record_close(opened);
  // Random records carry no checksum of what they decode to, which is compared last.
  return kind == PSEED_OK || std::strstr(error.message, "checksum of the decoded values") != nullptr ? "" : error.message;
}

// The parts of a record in memory of the host.
struct RecordParts {
  static constexpr size_t kBefore = 16;
  static constexpr size_t kBehind = 160;

  std::vector<uint8_t> payload;  // with what must be readable around it
  std::vector<pseed_decode::Panel> panels;
  std::vector<uint32_t> permutation;
  std::vector<float> row_scales;
  std::vector<float> col_scales;
  std::vector<int16_t> table;
  std::vector<int16_t> radii;
  std::vector<int16_t> angles;
  pseed_decode::Record record;  // its pointers are null

  bool of(const std::string &name, const std::vector<uint8_t> &bytes) {
    pseed::TensorRecord tensor(pseed::Place(name.c_str(), "", 0));
    pseed::TrellisBody body;
    pseed::Error error;
    if (!tensor.parse(bytes.data(), bytes.size(), PSEED_LIMIT_STANDARD, error) || !body.parse(tensor, error)) {
      return false;
    }
    const uint32_t rows = body.view.rows;
    const uint32_t cols = body.view.cols;
    const size_t payload_bytes = static_cast<size_t>(tensor.body() + tensor.body_size() - body.payload);
    payload.assign(kBefore + payload_bytes + kBehind, 0x5A);
    if (payload_bytes != 0) {
      std::memcpy(payload.data() + kBefore, body.payload, payload_bytes);
    }
    for (const pseed::Panel &panel : body.panels) {
      panels.push_back({panel.start, panel.length, static_cast<uint32_t>(panel.rate), 0, panel.offset});
    }
    if (body.permutation != nullptr) {
      permutation.resize(body.by_rows ? rows : cols);
      std::memcpy(permutation.data(), body.permutation, 4 * permutation.size());
    }
    row_scales.resize((size_t{rows} + 127) / 128 * 128);
    body.row_scales.fill(0, rows, row_scales.data());
    col_scales.resize(cols);
    body.col_scales.fill(0, cols, col_scales.data());
    table.assign(body.code->codes(), body.code->codes() + (size_t{1} << body.code->bits()));
    radii = body.code->radii();
    angles = body.code->angles();
    record = {};
    record.row_bytes = body.row_bytes;
    record.panel_count = static_cast<uint32_t>(panels.size());
    record.rows = rows;
    record.cols = cols;
    record.bits = static_cast<uint32_t>(body.code->bits());
    record.row_block_log2 = static_cast<uint32_t>(body.row_block_log2);
    record.col_block_log2 = static_cast<uint32_t>(body.col_block_log2);
    record.by_rows = body.by_rows;
    record.transposed = body.view.transposed;
    record.type = static_cast<uint32_t>(tensor.dtype());
    return true;
  }

  uint64_t tiles() const { return uint64_t{(record.rows + 127) / 128} * ((record.cols + 127) / 128); }

  // Bytes of shared memory for a launch.
  size_t shared(bool by_table) const { return 65536 + (by_table ? 2 * table.size() : 0); }
};

// A record with everything that may vary.
inline std::vector<uint8_t> random_record(SplitMix64 &random, int bits) {
  std::vector<uint8_t> out;
  const auto put = [&out](auto value) {
    const size_t at = out.size();
    out.resize(at + sizeof value);
    std::memcpy(out.data() + at, &value, sizeof value);
  };
  const auto below = [&random](uint64_t n) { return static_cast<uint32_t>(random.next() % n); };
  const uint32_t row_log = below(8);
  const uint32_t col_log = below(8);
  const auto lines = [&](uint32_t log) {
    // One tile or less, some tiles, a multiple of tiles.
    const uint32_t most = below(3) == 0 ? 384 : 200;
    const uint32_t n = (1 + below(most)) >> log;
    return below(3) == 0 ? 128 * (1 + below(2)) : (n == 0 ? 1 : n) << log;
  };
  const uint32_t rows = lines(row_log);
  const uint32_t cols = lines(col_log);
  const bool by_rows = below(2) == 1;
  const bool permuted = below(3) == 0;
  const bool transposed = below(2) == 1;
  const int dtype = 1 + static_cast<int>(below(4));
  const uint32_t axis = by_rows ? rows : cols;
  std::vector<uint32_t> lengths;
  std::vector<uint32_t> rates;
  uint32_t left = axis;
  const uint32_t panels = below(3) == 0 ? 1 + below(6) : 1;
  while (left > 0) {
    const uint32_t length = lengths.size() + 1 >= panels ? left : 1 + below(left);
    lengths.push_back(length);
    rates.push_back(below(9));
    left -= length;
  }
  put(uint32_t{0x31525350});
  put(uint8_t{3});
  put(static_cast<uint8_t>(dtype));
  put(uint8_t{2});
  put(uint8_t{0});
  put(uint64_t{0});  // length, below
  put(uint64_t{0});
  put(uint64_t{0});
  put(uint32_t{0});
  put(uint32_t{0});
  put(uint64_t{transposed ? cols : rows});
  put(uint64_t{transposed ? rows : cols});
  put(rows);
  put(cols);
  put(static_cast<uint64_t>(transposed));
  const bool disk = below(4) == 0;
  put(static_cast<uint8_t>(bits));
  put(static_cast<uint8_t>(disk));
  put(static_cast<uint8_t>(disk ? 1 + below(255) : 0));
  put(static_cast<uint8_t>(row_log));
  put(static_cast<uint8_t>(col_log));
  put(uint8_t{1});
  put(uint8_t{1});
  put(static_cast<uint8_t>(by_rows));
  put(static_cast<uint32_t>(lengths.size()));
  put(static_cast<uint32_t>(permuted));
  for (size_t p = 0; p < lengths.size(); p++) {
    put(lengths[p]);
    put(rates[p]);
  }
  // Scales that reach subnormal halfs and infinity.
  const int exponent = -30 + static_cast<int>(below(20));
  for (uint32_t i = 0; i < rows + cols; i++) {
    const float magnitude = std::ldexp(static_cast<float>(1 + random.next() % 1000), exponent);
    put((random.next() & 1) != 0 ? -magnitude : magnitude);
  }
  if (permuted) {
    std::vector<uint32_t> order(axis);
    for (uint32_t i = 0; i < axis; i++) {
      const uint32_t j = below(i + 1);
      order[i] = order[j];
      order[j] = i;
    }
    for (uint32_t line : order) {
      put(line);
    }
  }
  uint32_t panel = 0;
  uint32_t in_panel = 0;
  for (uint32_t r = 0; r < rows; r++) {
    if (by_rows && in_panel++ == lengths[panel]) {
      panel++;
      in_panel = 1;
    }
    for (size_t p = 0; p < (by_rows ? 1 : lengths.size()); p++) {
      const uint64_t n = uint64_t{by_rows ? cols : lengths[p]} * (by_rows ? rates[panel] : rates[p]);
      for (uint64_t i = 0; i < (n + 7) / 8; i++) {
        const unsigned unused = i == n / 8 ? static_cast<unsigned>(8 - n % 8) : 0;
        put(static_cast<uint8_t>(static_cast<uint8_t>(random.next()) >> unused << unused));
      }
    }
  }
  const uint64_t length = out.size() + 4;
  std::memcpy(out.data() + 8, &length, 8);
  put(pseed::crc32c_portable().update(0, out.data(), out.size()));
  return out;
}

}  // namespace pseed_test
#endif
