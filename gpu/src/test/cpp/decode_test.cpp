// The decoding kernels on the host, beside the decoder in C++: all trellis records of the vectors, then records of random bits with every
// seed length and rate, block, type, panels, permutations and borders.
//
//   decode_test TESTDATA [RECORDS]
//
// RECORDS: how many random ones.
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <iterator>
#include <memory>
#include <string>
#include <vector>

#include "halfs.hpp"
#include "json.hpp"

inline uint16_t pseed_half_bits(float value) { return pseed::half_from_float(value); }

#include "decode.cu"
#include "decode_cases.hpp"

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

// Memory as the device gives it: aligned, and for AddressSanitizer of exactly its size. `skip` bytes stand before what as() gives.
class Device {
 public:
  template <typename T>
  explicit Device(const std::vector<T> &from, size_t skip = 0) : skip_(skip) {
    const size_t size = from.size() * sizeof(T);
    void *at = nullptr;
    if (posix_memalign(&at, 256, size == 0 ? 1 : size) != 0) {
      std::abort();
    }
    bytes_.reset(static_cast<uint8_t *>(at));
    if (size != 0) {
      std::memcpy(at, from.data(), size);
    }
  }
  template <typename T>
  T *as() const {
    return reinterpret_cast<T *>(bytes_.get() + skip_);
  }

 private:
  struct Free {
    void operator()(uint8_t *at) const { std::free(at); }
  };
  std::unique_ptr<uint8_t, Free> bytes_;
  size_t skip_;
};

// Decodes by the kernels: with a table and by the mix, with few blocks and many.
void compare(const std::string &name, const std::vector<uint8_t> &bytes, SplitMix64 &random) {
  std::vector<uint8_t> expected;
  const std::string refused = pseed_test::decode_by_core(name, bytes, 1, expected);
  pseed_test::RecordParts parts;
  if (!refused.empty() || !parts.of(name, bytes)) {
    fail(name, refused);
    return;
  }
  const Device payload(parts.payload, pseed_test::RecordParts::kBefore);
  const Device panels(parts.panels);
  const Device permutation(parts.permutation);
  const Device row_scales(parts.row_scales);
  const Device col_scales(parts.col_scales);
  const Device table(parts.table);
  const Device radii(parts.radii);
  const Device angles(parts.angles);
  pseed_decode::Record record = parts.record;
  record.payload = payload.as<uint8_t>();
  record.panels = panels.as<pseed_decode::Panel>();
  record.permutation = parts.permutation.empty() ? nullptr : permutation.as<uint32_t>();
  record.row_scales = row_scales.as<float>();
  record.col_scales = col_scales.as<float>();

  pseed_shim::order() = (random.next() & 1) != 0 ? pseed_shim::Order::kForward : pseed_shim::Order::kBackward;
  for (const bool by_table : {false, true}) {
    const unsigned blocks = 1 + static_cast<unsigned>(random.next() % parts.tiles());
    const size_t shared = parts.shared(by_table);
    if (shared > pseed_shim::kMaxShared) {
      continue;
    }
    const Device out(std::vector<uint8_t>(expected.size(), 0x5A));
    if (by_table) {
      pseed_shim::launch(blocks, pseed_decode::kThreads, shared, pseed_decode_table, record, table.as<int16_t>(), out.as<void>());
    } else {
      pseed_shim::launch(blocks, pseed_decode::kThreads, shared, pseed_decode_mix, record, radii.as<int16_t>(), angles.as<int16_t>(),
                         out.as<void>());
    }
    if (std::memcmp(out.as<uint8_t>(), expected.data(), expected.size()) != 0) {
      size_t at = 0;
      while (out.as<uint8_t>()[at] == expected[at]) {
        at++;
      }
      fail(name, std::to_string(record.rows) + " x " + std::to_string(record.cols) + ", " + (by_table ? "table" : "mix") + ", " +
                     std::to_string(blocks) + " blocks: element " +
                     std::to_string(at / (pseed::dtype_bits(static_cast<int>(record.type)) / 8)) + " differs");
    }
  }
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
    compare("random " + std::to_string(i), pseed_test::random_record(random, 8 + i % 13), random);
  }
  std::printf("decode: %d trellis records of the vectors (%d others are not the kernels' matter), %d random ones, %d failures\n", vectors,
              others, count, failures);
  return failures == 0 && vectors > 0 ? 0 : 1;
}
