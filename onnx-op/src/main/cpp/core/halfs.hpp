// Conversions between binary32, IEEE binary16 and bfloat16, to nearest, ties to even (specification, section 9). Static and free of
// library calls, because files that are compiled for other instruction sets include this (see trellis_kernel.inc).
#ifndef PSEED_HALFS_HPP
#define PSEED_HALFS_HPP

#include <cstdint>
#include <cstring>

namespace pseed {

static inline uint32_t float_bits(float value) {
  uint32_t bits;
  std::memcpy(&bits, &value, sizeof bits);
  return bits;
}

static inline float bits_float(uint32_t bits) {
  float value;
  std::memcpy(&value, &bits, sizeof value);
  return value;
}

// Exact; keeps a NaN's payload.
static inline float half_to_float(uint16_t half) {
  const uint32_t exponent = half >> 10 & 0x1Fu;
  const uint32_t mantissa = half & 0x3FFu;
  const uint32_t magnitude = exponent == 0    ? float_bits(static_cast<float>(mantissa) * 0x1p-24f)
                             : exponent == 31 ? 0x7F800000u | mantissa << 13
                                              : (exponent + 112) << 23 | mantissa << 13;
  return bits_float(magnitude | (half & 0x8000u) << 16);
}

// Beyond 65520 infinity. Not for NaN, which no decoded value is.
static inline uint16_t half_from_float(float value) {
  const uint32_t bits = float_bits(value);
  const uint32_t magnitude = bits & 0x7FFFFFFFu;
  // Adding 0.5 aligns the last place of a subnormal half with that of the sum, which rounds it to even.
  const uint32_t subnormal = float_bits(bits_float(magnitude) + 0.5f) - 0x3F000000u;
  const uint32_t normal = (magnitude + 0xFFFu + (magnitude >> 13 & 1) - 0x38000000u) >> 13;
  const uint32_t rounded = magnitude >= 0x477FF000u ? 0x7C00u : magnitude < 0x38800000u ? subnormal : normal;
  return static_cast<uint16_t>((bits >> 16 & 0x8000u) | rounded);
}

// Not for NaN.
static inline uint16_t bfloat16_from_float(float value) {
  const uint32_t bits = float_bits(value);
  return static_cast<uint16_t>((bits + 0x7FFFu + (bits >> 16 & 1)) >> 16);
}

}  // namespace pseed
#endif
