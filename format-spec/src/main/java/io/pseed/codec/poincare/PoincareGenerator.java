package io.pseed.codec.poincare;

import java.util.Objects;

/**
 * The values that one seed generates on a matrix of fixed size (specification, section 6.2), in
 * double precision. Immutable and safe for many threads. {@link StrictMath} and a fixed order of
 * operations make the values the same bits on every Java machine; other implementations get the
 * same integer codes from them by the margin rule (section 6.3, {@link PoincareCodes}).
 *
 * <p>Angles enter through their sine and cosine: with phi = theta + rotation, sin t = sin(phi) cos
 * thetaLocal + cos(phi) sin thetaLocal, and cos thetaLocal = x / rho. Only basis 9 needs thetaLocal
 * itself.
 */
public final class PoincareGenerator {
  /** Largest local radius: places outside of it count as on it. */
  public static final double LARGEST_LOCAL_RADIUS = 0.999999;

  private static final double R_MAX_SQUARED = (double) PoincareSeed.R_MAX * PoincareSeed.R_MAX;

  private static final double[] ROTATIONS = {
    0,
    Math.PI / 8,
    Math.PI / 6,
    Math.PI / 4,
    Math.PI / 3,
    Math.PI / 2,
    2 * Math.PI / 3,
    3 * Math.PI / 4,
    5 * Math.PI / 6,
    7 * Math.PI / 8
  };

  private final PoincareSeed seed;
  private final int rows;
  private final int cols;
  private final double scale;
  private final double c;
  private final double phi;
  private final double sinPhi;
  private final double cosPhi;
  private final double cosFactor;
  private final double sinFactor;

  /**
   * Prepares a seed for a matrix.
   *
   * @param rows m, at least 1
   * @param cols n, at least 1
   * @throws IllegalArgumentException if a dimension is below 1
   */
  public PoincareGenerator(PoincareSeed seed, int rows, int cols) {
    this.seed = Objects.requireNonNull(seed, "seed");
    if (rows < 1 || cols < 1) {
      throw new IllegalArgumentException(
          "matrix is %d x %d, expected at least 1 x 1".formatted(rows, cols));
    }
    this.rows = rows;
    this.cols = cols;
    this.c = seed.curvature();
    this.phi = seed.theta() + rotation(seed.rot());
    this.sinPhi = StrictMath.sin(phi);
    this.cosPhi = StrictMath.cos(phi);
    double jacobian = jacobian(seed);
    double factor = seed.basis() < 4 ? jacobian * radial(seed) : jacobian;
    // Section 6.2: a value that is not finite is 0. The jacobian is infinite for c = 1, r = 1 only.
    this.scale = Double.isFinite(factor) ? factor : 0;
    // The angular factor as cosFactor * cos thetaLocal + sinFactor * sin thetaLocal.
    boolean sine = (seed.basis() & 1) == (seed.dTheta() & 1);
    boolean negative = (seed.basis() & 1) == 0 ? seed.dTheta() >= 2 : isMiddle(seed.dTheta());
    double sign = negative ? -1 : 1;
    this.cosFactor = sign * (sine ? sinPhi : cosPhi);
    this.sinFactor = sign * (sine ? cosPhi : -sinPhi);
  }

  private static boolean isMiddle(int dTheta) {
    return dTheta == 1 || dTheta == 2;
  }

  /**
   * The factor 1 / |1 - c r^2| of a seed, infinite where 1 - c r^2 is 0. The difference is formed
   * in integers (scaled by (2^20 - 1)^2 it fits a double exactly), so the factor is correctly
   * rounded even where 1 - c r^2 cancels.
   */
  public static double jacobian(PoincareSeed seed) {
    double ck2 = Math.scalb((double) seed.rBits() * seed.rBits(), seed.log2c());
    return R_MAX_SQUARED / Math.abs(R_MAX_SQUARED - ck2);
  }

  /** The factor 1 / |1 - c r^2| for real parameters; infinite where 1 - c r^2 is 0. */
  public static double jacobian(double c, double r) {
    return 1 / Math.abs(1 - c * r * r);
  }

