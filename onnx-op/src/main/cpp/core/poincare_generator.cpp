#include "poincare_generator.hpp"

#include <algorithm>
#include <cmath>

#include "bessel_functions.hpp"

namespace pseed {

namespace {

constexpr double kPi = 3.14159265358979323846;
// Places outside of it count as on it.
constexpr double kLargestLocalRadius = 0.999999;
constexpr double kRMaxSquared = static_cast<double>(PoincareSeed::kRMax) * PoincareSeed::kRMax;

double rotation(int code) {
  static const double angles[] = {0,          kPi / 8,     kPi / 6,     kPi / 4,     kPi / 3,
                                  kPi / 2,    2 * kPi / 3, 3 * kPi / 4, 5 * kPi / 6, 7 * kPi / 8};
  return code < 10 ? angles[code] : 0;
}

// 1 / |1 - c r^2|, infinite where 1 - c r^2 is 0. The difference is formed of integers that fit a double exactly, so it is right even where
// it cancels.
double jacobian(const PoincareSeed &seed) {
  const double ck2 = std::ldexp(static_cast<double>(seed.r_bits) * seed.r_bits, seed.log2c);
  return kRMaxSquared / std::fabs(kRMaxSquared - ck2);
}

double radial(const PoincareSeed &seed, double c) {
  const double cr = c * (static_cast<double>(seed.r_bits) / PoincareSeed::kRMax);
  return (seed.basis >> 1 & 1) == seed.d_r ? std::sinh(cr) : std::cosh(cr);
}

// Opposite lines get exactly opposite coordinates.
double coordinate(uint32_t index, uint32_t count) {
  return count == 1 ? 0 : static_cast<double>(2 * int64_t{index} - (int64_t{count} - 1)) / static_cast<double>(int64_t{count} - 1);
}

// Of period pi: -1 at 0, 1 at pi/2, linear between.
double triangle(double t) {
  const double turns = t / kPi;
  const double u = turns - std::floor(turns);
  return u < 0.5 ? 4 * u - 1 : 3 - 4 * u;
}

double local(double rho) { return std::min(rho, kLargestLocalRadius); }

// tanh z for z >= 0, to 2^-52 absolutely.
double tanh_positive(double z) { return 1 - 2 / (std::exp(2 * z) + 1); }

double sech(double z) {
  const double e = std::exp(z);
  return 2 / (e + 1 / e);
}

}  // namespace

PoincareGenerator::PoincareGenerator(uint64_t seed, uint32_t rows, uint32_t cols) : seed_(seed), rows_(rows), cols_(cols) {
  c_ = std::ldexp(1.0, seed_.log2c);
  phi_ = static_cast<double>(seed_.theta_bits) / PoincareSeed::kThetaMax * (2 * kPi) + rotation(seed_.rot);
  sin_phi_ = std::sin(phi_);
  cos_phi_ = std::cos(phi_);
  const double factor = seed_.basis < 4 ? jacobian(seed_) * radial(seed_, c_) : jacobian(seed_);
  // A value that is not finite is 0. The jacobian is infinite for c = 1, r = 1 only.
  scale_ = std::isfinite(factor) ? factor : 0;
  // The angular factor as cos_factor * cos thetaLocal + sin_factor * sin thetaLocal.
  const bool sine = (seed_.basis & 1) == (seed_.d_theta & 1);
  const bool negative = (seed_.basis & 1) == 0 ? seed_.d_theta >= 2 : seed_.d_theta == 1 || seed_.d_theta == 2;
  const double sign = negative ? -1 : 1;
  cos_factor_ = sign * (sine ? sin_phi_ : cos_phi_);
  sin_factor_ = sign * (sine ? cos_phi_ : -sin_phi_);
}

double PoincareGenerator::cosine(double x, double y, double rho) const {
  return rho == 0 ? cos_phi_ : (cos_phi_ * x - sin_phi_ * y) / rho;
}

double PoincareGenerator::value(double x, double y) const {
  const double rho = std::sqrt(x * x + y * y);
  switch (seed_.basis) {
    case 0:
    case 1:
    case 2:
    case 3:
      return rho == 0 ? cos_factor_ : (cos_factor_ * x + sin_factor_ * y) / rho;
    case 4:
      return bessel_j0(10 * local(rho));
    case 5:
      return bessel_i0(10 * local(rho));
    case 6:
      return bessel_k0(10 * local(rho));
    case 7:
      return bessel_y0(10 * local(rho));
    case 8: {
      const double cos = cosine(x, y, rho);
      return tanh_positive(c_ * local(rho)) * (cos > 0 ? 1 : cos < 0 ? -1 : 0);
    }
    case 9:
      return triangle(phi_ + std::atan2(y, x)) * sech(c_ * local(rho));
    case 10:
      return std::exp(-c_ * local(rho)) * (rho == 0 ? sin_phi_ : (sin_phi_ * x + cos_phi_ * y) / rho);
    case 11: {
      const double radius = local(rho);
      const double cos = cosine(x, y, rho);
      const double square = cos * cos;
      // cos 5t = 16 cos^5 t - 20 cos^3 t + 5 cos t
      const double cos5 = cos * (5 + square * (16 * square - 20));
      return std::exp(-2.5 * radius * radius) * cos5;
    }
    default:
      return 0;
  }
}

void PoincareGenerator::fill(uint32_t i, uint32_t from, size_t n, double *out) const {
  const double y = coordinate(i, rows_);
  // Bases 4 to 7 depend on the radius alone, so columns that mirror each other share a value.
  const bool mirrored = seed_.basis >= 4 && seed_.basis <= 7;
  for (size_t k = 0; k < n; k++) {
    const uint32_t j = from + static_cast<uint32_t>(k);
    const uint32_t mirror = cols_ - 1 - j;
    if (mirrored && mirror < j && mirror >= from) {
      out[k] = out[mirror - from];
      continue;
    }
    const double v = value(coordinate(j, cols_), y);
    out[k] = std::isfinite(v) ? scale_ * v : 0;
  }
}

}  // namespace pseed
