package io.pseed.codec.poincare;

/**
 * Bessel functions of order zero on [0, {@value #LARGEST_ARGUMENT}], for bases 4 to 7
 * (specification, section 6.2). I0 and K0 have a relative error below 1e-13; J0 and Y0, which have
 * zeros, an error below 1e-13 times max(1, |value|). All use {@link StrictMath}, so the results are
 * the same bits on every machine.
 *
 * <p>Sources: Abramowitz and Stegun, Handbook of Mathematical Functions, 9.1.12, 9.1.13, 9.1.27,
 * 9.1.46, 9.1.89, 9.6.12, 9.6.13, 9.6.24.
 */
public final class BesselFunctions {
  /** Largest argument: 10 times the diagonal of the unit square, rounded up. */
  public static final double LARGEST_ARGUMENT = 14.2;

  private static final double EULER_GAMMA = 0.5772156649015329;

  /** Below it the power series lose no digit that matters; above it they cancel. */
  private static final double SERIES_LIMIT = 2.0;

  /**
   * Even order from which the recurrence for J runs down: J48(14.2) is below 1e-19, so starting
   * with zero there is exact to double precision.
   */
  private static final int RECURRENCE_START = 48;

  /**
   * Step of the trapezoidal rule for K0. The integrand is analytic for |Im t| < pi/2, so the
   * relative error is at most about exp(-pi^2 / h + x), which is 4e-16 at x = 14.2 and h = 0.2;
   * 0.1875 leaves room.
   */
  private static final double STEP = 0.1875;

  /** cosh(k h) - 1 for the nodes that matter at {@link #SERIES_LIMIT} and above. */
  private static final double[] COSH_MINUS_ONE = coshMinusOne();

  private BesselFunctions() {}

  private static double[] coshMinusOne() {
    double[] nodes = new double[24];
    for (int k = 0; k < nodes.length; k++) {
      double s = StrictMath.sinh(k * STEP / 2);
      nodes[k] = 2 * s * s;
    }
    return nodes;
  }

  private static void check(double x) {
    if (!(x >= 0 && x <= LARGEST_ARGUMENT)) {
      throw new IllegalArgumentException(
          "Bessel function of %s, expected an argument from 0 to %s"
              .formatted(x, LARGEST_ARGUMENT));
    }
  }

  /**
   * J0, Bessel function of the first kind.
   *
   * @throws IllegalArgumentException if x is outside [0, {@value #LARGEST_ARGUMENT}]
   */
  public static double j0(double x) {
    check(x);
    return x <= SERIES_LIMIT ? j0Series(x) : jy0Recurrence(x, false);
  }

  /**
   * Y0, Bessel function of the second kind; minus infinity at 0.
   *
   * @throws IllegalArgumentException if x is outside [0, {@value #LARGEST_ARGUMENT}]
   */
  public static double y0(double x) {
    check(x);
    if (x == 0) {
      return Double.NEGATIVE_INFINITY;
    }
    return x <= SERIES_LIMIT ? y0Series(x) : jy0Recurrence(x, true);
  }

  /**
   * I0, modified Bessel function of the first kind: its power series, whose terms are all positive.
   *
   * @throws IllegalArgumentException if x is outside [0, {@value #LARGEST_ARGUMENT}]
   */
  public static double i0(double x) {
    check(x);
    double quarter = x * x / 4;
    double term = 1;
    double sum = 1;
    for (int k = 1; term > sum * 1e-17; k++) {
      term *= quarter / ((double) k * k);
      sum += term;
    }
    return sum;
  }

  /**
   * K0, modified Bessel function of the second kind; infinity at 0. Above 2 it is the integral of
   * exp(-x cosh t) over t >= 0 by the trapezoidal rule.
   *
   * @throws IllegalArgumentException if x is outside [0, {@value #LARGEST_ARGUMENT}]
   */
  public static double k0(double x) {
    check(x);
    if (x == 0) {
      return Double.POSITIVE_INFINITY;
    }
    if (x <= SERIES_LIMIT) {
      return k0Series(x);
    }
    double sum = 0.5;
    for (int k = 1; k < COSH_MINUS_ONE.length; k++) {
      double exponent = x * COSH_MINUS_ONE[k];
      if (exponent > 40) {
        break;
      }
      sum += StrictMath.exp(-exponent);
    }
    return StrictMath.exp(-x) * STEP * sum;
  }

  private static double j0Series(double x) {
    double quarter = x * x / 4;
    double term = 1;
    double sum = 1;
    for (int k = 1; Math.abs(term) > 1e-19; k++) {
      term *= -quarter / ((double) k * k);
      sum += term;
    }
    return sum;
  }

  private static double y0Series(double x) {
    double quarter = x * x / 4;
    double term = 1;
    double harmonic = 0;
    double sum = 0;
    for (int k = 1; Math.abs(term) > 1e-19; k++) {
      term *= -quarter / ((double) k * k);
      harmonic += 1.0 / k;
      sum -= harmonic * term;
    }
    double logarithm = StrictMath.log(x / 2) + EULER_GAMMA;
    return 2 / Math.PI * (logarithm * j0Series(x) + sum);
  }

  private static double k0Series(double x) {
    double quarter = x * x / 4;
    double term = 1;
    double harmonic = 0;
    double sum = 0;
    for (int k = 1; term > 1e-19; k++) {
      term *= quarter / ((double) k * k);
      harmonic += 1.0 / k;
      sum += harmonic * term;
    }
    return sum - (StrictMath.log(x / 2) + EULER_GAMMA) * i0(x);
  }

  /**
   * J0 or Y0 for x > 2 by the recurrence that runs down in the order (Miller's algorithm). The
   * unscaled J is normalised with J0 + 2 J2 + 2 J4 + ... = 1, and Y0 is Neumann's series in J2k.
   */
  private static double jy0Recurrence(double x, boolean second) {
    double twoOverX = 2 / x;
    double above = 0;
    double here = 1e-200;
    double norm = 0;
    double neumann = 0;
    for (int order = RECURRENCE_START; order > 0; order--) {
      if ((order & 1) == 0) {
        norm += 2 * here;
        // With order = 2k, Neumann's series has (-1)^(k+1) J2k / k.
        double share = here / (order >> 1);
        neumann += (order & 2) != 0 ? share : -share;
      }
      double below = order * twoOverX * here - above;
      above = here;
      here = below;
    }
    norm += here;
    double j0 = here / norm;
    if (!second) {
      return j0;
    }
    double logarithm = StrictMath.log(x / 2) + EULER_GAMMA;
    return 2 / Math.PI * (logarithm * j0 + 2 * (neumann / norm));
  }
}
