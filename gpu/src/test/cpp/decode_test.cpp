// The decoding kernels on the host, beside the decoder in C++: all trellis records of the vectors, then records of random bits with every
// seed length and rate, block, type, panels, permutations and borders.
//
//   decode_test TESTDATA [RECORDS]
//
// RECORDS: how many random ones.
#include <cinttypes>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <iterator>
#include <memory>
#include <string>
#include <vector>

#include "crc32c.hpp"
#include "dtype.hpp"
#include "halfs.hpp"
#include "json.hpp"
#include "pseed_core.h"
#include "records.hpp"
#include "tensor_record.hpp"
#include "trellis_body.hpp"

inline uint16_t pseed_half_bits(float value) { return pseed::half_from_float(value); }

#include "decode.cu"

using pseed_test::Json;
using pseed_test::SplitMix64;

namespace {

int failures = 0;

void fail(const std::string &what, const std::string &how) {
  std::fprintf(stderr, "FAIL %s: %s\n", what.c_str(), how.c_str());
  failures++;
}

std::string slurp(const std::string &path) {
  std::ifstream in(path, std::ios::binary);
  if (!in) {
    std::fprintf(stderr, "cannot read %s\n", path.c_str());
    std::exit(2);
  }
  return std::string(std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>());
}

// Memory as the device gives it: aligned, and for AddressSanitizer of exactly its size.
class Device {
 public:
  explicit Device(size_t size) : size_(size) {
    void *at = nullptr;
    if (posix_memalign(&at, 256, size == 0 ? 1 : size) != 0) {
      std::abort();
    }
    bytes_.reset(static_cast<uint8_t *>(at));
    std::memset(at, 0x5A, size);
  }
  Device(const void *from, size_t size) : Device(size) {
    if (size != 0) {
      std::memcpy(bytes_.get(), from, size);
    }
  }
  template <typename T>
  T *as() const {
    return reinterpret_cast<T *>(bytes_.get());
  }
  size_t size() const { return size_; }

