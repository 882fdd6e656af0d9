// The factors of the rows or of the columns of a matrix, signs included, in one of five kinds (specification, section 8.6). They are read
// where they lie: one stored value may stand for 2^31 - 1 lines, so nothing is allocated for lines.
//
//  kind 0  f32
//  kind 1  f32 * n
//  kind 2  e, 0, 0, 0, f16 * n         value * 2^e
//  kind 3  e, 0, 0, 0, u8 * n          (16 + (v mod 16)) * 2^(v >> 4) * 2^e, sign in bit 7
//  kind 4  f32, signs as a bit stream
#ifndef PSEED_SCALES_HPP
#define PSEED_SCALES_HPP

#include <cstddef>
#include <cstdint>

#include "tensor_record.hpp"

namespace pseed {

class Scales {
 public:
  enum Kind : int { kConstant = 0, kF32 = 1, kF16 = 2, kF8 = 3, kSigns = 4 };

  // Bytes for n lines, without and with the padding to a multiple of four.
  static uint64_t byte_size(int kind, uint64_t n);
  static uint64_t padded_size(int kind, uint64_t n) { return (byte_size(kind, n) + 3) & ~uint64_t{3}; }

  // Checks the scales of n lines at `offset` of the record's body, where their bytes are.
  bool parse(const TensorRecord &record, int kind, uint64_t offset, uint32_t n, Error &error);

  // The scales of n lines from `first` on.
  void fill(uint32_t first, size_t n, float *out) const;
  float at(uint32_t line) const {
    float scale;
    fill(line, 1, &scale);
    return scale;
  }

 private:
  int kind_ = kConstant;
  const uint8_t *bytes_ = nullptr;
};

}  // namespace pseed
#endif
