// From the payload of a trellis record to dense weights in device memory (specification, sections 8.2 to 8.5 and 9): streams to codes, the
// Hadamard transform in exact integers, two ordered float products, one rounding to the element type. The same bits as the decoders in
// Java and C++.
//
// Work: tiles of 128 x 128 weights of V, aligned, so that no Hadamard block (1 to 128 rows or columns) crosses a tile. A block of threads is
// two groups of 128. A group takes a tile in two phases:
//   A  thread t has row t: it puts the row's bits, big-endian and aligned, into shared memory of its own; then 128 weights in registers:
//      seeds out of the bits, codes out of a table, 7 stages along the row;
//   -  exchange through 64 KiB of shared memory, from rows to columns;
//   B  thread t has column t: 7 stages along the column, scales, rounding, stores.
// Both groups use one exchange buffer, in turns; a turn lasts as long as writing and reading it, and while one group has it the other
// computes. So L = 16, whose table takes 128 KiB of shared memory, leaves room for both.
//
// Bytes a weight at k bits: k / 8 read, 4 (F32) or 2 (F16, BF16) written. On an H100 (3.35 TB/s) writing alone allows 837 G F32 weights a
// second; 70 % of it is 586 G/s, or 2.5 weights a cycle and multiprocessor (132 of them at 1.755 GHz). 16-bit elements: 5.1 a cycle.
//
// Instructions a weight, of 128 lanes a cycle that a multiprocessor issues:
//   bits 2 (of four weights: 3 LDS, 2 funnel shifts, addresses) | seed 2 (funnel shift, mask) | code 1 (LDS) |
//   transform 14 (integer adds) | exchange 0.25 + 1 (STS.128, LDS.32) | to float 1 | scales 2 | address 1 to 2 | store 1
//   = 26, at most 4.9 weights a cycle
// Of them for the integer pipe (64 lanes a cycle; the compiler moves a part of the adds to the other, as IMAD): 17 to 19, 3.5 a cycle
// if nothing is moved. Shared memory (32 banks): 32 random codes of 2 bytes take about 3.5 cycles, the bits 0.75, the exchange 2,
// so 5.1 a cycle.
// So F32 is bound by memory if a multiprocessor is two thirds busy; 16-bit elements are bound by the adds, at 75 % of the bound of
// memory at most.
//
// Slow paths, weight by weight: seeds of tiles with a border of column panels; stores of tiles at the matrix's lower border, of permuted
// rows, and of F64. They hold the exchange buffer meanwhile.
#ifndef PSEED_DECODE_CU
#define PSEED_DECODE_CU

#include "portable.cuh"

namespace pseed_decode {

constexpr int kTile = 128;
constexpr unsigned kGroupThreads = 128;
constexpr unsigned kThreads = 2 * kGroupThreads;
constexpr unsigned kExchangeBytes = kTile * kTile * 4;
constexpr int kMaxRate = 8;
// Words of a row's stream that a tile needs: one before it, 128 * k bits, one behind because of the shift.
constexpr int kMaxWords = 4 * kMaxRate + 2;
// Words that a thread keeps them in, in shared memory: odd, so that 32 threads meet in no bank.
constexpr int kBitsStride = kMaxWords + 1;
constexpr unsigned kBitsBytes = kGroupThreads * kBitsStride * 4;

enum ElementType : unsigned { kF32 = 1, kF16 = 2, kBF16 = 3, kF64 = 4 };

// A range of rows or columns with one rate.
struct Panel {
  uint32_t start;
  uint32_t length;
  uint32_t rate;
  uint32_t zero;
  uint64_t offset;  // of rows: its first segment in the payload; of columns: its segment in each row
};

struct Record {
  const uint8_t *payload;      // 16 bytes before and 160 behind it can be read; a multiple of 16
  const Panel *panels;
  const uint32_t *permutation;  // null: none
  const float *row_scales;      // as many as rows, rounded up to a multiple of 128
  const float *col_scales;
  uint64_t row_bytes;           // of a row, for panels of columns
  uint32_t panel_count;
  uint32_t rows;
  uint32_t cols;
  uint32_t bits;  // L
  uint32_t row_block_log2;
  uint32_t col_block_log2;
  uint32_t by_rows;
  uint32_t transposed;
  uint32_t type;
};

// ---- Codes

// A table of all codes, in shared memory.
struct TableCodes {
  const uint8_t *table;
  uint32_t mask;  // of twice the seed

