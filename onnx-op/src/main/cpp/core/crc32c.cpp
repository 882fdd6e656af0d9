#include "crc32c.hpp"

#include "bytes.hpp"

#if defined(__x86_64__) && defined(__GNUC__)
#include <nmmintrin.h>
#define PSEED_CRC_TARGET __attribute__((target("sse4.2")))
#define PSEED_CRC_8(crc, value) static_cast<uint32_t>(_mm_crc32_u64(crc, value))
#define PSEED_CRC_1(crc, value) _mm_crc32_u8(crc, value)
#elif defined(__aarch64__) && defined(__GNUC__)
// By the compiler's own names: arm_acle.h declares its functions only where the whole file is compiled for the extension.
#if defined(__clang__)
#define PSEED_CRC_TARGET __attribute__((target("crc")))
#define PSEED_CRC_8(crc, value) __builtin_arm_crc32cd(crc, value)
#define PSEED_CRC_1(crc, value) __builtin_arm_crc32cb(crc, value)
#else
#define PSEED_CRC_TARGET __attribute__((target("+crc")))
#define PSEED_CRC_8(crc, value) __builtin_aarch64_crc32cx(crc, value)
#define PSEED_CRC_1(crc, value) __builtin_aarch64_crc32cb(crc, value)
#endif
#if defined(__linux__)
#include <sys/auxv.h>
#endif
#endif