  /** The radial factor of bases 0 to 3: sinh or cosh of c r. */
  public static double radial(PoincareSeed seed) {
    double cr = seed.curvature() * seed.r();
    boolean sinh = (seed.basis() >> 1 & 1) == seed.dR();
    return sinh ? StrictMath.sinh(cr) : StrictMath.cosh(cr);
  }

  /**
   * The angle in radians of a rotation code.
   *
   * @param code 0 to 15; 10 to 15 give 0
   * @throws IllegalArgumentException if the code is outside 0 to 15
   */
  public static double rotation(int code) {
    if (code < 0 || code > 15) {
      throw new IllegalArgumentException("rotation code is %d, expected 0 to 15".formatted(code));
    }
    return code < ROTATIONS.length ? ROTATIONS[code] : 0;
  }

  /** Triangle wave of period pi: -1 at 0, 1 at pi/2, linear between. */
  public static double triangle(double t) {
    double turns = t / Math.PI;
    double u = turns - Math.floor(turns);
    return u < 0.5 ? 4 * u - 1 : 3 - 4 * u;
  }

  /**
   * One value; for many of them, {@link #fill} is faster.
   *
   * @param i row, 0 to m - 1
   * @param j column, 0 to n - 1
   * @param m rows of the matrix
   * @param n columns of the matrix
   * @throws IndexOutOfBoundsException if the place is not in the matrix
   */
  public static double value(PoincareSeed seed, int i, int j, int m, int n) {
    return new PoincareGenerator(seed, m, n).value(i, j);
  }

  /** The seed. */
  public PoincareSeed seed() {
    return seed;
  }

  /** Rows of the matrix. */
  public int rows() {
    return rows;
  }

  /** Columns of the matrix. */
  public int cols() {
    return cols;
  }

  /**
   * Coordinate of a line: -1 at the first, 1 at the last, 0 if there is one line only. Written so
   * that opposite lines get exactly opposite coordinates.
   */
  public static double coordinate(int index, int count) {
    return count == 1 ? 0 : (double) (2L * index - (count - 1L)) / (count - 1L);
  }

  /**
   * The value at a place.
   *
   * @throws IndexOutOfBoundsException if the place is not in the matrix
   */
  public double value(int i, int j) {
    Objects.checkIndex(i, rows);
    Objects.checkIndex(j, cols);
    double[] one = new double[1];
    fillRow(coordinate(i, rows), j, j + 1, one, 0);
    return one[0];
  }

  /**
   * Values of rows [rowFrom, rowTo), row after row.
   *
   * @param dst receives (rowTo - rowFrom) * cols values
   * @param offset where in dst the first one goes
   * @throws IndexOutOfBoundsException if the rows are not in the matrix or dst is too short
   */
  public void fill(int rowFrom, int rowTo, double[] dst, int offset) {
    Objects.checkFromToIndex(rowFrom, rowTo, rows);
    Objects.checkFromIndexSize((long) offset, (long) (rowTo - rowFrom) * cols, (long) dst.length);
    for (int i = rowFrom; i < rowTo; i++) {
      fillRow(coordinate(i, rows), 0, cols, dst, offset + (i - rowFrom) * cols);
    }
  }

  /**
   * |cos t| at a place, on which the sign of basis 8 depends.
   *
   * @throws IndexOutOfBoundsException if the place is not in the matrix
   */
  double absoluteCosine(int i, int j) {
    double y = coordinate(Objects.checkIndex(i, rows), rows);
    double x = coordinate(Objects.checkIndex(j, cols), cols);
    return Math.abs(cosine(x, y, Math.sqrt(x * x + y * y)));
  }

  /**
   * The largest |value| that the matrix would have if its angular factor were 1 everywhere
   * (specification, section 6.3): what rounding errors are relative to. 0 for bases 4 to 7, which
   * have no angular factor: there it is the largest |value| itself.
   */
  public double envelope() {
    double nearest = nearestRadius();
    double radial =
        switch (seed.basis()) {
          case 0, 1, 2, 3 -> 1;
          case 8 -> tanh(c * (rows == 1 && cols == 1 ? 0 : LARGEST_LOCAL_RADIUS));
          case 9 -> sech(c * nearest);
          case 10 -> StrictMath.exp(-c * nearest);
          case 11 -> StrictMath.exp(-2.5 * nearest * nearest);
          default -> 0;
        };
    return scale * radial;
  }