  // The code of the L bits above the lowest one.
  __device__ __forceinline__ int of_doubled(uint32_t doubled) const {
    return *reinterpret_cast<const int16_t *>(table + (doubled & mask));
  }
};

// By the mix of section 8.3 from radii and cosines in global memory, where a table has no room.
struct MixedCodes {
  const int16_t *radii;
  const int16_t *angles;
  uint32_t mask;
  uint32_t factor1;
  uint32_t factor2;
  unsigned radius_bits;
  unsigned angle_bits;

  __device__ __forceinline__ int of_doubled(uint32_t doubled) const {
    uint32_t h = (doubled >> 1) * factor1 & mask;
    h ^= h >> (radius_bits - 1);
    h = h * factor2 & mask;
    h ^= h >> radius_bits;
    const int radius = __ldg(radii + (h >> angle_bits));
    const int angle = __ldg(angles + (h & ((1u << angle_bits) - 1)));
    return (radius * angle + (1 << 14)) >> 15;
  }
};

// Codes of 128 weights at one rate. bits: the 32 bits before them, their 128 * rate bits, and a word of anything.
template <class Codes>
__device__ __forceinline__ void codes_of(const uint32_t *bits, uint32_t rate, const Codes &codes, int (&v)[kTile]) {
  // What the seeds of weights 0 to 3 of four are shifted by.
  const uint32_t shift0 = 3 * rate;
  const uint32_t shift1 = 2 * rate;
#pragma unroll
  for (uint32_t q = 0; q < kTile / 4; q++) {
    // The 64 bits up to the bit behind the fourth weight's last, so that seeds stand doubled.
    const uint32_t end = 32 + 4 * rate * (q + 1) + 1;
    const uint32_t word = (end - 1) / 32;
    const uint32_t right = (0u - end) & 31;
    const uint32_t middle = bits[word - 1];
    const uint32_t low = __funnelshift_r(bits[word], middle, right);
    const uint32_t high = __funnelshift_r(middle, bits[word < 2 ? 0 : word - 2], right);
    v[4 * q] = codes.of_doubled(__funnelshift_r(low, high, shift0));
    v[4 * q + 1] = codes.of_doubled(__funnelshift_r(low, high, shift1));
    v[4 * q + 2] = codes.of_doubled(__funnelshift_r(low, high, rate));
    v[4 * q + 3] = codes.of_doubled(low);
  }
}

struct Tile {
  uint32_t row;
  uint32_t col;
  bool uniform;  // each row has one rate
};

__device__ __forceinline__ uint32_t panel_of(const Record &record, uint32_t line) {
  uint32_t low = 0;
  uint32_t high = record.panel_count;
  while (high - low > 1) {
    const uint32_t middle = low + (high - low) / 2;
    if (record.panels[middle].start <= line) {
      low = middle;
    } else {
      high = middle;
    }
  }
  return low;
}

__device__ __forceinline__ Tile tile_at(const Record &record, uint64_t number) {
  const uint32_t across = (record.cols + (kTile - 1)) / kTile;
  Tile tile;
  tile.row = static_cast<uint32_t>(number / across) * kTile;
  tile.col = static_cast<uint32_t>(number % across) * kTile;
  if (record.by_rows != 0) {
    tile.uniform = true;
  } else {
    const uint32_t end = record.cols - tile.col < kTile ? record.cols : tile.col + kTile;
    const Panel &panel = record.panels[panel_of(record, tile.col)];
    tile.uniform = end - panel.start <= panel.length;
  }
  return tile;
}

__device__ __forceinline__ uint32_t row_of(const Record &record, const Tile &tile, unsigned t) {
  const uint32_t row = tile.row + t;
  return row < record.rows ? row : record.rows - 1;  // those of no row repeat the last; nothing of them is stored
}

// The bits of a row of a tile, on their way from memory.
struct Window {
  uint32_t words[kMaxWords];  // from the word before the one where the first weight's bits begin
  uint32_t rate;
  unsigned shift;  // of the first weight's bits in the second word
  uint32_t keep;   // which of the 32 bits before them belong to the segment
};

__device__ __forceinline__ void load_window(const Record &record, const Tile &tile, uint32_t row, Window &window) {
  const Panel &panel = record.panels[panel_of(record, record.by_rows != 0 ? row : tile.col)];
  window.rate = panel.rate;
  if (panel.rate == 0) {
    return;
  }
  uint64_t segment;
  uint64_t before;
  if (record.by_rows != 0) {
    segment = panel.offset + (row - panel.start) * ((uint64_t{record.cols} * panel.rate + 7) / 8);
    before = uint64_t{tile.col} * panel.rate;
  } else {
    segment = row * record.row_bytes + panel.offset;
    before = uint64_t{tile.col - panel.start} * panel.rate;
  }
  const uint64_t bit = 8 * segment + before;
  window.shift = static_cast<unsigned>(bit & 31);
  window.keep = before >= 32 ? 0xFFFFFFFFu : (1u << before) - 1;
  const uint8_t *const at = record.payload + (bit >> 5) * 4;
  window.words[0] = __ldg(reinterpret_cast<const uint32_t *>(at - 4));
  if ((bit & 127) == 0) {
#pragma unroll
    for (unsigned i = 0; i < kMaxRate; i++) {
      if (i < panel.rate) {
        const uint4 four = __ldg(reinterpret_cast<const uint4 *>(at) + i);
        window.words[4 * i + 1] = four.x;
        window.words[4 * i + 2] = four.y;
        window.words[4 * i + 3] = four.z;
        window.words[4 * i + 4] = four.w;
      }
    }
  } else {
#pragma unroll
    for (unsigned i = 0; i < kMaxWords - 1; i++) {
      if (i < 4 * panel.rate + 1) {
        window.words[i + 1] = __ldg(reinterpret_cast<const uint32_t *>(at) + i);
      }
    }
  }
}

__device__ __forceinline__ uint32_t big_endian(uint32_t word) { return __byte_perm(word, 0, 0x0123); }

// Puts the window's bits in line.
__device__ __forceinline__ void align_window(const Window &window, uint32_t *bits) {
  uint32_t here = big_endian(window.words[1]);
  bits[0] = __funnelshift_l(here, big_endian(window.words[0]), window.shift) & window.keep;
#pragma unroll
  for (unsigned i = 1; i < kMaxWords - 1; i++) {
    if (i < 4 * window.rate + 1) {
      const uint32_t next = big_endian(window.words[i + 1]);
      bits[i] = __funnelshift_l(next, here, window.shift);
      here = next;
    }
  }
}

// Codes of a row of a tile, weight by weight, whatever its panels are.
template <class Codes>
__device__ void mixed_codes(const Record &record, const Tile &tile, uint32_t row, const Codes &codes, int *out) {
  const uint32_t n = record.cols - tile.col < kTile ? record.cols - tile.col : kTile;
  uint32_t p = panel_of(record, record.by_rows != 0 ? row : tile.col);
  Panel panel = record.panels[p];
  const uint32_t doubled_mask = (2u << record.bits) - 1;
  for (uint32_t t = 0; t < n; t++) {
    const uint32_t col = tile.col + t;
    if (record.by_rows == 0) {
      while (col - panel.start >= panel.length) {
        panel = record.panels[++p];
      }
    }
    int code = 0;
    if (panel.rate != 0) {
      const uint32_t in_segment = record.by_rows != 0 ? col : col - panel.start;
      const uint64_t segment = record.by_rows != 0
                                   ? panel.offset + (row - panel.start) * ((uint64_t{record.cols} * panel.rate + 7) / 8)
                                   : row * record.row_bytes + panel.offset;
      const uint64_t last = (uint64_t{in_segment} + 1) * panel.rate - 1;  // the seed's last bit in the segment
      uint32_t bytes = 0;
#pragma unroll
      for (uint64_t i = 0; i < 4; i++) {
        const uint32_t byte = i <= last / 8 ? record.payload[segment + last / 8 - i] : 0u;
        bytes |= byte << 8 * i;
      }
      code = codes.of_doubled(bytes >> (7 - last % 8) << 1 & doubled_mask);
    }
    out[t] = code;
  }
  for (uint32_t t = n; t < kTile; t++) {
    out[t] = 0;
  }
}

// ---- Transform

// Blocks of 2^log2 of the 128 numbers.
__device__ __forceinline__ void hadamard(int (&v)[kTile], uint32_t log2) {
#pragma unroll
  for (int stage = 0; stage < 7; stage++) {
    if (stage < static_cast<int>(log2)) {
#pragma unroll
      for (int i = 0; i < kTile; i++) {
        if ((i >> stage & 1) == 0) {
          const int a = v[i];
          const int b = v[i + (1 << stage)];
          v[i] = a + b;
          v[i + (1 << stage)] = a - b;
        }
      }
    }
  }
}

// The exchange buffer has 128 rows of 32 pieces of 4 numbers; piece q of row r lies at q xor (r mod 8), so that neither rows nor columns
// meet in a bank.
__device__ __forceinline__ void store_row(int *buffer, unsigned t, const int (&v)[kTile]) {
#pragma unroll
  for (unsigned q = 0; q < kTile / 4; q++) {
    int4 four;
    four.x = v[4 * q];
    four.y = v[4 * q + 1];
    four.z = v[4 * q + 2];
    four.w = v[4 * q + 3];
    *reinterpret_cast<int4 *>(buffer + kTile * t + 4 * (q ^ (t & 7))) = four;
  }
}

__device__ __forceinline__ void load_row(const int *row, int (&v)[kTile]) {
#pragma unroll
  for (int q = 0; q < kTile / 4; q++) {
    const int4 four = *reinterpret_cast<const int4 *>(row + 4 * q);
    v[4 * q] = four.x;
    v[4 * q + 1] = four.y;
    v[4 * q + 2] = four.z;
    v[4 * q + 3] = four.w;
  }
}

__device__ __forceinline__ unsigned column_place(unsigned row, unsigned col) {
  return kTile * row + (4 * (col >> 2 ^ (row & 7)) | (col & 3));
}

__device__ __forceinline__ void load_column(const int *buffer, unsigned t, int (&v)[kTile]) {
#pragma unroll
  for (unsigned r = 0; r < kTile; r++) {
    v[r] = buffer[column_place(r, t)];
  }
}

__device__ __forceinline__ void store_column(int *buffer, unsigned t, const int (&v)[kTile]) {
#pragma unroll
  for (unsigned r = 0; r < kTile; r++) {
    buffer[column_place(r, t)] = v[r];
  }
}

// ---- Elements

// Rounded to nearest, ties to even; beyond 65520 infinity.
__device__ __forceinline__ uint16_t half_bits(float value) {
#ifdef __CUDACC__
  uint16_t bits;
  asm("cvt.rn.f16.f32 %0, %1;" : "=h"(bits) : "f"(value));
  return bits;
#else
  return pseed_half_bits(value);
#endif
}

// Not for NaN, which no weight is.
__device__ __forceinline__ uint16_t bfloat16_bits(float value) {
  const uint32_t bits = __float_as_uint(value);
  return static_cast<uint16_t>((bits + 0x7FFFu + (bits >> 16 & 1)) >> 16);
}

template <unsigned kType>
struct Element;
template <>
struct Element<kF32> {
  using Stored = float;
  static __device__ __forceinline__ float of(float value) { return value; }
};
template <>
struct Element<kF16> {
  using Stored = uint16_t;
  static __device__ __forceinline__ uint16_t of(float value) { return half_bits(value); }
};
template <>
struct Element<kBF16> {
  using Stored = uint16_t;
  static __device__ __forceinline__ uint16_t of(float value) { return bfloat16_bits(value); }
};
__device__ __forceinline__ float weight(int z, float row_scale, float col_scale) {
  return __fmul_rn(__fmul_rn(__int2float_rn(z), row_scale), col_scale);
}

// Nothing is moved across this: the compiler would load all scales at once, and spill.
__device__ __forceinline__ void keep_order() {
#ifdef __CUDACC__
  asm volatile("" ::: "memory");
#endif
}

// Rows of a tile that is whole, one column of it; the view is not transposed.
template <unsigned kType>
__device__ __forceinline__ void store_across(const Record &record, const float *row_scales, float col_scale, const int (&v)[kTile],
                                             typename Element<kType>::Stored *at) {
#pragma unroll
  for (unsigned q = 0; q < kTile / 4; q++) {
    const float4 s = reinterpret_cast<const float4 *>(row_scales)[q];
    at[0] = Element<kType>::of(weight(v[4 * q], s.x, col_scale));
    at += record.cols;
    at[0] = Element<kType>::of(weight(v[4 * q + 1], s.y, col_scale));
    at += record.cols;
    at[0] = Element<kType>::of(weight(v[4 * q + 2], s.z, col_scale));
    at += record.cols;
    at[0] = Element<kType>::of(weight(v[4 * q + 3], s.w, col_scale));
    at += record.cols;
    keep_order();
  }
}

template <unsigned kType>
__device__ __forceinline__ uint32_t two_elements(int low, int high, float low_scale, float high_scale, float col_scale) {
  return Element<kType>::of(weight(low, low_scale, col_scale)) |
         static_cast<uint32_t>(Element<kType>::of(weight(high, high_scale, col_scale))) << 16;
}

// The same of a transposed view: a thread's elements are neighbours, and each two stores of 16 bytes fill a sector.
template <unsigned kType>
__device__ __forceinline__ void store_along(const float *row_scales, float col_scale, const int (&v)[kTile], uint4 *at) {
  const float4 *const scales = reinterpret_cast<const float4 *>(row_scales);
#pragma unroll
  for (unsigned q = 0; q < kTile / 8; q++) {
    const float4 s = scales[2 * q];
    const float4 u = scales[2 * q + 1];
    uint4 out;
    if constexpr (kType == kF32) {
      out.x = __float_as_uint(weight(v[8 * q], s.x, col_scale));
      out.y = __float_as_uint(weight(v[8 * q + 1], s.y, col_scale));
      out.z = __float_as_uint(weight(v[8 * q + 2], s.z, col_scale));
      out.w = __float_as_uint(weight(v[8 * q + 3], s.w, col_scale));
      at[2 * q] = out;
      out.x = __float_as_uint(weight(v[8 * q + 4], u.x, col_scale));
      out.y = __float_as_uint(weight(v[8 * q + 5], u.y, col_scale));
      out.z = __float_as_uint(weight(v[8 * q + 6], u.z, col_scale));
      out.w = __float_as_uint(weight(v[8 * q + 7], u.w, col_scale));
      at[2 * q + 1] = out;
    } else {
      out.x = two_elements<kType>(v[8 * q], v[8 * q + 1], s.x, s.y, col_scale);
      out.y = two_elements<kType>(v[8 * q + 2], v[8 * q + 3], s.z, s.w, col_scale);
      out.z = two_elements<kType>(v[8 * q + 4], v[8 * q + 5], u.x, u.y, col_scale);
      out.w = two_elements<kType>(v[8 * q + 6], v[8 * q + 7], u.z, u.w, col_scale);
      at[q] = out;
    }
    keep_order();
  }
}

// Whether a tile's elements are stored by the two above.
__device__ __forceinline__ bool stored_whole(const Record &record, const Tile &tile) {
  return record.rows - tile.row >= kTile && record.type != kF64 && (record.permutation == nullptr || record.by_rows == 0) &&
         (record.transposed == 0 || record.rows % 8 == 0);
}

__device__ __forceinline__ void store_whole(const Record &record, const Tile &tile, uint32_t col, const int (&v)[kTile], void *out) {
  if (col >= record.cols) {
    return;
  }
  const float *const row_scales = record.row_scales + tile.row;
  const float col_scale = record.col_scales[col];
  const uint32_t view_col = record.permutation != nullptr ? record.permutation[col] : col;
  const unsigned bytes = record.type == kF32 ? 4 : 2;
  if (record.transposed == 0) {
    uint8_t *const at = static_cast<uint8_t *>(out) + bytes * (uint64_t{tile.row} * record.cols + view_col);
    switch (record.type) {
      case kF32:
        store_across<kF32>(record, row_scales, col_scale, v, reinterpret_cast<float *>(at));
        break;
      case kF16:
        store_across<kF16>(record, row_scales, col_scale, v, reinterpret_cast<uint16_t *>(at));
        break;
      default:
        store_across<kBF16>(record, row_scales, col_scale, v, reinterpret_cast<uint16_t *>(at));
        break;
    }
  } else {
    uint4 *const at = reinterpret_cast<uint4 *>(static_cast<uint8_t *>(out) + bytes * (uint64_t{view_col} * record.rows + tile.row));
    switch (record.type) {
      case kF32:
        store_along<kF32>(row_scales, col_scale, v, at);
        break;
      case kF16:
        store_along<kF16>(row_scales, col_scale, v, at);
        break;
      default:
        store_along<kBF16>(row_scales, col_scale, v, at);
        break;
    }
  }
}

// Any tile, element by element, from the thread's column of the buffer.
__device__ void store_any(const Record &record, const Tile &tile, unsigned t, const int *buffer, void *out) {
  const uint32_t col = tile.col + t;
  if (col >= record.cols) {
    return;
  }
  const float col_scale = record.col_scales[col];
  const uint32_t view_col = record.permutation != nullptr && record.by_rows == 0 ? record.permutation[col] : col;
  const uint32_t n = record.rows - tile.row < kTile ? record.rows - tile.row : kTile;
  for (uint32_t r = 0; r < n; r++) {
    const uint32_t row = tile.row + r;
    const uint32_t view_row = record.permutation != nullptr && record.by_rows != 0 ? record.permutation[row] : row;
    const uint64_t at = record.transposed != 0 ? uint64_t{view_col} * record.rows + view_row : uint64_t{view_row} * record.cols + view_col;
    const float value = weight(buffer[column_place(r, t)], record.row_scales[row], col_scale);
    switch (record.type) {
      case kF32:
        static_cast<float *>(out)[at] = value;
        break;
      case kF16:
        static_cast<uint16_t *>(out)[at] = half_bits(value);
        break;
      case kBF16:
        static_cast<uint16_t *>(out)[at] = bfloat16_bits(value);
        break;
      default:
        static_cast<double *>(out)[at] = static_cast<double>(value);
        break;
    }
  }
}

// ---- Kernels

// Named barriers: 1 + g: the buffer is group g's. 3 + g: all of group g are here.
__device__ __forceinline__ void wait_for_group(unsigned group) {
  if (group == 0) {
    pseed_barrier_sync(3, kGroupThreads);
  } else {
    pseed_barrier_sync(4, kGroupThreads);
  }
}

// Until the group has the buffer for its turn. One group alone keeps its bits where the buffer is, and must be through with them.
__device__ __forceinline__ void wait_for_buffer(unsigned groups, unsigned group) {
  if (groups == 1) {
    wait_for_group(group);
  } else if (group == 0) {
    pseed_barrier_sync(1, kThreads);
  } else {
    pseed_barrier_sync(2, kThreads);
  }
}

// Ends the group's turn. After the second group's last one nobody waits.
__device__ __forceinline__ void give_buffer(unsigned groups, unsigned group, bool last) {
  if (groups == 1) {
    wait_for_group(group);
  } else if (group == 0) {
    pseed_barrier_arrive(2, kThreads);
  } else if (!last) {
    pseed_barrier_arrive(1, kThreads);
  }
}

// shared: the exchange buffer, then kBitsBytes for each group; with one group they are one.
template <class Codes>
__device__ __forceinline__ void decode(const Record &record, const Codes &codes, uint8_t *shared, void *out) {
  const unsigned groups = blockDim.x / kGroupThreads;
  const unsigned group = threadIdx.x / kGroupThreads;
  const unsigned t = threadIdx.x % kGroupThreads;
  int *const buffer = reinterpret_cast<int *>(shared);
  uint32_t *const bits = reinterpret_cast<uint32_t *>(shared + (groups == 1 ? 0 : kExchangeBytes + group * kBitsBytes)) + kBitsStride * t;
  const uint64_t tiles = uint64_t{(record.rows + (kTile - 1)) / kTile} * ((record.cols + (kTile - 1)) / kTile);
  const uint64_t step = groups * uint64_t{gridDim.x};
  const uint64_t turns = (tiles + step - 1) / step;
  uint64_t number = group * uint64_t{gridDim.x} + blockIdx.x;
  if (group == 1) {
    give_buffer(groups, group, false);
  }

  int v[kTile];
  Window window;
  Tile tile = {};
  if (number < tiles) {
    tile = tile_at(record, number);
    if (tile.uniform) {
      load_window(record, tile, row_of(record, tile, t), window);
    }
  }
  for (uint64_t turn = 0; turn < turns; turn++) {
    const bool busy = number < tiles;
    const Tile now = tile;
    const bool early = !busy || now.uniform;
    if (!early) {
      wait_for_buffer(groups, group);
      int *const row = buffer + kTile * t;
      mixed_codes(record, now, row_of(record, now, t), codes, row);
      load_row(row, v);
    } else if (busy && window.rate != 0) {
      align_window(window, bits);
      codes_of(bits, window.rate, codes, v);
    } else {
#pragma unroll
      for (int i = 0; i < kTile; i++) {
        v[i] = 0;
      }
    }
    number += step;
    if (number < tiles) {
      // On its way while this tile is finished.
      tile = tile_at(record, number);
      if (tile.uniform) {
        load_window(record, tile, row_of(record, tile, t), window);
      }
    }
    if (busy) {
      hadamard(v, record.col_block_log2);
    }
    if (early) {
      wait_for_buffer(groups, group);
    }
    const bool whole = busy && stored_whole(record, now);
    const bool last = turn + 1 == turns;
    if (busy) {
      store_row(buffer, t, v);
      wait_for_group(group);
      load_column(buffer, t, v);
    }
    if (!busy || whole) {
      give_buffer(groups, group, last);
    }
    if (busy) {
      hadamard(v, record.row_block_log2);
      if (whole) {
        store_whole(record, now, now.col + t, v, out);
      } else {
        // The places of a column are its thread's alone.
        store_column(buffer, t, v);
        store_any(record, now, t, buffer, out);
        give_buffer(groups, group, last);
      }
    }
  }
}

}  // namespace pseed_decode

