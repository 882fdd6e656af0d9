// The values that one seed generates on a matrix of fixed size (specification, section 6.2), in double precision. Immutable.
//
// Angles enter through their sine and cosine: with phi = theta + rotation, sin t = sin(phi) cos thetaLocal + cos(phi) sin thetaLocal, and
// cos thetaLocal = x / rho. Only basis 9 needs thetaLocal itself.
#ifndef PSEED_POINCARE_GENERATOR_HPP
#define PSEED_POINCARE_GENERATOR_HPP

#include <cstddef>
#include <cstdint>

#include "poincare_seed.hpp"

namespace pseed {

class PoincareGenerator {
 public:
  PoincareGenerator(uint64_t seed, uint32_t rows, uint32_t cols);

  const PoincareSeed &seed() const { return seed_; }
  uint32_t rows() const { return rows_; }
  uint32_t cols() const { return cols_; }

  // Values of row i at n columns from `from` on.
  void fill(uint32_t i, uint32_t from, size_t n, double *out) const;

 private:
  double cosine(double x, double y, double rho) const;
  double value(double x, double y) const;

  PoincareSeed seed_;
  uint32_t rows_;
  uint32_t cols_;
  double scale_;
  double c_;
  double phi_;
  double sin_phi_;
  double cos_phi_;
  double cos_factor_;
  double sin_factor_;
};

}  // namespace pseed
#endif
