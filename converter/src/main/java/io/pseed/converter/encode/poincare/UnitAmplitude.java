package io.pseed.converter.encode.poincare;

import io.pseed.codec.poincare.PoincareGenerator;
import io.pseed.codec.poincare.PoincareSeed;

/** Finds the radius (and what else is free) with which a shape has a wanted amplitude by itself. */
final class UnitAmplitude {
  /** Largest radius field that {@link PoincareSeed#encode} gives. */
  static final int LARGEST_R =
      (int) Math.rint(PoincareSeed.LARGEST_ENCODED_RADIUS * PoincareSeed.R_MAX);

  private PoincareSeed best;
  private double bestError = Double.POSITIVE_INFINITY;
  private final double wanted;

  private UnitAmplitude(double wanted) {
    this.wanted = wanted;
  }

  /**
   * The seed whose factor (jacobian, for bases 0 to 3 times sinh or cosh) is nearest to the
   * candidate's amplitude; equal ones: the first by curvature and dR, then radius.
   */
  static PoincareSeed of(ShapeSums.Candidate candidate) {
    UnitAmplitude search = new UnitAmplitude(candidate.amplitude());
    boolean free = AmplitudeRule.hasFreeCurvature(candidate.basis());
    for (int log2c = ShapeSums.MIN_LOG2C; log2c < ShapeSums.MIN_LOG2C + 8; log2c++) {
      if (!free && log2c != candidate.log2c()) {
        continue;
      }
      for (int dR = 0; dR < (candidate.basis() < 4 ? 2 : 1); dR++) {
        PoincareSeed start =
            new PoincareSeed(0, candidate.theta(), candidate.basis(), 0, dR, 0, log2c, 0);
        int pole = pole(log2c);
        search.bisect(start, 0, Math.min(pole, LARGEST_R), true);
        // Beyond the pole the radial factor grows while the jacobian falls: not monotonic.
        if (pole < LARGEST_R && candidate.basis() >= 4) {
          search.bisect(start, pole + 1, LARGEST_R, false);
        }
      }
    }
    return search.best;
  }

  static PoincareSeed withR(PoincareSeed s, int r) {
    return new PoincareSeed(
        r, s.thetaBits(), s.basis(), s.dTheta(), s.dR(), s.rot(), s.log2c(), s.reserved());
  }

  private static double factor(PoincareSeed seed) {
    double jacobian = PoincareGenerator.jacobian(seed);
    return seed.basis() < 4 ? jacobian * PoincareGenerator.radial(seed) : jacobian;
  }

  /** Largest radius field with c r^2 < 1. */
  private static int pole(int log2c) {
    int r =
        (int) Math.min(PoincareSeed.R_MAX, PoincareSeed.R_MAX / Math.sqrt(Math.scalb(1.0, log2c)));
    return Math.scalb((double) r * r, log2c) < (double) PoincareSeed.R_MAX * PoincareSeed.R_MAX
        ? r
        : r - 1;
  }

  private void bisect(PoincareSeed start, int low, int high, boolean rising) {
    int from = low;
    int to = high;
    while (to - from > 1) {
      int middle = (from + to) >>> 1;
      if ((factor(withR(start, middle)) < wanted) == rising) {
        from = middle;
      } else {
        to = middle;
      }
    }
    consider(withR(start, from));
    consider(withR(start, to));
  }

  private void consider(PoincareSeed seed) {
    double error = Math.abs(factor(seed) - wanted);
    if (error < bestError) {
      bestError = error;
      best = seed;
    }
  }
}