// Codes from `table`, 2^L of them, which each block copies to shared memory.
//
// Launch: min(tiles, multiprocessors) blocks of 256 threads (two groups) with 65536 + 35840 + 2 * 2^L bytes of shared memory; or of 128
// (one group) with 65536 + 2 * 2^L.
extern "C" __global__ void __launch_bounds__(256, 1) pseed_decode_table(pseed_decode::Record record, const int16_t *table, void *out) {
  using namespace pseed_decode;
  PSEED_DYNAMIC_SHARED(uint8_t, shared);
  uint8_t *const copy = shared + kExchangeBytes + (blockDim.x == kThreads ? 2 * kBitsBytes : 0);
  for (unsigned i = threadIdx.x; i < (2u << record.bits) / 16; i += blockDim.x) {
    reinterpret_cast<uint4 *>(copy)[i] = __ldg(reinterpret_cast<const uint4 *>(table) + i);
  }
  __syncthreads();
  const TableCodes codes = {copy, (2u << record.bits) - 2};
  decode(record, codes, shared, out);
}

// Codes by the mix, from radii and cosines in global memory: for L whose table does not fit into shared memory. The same launch without
// the 2 * 2^L bytes.
extern "C" __global__ void __launch_bounds__(256, 1)
    pseed_decode_mix(pseed_decode::Record record, const int16_t *radii, const int16_t *angles, void *out) {
  using namespace pseed_decode;
  PSEED_DYNAMIC_SHARED(uint8_t, shared);
  MixedCodes codes;
  codes.radii = radii;
  codes.angles = angles;
  codes.mask = (1u << record.bits) - 1;
  codes.factor1 = record.bits == 12 ? 0x3FFu : record.bits == 16 ? 0x5FFDu : 0x2C1B3C6Du;
  codes.factor2 = record.bits == 12 ? 0x5B7u : record.bits == 16 ? 0xFE1Bu : 0x297A2D39u;
  codes.radius_bits = record.bits / 2;
  codes.angle_bits = record.bits - record.bits / 2;
  decode(record, codes, shared, out);
}

#endif
