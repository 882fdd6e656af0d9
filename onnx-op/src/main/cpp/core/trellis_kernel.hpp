// The loops of the trellis decoder that all weights go through, once for each instruction set. All sets give the same numbers: integers,
// and float products in a fixed order.
#ifndef PSEED_TRELLIS_KERNEL_HPP
#define PSEED_TRELLIS_KERNEL_HPP

#include <cstddef>
#include <cstdint>

#include "crc32c.hpp"

namespace pseed {

// A generator (TrellisCode) as the loops take it.
struct CodeTables {
  int bits;
  const int16_t *codes;    // of all 2^bits states
  const uint8_t *lookups;  // see TrellisCode; null where it has none
};

struct TrellisKernel {
  // Codes `first` to `first + n - 1` of the segment that starts at `segment` (specification, sections 8.2 and 8.3). Up to `end` bytes
  // may be read. rate: 1 to 8.
  void (*codes)(const uint8_t *segment, const uint8_t *end, uint64_t first, size_t n, int rate, const CodeTables &tables, int16_t *out);
  // Each aligned group of 2^log2 of n values is multiplied by H (section 8.4); 2^log2 divides n.
  void (*hadamard_along)(const int16_t *codes, size_t n, int log2, int32_t *out);
  // 2^log2 rows, at most 16, that stand `stride` values apart are multiplied by H from the left, in place.
  void (*hadamard_across)(int32_t *z, size_t stride, size_t cols, int log2);
  // The same for each aligned group of 2^log2 rows, at most 8, of `rows` that follow each other, whose values then are the weights
  // (f32(z) * row_scale) * col_scale (section 8.5); 2^log2 divides rows. Column j of row i goes to out[i * out_stride + j]. What z has
  // afterwards is not told.
  void (*scale_rows)(int32_t *z, size_t stride, size_t rows, size_t cols, int log2, const float *row_scales, const float *col_scales,
                     float *out, size_t out_stride);
  // The same, transposed: column j of row i goes to out[j * out_stride + i].
  void (*scale_columns)(int32_t *z, size_t stride, size_t rows, size_t cols, int log2, const float *row_scales,
                        const float *col_scales, float *out, size_t out_stride);
  // scale_rows of eight rows, and their sums: sums[i] is the CRC-32C of what stands before row i in its line, and goes on over it.
  // streamed: past the caches. Null where the two cost no less together.
  void (*scale_and_sum)(int32_t *z, size_t stride, size_t cols, int log2, const float *row_scales, const float *col_scales, float *out,
                        size_t out_stride, bool streamed, uint32_t *sums);
  // Conversion to the element type (section 9).
  void (*store_f16)(const float *values, size_t n, uint16_t *out);
  void (*store_bf16)(const float *values, size_t n, uint16_t *out);
  void (*store_f64)(const float *values, size_t n, double *out);
};

// Null where the build has none.
const TrellisKernel *trellis_kernel_portable();
const TrellisKernel *trellis_kernel_avx2();
const TrellisKernel *trellis_kernel_avx512();
const TrellisKernel *trellis_kernel_neon();

}  // namespace pseed
#endif