  /** Local radius of the place nearest to the centre. */
  private double nearestRadius() {
    double x = coordinate(cols / 2, cols);
    double y = coordinate(rows / 2, rows);
    return local(Math.sqrt(x * x + y * y));
  }

  /** Whether a place is the centre of the disk, where basis 8 is 0 whatever the sign. */
  boolean isCentre(int i, int j) {
    return 2L * i == rows - 1L && 2L * j == cols - 1L;
  }

  private double cosine(double x, double y, double rho) {
    return rho == 0 ? cosPhi : (cosPhi * x - sinPhi * y) / rho;
  }

  private void fillRow(double y, int from, int to, double[] dst, int offset) {
    switch (seed.basis()) {
      case 0, 1, 2, 3 -> {
        for (int j = from; j < to; j++) {
          double x = coordinate(j, cols);
          double rho = Math.sqrt(x * x + y * y);
          double angular = rho == 0 ? cosFactor : (cosFactor * x + sinFactor * y) / rho;
          dst[offset + j - from] = scale * angular;
        }
      }
      case 4, 5, 6, 7 -> fillBessel(y, from, to, dst, offset);
      case 8 -> {
        for (int j = from; j < to; j++) {
          double x = coordinate(j, cols);
          double rho = Math.sqrt(x * x + y * y);
          double sign = Math.signum(cosine(x, y, rho));
          dst[offset + j - from] = scale * (tanh(c * local(rho)) * sign);
        }
      }
      case 9 -> {
        for (int j = from; j < to; j++) {
          double x = coordinate(j, cols);
          double rho = Math.sqrt(x * x + y * y);
          double wave = triangle(phi + StrictMath.atan2(y, x));
          dst[offset + j - from] = scale * (wave * sech(c * local(rho)));
        }
      }
      case 10 -> {
        for (int j = from; j < to; j++) {
          double x = coordinate(j, cols);
          double rho = Math.sqrt(x * x + y * y);
          double sine = rho == 0 ? sinPhi : (sinPhi * x + cosPhi * y) / rho;
          dst[offset + j - from] = scale * (StrictMath.exp(-c * local(rho)) * sine);
        }
      }
      case 11 -> {
        for (int j = from; j < to; j++) {
          double x = coordinate(j, cols);
          double rho = Math.sqrt(x * x + y * y);
          double radius = local(rho);
          double cos = cosine(x, y, rho);
          double square = cos * cos;
          // cos 5t = 16 cos^5 t - 20 cos^3 t + 5 cos t
          double cos5 = cos * (5 + square * (16 * square - 20));
          dst[offset + j - from] = scale * (StrictMath.exp(-2.5 * radius * radius) * cos5);
        }
      }
      default -> {
        for (int j = from; j < to; j++) {
          dst[offset + j - from] = 0;
        }
      }
    }
  }

  /** Bases 4 to 7 depend on the radius alone, so columns that mirror each other share a value. */
  private void fillBessel(double y, int from, int to, double[] dst, int offset) {
    for (int j = from; j < to; j++) {
      int mirror = cols - 1 - j;
      if (mirror < j && mirror >= from) {
        dst[offset + j - from] = dst[offset + mirror - from];
        continue;
      }
      double x = coordinate(j, cols);
      double argument = 10 * local(Math.sqrt(x * x + y * y));
      double value =
          switch (seed.basis()) {
            case 4 -> BesselFunctions.j0(argument);
            case 5 -> BesselFunctions.i0(argument);
            case 6 -> BesselFunctions.k0(argument);
            default -> BesselFunctions.y0(argument);
          };
      dst[offset + j - from] = Double.isFinite(value) ? scale * value : 0;
    }
  }

  /** tanh z for z >= 0, to 2^-52 absolutely; twice as fast as the library's. */
  private static double tanh(double z) {
    return 1 - 2 / (StrictMath.exp(2 * z) + 1);
  }

  /** 1 / cosh z. */
  private static double sech(double z) {
    double e = StrictMath.exp(z);
    return 2 / (e + 1 / e);
  }

  private static double local(double rho) {
    return Math.min(rho, LARGEST_LOCAL_RADIUS);
  }
}
