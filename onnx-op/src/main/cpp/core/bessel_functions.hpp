// Bessel functions of order zero on [0, 14.2], for bases 4 to 7 (specification, section 6.2). I0 and K0 have a relative error below 1e-13;
// J0 and Y0, which have zeros, an error below 1e-13 times max(1, |value|).
//
// Sources: Abramowitz and Stegun, Handbook of Mathematical Functions, 9.1.12, 9.1.13, 9.1.27, 9.1.46, 9.1.89, 9.6.12, 9.6.13, 9.6.24.
#ifndef PSEED_BESSEL_FUNCTIONS_HPP
#define PSEED_BESSEL_FUNCTIONS_HPP

namespace pseed {

double bessel_j0(double x);
double bessel_i0(double x);
double bessel_k0(double x);  // infinity at 0
double bessel_y0(double x);  // minus infinity at 0

}  // namespace pseed
#endif
