package io.pseed.converter.encode.poincare;

import io.pseed.codec.poincare.BesselFunctions;
import io.pseed.codec.poincare.PoincareGenerator;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * One pass over a matrix that gathers everything needed to know, for every basis, curvature and
 * angle, how much energy the seed's shape takes away. For a shape f (the value without jacobian)
 * and weights w, that follows from b = sum(w f) and n = sum(f^2):
 *
 * <ul>
 *   <li>bases 0 to 3, 10 and 11 are linear in the sine and cosine of (a multiple of) theta, so b
 *       and n follow for every theta from two projections and their Gram matrix;
 *   <li>bases 4 to 7 do not depend on theta;
 *   <li>basis 8 jumps and basis 9 bends along a line through the centre: b and n follow from prefix
 *       sums over places sorted by their angle into bins, for every bin's edge.
 * </ul>
 *
 * Only the shape matters here; radius, derivative orders and rotation change nothing but the
 * amplitude and the offset of theta.
 *
 * <p>A matrix of more than {@value #LARGEST_EXACT} places is averaged over blocks first, and each
 * block counts as its centre.
 */
final class ShapeSums {
  /** Places up to which sums are over the matrix itself. */
  static final int LARGEST_EXACT = 1 << 18;

  /** Lines of a grid of averages that is limited in both directions. */
  private static final int SIDE = 1 << 9;

  /** Angular bins in [0, pi). */
  static final int BINS = 1 << 13;

  /**
   * Where the first bin starts, in bins: off the angles that rows, columns and diagonals have, so
   * that a line through the centre does not hit places.
   */
  private static final double BIN_OFFSET = 0.381966;

  /** Curvatures 2^-4 to 2^3. */
  static final int CURVATURES = 8;

  static final int MIN_LOG2C = -4;

  /**
   * A shape, the angle that suits it best, and the energy it takes away.
   *
   * @param basis 0 (for 0 to 3), 4 to 11
   * @param log2c exponent of the curvature; 0 where the shape does not depend on it
   * @param theta field of the angle
   * @param amplitude best amplitude within what the rule allows
   * @param gain energy that the shape takes away
   */
  record Candidate(int basis, int log2c, int theta, double amplitude, double gain) {
    /** The other one if it takes more away. */
    Candidate orBetter(Candidate other) {
      return other.gain > gain ? other : this;
    }
  }

  private final int rows;
  private final int cols;
  private final boolean exact;
  private double energy;

  /** Per linear shape (0: bases 0 to 3, 1 to 8: basis 10 by curvature, 9: basis 11). */
  private final Linear[] linear = new Linear[CURVATURES + 2];

  private final double[] besselB = new double[4];
  private final double[] besselN = new double[4];

  private final double[][] stepB = new double[CURVATURES][BINS];
  private final double[] stepN = new double[CURVATURES];

  /** Per curvature and bin: sums of w s, w s v, s^2, s^2 v, s^2 v^2; v is the angle over pi. */
  private final double[][] wave = new double[CURVATURES][BINS * WAVE_MOMENTS];

  private static final int WAVE_MOMENTS = 5;

  /** Projections on the two halves of a linear shape, and their Gram matrix. */
  private static final class Linear {
    private double cosB;
    private double sinB;
    private double cosCos;
    private double cosSin;
    private double sinSin;

    private void add(double w, double count, double cos, double sin) {
      cosB += w * cos;
      sinB += w * sin;
      cosCos += count * cos * cos;
      cosSin += count * cos * sin;
      sinSin += count * sin * sin;
    }
  }

  /**
   * Gathers the sums.
   *
   * @throws IllegalArgumentException if a weight is not finite; the message names the row
   */
  ShapeSums(MatrixRows matrix) {
    rows = matrix.rows();
    cols = matrix.cols();
    for (int k = 0; k < linear.length; k++) {
      linear[k] = new Linear();
    }
    long places = (long) rows * cols;
    exact = places <= LARGEST_EXACT;
    int gridRows = exact ? rows : cells(rows, cols);
    int gridCols = exact ? cols : cells(cols, rows);
    float[] row = new float[cols];
    double[] sums = new double[gridCols];
    for (int a = 0; a < gridRows; a++) {
      int top = edge(a, rows, gridRows);
      int bottom = edge(a + 1, rows, gridRows);
      Arrays.fill(sums, 0);
      for (int r = top; r < bottom; r++) {
        matrix.row(r, row);
        addRow(row, r, sums);
      }
      double y = centre(top, bottom, rows);
      for (int b = 0; b < gridCols; b++) {
        int left = edge(b, cols, gridCols);
        int right = edge(b + 1, cols, gridCols);
        addCell(centre(left, right, cols), y, sums[b], (double) (bottom - top) * (right - left));
      }
    }
  }

  /** Cells along one side of a matrix that is too large, given its other side. */
  private static int cells(int side, int other) {
    return Math.min(side, Math.max(SIDE, LARGEST_EXACT / other));
  }

  private static int edge(int cell, int count, int cells) {
    return (int) ((long) cell * count / cells);
  }

  private static double centre(int from, int to, int count) {
    return count == 1 ? 0 : ((double) from + to - count) / (count - 1.0);
  }

  private void addRow(float[] row, int r, double[] sums) {
    double rowEnergy = 0;
    int cells = sums.length;
    int to = 0;
    for (int b = 0; b < cells; b++) {
      int from = to;
      to = edge(b + 1, cols, cells);
      double sum = 0;
      for (int j = from; j < to; j++) {
        double w = row[j];
        sum += w;
        rowEnergy += w * w;
      }
      sums[b] += sum;
    }
    if (!Double.isFinite(rowEnergy)) {
      throw new IllegalArgumentException(
          "row %d of the matrix has a weight that is not finite".formatted(r));
    }
    energy += rowEnergy;
  }

  private void addCell(double x, double y, double w, double count) {
    double rho = Math.sqrt(x * x + y * y);
    double radius = Math.min(rho, PoincareGenerator.LARGEST_LOCAL_RADIUS);
    double cos = rho == 0 ? 1 : x / rho;
    double sin = rho == 0 ? 0 : y / rho;
    linear[0].add(w, count, cos, sin);

    double x10 = 10 * radius;
    addBessel(0, w, count, BesselFunctions.j0(x10));
    addBessel(1, w, count, BesselFunctions.i0(x10));
    if (radius > 0) {
      addBessel(2, w, count, BesselFunctions.k0(x10));
      addBessel(3, w, count, BesselFunctions.y0(x10));
    }

    double gauss = StrictMath.exp(-2.5 * radius * radius);
    double cos2 = cos * cos;
    double sin2 = sin * sin;
    linear[CURVATURES + 1].add(
        w,
        count,
        gauss * cos * (5 + cos2 * (16 * cos2 - 20)),
        gauss * sin * (5 + sin2 * (16 * sin2 - 20)));

    // The angle in [0, pi) from the first bin's start; flipped counts the half turns left out.
    double v = StrictMath.atan2(y, x) / Math.PI;
    boolean flipped = v < 0;
    v = (flipped ? v + 1 : v) - BIN_OFFSET / BINS;
    if (v < 0) {
      v += 1;
      flipped = !flipped;
    } else if (v >= 1) {
      v -= 1;
      flipped = !flipped;
    }
    int bin = Math.min(BINS - 1, (int) (v * BINS));
    double signed = flipped ? -w : w;

    // exp(-c radius) for the smallest curvature, then squared again and again.
    double decay = StrictMath.exp(-radius / 16);
    for (int k = 0; k < CURVATURES; k++) {
      linear[1 + k].add(w, count, decay * cos, decay * sin);
      double squared = decay * decay;
      double divided = 1 / (1 + squared);
      double tanh = (1 - squared) * divided;
      stepB[k][bin] += signed * tanh;
      stepN[k] += count * tanh * tanh;
      double sech = 2 * decay * divided;
      double ws = w * sech;
      double ss = count * sech * sech;
      double[] moments = wave[k];
      int at = bin * WAVE_MOMENTS;
      moments[at] += ws;
      moments[at + 1] += ws * v;
      moments[at + 2] += ss;
      moments[at + 3] += ss * v;
      moments[at + 4] += ss * v * v;
      decay = squared;
    }
  }

  private void addBessel(int k, double w, double count, double f) {
    besselB[k] += w * f;
    besselN[k] += count * f * f;
  }

  /** Sum of the squared weights, of the whole matrix. */
  double energy() {
    return energy;
  }

  /** Whether the sums are over the matrix itself, not over averages. */
  boolean exact() {
    return exact;
  }

  /** The best candidate of every shape that takes any energy away, best first. */
  List<Candidate> candidates(AmplitudeRule rule) {
    List<Candidate> found = new ArrayList<>();
    addIfGood(found, bestLinear(linear[0], 0, 0, rule));
    for (int k = 0; k < 4; k++) {
      addIfGood(found, bessel(4 + k, rule));
    }
    for (int k = 0; k < CURVATURES; k++) {
      addIfGood(found, bestStep(k, rule));
      addIfGood(found, bestWave(k, rule));
      addIfGood(found, bestLinear(linear[1 + k], 10, MIN_LOG2C + k, rule));
    }
    addIfGood(found, bestLinear(linear[CURVATURES + 1], 11, 0, rule));
    // The sort is stable, so equal gains stay in the order of basis and curvature.
    found.sort((p, q) -> Double.compare(q.gain(), p.gain()));
    return found;
  }

  private static void addIfGood(List<Candidate> found, Candidate candidate) {
    if (candidate.gain() > 0) {
      found.add(candidate);
    }
  }

  private Candidate bessel(int basis, AmplitudeRule rule) {
    double b = besselB[basis - 4];
    double n = besselN[basis - 4];
    double amplitude = rule.amplitude(b, n, basis, 0);
    return new Candidate(basis, 0, 0, amplitude, gain(amplitude, b, n));
  }

  static double gain(double amplitude, double b, double n) {
    return amplitude * (2 * b - amplitude * n);
  }

  private Candidate bestLinear(Linear sums, int basis, int log2c, AmplitudeRule rule) {
    // Unimodal between the scan's steps, so halving steps end at the best field value.
    int step = 1 << 12;
    Candidate best = linearAt(sums, basis, log2c, 0, rule);
    for (int theta = step; theta < Angle.FIELDS; theta += step) {
      best = best.orBetter(linearAt(sums, basis, log2c, theta, rule));
    }
    for (step >>= 1; step > 0; step >>= 1) {
      int theta = best.theta();
      best = best.orBetter(linearAt(sums, basis, log2c, Angle.wrap(theta - step), rule));
      best = best.orBetter(linearAt(sums, basis, log2c, Angle.wrap(theta + step), rule));
    }
    return best;
  }

  private static Candidate linearAt(Linear s, int basis, int log2c, int theta, AmplitudeRule rule) {
    double angle = Angle.radians(theta);
    // Bases 0 and 10: sin t = sin theta cos thetaLocal + cos theta sin thetaLocal.
    // Basis 11: cos 5t = cos 5theta cos 5thetaLocal - sin 5theta sin 5thetaLocal.
    double p = basis == 11 ? StrictMath.cos(5 * angle) : StrictMath.sin(angle);
    double q = basis == 11 ? -StrictMath.sin(5 * angle) : StrictMath.cos(angle);
    double b = p * s.cosB + q * s.sinB;
    double n = p * p * s.cosCos + 2 * p * q * s.cosSin + q * q * s.sinSin;
    // A shape that is 0 but for rounding errors, as sin t on a single column for theta = pi/2.
    if (n <= 1e-9 * (s.cosCos + s.sinSin)) {
      return new Candidate(basis, log2c, theta, 0, 0);
    }
    double amplitude = rule.amplitude(b, n, basis, log2c);
    return new Candidate(basis, log2c, theta, amplitude, gain(amplitude, b, n));
  }

  /** Basis 8: sign(cos t) changes at one line through the centre; every bin's edge is tried. */
  private Candidate bestStep(int k, AmplitudeRule rule) {
    int log2c = MIN_LOG2C + k;
    double n = stepN[k];
    double total = 0;
    for (double b : stepB[k]) {
      total += b;
    }
    Candidate best = new Candidate(8, log2c, 0, 0, 0);
    double before = 0;
    for (int edge = 0; edge < BINS; edge++) {
      double b = 2 * before - total;
      double amplitude = rule.amplitude(Math.abs(b), n, 8, log2c);
      double gain = gain(amplitude, Math.abs(b), n);
      if (gain > best.gain()) {
        // cos t is positive before the edge and negative after it, or reversed by a half turn.
        double angle = Math.PI * (0.5 - (edge + BIN_OFFSET) / BINS) + (b < 0 ? Math.PI : 0);
        best = new Candidate(8, log2c, Angle.field(angle), amplitude, gain);
      }
      before += stepB[k][edge];
    }
    return best;
  }

  /** Basis 9: the triangle rises for half a turn of its period from an edge, then falls. */
  private Candidate bestWave(int k, AmplitudeRule rule) {
    int log2c = MIN_LOG2C + k;
    double[] sums = new double[(2 * BINS + 1) * WAVE_MOMENTS];
    for (int bin = 0; bin < 2 * BINS; bin++) {
      int from = bin % BINS * WAVE_MOMENTS;
      // In the second lap v is larger by 1.
      double lap = bin < BINS ? 0 : 1;
      double[] m = wave[k];
      int at = bin * WAVE_MOMENTS;
      int next = at + WAVE_MOMENTS;
      sums[next] = sums[at] + m[from];
      sums[next + 1] = sums[at + 1] + m[from + 1] + lap * m[from];
      sums[next + 2] = sums[at + 2] + m[from + 2];
      sums[next + 3] = sums[at + 3] + m[from + 3] + lap * m[from + 2];
      sums[next + 4] = sums[at + 4] + m[from + 4] + lap * (2 * m[from + 3] + m[from + 2]);
    }
    double largest = sums[BINS * WAVE_MOMENTS + 2];
    Candidate best = new Candidate(9, log2c, 0, 0, 0);
    for (int edge = 0; edge < BINS; edge++) {
      int start = edge * WAVE_MOMENTS;
      int middle = start + BINS / 2 * WAVE_MOMENTS;
      int end = start + BINS * WAVE_MOMENTS;
      double position = (double) edge / BINS;
      // Rising: 4 v - up; falling: down - 4 v.
      double up = 4 * position + 1;
      double down = 4 * position + 3;
      double b =
          4 * (sums[middle + 1] - sums[start + 1])
              - up * (sums[middle] - sums[start])
              + down * (sums[end] - sums[middle])
              - 4 * (sums[end + 1] - sums[middle + 1]);
      double n =
          16 * (sums[end + 4] - sums[start + 4])
              - 8 * up * (sums[middle + 3] - sums[start + 3])
              + up * up * (sums[middle + 2] - sums[start + 2])
              - 8 * down * (sums[end + 3] - sums[middle + 3])
              + down * down * (sums[end + 2] - sums[middle + 2]);
      if (b <= 0 || n <= 1e-9 * largest) {
        continue;
      }
      double amplitude = rule.amplitude(b, n, 9, log2c);
      double gain = gain(amplitude, b, n);
      if (gain > best.gain()) {
        double angle = -Math.PI * (edge + BIN_OFFSET) / BINS;
        best = new Candidate(9, log2c, Angle.field(angle), amplitude, gain);
      }
    }
    return best;
  }
}
