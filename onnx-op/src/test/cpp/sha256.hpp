// SHA-256 (FIPS 180-4), for the vectors' digests. Tests only.
#ifndef PSEED_TEST_SHA256_HPP
#define PSEED_TEST_SHA256_HPP

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace pseed_test {

inline std::string sha256_hex(const uint8_t *bytes, size_t size) {
  // The first 64 and 32 bits of the fractional parts of roots of primes, by integer arithmetic: floor(root(p) * 2^32) mod 2^32.
  static const std::vector<uint32_t> constants = [] {
    std::vector<uint32_t> k;
    for (uint32_t p = 2; k.size() < 64; p++) {
      bool prime = true;
      for (uint32_t d = 2; d * d <= p; d++) {
        prime &= p % d != 0;
      }
      if (prime) {
        const long double root = std::cbrt(static_cast<long double>(p));
        uint64_t guess = static_cast<uint64_t>(root * 4294967296.0L);
        // cbrt may be a unit off: compare cubes in 128 bits, (guess / 2^32)^3 with p. guess < 2^35, so its cube is below 2^105.
        const auto above = [p](uint64_t g) {
          __extension__ typedef unsigned __int128 wide;
          return static_cast<wide>(g) * g * g > static_cast<wide>(p) << 96;
        };
        while (above(guess)) {
          guess--;
        }
        while (!above(guess + 1)) {
          guess++;
        }
        k.push_back(static_cast<uint32_t>(guess));
      }
    }
    return k;
  }();
  uint32_t state[8] = {0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a, 0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19};
  const auto rotate = [](uint32_t x, int n) { return x >> n | x << (32 - n); };
  std::vector<uint8_t> message(bytes, bytes + size);
  message.push_back(0x80);
  while (message.size() % 64 != 56) {
    message.push_back(0);
  }
  for (int shift = 56; shift >= 0; shift -= 8) {
    message.push_back(static_cast<uint8_t>(uint64_t{size} * 8 >> shift));
  }
  for (size_t at = 0; at < message.size(); at += 64) {
    uint32_t w[64];
    for (int t = 0; t < 16; t++) {
      const uint8_t *b = &message[at + 4 * static_cast<size_t>(t)];
      w[t] = uint32_t{b[0]} << 24 | uint32_t{b[1]} << 16 | uint32_t{b[2]} << 8 | b[3];
    }
    for (int t = 16; t < 64; t++) {
      const uint32_t s0 = rotate(w[t - 15], 7) ^ rotate(w[t - 15], 18) ^ w[t - 15] >> 3;
      const uint32_t s1 = rotate(w[t - 2], 17) ^ rotate(w[t - 2], 19) ^ w[t - 2] >> 10;
      w[t] = w[t - 16] + s0 + w[t - 7] + s1;
    }
    uint32_t a = state[0], b = state[1], c = state[2], d = state[3], e = state[4], f = state[5], g = state[6], h = state[7];
    for (int t = 0; t < 64; t++) {
      const uint32_t t1 =
          h + (rotate(e, 6) ^ rotate(e, 11) ^ rotate(e, 25)) + ((e & f) ^ (~e & g)) + constants[static_cast<size_t>(t)] + w[t];
      const uint32_t t2 = (rotate(a, 2) ^ rotate(a, 13) ^ rotate(a, 22)) + ((a & b) ^ (a & c) ^ (b & c));
      h = g, g = f, f = e, e = d + t1, d = c, c = b, b = a, a = t1 + t2;
    }
    const uint32_t add[8] = {a, b, c, d, e, f, g, h};
    for (int i = 0; i < 8; i++) {
      state[i] += add[i];
    }
  }
  std::string hex;
  for (uint32_t word : state) {
    for (int shift = 28; shift >= 0; shift -= 4) {
      hex += "0123456789abcdef"[word >> shift & 15];
    }
  }
  return hex;
}

}  // namespace pseed_test
#endif
