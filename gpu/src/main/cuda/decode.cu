// From the payload of a trellis record to dense weights in device memory (specification, sections 8.2 to 8.5 and 9): streams to codes, the
// Hadamard transform in exact integers, two ordered float products, one rounding to the element type. The same bits as the decoders in
// Java and C++.
//
// Work: tiles of 128 x 128 weights of V, aligned, so that no Hadamard block (1 to 128 rows or columns) crosses a tile. A block of threads is
// two groups of 256. A group takes a tile in two phases, 64 weights a thread in registers; the two threads of a line are of one warp:
//   A  two threads have a row: bits, big-endian and aligned, in registers; seeds out of the bits, codes out of a table; 7 stages along the
//      row, the last one by shuffles;
//   -  exchange through 64 KiB of shared memory, from rows to columns;
//   B  two threads have a column: 7 stages along the column, scales, rounding, stores.
// Both groups use one exchange buffer, in turns; a turn lasts as long as writing and reading it, and while one group has it the other
// computes. So L = 16, whose table takes 128 KiB of shared memory, leaves room for both. Transposed views take a second turn: a column's
// weights are neighbours in memory then, and go through the buffer once more, so that warps store whole lines.
//
// 512 threads with 128 registers fill a multiprocessor: 16 warps. With 128 weights a thread there were 8, which left it idle most of the
// time; with 32 a thread 64 registers are too few, and each transform takes a second stage of shuffles.
//
// Bytes a weight at k bits: k / 8 read, 4 (F32) or 2 (F16, BF16) written. On an H100 (3.35 TB/s) writing alone allows 837 G F32 weights a
// second; 70 % of it is 586 G/s, or 2.2 weights a cycle and multiprocessor (132 of them at 1.98 GHz). 16-bit elements: 4.5 a cycle.
//
// Instructions a weight, of 128 lanes a cycle that a multiprocessor issues:
//   bits 0.3 | seed 2 (funnel shift, mask) | code 1 (LDS) | transform 2 x (6 IADD3 for 8 additions: 4.5, shuffle 1, its addition 1) |
//   exchange 0.25 + 1 (STS.128, LDS.32) | to float 1 | scales 2 | address 2 | store 1
//   = 24, at most 5.4 weights a cycle
// Shared memory (32 banks, shuffles included): 32 random codes of 2 bytes take about 3.5 cycles, exchange 2, shuffles 2: 4.3 a cycle.
//
// Measured (README.md): 471 G F32 weights a second at L = 12 and k = 4, 1.8 a cycle, 60 % of what cudaMemset writes. So neither of the
// bounds is reached, and the 70 % asked for are not.
//
// Slow paths, weight by weight: seeds of tiles with a border of column panels; stores of tiles at the matrix's lower border, of permuted
// rows, and of F64. They hold the exchange buffer meanwhile.
#ifndef PSEED_DECODE_CU
#define PSEED_DECODE_CU

#include "portable.cuh"

namespace pseed_decode {

constexpr int kTile = 128;
// Weights of a row, then of a column, that a thread has.
constexpr int kPartLog2 = 6;
constexpr int kPart = 1 << kPartLog2;
constexpr unsigned kParts = kTile / kPart;
// Rows, then columns, that a warp has.
constexpr unsigned kWarpLines = 32 / kParts;
constexpr unsigned kGroupThreads = kTile * kParts;
constexpr unsigned kThreads = 2 * kGroupThreads;
constexpr unsigned kExchangeBytes = kTile * kTile * 4;
constexpr unsigned kAllLanes = 0xFFFFFFFF;
constexpr int kMaxRate = 8;
// Words of a row's stream that a thread needs: one before it, kPart * k bits, one behind because of the shift.
constexpr unsigned kPartWords = kPart / 32;
constexpr int kMaxWords = kPartWords * kMaxRate + 2;

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

// Nothing is moved across this: the compiler would load all that comes at once, and spill.
__device__ __forceinline__ void keep_order() {
#ifdef __CUDACC__
  asm volatile("" ::: "memory");
#endif
}

// ---- Codes

// A table of all codes, in shared memory.
struct TableCodes {
  static constexpr bool kLong = false;
  const uint8_t *table;
  uint32_t mask;  // of twice the seed

