// The fields of a 64-bit Poincaré seed (specification, section 6.1).
//
//   63        44 43          20 19   16 15    14 13  12  9 8     6 5        0
//  +------------+--------------+-------+--------+---+-----+-------+----------+
//  |     r      |    theta     | basis | dTheta |dR | rot | log2c | reserved |
//  +------------+--------------+-------+--------+---+-----+-------+----------+
#ifndef PSEED_POINCARE_SEED_HPP
#define PSEED_POINCARE_SEED_HPP

#include <cstdint>

namespace pseed {

struct PoincareSeed {
  static constexpr int kRMax = (1 << 20) - 1;
  static constexpr int kThetaMax = (1 << 24) - 1;

  explicit PoincareSeed(uint64_t seed)
      : bits(seed),
        r_bits(static_cast<int>(seed >> 44)),
        theta_bits(static_cast<int>(seed >> 20) & kThetaMax),
        basis(static_cast<int>(seed >> 16) & 15),
        d_theta(static_cast<int>(seed >> 14) & 3),
        d_r(static_cast<int>(seed >> 13) & 1),
        rot(static_cast<int>(seed >> 9) & 15),
        // Three bits, two's complement.
        log2c(static_cast<int>((seed >> 6) & 7) - (((seed >> 6) & 4) != 0 ? 8 : 0)) {}

  uint64_t bits;
  int r_bits;
  int theta_bits;
  int basis;
  int d_theta;
  int d_r;
  int rot;
  int log2c;
};

}  // namespace pseed
#endif
