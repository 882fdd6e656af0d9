package io.pseed.converter.encode.poincare;

import io.pseed.codec.poincare.PoincareSeed;

/** Angles as the seed's 24-bit field: a full turn has 2^24 - 1 distinct values. */
final class Angle {
  /** Distinct angles; the field's largest value is the same angle as 0. */
  static final int FIELDS = PoincareSeed.THETA_MAX;

  private Angle() {}

  static double radians(int field) {
    return (double) field / FIELDS * (2 * Math.PI);
  }

  /** The nearest field to an angle in radians. */
  static int field(double radians) {
    return wrap((int) Math.rint(radians / (2 * Math.PI) * FIELDS));
  }

  static int wrap(int field) {
    return Math.floorMod(field, FIELDS);
  }
}
