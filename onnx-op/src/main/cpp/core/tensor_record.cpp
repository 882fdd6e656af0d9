#include "tensor_record.hpp"

#include <cinttypes>
#include <cmath>
#include <cstdio>

#include "bytes.hpp"
#include "crc32c.hpp"
#include "dtype.hpp"

namespace pseed {

namespace {

constexpr uint32_t kMagic = 0x31525350;  // `PSR1`
constexpr uint64_t kMaxElements = uint64_t{1} << 60;

Text hex32(uint32_t value) { return text("0x%08" PRIx32, value); }

const char *codec_label(Codec codec) {
  return codec == Codec::kRaw ? "raw" : codec == Codec::kPoincare ? "poincare" : "trellis";
}

bool require_zero(const uint8_t *bytes, uint64_t offset, uint64_t count, const char *what, const Place &place, Error &error) {
  for (uint64_t i = offset; i < offset + count; i++) {
    if (bytes[i] != 0) {
      return place.corrupt(error, i, what, text(uint64_t{bytes[i]}), "0");
    }
  }
  return true;
}

// The product of the dimensions, 1 for a scalar; kMaxElements where a dimension is 2^63 or more or the product too large.
uint64_t element_count(const uint64_t *shape, int rank) {
  bool zero = false;
  for (int i = 0; i < rank; i++) {
    if (shape[i] >> 63 != 0) {
      return kMaxElements;
    }
    zero |= shape[i] == 0;
  }
  if (zero) {
    return 0;
  }
  uint64_t product = 1;
  for (int i = 0; i < rank; i++) {
    if (shape[i] > (kMaxElements - 1) / product) {
      return kMaxElements;
    }
    product *= shape[i];
  }
  return product;
}

// As Java prints an array of long.
Text shape_text(const uint64_t *shape, int rank) {
  Text out = text("[");
  size_t at = 1;
  for (int i = 0; i < rank; i++) {
    at += static_cast<size_t>(std::snprintf(out.chars + at, sizeof out.chars - at, "%s%" PRId64, i == 0 ? "" : ", ",
                                            static_cast<int64_t>(shape[i])));
  }
  std::snprintf(out.chars + at, sizeof out.chars - at, "]");
  return out;
}

}  // namespace

bool TensorRecord::parse(const uint8_t *bytes, size_t size, uint64_t max_tensor_bytes, Error &error) {
  if (size < kFixedLength + kCrcLength) {
    return place_.corrupt(error, 0, "record", text("%zu bytes", size), text("at least %u", kFixedLength + kCrcLength));
  }
  if (load<uint32_t>(bytes) != kMagic) {
    return place_.corrupt(error, 0, "record magic", hex32(load<uint32_t>(bytes)), hex32(kMagic));
  }
  if (load<uint64_t>(bytes + 8) != size) {
    return place_.corrupt(error, 8, "record length", text(load<uint64_t>(bytes + 8)), text(uint64_t{size}));
  }
  const uint32_t stored_crc = load<uint32_t>(bytes + size - kCrcLength);
  const uint32_t crc = crc32c_best().update(0, bytes, size - kCrcLength);
  if (stored_crc != crc) {
    return place_.corrupt(error, size - kCrcLength, "recordCrc", hex32(stored_crc), hex32(crc));
  }

  const int codec = bytes[4];
  if (codec < 1 || codec > 3) {
    return error.set(PSEED_UNKNOWN_CODEC,
                     "%s: codec %d is unknown to this version, which knows 1 raw, 2 poincare, 3 trellis; a newer pseed may read it",
                     place_.label(), codec);
  }
  codec_ = static_cast<Codec>(codec);
  dtype_ = bytes[5];
  if (dtype_name(dtype_) == nullptr) {
    return place_.corrupt(error, 5, "dtype", text("%d", dtype_), "1 to 25");
  }
  rank_ = bytes[6];
  if (rank_ > kMaxRank) {
    return place_.corrupt(error, 6, "rank", text("%d", rank_), "0 to 8");
  }
  if (!require_zero(bytes, 7, 1, "flags", place_, error)) {
    return false;
  }
  layer_seed_.seed = load<uint64_t>(bytes + 16);
  layer_seed_.amplitude = load<float>(bytes + 24);
  layer_seed_.shift = static_cast<int8_t>(bytes[28]);
  const bool layer_valid =
      layer_seed_.present()
          ? std::fabs(layer_seed_.amplitude) <= kLargestAmplitude && layer_seed_.shift >= -kMaxShift && layer_seed_.shift <= kMaxShift
          : load<uint32_t>(bytes + 24) == 0 && layer_seed_.shift == 0;
  if (!layer_valid) {
    return place_.corrupt(error, 24, "layer seed's amplitude and shift",
                          text("%s and %d", float_text(layer_seed_.amplitude).c_str(), layer_seed_.shift),
                          layer_seed_.present() ? "at most 2^64 in magnitude, and -64 to 64" : "0 and 0 without a seed");
  }
  if (layer_seed_.present() && codec_ == Codec::kRaw) {
    return place_.corrupt(error, 16, "layer seed", text("0x%016" PRIx64, layer_seed_.seed), "0 in a raw record");
  }
  if (!require_zero(bytes, 29, 3, "reserved bytes", place_, error) || !require_zero(bytes, 36, 4, "reserved bytes", place_, error)) {
    return false;
  }

  const size_t body_offset = kFixedLength + 8 * static_cast<size_t>(rank_);
  if (body_offset + kCrcLength > size) {
    return place_.corrupt(error, 6, "record", text("%zu bytes", size), text("room for %d dimensions of 8 bytes", rank_));
  }
  for (int i = 0; i < rank_; i++) {
    shape_[i] = load<uint64_t>(bytes + kFixedLength + 8 * i);
  }
  elements_ = element_count(shape_, rank_);
  if (elements_ >= kMaxElements) {
    return place_.corrupt(error, kFixedLength, "shape", shape_text(shape_, rank_), "fewer than 2^60 elements");
  }
  decoded_bytes_ = dtype_byte_size(dtype_, elements_);
  if (decoded_bytes_ > max_tensor_bytes) {
    return error.set(PSEED_OVER_LIMIT,
                     "%s: %" PRIu64 " decoded bytes, the limit is %" PRIu64 "; raise the reader's limits to take it", place_.label(),
                     decoded_bytes_, max_tensor_bytes);
  }
  if (codec_ != Codec::kRaw && !dtype_is_coded(dtype_)) {
    return place_.corrupt(error, 5, "dtype", text("%s", dtype_name(dtype_)),
                          text("F32, F16, BF16 or F64 for codec %s", codec_label(codec_)));
  }
  decoded_crc_ = load<uint32_t>(bytes + 32);
  body_ = bytes + body_offset;
  body_size_ = size - kCrcLength - body_offset;
  return true;
}

bool TensorRecord::corrupt_body(Error &error, uint64_t local, const char *what, const char *found, const char *expected) const {
  const Text subject = text("%s %s", codec_label(codec_), what);
  return place_.corrupt(error, kFixedLength + 8 * static_cast<uint64_t>(rank_) + local, subject.c_str(), found, expected);
}

bool TensorRecord::require_zero_in_body(uint64_t offset, uint64_t count, const char *what, Error &error) const {
  for (uint64_t i = offset; i < offset + count; i++) {
    if (body_[i] != 0) {
      return corrupt_body(error, i, what, text(uint64_t{body_[i]}), "0");
    }
  }
  return true;
}

bool TensorRecord::check_decoded_crc(uint32_t crc, Error &error) const {
  return crc == decoded_crc_ || place_.corrupt(error, 32, "checksum of the decoded values", hex32(crc), hex32(decoded_crc_));
}

}  // namespace pseed
