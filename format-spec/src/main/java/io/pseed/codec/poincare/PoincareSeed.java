package io.pseed.codec.poincare;

/**
 * The fields of a 64-bit Poincaré seed (specification, section 6.1), as the integers that stand in
 * it, so that every one of the 2^64 seeds survives a round trip.
 *
 * <pre>
 *   63        44 43          20 19   16 15    14 13  12  9 8     6 5        0
 *  +------------+--------------+-------+--------+---+-----+-------+----------+
 *  |     r      |    theta     | basis | dTheta |dR | rot | log2c | reserved |
 *  +------------+--------------+-------+--------+---+-----+-------+----------+
 * </pre>
 *
 * @param rBits radius field, 0 to {@link #R_MAX}; the radius is rBits / R_MAX
 * @param thetaBits angle field, 0 to {@link #THETA_MAX}; the angle is thetaBits / THETA_MAX * 2 pi
 * @param basis basis function, 0 to 15
 * @param dTheta order of the angular derivative, 0 to 3
 * @param dR order of the radial derivative, 0 or 1
 * @param rot rotation code, 0 to 15
 * @param log2c exponent of the curvature, -4 to 3
 * @param reserved six bits without a meaning, 0 to 63
 */
public record PoincareSeed(
    int rBits, int thetaBits, int basis, int dTheta, int dR, int rot, int log2c, int reserved) {

  /** Largest value of the radius field, 2^20 - 1. */
  public static final int R_MAX = (1 << 20) - 1;

  /** Largest value of the angle field, 2^24 - 1. */
  public static final int THETA_MAX = (1 << 24) - 1;

  /** The radius that {@link #encode} clamps to. */
  public static final double LARGEST_ENCODED_RADIUS = 0.999999;

  private static final double TWO_PI = 2 * Math.PI;

  /**
   * Checks that every field fits its bits.
   *
   * @throws IllegalArgumentException if one does not; the message names it
   */
  public PoincareSeed {
    check("r", rBits, 0, R_MAX);
    check("theta", thetaBits, 0, THETA_MAX);
    check("basis", basis, 0, 15);
    check("dTheta", dTheta, 0, 3);
    check("dR", dR, 0, 1);
    check("rot", rot, 0, 15);
    check("log2c", log2c, -4, 3);
    check("reserved", reserved, 0, 63);
  }

  private static void check(String field, int value, int low, int high) {
    if (value < low || value > high) {
      throw new IllegalArgumentException(
          "seed field '%s' is %d, expected %d to %d".formatted(field, value, low, high));
    }
  }

  /** Takes a seed apart; every 64-bit number is one. */
  public static PoincareSeed fromBits(long bits) {
    return new PoincareSeed(
        (int) (bits >>> 44),
        (int) (bits >>> 20) & THETA_MAX,
        (int) (bits >>> 16) & 15,
        (int) (bits >>> 14) & 3,
        (int) (bits >>> 13) & 1,
        (int) (bits >>> 9) & 15,
        // Three bits, two's complement: moved to the top of an int and back with the sign.
        (int) (bits >>> 6) << 29 >> 29,
        (int) bits & 63);
  }

  /** The seed as one number; the inverse of {@link #fromBits}. */
  public long toBits() {
    return (long) rBits << 44
        | (long) thetaBits << 20
        | (long) basis << 16
        | (long) dTheta << 14
        | (long) dR << 13
        | (long) rot << 9
        | (long) (log2c & 7) << 6
        | reserved;
  }

  /**
   * Nearest seed to real parameters: r is clamped to [0, 0.999999], theta reduced modulo 2 pi, both
   * scaled and rounded half away from zero (the paper's encoder, as its test log shows it).
   *
   * @param r radius, any finite number
   * @param theta angle in radians, any finite number
   * @throws IllegalArgumentException if r or theta is not finite, or another field does not fit
   */
  public static PoincareSeed encode(
      double r, double theta, int basis, int dTheta, int dR, int rot, int log2c, int reserved) {
    if (!Double.isFinite(r) || !Double.isFinite(theta)) {
      throw new IllegalArgumentException(
          "seed point is r = %s, theta = %s, expected finite numbers".formatted(r, theta));
    }
    double clamped = Math.min(Math.max(r, 0), LARGEST_ENCODED_RADIUS);
    double reduced = theta % TWO_PI;
    if (reduced < 0) {
      reduced += TWO_PI;
    }
    // Both are not negative, so rounding half up is rounding half away from zero.
    int rField = (int) Math.floor(clamped * R_MAX + 0.5);
    int thetaField = (int) Math.floor(reduced / TWO_PI * THETA_MAX + 0.5);
    return new PoincareSeed(rField, thetaField, basis, dTheta, dR, rot, log2c, reserved);
  }

  /** Radius of the point, in [0, 1]. */
  public double r() {
    return (double) rBits / R_MAX;
  }

  /** Angle of the point in radians, in [0, 2 pi]. */
  public double theta() {
    return (double) thetaBits / THETA_MAX * TWO_PI;
  }

  /** Curvature c = 2^log2c, 1/16 to 8. */
  public double curvature() {
    return Math.scalb(1.0, log2c);
  }

  /** The seed as 16 hexadecimal digits, for messages. */
  public String toHex() {
    return "0x%016X".formatted(toBits());
  }
}