namespace pseed {

namespace {

constexpr uint32_t kPolynomial = 0x82F63B78;

// Polynomials over GF(2) modulo the CRC's, bits reflected: x^0 is the highest bit.
uint32_t multiply(uint32_t a, uint32_t b) {
  uint32_t product = 0;
  for (uint32_t bit = 0x80000000u; bit != 0; bit >>= 1) {
    if ((a & bit) != 0) {
      product ^= b;
    }
    b = (b >> 1) ^ ((b & 1) != 0 ? kPolynomial : 0);
  }
  return product;
}

uint32_t power_of_x(uint64_t exponent) {
  uint32_t result = 0x80000000u;
  uint32_t square = 0x40000000u;
  for (; exponent != 0; exponent >>= 1) {
    if ((exponent & 1) != 0) {
      result = multiply(result, square);
    }
    square = multiply(square, square);
  }
  return result;
}

struct Tables {
  uint32_t of[8][256];
  Tables() {
    for (uint32_t i = 0; i < 256; i++) {
      uint32_t crc = i;
      for (int bit = 0; bit < 8; bit++) {
        crc = (crc >> 1) ^ ((crc & 1) != 0 ? kPolynomial : 0);
      }
      of[0][i] = crc;
    }
    for (int k = 1; k < 8; k++) {
      for (uint32_t i = 0; i < 256; i++) {
        of[k][i] = (of[k - 1][i] >> 8) ^ of[0][of[k - 1][i] & 0xFF];
      }
    }
  }
};

// Eight bytes a step, one table for each (slicing by 8).
uint32_t update_by_tables(uint32_t crc, const uint8_t *bytes, size_t n) {
  static const Tables tables;
  const auto &of = tables.of;
  crc = ~crc;
  for (; n >= 8; n -= 8, bytes += 8) {
    const uint64_t v = load<uint64_t>(bytes) ^ crc;
    crc = of[7][v & 0xFF] ^ of[6][v >> 8 & 0xFF] ^ of[5][v >> 16 & 0xFF] ^ of[4][v >> 24 & 0xFF] ^ of[3][v >> 32 & 0xFF] ^
          of[2][v >> 40 & 0xFF] ^ of[1][v >> 48 & 0xFF] ^ of[0][v >> 56];
  }
  for (; n > 0; n--, bytes++) {
    crc = (crc >> 8) ^ of[0][(crc ^ *bytes) & 0xFF];
  }
  return ~crc;
}

void update_rows_by_tables(uint32_t *crcs, const uint8_t *bytes, size_t stride, size_t rows, size_t n) {
  for (size_t i = 0; i < rows; i++) {
    crcs[i] = update_by_tables(crcs[i], bytes + i * stride, n);
  }
}

void copy_rows_by_tables(uint32_t *crcs, const uint8_t *bytes, size_t stride, size_t rows, size_t n, uint8_t *to, size_t to_stride,
                         bool) {
  for (size_t i = 0; i < rows; i++) {
    crcs[i] = update_by_tables(crcs[i], bytes + i * stride, n);
    std::memcpy(to + i * to_stride, bytes + i * stride, n);
  }
}

#ifdef PSEED_CRC_TARGET

PSEED_CRC_TARGET uint32_t serial(uint32_t state, const uint8_t *bytes, size_t n) {
  for (; n >= 8; n -= 8, bytes += 8) {
    state = PSEED_CRC_8(state, load<uint64_t>(bytes));
  }
  for (; n > 0; n--, bytes++) {
    state = PSEED_CRC_1(state, *bytes);
  }
  return state;
}

// The instruction takes three cycles but starts every cycle, so three pieces run side by side and are put together at the end.
constexpr size_t kPiece = 4096;

PSEED_CRC_TARGET uint32_t update_by_instruction(uint32_t crc, const uint8_t *bytes, size_t n) {
  static const uint32_t shift = power_of_x(8 * kPiece);
  uint32_t state = ~crc;
  for (; n >= 3 * kPiece; n -= 3 * kPiece, bytes += 3 * kPiece) {
    uint32_t second = 0;
    uint32_t third = 0;
    for (size_t i = 0; i < kPiece; i += 8) {
      state = PSEED_CRC_8(state, load<uint64_t>(bytes + i));
      second = PSEED_CRC_8(second, load<uint64_t>(bytes + kPiece + i));
      third = PSEED_CRC_8(third, load<uint64_t>(bytes + 2 * kPiece + i));
    }
    state = multiply(shift, multiply(shift, state) ^ second) ^ third;
  }
  return ~serial(state, bytes, n);
}

PSEED_CRC_TARGET void update_rows_by_instruction(uint32_t *crcs, const uint8_t *bytes, size_t stride, size_t rows, size_t n) {
  size_t row = 0;
  for (; row + 4 <= rows; row += 4) {
    const uint8_t *at = bytes + row * stride;
    uint32_t a = ~crcs[row];
    uint32_t b = ~crcs[row + 1];
    uint32_t c = ~crcs[row + 2];
    uint32_t d = ~crcs[row + 3];
    size_t i = 0;
    for (; i + 8 <= n; i += 8) {
      a = PSEED_CRC_8(a, load<uint64_t>(at + i));
      b = PSEED_CRC_8(b, load<uint64_t>(at + stride + i));
      c = PSEED_CRC_8(c, load<uint64_t>(at + 2 * stride + i));
      d = PSEED_CRC_8(d, load<uint64_t>(at + 3 * stride + i));
    }
    crcs[row] = ~serial(a, at + i, n - i);
    crcs[row + 1] = ~serial(b, at + stride + i, n - i);
    crcs[row + 2] = ~serial(c, at + 2 * stride + i, n - i);
    crcs[row + 3] = ~serial(d, at + 3 * stride + i, n - i);
  }
  for (; row < rows; row++) {
    crcs[row] = update_by_instruction(crcs[row], bytes + row * stride, n);
  }
}

#if defined(__x86_64__)

// Copies past the caches, but for the ends that are not whole cache lines.
void stream(uint8_t *to, const uint8_t *from, size_t n) {
  const size_t head = (64 - reinterpret_cast<uintptr_t>(to) % 64) % 64;
  if (n < head + 64) {
    std::memcpy(to, from, n);
    return;
  }
  const size_t end = n - (n - head) % 64;
  const auto line = [to, from](size_t at) {
    const __m128i a = load<__m128i>(from + at);
    const __m128i b = load<__m128i>(from + at + 16);
    const __m128i c = load<__m128i>(from + at + 32);
    const __m128i d = load<__m128i>(from + at + 48);
    __m128i *out = reinterpret_cast<__m128i *>(to + at);
    _mm_stream_si128(out, a);
    _mm_stream_si128(out + 1, b);
    _mm_stream_si128(out + 2, c);
    _mm_stream_si128(out + 3, d);
  };
  std::memcpy(to, from, head);
  std::memcpy(to + end, from + end, n - end);
  // A load waits for a store before it whose address has the same last 12 bits, and stores past the caches take long: the direction in
  // which none has (three times as fast on Zen 3).
  if ((reinterpret_cast<uintptr_t>(to) - reinterpret_cast<uintptr_t>(from)) % 4096 < 2048) {
    for (size_t at = end; at > head; at -= 64) {
      line(at - 64);
    }
  } else {
    for (size_t at = head; at < end; at += 64) {
      line(at);
    }
  }
}

#endif

PSEED_CRC_TARGET void copy_rows_by_instruction(uint32_t *crcs, const uint8_t *bytes, size_t stride, size_t rows, size_t n, uint8_t *to,
                                               size_t to_stride, bool streamed) {
  // Four at a time, so that sums of four begin while the copies of those before are on their way.
  for (size_t row = 0; row < rows; row += 4) {
    const size_t count = rows - row < 4 ? rows - row : 4;
    update_rows_by_instruction(crcs + row, bytes + row * stride, stride, count, n);
    for (size_t i = row; i < row + count; i++) {
#if defined(__x86_64__)
      if (streamed) {
        stream(to + i * to_stride, bytes + i * stride, n);
        continue;
      }
#endif
      std::memcpy(to + i * to_stride, bytes + i * stride, n);
    }
  }
#if !defined(__x86_64__)
  (void)streamed;
#endif
}

bool has_instruction() {
#if defined(__x86_64__)
  return __builtin_cpu_supports("sse4.2") != 0;
#elif defined(__linux__)
  return (getauxval(AT_HWCAP) & (1UL << 7)) != 0;  // HWCAP_CRC32
#else
  return true;  // every 64-bit ARM machine of Apple's has it
#endif
}

#endif

}  // namespace

void order_streamed() {
#if defined(__x86_64__) && defined(__GNUC__)
  _mm_sfence();
#endif
}

const Crc32c &crc32c_portable() {
  static const Crc32c crc{update_by_tables, update_rows_by_tables, copy_rows_by_tables};
  return crc;
}

const Crc32c &crc32c_best() {
#ifdef PSEED_CRC_TARGET
  static const Crc32c crc =
      has_instruction() ? Crc32c{update_by_instruction, update_rows_by_instruction, copy_rows_by_instruction} : crc32c_portable();
  return crc;
#else
  return crc32c_portable();
#endif
}

Crc32cShift::Crc32cShift(uint64_t bytes) {
  const uint32_t power = power_of_x(8 * bytes);
  for (int place = 0; place < 8; place++) {
    of_[place][0] = 0;
    for (uint32_t bit = 0; bit < 4; bit++) {
      of_[place][1u << bit] = multiply(power, 1u << (4 * place + static_cast<int>(bit)));
    }
    for (uint32_t v = 3; v < 16; v++) {
      of_[place][v] = of_[place][v & (v - 1)] ^ of_[place][v & (0u - v)];
    }
  }
}

uint32_t Crc32cShift::append(uint32_t crc_a, uint32_t crc_b) const {
  for (int place = 0; place < 8; place++) {
    crc_b ^= of_[place][crc_a >> (4 * place) & 15];
  }
  return crc_b;
}

}  // namespace pseed
