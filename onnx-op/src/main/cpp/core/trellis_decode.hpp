// From a trellis body to weights: streams to codes, the Hadamard transform in exact integers, two ordered float products (specification,
// sections 8.2 to 8.5). Stateless: any tile on its own, from any thread.
#ifndef PSEED_TRELLIS_DECODE_HPP
#define PSEED_TRELLIS_DECODE_HPP

#include <cstddef>
#include <cstdint>

#include "trellis_body.hpp"
#include "trellis_kernel.hpp"

namespace pseed {

class TrellisDecoder {
 public:
  // end: up to there bytes behind the payload may be read.
  TrellisDecoder(const TrellisBody &body, const uint8_t *end, const TrellisKernel &kernel)
      : body_(body), end_(end), kernel_(kernel) {}

  // Z of a tile of `rows` by `cols` (section 8.4). The tile must begin and end at block borders in both directions. codes: scratch for
  // `cols` codes. Rows of z stand `stride` values apart.
  void transformed(uint32_t row, uint32_t rows, uint32_t col, uint32_t cols, int16_t *codes, int32_t *z, size_t stride) const;

 private:
  const TrellisBody &body_;
  const uint8_t *end_;
  const TrellisKernel &kernel_;
};

}  // namespace pseed
#endif