  // The code of the L bits above the lowest one.
  __device__ __forceinline__ int of_doubled(uint32_t doubled) const {
    return *reinterpret_cast<const int16_t *>(table + (doubled & mask));
  }
};

// By the mix of section 8.3 from radii and cosines in global memory, where a table has no room.
struct MixedCodes {
  static constexpr bool kLong = true;
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

struct Tile {
  uint32_t row;
  uint32_t col;
  bool uniform;  // each row has one rate
};

// The row or column of a tile that a thread has a part of. Lanes 0 to 15 have the first parts of a warp's lines, 16 to 31 the second ones.
struct Line {
  unsigned number;
  unsigned part;
};

__device__ __forceinline__ Line line_of(unsigned t) { return {t / 32 * kWarpLines + t % kWarpLines, t / kWarpLines % kParts}; }

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

// What can be stored has fewer than 2^32 tiles.
__device__ __forceinline__ Tile tile_at(const Record &record, uint32_t number) {
  const uint32_t across = (record.cols + (kTile - 1)) / kTile;
  Tile tile;
  tile.row = number / across * kTile;
  tile.col = number % across * kTile;
  if (record.by_rows != 0) {
    tile.uniform = true;
  } else {
    const uint32_t end = record.cols - tile.col < kTile ? record.cols : tile.col + kTile;
    const Panel &panel = record.panels[panel_of(record, tile.col)];
    tile.uniform = end - panel.start <= panel.length;
  }
  return tile;
}

__device__ __forceinline__ uint32_t row_of(const Record &record, const Tile &tile, const Line &line) {
  const uint32_t row = tile.row + line.number;
  return row < record.rows ? row : record.rows - 1;  // those of no row repeat the last; nothing of them is stored
}

// The bits of a part of a row of a tile, on their way from memory.
struct Window {
  uint32_t words[kMaxWords];  // from the word before the one where the first weight's bits begin
  uint32_t rate;
  uint32_t place;  // of the first weight's bits in the second word; from bit 8 on: how many of the 32 before them belong to the segment
};

__device__ __forceinline__ void load_window(const Record &record, const Tile &tile, const Line &line, Window &window) {
  const uint32_t row = row_of(record, tile, line);
  const uint32_t col = tile.col + kPart * line.part;  // behind the last perhaps: bits of anything, for weights that are not stored
  const Panel &panel = record.panels[panel_of(record, record.by_rows != 0 ? row : tile.col)];
  window.rate = panel.rate;
  if (panel.rate == 0) {
    return;
  }
  uint64_t segment;
  uint64_t before;
  if (record.by_rows != 0) {
    segment = panel.offset + (row - panel.start) * ((uint64_t{record.cols} * panel.rate + 7) / 8);
    before = uint64_t{col} * panel.rate;
  } else {
    segment = row * record.row_bytes + panel.offset;
    before = uint64_t{col - panel.start} * panel.rate;
  }
  const uint64_t bit = 8 * segment + before;
  window.place = static_cast<uint32_t>(bit & 31) | (before >= 32 ? 32u : static_cast<uint32_t>(before)) << 8;
  const uint8_t *const at = record.payload + (bit >> 5) * 4;
  window.words[0] = __ldg(reinterpret_cast<const uint32_t *>(at - 4));
  if ((bit & 127) == 0 && kPart * panel.rate % 128 == 0) {
#pragma unroll
    for (unsigned i = 0; i < kPartWords * kMaxRate / 4; i++) {
      if (4 * i < kPartWords * panel.rate) {
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
      if (i < kPartWords * panel.rate + 1) {
        window.words[i + 1] = __ldg(reinterpret_cast<const uint32_t *>(at) + i);
      }
    }
  }
}

__device__ __forceinline__ uint32_t big_endian(uint32_t word) { return __byte_perm(word, 0, 0x0123); }

// Codes of the window's 64 weights.
template <uint32_t kRate, class Codes>
__device__ __forceinline__ void codes_at(const Window &window, const Codes &codes, int (&v)[kPart]) {
  // In line: the 32 bits before the first weight's, the weights' bits, a word of anything.
  uint32_t bits[kPartWords * kRate + 2];
  const unsigned shift = window.place & 31;
  const uint32_t keep = window.place >> 8 == 32 ? 0xFFFFFFFFu : (1u << (window.place >> 8)) - 1;
  uint32_t here = big_endian(window.words[1]);
  bits[0] = __funnelshift_l(here, big_endian(window.words[0]), shift) & keep;
#pragma unroll
  for (unsigned i = 1; i < kPartWords * kRate + 1; i++) {
    // An aligned window has no word behind; nothing of that is shifted in.
    const uint32_t next = big_endian(window.words[i + 1]);
    bits[i] = __funnelshift_l(next, here, shift);
    here = next;
  }
  bits[kPartWords * kRate + 1] = 0;
#pragma unroll
  for (uint32_t i = 0; i < kPart; i++) {
    // The 32 bits up to the bit behind the weight's last, so that the seed stands doubled.
    const uint32_t end = 32 + kRate * (i + 1) + 1;
    const uint32_t word = (end - 1) / 32;
    v[i] = codes.of_doubled(__funnelshift_r(bits[word], bits[word - 1], (0u - end) & 31));
    if (Codes::kLong && i % 8 == 7) {
      keep_order();
    }
  }
}

template <class Codes>
__device__ __forceinline__ void codes_of(const Window &window, const Codes &codes, int (&v)[kPart]) {
  switch (window.rate) {
    case 1:
      codes_at<1>(window, codes, v);
      break;
    case 2:
      codes_at<2>(window, codes, v);
      break;
    case 3:
      codes_at<3>(window, codes, v);
      break;
    case 4:
      codes_at<4>(window, codes, v);
      break;
    case 5:
      codes_at<5>(window, codes, v);
      break;
    case 6:
      codes_at<6>(window, codes, v);
      break;
    case 7:
      codes_at<7>(window, codes, v);
      break;
    case 8:
      codes_at<8>(window, codes, v);
      break;
    default:
#pragma unroll
      for (int i = 0; i < kPart; i++) {
        v[i] = 0;
      }
      break;
  }
}

// Codes of a part of a row of a tile, weight by weight, whatever its panels are.
template <class Codes>
__device__ void mixed_codes(const Record &record, const Tile &tile, const Line &line, const Codes &codes, int *out) {
  const uint32_t row = row_of(record, tile, line);
  const uint32_t first = tile.col + kPart * line.part;
  const uint32_t left = first < record.cols ? record.cols - first : 0;
  const uint32_t n = left < kPart ? left : kPart;
  uint32_t p = panel_of(record, record.by_rows != 0 ? row : first);
  Panel panel = record.panels[p];
  const uint32_t doubled_mask = (2u << record.bits) - 1;
  for (uint32_t t = 0; t < n; t++) {
    const uint32_t col = first + t;
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
  for (uint32_t t = n; t < kPart; t++) {
    out[t] = 0;
  }
}

// ---- Transform

// Sums of three, one instruction each. The compiler would make the transform of additions of two, more of them and all for one pipe.
__device__ __forceinline__ int sum(int a, int b, int c) {
#ifdef __CUDACC__
  int d;
  asm("{\n\t.reg .s32 t;\n\tadd.s32 t, %1, %2;\n\tadd.s32 %0, t, %3;\n\t}" : "=r"(d) : "r"(a), "r"(b), "r"(c));
  return d;
#else
  return a + b + c;
#endif
}

__device__ __forceinline__ int difference(int a, int b, int c) {
#ifdef __CUDACC__
  int d;
  asm("{\n\t.reg .s32 t;\n\tsub.s32 t, %1, %2;\n\tsub.s32 %0, t, %3;\n\t}" : "=r"(d) : "r"(a), "r"(b), "r"(c));
  return d;
#else
  return a - b - c;
#endif
}

__device__ __forceinline__ int sum_less(int a, int b, int c) {
#ifdef __CUDACC__
  int d;
  asm("{\n\t.reg .s32 t;\n\tadd.s32 t, %1, %2;\n\tsub.s32 %0, t, %3;\n\t}" : "=r"(d) : "r"(a), "r"(b), "r"(c));
  return d;
#else
  return a + b - c;
#endif
}

// Blocks of 2^log2 of a line's 128 numbers: six stages in a thread, the last one between threads. Blocks of 64 and 128 take two stages at
// a time, six instructions for four numbers.
__device__ __forceinline__ void hadamard(int (&v)[kPart], unsigned part, uint32_t log2) {
  if (log2 >= kPartLog2) {
#pragma unroll
    for (int stage = 0; stage < kPartLog2; stage += 2) {
      const int apart = 1 << stage;
#pragma unroll
      for (int i = 0; i < kPart; i++) {
        if ((i >> stage & 3) == 0) {
          const int upper = v[i] + v[i + apart];
          const int lower = v[i] - v[i + apart];
          const int c = v[i + 2 * apart];
          const int d = v[i + 3 * apart];
          v[i] = sum(upper, c, d);
          v[i + apart] = sum_less(lower, c, d);
          v[i + 2 * apart] = difference(upper, c, d);
          v[i + 3 * apart] = sum_less(lower, d, c);
        }
      }
    }
  } else {
#pragma unroll
    for (int stage = 0; stage < kPartLog2 - 1; stage++) {
      if (stage < static_cast<int>(log2)) {
        const int apart = 1 << stage;
#pragma unroll
        for (int i = 0; i < kPart; i++) {
          if ((i >> stage & 1) == 0) {
            const int a = v[i];
            const int b = v[i + apart];
            v[i] = a + b;
            v[i + apart] = a - b;
          }
        }
      }
    }
  }
  if (log2 == 7) {
    const int sign = part == 0 ? 1 : -1;
#pragma unroll
    for (int i = 0; i < kPart; i++) {
      v[i] = sign * v[i] + __shfl_xor_sync(kAllLanes, v[i], static_cast<int>(kWarpLines));
    }
  }
}

// The exchange buffer has 128 rows of 32 pieces of 4 numbers. Piece q of row r lies at q xor (r mod 8), of the lower 64 rows at that xor 4:
// eight threads that store pieces of eight rows meet in no bank, nor do 32 that load row r and row r + 64 of 16 columns.
__device__ __forceinline__ void store_row(int *buffer, const Line &line, const int (&v)[kPart]) {
  int *const row = buffer + kTile * line.number + kPart * line.part;
  const unsigned turned = (line.number & 7) ^ kWarpLines / 4 * (line.number / kPart);
#pragma unroll
  for (unsigned q = 0; q < kPart / 4; q++) {
    int4 four;
    four.x = v[4 * q];
    four.y = v[4 * q + 1];
    four.z = v[4 * q + 2];
    four.w = v[4 * q + 3];
    *reinterpret_cast<int4 *>(row + 4 * ((q & 7) ^ turned) + 32 * (q / 8)) = four;
  }
}

// As it lies, not turned.
__device__ __forceinline__ void load_row(const int *row, int (&v)[kPart]) {
#pragma unroll
  for (int q = 0; q < kPart / 4; q++) {
    const int4 four = *reinterpret_cast<const int4 *>(row + 4 * q);
    v[4 * q] = four.x;
    v[4 * q + 1] = four.y;
    v[4 * q + 2] = four.z;
    v[4 * q + 3] = four.w;
  }
}

// Of number i of a part of a column.
__device__ __forceinline__ unsigned column_place(const Line &line, unsigned i) {
  return kTile * kPart * line.part + (4 * (line.number >> 2 ^ kWarpLines / 4 * line.part ^ (i & 7)) | (line.number & 3)) + kTile * i;
}

__device__ __forceinline__ void load_column(const int *buffer, const Line &line, int (&v)[kPart]) {
#pragma unroll
  for (unsigned i = 0; i < kPart; i++) {
    v[i] = buffer[column_place(line, i)];
  }
}

__device__ __forceinline__ void store_column(int *buffer, const Line &line, const int (&v)[kPart]) {
#pragma unroll
  for (unsigned i = 0; i < kPart; i++) {
    buffer[column_place(line, i)] = v[i];
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

// Two elements of 16 bits, the first in the lower half.
__device__ __forceinline__ uint32_t two_elements(uint32_t type, int first, int second) {
  const float low = __int_as_float(first);
  const float high = __int_as_float(second);
  return type == kF16 ? half_bits(low) | static_cast<uint32_t>(half_bits(high)) << 16
                      : bfloat16_bits(low) | static_cast<uint32_t>(bfloat16_bits(high)) << 16;
}

__device__ __forceinline__ float weight(int z, float row_scale, float col_scale) {
  return __fmul_rn(__fmul_rn(__int2float_rn(z), row_scale), col_scale);
}

// From the numbers of a part of a column to its weights, as the bits of floats.
__device__ __forceinline__ void scale(const float *row_scales, float col_scale, int (&v)[kPart]) {
#pragma unroll
  for (int q = 0; q < kPart / 4; q++) {
    const float4 s = reinterpret_cast<const float4 *>(row_scales)[q];
    v[4 * q] = __float_as_int(weight(v[4 * q], s.x, col_scale));
    v[4 * q + 1] = __float_as_int(weight(v[4 * q + 1], s.y, col_scale));
    v[4 * q + 2] = __float_as_int(weight(v[4 * q + 2], s.z, col_scale));
    v[4 * q + 3] = __float_as_int(weight(v[4 * q + 3], s.w, col_scale));
    if (q % 4 == 3) {
      keep_order();
    }
  }
}

// A part of a column of 32-bit elements: 16 threads store 16 neighbours of a row.
__device__ __forceinline__ void store_words(const int (&v)[kPart], uint32_t cols, bool stored, int *at) {
  if (stored) {
#pragma unroll
    for (int i = 0; i < kPart; i++) {
      *at = v[i];
      at += cols;
    }
  }
}

// A part of a column of 16-bit elements.
template <uint32_t kType>
__device__ __forceinline__ void store_halves(const int (&v)[kPart], uint32_t cols, bool stored, uint16_t *at) {
  if (stored) {
#pragma unroll
    for (int i = 0; i < kPart; i += 2) {
      const uint32_t two = two_elements(kType, v[i], v[i + 1]);
      *at = static_cast<uint16_t>(two);
      at += cols;
      *at = static_cast<uint16_t>(two >> 16);
      at += cols;
    }
  }
}

// The same where columns 2 n and 2 n + 1 are neighbours in words: of each two rows, the thread of the even column stores both elements of
// the upper one, its neighbour those of the lower one.
template <uint32_t kType>
__device__ __forceinline__ void store_pairs(const int (&v)[kPart], uint32_t cols, unsigned odd, bool stored, uint32_t *at) {
  const uint32_t chosen = odd == 0 ? 0x5410 : 0x3276;
#pragma unroll
  for (int i = 0; i < kPart; i += 2) {
    const uint32_t own = two_elements(kType, v[i], v[i + 1]);
    const uint32_t other = __shfl_xor_sync(kAllLanes, own, 1);
    const uint32_t pair = __byte_perm(own, other, chosen);
    if (stored) {
      *at = pair;
    }
    at += cols;
  }
}

// Of a transposed view: a column's elements are neighbours in memory. The 16 columns of a warp go through a part of the buffer that is the
// warp's alone, so that whole lines are stored. Columns lie 512 bytes apart, piece p of 16 bytes of column c at p xor (c mod 8).
__device__ __forceinline__ void store_turned(int (&v)[kPart], const Line &line, unsigned lane, int *buffer, uint32_t rows, uint32_t columns,
                                             uint32_t view_col, int *at) {
  int *const column = buffer + kTile * line.number + kPart * line.part;
#pragma unroll
  for (unsigned q = 0; q < kPart / 4; q++) {
    int4 four;
    four.x = v[4 * q];
    four.y = v[4 * q + 1];
    four.z = v[4 * q + 2];
    four.w = v[4 * q + 3];
    *reinterpret_cast<int4 *>(column + 4 * ((q & 7) ^ (line.number & 7)) + 32 * (q / 8)) = four;
  }
  __syncwarp();
  const int *const first = buffer + kTile * (line.number & ~(kWarpLines - 1));
#pragma unroll
  for (unsigned c = 0; c < kWarpLines; c++) {
    const uint32_t to = __shfl_sync(kAllLanes, view_col, static_cast<int>(c));
    if (c < columns) {
      const int4 four = *reinterpret_cast<const int4 *>(first + kTile * c + 4 * (lane ^ (c & 7)));
      *reinterpret_cast<int4 *>(at + uint64_t{to} * rows + 4 * lane) = four;
    }
  }
}

// The same of 16-bit elements, two columns at a time.
template <uint32_t kType>
__device__ __forceinline__ void store_turned_halves(int (&v)[kPart], const Line &line, unsigned lane, int *buffer, uint32_t rows,
                                                    uint32_t columns, uint32_t view_col, uint16_t *at) {
  int *const column = buffer + kTile * line.number + kPart / 2 * line.part;
#pragma unroll
  for (unsigned q = 0; q < kPart / 8; q++) {
    uint4 eight;
    eight.x = two_elements(kType, v[8 * q], v[8 * q + 1]);
    eight.y = two_elements(kType, v[8 * q + 2], v[8 * q + 3]);
    eight.z = two_elements(kType, v[8 * q + 4], v[8 * q + 5]);
    eight.w = two_elements(kType, v[8 * q + 6], v[8 * q + 7]);
    *reinterpret_cast<uint4 *>(column + 4 * (q ^ (line.number & 7))) = eight;
  }
  __syncwarp();
  const int *const first = buffer + kTile * (line.number & ~(kWarpLines - 1));
  const unsigned piece = lane & 15;
#pragma unroll
  for (unsigned pair = 0; pair < kWarpLines / 2; pair++) {
    const unsigned c = 2 * pair + lane / 16;
    const uint32_t to = __shfl_sync(kAllLanes, view_col, static_cast<int>(c));
    if (c < columns) {
      const uint4 eight = *reinterpret_cast<const uint4 *>(first + kTile * c + 4 * (piece ^ (c & 7)));
      *reinterpret_cast<uint4 *>(at + uint64_t{to} * rows + 8 * piece) = eight;
    }
  }
}

// Whether a tile's elements are stored by the functions above.
__device__ __forceinline__ bool stored_whole(const Record &record, const Tile &tile) {
  return record.rows - tile.row >= kTile && record.type != kF64 && (record.permutation == nullptr || record.by_rows == 0) &&
         (record.transposed == 0 || record.rows % 8 == 0);
}

// Weights of whole tiles. The buffer is needed if the view is transposed.
__device__ __forceinline__ void store_whole(const Record &record, const Tile &tile, const Line &line, unsigned lane, int (&v)[kPart], int *buffer,
                                            void *out) {
  const uint32_t col = tile.col + line.number;
  const bool stored = col < record.cols;
  if (record.transposed == 0) {
    const uint64_t row = tile.row + kPart * line.part;
    if (record.type == kF32) {
      const uint32_t view_col = stored && record.permutation != nullptr ? record.permutation[col] : col;
      store_words(v, record.cols, stored, static_cast<int *>(out) + row * record.cols + view_col);
    } else if (record.permutation == nullptr && record.cols % 2 == 0) {
      const unsigned odd = col & 1;
      uint32_t *const at = static_cast<uint32_t *>(out) + ((row + odd) * record.cols + (col - odd)) / 2;
      if (record.type == kF16) {
        store_pairs<kF16>(v, record.cols, odd, stored, at);
      } else {
        store_pairs<kBF16>(v, record.cols, odd, stored, at);
      }
    } else {
      const uint32_t view_col = stored && record.permutation != nullptr ? record.permutation[col] : col;
      uint16_t *const at = static_cast<uint16_t *>(out) + row * record.cols + view_col;
      if (record.type == kF16) {
        store_halves<kF16>(v, record.cols, stored, at);
      } else {
        store_halves<kBF16>(v, record.cols, stored, at);
      }
    }
  } else {
    const uint32_t view_col = stored && record.permutation != nullptr ? record.permutation[col] : col;
    const uint32_t first = tile.col + (line.number & ~(kWarpLines - 1));
    const uint32_t columns = first < record.cols ? record.cols - first : 0;  // of the warp's 16, or more
    switch (record.type) {
      case kF32:
        store_turned(v, line, lane, buffer, record.rows, columns, view_col, static_cast<int *>(out) + tile.row);
        break;
      case kF16:
        store_turned_halves<kF16>(v, line, lane, buffer, record.rows, columns, view_col, static_cast<uint16_t *>(out) + tile.row);
        break;
      default:
        store_turned_halves<kBF16>(v, line, lane, buffer, record.rows, columns, view_col, static_cast<uint16_t *>(out) + tile.row);
        break;
    }
  }
}

// Any tile, element by element, from the thread's part of a column of the buffer.
__device__ void store_any(const Record &record, const Tile &tile, const Line &line, const int *buffer, void *out) {
  const uint32_t col = tile.col + line.number;
  if (col >= record.cols) {
    return;
  }
  const float col_scale = record.col_scales[col];
  const uint32_t view_col = record.permutation != nullptr && record.by_rows == 0 ? record.permutation[col] : col;
  const uint32_t first = tile.row + kPart * line.part;
  const uint32_t left = first < record.rows ? record.rows - first : 0;
  const uint32_t n = left < kPart ? left : kPart;
  for (uint32_t r = 0; r < n; r++) {
    const uint32_t row = first + r;
    const uint32_t view_row = record.permutation != nullptr && record.by_rows != 0 ? record.permutation[row] : row;
    const uint64_t at = record.transposed != 0 ? uint64_t{view_col} * record.rows + view_row : uint64_t{view_row} * record.cols + view_col;
    const float value = weight(buffer[column_place(line, r)], record.row_scales[row], col_scale);
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

// Until the group has the buffer for its turn.
__device__ __forceinline__ void wait_for_buffer(unsigned group) {
  if (group == 0) {
    pseed_barrier_sync(1, kThreads);
  } else {
    pseed_barrier_sync(2, kThreads);
  }
}

// Ends the group's turn. After the second group's last one nobody waits.
__device__ __forceinline__ void give_buffer(unsigned group, bool last) {
  if (group == 0) {
    pseed_barrier_arrive(2, kThreads);
  } else if (!last) {
    pseed_barrier_arrive(1, kThreads);
  }
}

// shared: the exchange buffer.
template <class Codes>
__device__ __forceinline__ void decode(const Record &record, const Codes &codes, uint8_t *shared, void *out) {
  const unsigned group = threadIdx.x / kGroupThreads;
  const Line line = line_of(threadIdx.x % kGroupThreads);
  int *const buffer = reinterpret_cast<int *>(shared);
  const uint32_t tiles = (record.cols + (kTile - 1)) / kTile * ((record.rows + (kTile - 1)) / kTile);
  const uint32_t step = 2 * gridDim.x;
  uint32_t number = group * gridDim.x + blockIdx.x;
  if (group == 1) {
    give_buffer(group, false);
  }

  int v[kPart];
  Window window;
  Tile tile = {};
  if (number < tiles) {
    tile = tile_at(record, number);
    if (tile.uniform) {
      load_window(record, tile, line, window);
    }
  }
  // As often as the first group needs.
  for (uint32_t begin = blockIdx.x; begin < tiles; begin += step) {
    const bool busy = number < tiles;
    const Tile now = tile;
    const bool early = !busy || now.uniform;
    if (!early) {
      wait_for_buffer(group);
      // These places of the buffer are the thread's alone.
      int *const part = buffer + kTile * line.number + kPart * line.part;
      mixed_codes(record, now, line, codes, part);
      load_row(part, v);
    } else if (busy) {
      codes_of(window, codes, v);
    }
    number += step;
    if (number < tiles) {
      // On its way while this tile is finished.
      tile = tile_at(record, number);
      if (tile.uniform) {
        load_window(record, tile, line, window);
      }
    }
    if (busy) {
      hadamard(v, line.part, record.col_block_log2);
    }
    if (early) {
      wait_for_buffer(group);
    }
    const bool whole = busy && stored_whole(record, now);
    const bool last = begin + step >= tiles;
    // Transposed views take a second turn of the buffer.
    const bool again = record.transposed != 0;
    if (busy) {
      store_row(buffer, line, v);
      wait_for_group(group);
      load_column(buffer, line, v);
    }
    if (!busy || whole) {
      give_buffer(group, last && !again);
    }
    if (busy) {
      hadamard(v, line.part, record.row_block_log2);
      if (whole) {
        const uint32_t col = now.col + line.number;
        scale(record.row_scales + now.row + kPart * line.part, col < record.cols ? record.col_scales[col] : 0.0f, v);
      } else {
        // The places of a part of a column are its thread's alone.
        store_column(buffer, line, v);
        store_any(record, now, line, buffer, out);
        give_buffer(group, last && !again);
      }
    }
    if (again) {
      wait_for_buffer(group);
    }
    if (whole) {
      store_whole(record, now, line, threadIdx.x % 32, v, buffer, out);
    }
    if (again) {
      give_buffer(group, last);
    }
  }
}

}  // namespace pseed_decode

// Codes from `table`, 2^L of them, which each block copies to shared memory.
//
// Launch: min(tiles, multiprocessors) blocks of 512 threads with 65536 + 2 * 2^L bytes of shared memory.
extern "C" __global__ void __launch_bounds__(pseed_decode::kThreads, 1) pseed_decode_table(pseed_decode::Record record, const int16_t *table, void *out) {
  using namespace pseed_decode;
  PSEED_DYNAMIC_SHARED(uint8_t, shared);
  uint8_t *const copy = shared + kExchangeBytes;
  for (unsigned i = threadIdx.x; i < (2u << record.bits) / 16; i += kThreads) {
    reinterpret_cast<uint4 *>(copy)[i] = __ldg(reinterpret_cast<const uint4 *>(table) + i);
  }
  __syncthreads();
  const TableCodes codes = {copy, (2u << record.bits) - 2};
  decode(record, codes, shared, out);
}

// Codes by the mix, from radii and cosines in global memory: for L whose table does not fit into shared memory. The same launch with
// 65536 bytes.
extern "C" __global__ void __launch_bounds__(pseed_decode::kThreads, 1)
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
