#include "scales.hpp"

#include <cmath>

#include "bytes.hpp"
#include "halfs.hpp"

namespace pseed {

namespace {

constexpr int kMaxExponent = 100;
constexpr float kLargest = 281474976710656.0f;  // 2^48: |Z| * 2^48 * 2^48 stays finite

float unit_of(const uint8_t *bytes) { return std::ldexp(1.0f, static_cast<int8_t>(bytes[0])); }

float f8(unsigned code) {
  const unsigned v = code & 0x7F;
  if (v == 0) {
    return 0;
  }
  const float magnitude = static_cast<float>((16 + (v & 15)) << (v >> 4));
  return (code & 0x80) != 0 ? -magnitude : magnitude;
}

bool require_exponent(const TensorRecord &record, uint64_t offset, Error &error) {
  const int exponent = static_cast<int8_t>(record.body()[offset]);
  if (exponent < -kMaxExponent || exponent > kMaxExponent) {
    return record.corrupt_body(error, offset, "exponent of scales", text("%d", exponent), "-100 to 100");
  }
  return record.require_zero_in_body(offset + 1, 3, "reserved bytes", error);
}

bool require_bounded(const TensorRecord &record, uint64_t offset, float value, Error &error) {
  return std::fabs(value) <= kLargest ||
         record.corrupt_body(error, offset, "scale", float_text(value), "at most 2^48 in magnitude");
}

}  // namespace

uint64_t Scales::byte_size(int kind, uint64_t n) {
  switch (kind) {
    case kConstant:
      return 4;
    case kF32:
      return 4 * n;
    case kF16:
      return 4 + 2 * n;
    case kF8:
      return 4 + n;
    default:
      return 4 + (n + 7) / 8;
  }
}

bool Scales::parse(const TensorRecord &record, int kind, uint64_t offset, uint32_t n, Error &error) {
  kind_ = kind;
  bytes_ = record.body() + offset;
  switch (kind) {
    case kConstant:
      if (!require_bounded(record, offset, load<float>(bytes_), error)) {
        return false;
      }
      break;
    case kF32:
      for (uint64_t i = 0; i < n; i++) {
        if (!require_bounded(record, offset + 4 * i, load<float>(bytes_ + 4 * i), error)) {
          return false;
        }
      }
      break;
    case kF16: {
      if (!require_exponent(record, offset, error)) {
        return false;
      }
      const float unit = unit_of(bytes_);
      for (uint64_t i = 0; i < n; i++) {
        if (!require_bounded(record, offset + 4 + 2 * i, half_to_float(load<uint16_t>(bytes_ + 4 + 2 * i)) * unit, error)) {
          return false;
        }
      }
      break;
    }
    case kF8: {
      if (!require_exponent(record, offset, error)) {
        return false;
      }
      const float unit = unit_of(bytes_);
      for (uint64_t i = 0; i < n; i++) {
        const unsigned code = bytes_[4 + i];
        if (code == 0x80) {
          return record.corrupt_body(error, offset + 4 + i, "scale", "0x80", "another 8-bit scale");
        }
        if (!require_bounded(record, offset + 4 + i, f8(code) * unit, error)) {
          return false;
        }
      }
      break;
    }
    default: {
      if (!require_bounded(record, offset, load<float>(bytes_), error)) {
        return false;
      }
      const unsigned last = bytes_[4 + (n >> 3)];
      if ((n & 7) != 0 && (last & 0xFFu >> (n & 7)) != 0) {
        return record.corrupt_body(error, offset + 4 + (n >> 3), "unused sign bits", text("%u", last), "zeros");
      }
      break;
    }
  }
  return record.require_zero_in_body(offset + byte_size(kind, n), padded_size(kind, n) - byte_size(kind, n), "padding of scales",
                                     error);
}

void Scales::fill(uint32_t first, size_t n, float *out) const {
  switch (kind_) {
    case kConstant: {
      const float value = load<float>(bytes_);
      for (size_t i = 0; i < n; i++) {
        out[i] = value;
      }
      break;
    }
    case kF32:
      std::memcpy(out, bytes_ + 4 * uint64_t{first}, 4 * n);
      break;
    case kF16: {
      const float unit = unit_of(bytes_);
      for (size_t i = 0; i < n; i++) {
        out[i] = half_to_float(load<uint16_t>(bytes_ + 4 + 2 * (uint64_t{first} + i))) * unit;
      }
      break;
    }
    case kF8: {
      const float unit = unit_of(bytes_);
      for (size_t i = 0; i < n; i++) {
        out[i] = f8(bytes_[4 + uint64_t{first} + i]) * unit;
      }
      break;
    }
    default: {
      const float value = load<float>(bytes_);
      for (size_t i = 0; i < n; i++) {
        const uint64_t line = uint64_t{first} + i;
        out[i] = (bytes_[4 + (line >> 3)] >> (7 - (line & 7)) & 1) != 0 ? -value : value;
      }
      break;
    }
  }
}

}  // namespace pseed
