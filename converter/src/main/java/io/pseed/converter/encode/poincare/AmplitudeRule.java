package io.pseed.converter.encode.poincare;

import io.pseed.codec.poincare.PoincareSeed;

/** Where the amplitude of a seed comes from. */
public enum AmplitudeRule {
  /**
   * From the seed alone, as in the paper: radius and curvature must give it. The record's amplitude
   * is then 2^-shift, which makes the weights the seed's values.
   */
  ONE {
    @Override
    double amplitude(double b, double n, int basis, int log2c) {
      double wanted = n > 0 ? b / n : 0;
      if (wanted <= 0) {
        return 0;
      }
      return Math.min(Math.max(wanted, smallest(basis, log2c)), largest(basis, log2c));
    }

    private double smallest(int basis, int log2c) {
      if (basis < 4) {
        return 0;
      }
      // Beyond the pole c r^2 = 1 the jacobian falls to its value at the edge of the disk.
      return hasFreeCurvature(basis) ? atEdge(3) : log2c > 0 ? Math.min(1, atEdge(log2c)) : 1;
    }

    private double largest(int basis, int log2c) {
      return hasFreeCurvature(basis) || log2c >= 0 ? Double.POSITIVE_INFINITY : atEdge(log2c);
    }

    private double atEdge(int log2c) {
      double r = PoincareSeed.LARGEST_ENCODED_RADIUS;
      return 1 / Math.abs(Math.scalb(r * r, log2c) - 1);
    }
  },

  /** From the record, by least squares: radius and curvature have no say in it. */
  FREE {
    @Override
    double amplitude(double b, double n, int basis, int log2c) {
      // Bessel functions cannot change their sign; the others do it with theta.
      boolean allowed = n > 0 && (b > 0 || (basis >= 4 && basis <= 7));
      return allowed ? b / n : 0;
    }
  };

  /**
   * The amplitude that takes most energy away.
   *
   * @param b sum of weight times shape
   * @param n sum of the shape's squares
   * @return 0 if none takes any away
   */
  abstract double amplitude(double b, double n, int basis, int log2c);

  /** Whether the curvature changes nothing but the amplitude. */
  static boolean hasFreeCurvature(int basis) {
    return basis < 8 || basis == 11;
  }
}
