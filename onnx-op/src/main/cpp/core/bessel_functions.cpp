#include "bessel_functions.hpp"

#include <cmath>
#include <limits>

namespace pseed {

namespace {

constexpr double kPi = 3.14159265358979323846;
constexpr double kEulerGamma = 0.5772156649015329;
// Below it the power series lose no digit that matters; above it they cancel.
constexpr double kSeriesLimit = 2.0;
// Even order from which the recurrence for J runs down: J48(14.2) is below 1e-19, so starting with zero there is exact to double precision.
constexpr int kRecurrenceStart = 48;
// Step of the trapezoidal rule for K0. The integrand is analytic for |Im t| < pi/2, so the relative error is at most about
// exp(-pi^2 / h + x), which is 4e-16 at x = 14.2 and h = 0.2; 0.1875 leaves room.
constexpr double kStep = 0.1875;
constexpr int kNodes = 24;

// cosh(k h) - 1 for the nodes that matter at kSeriesLimit and above.
struct Nodes {
  double cosh_minus_one[kNodes];
  Nodes() {
    for (int k = 0; k < kNodes; k++) {
      const double s = std::sinh(k * kStep / 2);
      cosh_minus_one[k] = 2 * s * s;
    }
  }
};

double j0_series(double x) {
  const double quarter = x * x / 4;
  double term = 1;
  double sum = 1;
  for (int k = 1; std::fabs(term) > 1e-19; k++) {
    term *= -quarter / (static_cast<double>(k) * k);
    sum += term;
  }
  return sum;
}

double y0_series(double x) {
  const double quarter = x * x / 4;
  double term = 1;
  double harmonic = 0;
  double sum = 0;
  for (int k = 1; std::fabs(term) > 1e-19; k++) {
    term *= -quarter / (static_cast<double>(k) * k);
    harmonic += 1.0 / k;
    sum -= harmonic * term;
  }
  return 2 / kPi * ((std::log(x / 2) + kEulerGamma) * j0_series(x) + sum);
}

double k0_series(double x) {
  const double quarter = x * x / 4;
  double term = 1;
  double harmonic = 0;
  double sum = 0;
  for (int k = 1; term > 1e-19; k++) {
    term *= quarter / (static_cast<double>(k) * k);
    harmonic += 1.0 / k;
    sum += harmonic * term;
  }
  return sum - (std::log(x / 2) + kEulerGamma) * bessel_i0(x);
}

// J0 or Y0 for x > 2 by the recurrence that runs down in the order (Miller's algorithm). The unscaled J is normalised with
// J0 + 2 J2 + 2 J4 + ... = 1, and Y0 is Neumann's series in J2k.
double jy0_recurrence(double x, bool second) {
  const double two_over_x = 2 / x;
  double above = 0;
  double here = 1e-200;
  double norm = 0;
  double neumann = 0;
  for (int order = kRecurrenceStart; order > 0; order--) {
    if ((order & 1) == 0) {
      norm += 2 * here;
      // With order = 2k, Neumann's series has (-1)^(k+1) J2k / k.
      const double share = here / (order >> 1);
      neumann += (order & 2) != 0 ? share : -share;
    }
    const double below = order * two_over_x * here - above;
    above = here;
    here = below;
  }
  norm += here;
  const double j0 = here / norm;
  if (!second) {
    return j0;
  }
  return 2 / kPi * ((std::log(x / 2) + kEulerGamma) * j0 + 2 * (neumann / norm));
}

}  // namespace

double bessel_j0(double x) { return x <= kSeriesLimit ? j0_series(x) : jy0_recurrence(x, false); }

double bessel_y0(double x) {
  if (x == 0) {
    return -std::numeric_limits<double>::infinity();
  }
  return x <= kSeriesLimit ? y0_series(x) : jy0_recurrence(x, true);
}

double bessel_i0(double x) {
  const double quarter = x * x / 4;
  double term = 1;
  double sum = 1;
  for (int k = 1; term > sum * 1e-17; k++) {
    term *= quarter / (static_cast<double>(k) * k);
    sum += term;
  }
  return sum;
}

double bessel_k0(double x) {
  if (x == 0) {
    return std::numeric_limits<double>::infinity();
  }
  if (x <= kSeriesLimit) {
    return k0_series(x);
  }
  static const Nodes nodes;
  double sum = 0.5;
  for (int k = 1; k < kNodes; k++) {
    const double exponent = x * nodes.cosh_minus_one[k];
    if (exponent > 40) {
      break;
    }
    sum += std::exp(-exponent);
  }
  return std::exp(-x) * kStep * sum;
}

}  // namespace pseed
