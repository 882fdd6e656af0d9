// Loads from bytes of any alignment. The format is little-endian, and so is every machine that this is built for.
#ifndef PSEED_BYTES_HPP
#define PSEED_BYTES_HPP

#include <cstddef>
#include <cstdint>
#include <cstring>

#if defined(__BYTE_ORDER__) && __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__
#error "decoded elements are written in the machine's byte order, which must be little-endian"
#endif

namespace pseed {

template <typename T>
inline T load(const uint8_t *at) {
  T value;
  std::memcpy(&value, at, sizeof value);
  return value;
}

template <typename To, typename From>
inline To bit_cast(From from) {
  static_assert(sizeof(To) == sizeof(From), "same size");
  To to;
  std::memcpy(&to, &from, sizeof to);
  return to;
}

}  // namespace pseed
#endif
