// Element types of tensors, with their permanent ids (specification, section 1.1).
#ifndef PSEED_DTYPE_HPP
#define PSEED_DTYPE_HPP

#include <cstdint>

namespace pseed {

enum DType : int { kF32 = 1, kF16 = 2, kBF16 = 3, kF64 = 4, kLastDType = 25 };

// The name that headers and messages use; null where there is no such type.
inline const char *dtype_name(int id) {
  static const char *const names[] = {"F32",     "F16",     "BF16",        "F64",         "I8",      "U8",      "I16", "U16", "I32",
                                      "U32",     "I64",     "U64",         "BOOL",        "F8_E4M3", "F8_E5M2", "F8_E8M0",
                                      "F8_E4M3FNUZ", "F8_E5M2FNUZ", "F6_E2M3", "F6_E3M2", "F4", "I4", "U4", "C64", "C128"};
  static_assert(sizeof names / sizeof *names == kLastDType, "one name an id");
  return id >= 1 && id <= kLastDType ? names[id - 1] : nullptr;
}

// Bits of one element; the id must be one.
inline unsigned dtype_bits(int id) {
  static const uint8_t bits[] = {32, 16, 16, 64, 8, 8, 16, 16, 32, 32, 64, 64, 8, 8, 8, 8, 8, 8, 6, 6, 4, 4, 4, 64, 128};
  static_assert(sizeof bits == kLastDType, "one size an id");
  return bits[id - 1];
}

// Whether a codec other than raw may hold it.
inline bool dtype_is_coded(int id) { return id <= kF64; }

// ceil(elements * bits / 8) for fewer than 2^60 elements; INT64_MAX where it is more, so that comparisons with limits stay right.
inline uint64_t dtype_byte_size(int id, uint64_t elements) {
  const unsigned bits = dtype_bits(id);
  if (bits % 8 != 0) {
    return (elements * bits + 7) / 8;
  }
  const uint64_t bytes = bits / 8;
  return elements > static_cast<uint64_t>(INT64_MAX) / bytes ? static_cast<uint64_t>(INT64_MAX) : elements * bytes;
}

}  // namespace pseed
#endif
