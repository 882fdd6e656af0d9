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

  // A tile of `rows` by `cols` that begins and ends at block borders in both directions, transformed (section 8.4) but for the last
  // stages: its Z is H of 2^last_log2() from the left, times each aligned group of that many rows of z. codes: scratch for code_rows()
  // rows of `cols` codes. Rows of z stand `stride` values apart.
  void transformed(uint32_t row, uint32_t rows, uint32_t col, uint32_t cols, int16_t *codes, int32_t *z, size_t stride) const;

  // Stages that are left to the pass that scales, which has rows in registers.
  static int last_log2(const TrellisBody &body) { return body.row_block_log2 < 3 ? body.row_block_log2 : 3; }
  static size_t code_rows(const TrellisBody &body) { return size_t{1} << (body.row_block_log2 - last_log2(body)); }

 private:
  // Codes of one row. panel: one that is not far from it.
  void codes(uint32_t row, uint32_t col, uint32_t cols, size_t &panel, int16_t *out) const;

  const TrellisBody &body_;
  const uint8_t *end_;
  const TrellisKernel &kernel_;
};

}  // namespace pseed
#endif
