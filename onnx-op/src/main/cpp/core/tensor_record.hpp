// One tensor's record, its fixed part parsed and its checksum verified (specification, section 3).
//
// offset  0      4     5     6    7     8      16        24             28         29  32         36  40
//         +------+-----+-----+----+-----+------+---------+--------------+----------+---+----------+---+------+------+---------+
//         | PSR1 |codec|dtype|rank|flags|length|layerSeed|layerAmplitude|layerShift| 0 |decodedCrc| 0 | dims | body |recordCrc|
//         +------+-----+-----+----+-----+------+---------+--------------+----------+---+----------+---+------+------+---------+
#ifndef PSEED_TENSOR_RECORD_HPP
#define PSEED_TENSOR_RECORD_HPP

#include <cstddef>
#include <cstdint>

#include "errors.hpp"

namespace pseed {

enum class Codec : int { kRaw = 1, kPoincare = 2, kTrellis = 3 };

// A layer's Poincaré seed as a record stores it; 0: none.
struct LayerSeed {
  uint64_t seed = 0;
  float amplitude = 0;
  int shift = 0;
  bool present() const { return seed != 0; }
};

// Largest magnitude of an amplitude, a tile's too: weights stay finite.
constexpr float kLargestAmplitude = 18446744073709551616.0f;  // 2^64
constexpr int kMaxShift = 64;

class TensorRecord {
 public:
  static constexpr int kMaxRank = 8;
  static constexpr uint32_t kFixedLength = 40;
  static constexpr uint32_t kCrcLength = 4;

  explicit TensorRecord(const Place &place) : place_(place) {}

  // Parses the record that fills `bytes`, which must stay while this is in use.
  bool parse(const uint8_t *bytes, size_t size, uint64_t max_tensor_bytes, Error &error);

  const Place &place() const { return place_; }
  Codec codec() const { return codec_; }
  int dtype() const { return dtype_; }
  int rank() const { return rank_; }
  const uint64_t *shape() const { return shape_; }
  uint64_t elements() const { return elements_; }
  uint64_t decoded_bytes() const { return decoded_bytes_; }
  const LayerSeed &layer_seed() const { return layer_seed_; }
  uint32_t decoded_crc() const { return decoded_crc_; }

  const uint8_t *body() const { return body_; }
  uint64_t body_size() const { return body_size_; }
  // End of the record: kCrcLength bytes behind the body can be read.
  const uint8_t *end() const { return body_ + body_size_ + kCrcLength; }

  // Sets `error` about the bytes at `local` of the body; false.
  bool corrupt_body(Error &error, uint64_t local, const char *what, const char *found, const char *expected) const;
  bool corrupt_body(Error &error, uint64_t local, const char *what, const Text &found, const char *expected) const {
    return corrupt_body(error, local, what, found.c_str(), expected);
  }
  bool corrupt_body(Error &error, uint64_t local, const char *what, const Text &found, const Text &expected) const {
    return corrupt_body(error, local, what, found.c_str(), expected.c_str());
  }
  // Refuses nonzero reserved bytes of the body.
  bool require_zero_in_body(uint64_t offset, uint64_t count, const char *what, Error &error) const;

  bool check_decoded_crc(uint32_t crc, Error &error) const;

 private:
  Place place_;
  Codec codec_ = Codec::kRaw;
  int dtype_ = 0;
  int rank_ = 0;
  uint64_t shape_[kMaxRank] = {};
  uint64_t elements_ = 0;
  uint64_t decoded_bytes_ = 0;
  LayerSeed layer_seed_;
  uint32_t decoded_crc_ = 0;
  const uint8_t *body_ = nullptr;
  uint64_t body_size_ = 0;
};

}  // namespace pseed
#endif