 private:
  struct Free {
    void operator()(uint8_t *at) const { std::free(at); }
  };
  std::unique_ptr<uint8_t, Free> bytes_;
  size_t size_;
};

// Decodes by the kernels: with a table and by the mix, with one group and two, with few blocks and many.
void compare(const std::string &name, const std::vector<uint8_t> &bytes, SplitMix64 &random) {
  using namespace pseed;
  const pseed_place place{name.c_str(), "", 0};
  pseed_record *opened = nullptr;
  pseed_error error;
  if (pseed_record_open(bytes.data(), bytes.size(), &place, PSEED_LIMIT_STANDARD, &opened, &error) != PSEED_OK) {
    fail(name, error.message);
    return;
  }
  pseed_record_info info;
  pseed_record_get_info(opened, &info);
  std::vector<uint8_t> expected(info.decoded_bytes);
  const pseed_decode_options options{1, PSEED_SET_PORTABLE};
  const int kind = pseed_record_decode(opened, expected.data(), expected.size(), &options, &error);
  pseed_record_close(opened);
  // Random records carry no checksum of what they decode to, which is compared last.
  if (kind != PSEED_OK && std::strstr(error.message, "checksum of the decoded values") == nullptr) {
    fail(name, error.message);
    return;
  }

  TensorRecord record(Place(name.c_str(), "", 0));
  TrellisBody body;
  Error trouble;
  if (!record.parse(bytes.data(), bytes.size(), PSEED_LIMIT_STANDARD, trouble) || !body.parse(record, trouble)) {
    fail(name, "the record is refused");
    return;
  }
  const uint32_t rows = body.view.rows;
  const uint32_t cols = body.view.cols;

  const size_t payload_bytes = static_cast<size_t>(record.body() + record.body_size() - body.payload);
  Device payload(16 + payload_bytes + 160);
  std::memcpy(payload.as<uint8_t>() + 16, body.payload, payload_bytes);
  std::vector<pseed_decode::Panel> panels;
  for (const Panel &panel : body.panels) {
    panels.push_back({panel.start, panel.length, static_cast<uint32_t>(panel.rate), 0, panel.offset});
  }
  const Device device_panels(panels.data(), panels.size() * sizeof panels[0]);
  const uint32_t axis = body.by_rows ? rows : cols;
  const Device permutation(body.permutation, body.permutation == nullptr ? 0 : 4 * size_t{axis});
  const size_t padded = (size_t{rows} + 127) / 128 * 128;
  std::vector<float> scales(padded);
  body.row_scales.fill(0, rows, scales.data());
  const Device row_scales(scales.data(), 4 * padded);
  scales.resize(cols);
  body.col_scales.fill(0, cols, scales.data());
  const Device col_scales(scales.data(), 4 * size_t{cols});
  const int bits = body.code->bits();
  const Device table(body.code->codes(), size_t{2} << bits);
  const Device radii(body.code->radii().data(), 2 * body.code->radii().size());
  const Device angles(body.code->angles().data(), 2 * body.code->angles().size());

  pseed_decode::Record its = {};
  its.payload = payload.as<uint8_t>() + 16;
  its.panels = device_panels.as<pseed_decode::Panel>();
  its.permutation = body.permutation == nullptr ? nullptr : permutation.as<uint32_t>();
  its.row_scales = row_scales.as<float>();
  its.col_scales = col_scales.as<float>();
  its.row_bytes = body.row_bytes;
  its.panel_count = static_cast<uint32_t>(panels.size());
  its.rows = rows;
  its.cols = cols;
  its.bits = static_cast<uint32_t>(bits);
  its.row_block_log2 = static_cast<uint32_t>(body.row_block_log2);
  its.col_block_log2 = static_cast<uint32_t>(body.col_block_log2);
  its.by_rows = body.by_rows;
  its.transposed = body.view.transposed;
  its.type = static_cast<uint32_t>(record.dtype());

  const unsigned tiles = (rows + 127) / 128 * ((cols + 127) / 128);
  pseed_shim::order() = (random.next() & 1) != 0 ? pseed_shim::Order::kForward : pseed_shim::Order::kBackward;
  for (unsigned groups = 1; groups <= 2; groups++) {
    for (const bool by_table : {false, true}) {
      const unsigned blocks = 1 + static_cast<unsigned>(random.next() % tiles);
      const Device out(info.decoded_bytes);
      const size_t shared = 65536 + (groups == 2 ? 35840 : 0) + (by_table ? size_t{2} << bits : 0);
      if (by_table && shared > pseed_shim::kMaxShared) {
        continue;
      }
      if (by_table) {
        pseed_shim::launch(blocks, 128 * groups, shared, pseed_decode_table, its, table.as<int16_t>(), out.as<void>());
      } else {
        pseed_shim::launch(blocks, 128 * groups, shared, pseed_decode_mix, its, radii.as<int16_t>(), angles.as<int16_t>(),
                           out.as<void>());
      }
      if (std::memcmp(out.as<uint8_t>(), expected.data(), expected.size()) != 0) {
        size_t at = 0;
        while (out.as<uint8_t>()[at] == expected[at]) {
          at++;
        }
        const unsigned element = dtype_bits(record.dtype()) / 8;
        fail(name, std::to_string(rows) + " x " + std::to_string(cols) + ", " + std::to_string(groups) + " groups, " +
                       (by_table ? "table" : "mix") + ", " + std::to_string(blocks) + " blocks: element " +
                       std::to_string(at / element) + " differs");
      }
    }
  }
}

// A record with everything that may vary.
std::vector<uint8_t> random_record(SplitMix64 &random, int bits) {
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

}  // namespace

int main(int argc, char **argv) {
  if (argc < 2 || argc > 3) {
    std::fprintf(stderr, "usage: decode_test TESTDATA [RECORDS]\n");
    return 2;
  }
  const std::string root = std::string(argv[1]) + "/";
  const std::string valid_text = slurp(root + "valid.json");
  const Json valid = pseed_test::JsonReader(valid_text).read();
  SplitMix64 random(20);
  int vectors = 0;
  int others = 0;
  for (const Json &entry : valid.items) {
    const std::string &file = entry.at("file").text;
    if (file.size() < 4 || file.compare(file.size() - 4, 4, ".rec") != 0) {
      continue;
    }
    const std::string content = slurp(root + file);
    const std::vector<uint8_t> bytes(content.begin(), content.end());
    uint64_t layer_seed;
    std::memcpy(&layer_seed, bytes.data() + 16, 8);
    if (bytes[4] != 3 || layer_seed != 0) {
      others++;
      continue;
    }
    vectors++;
    compare(file, bytes, random);
  }
  const int count = argc == 3 ? std::atoi(argv[2]) : 130;
  for (int i = 0; i < count; i++) {
    compare("random " + std::to_string(i), random_record(random, 8 + i % 13), random);
  }
  std::printf("decode: %d trellis records of the vectors (%d others are not the kernels' matter), %d random ones, %d failures\n", vectors,
              others, count, failures);
  return failures == 0 && vectors > 0 ? 0 : 1;
}
