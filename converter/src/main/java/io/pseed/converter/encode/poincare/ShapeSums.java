package io.pseed.converter.encode.poincare;

import java.util.ArrayList;
import java.util.List;

/**
 * Knows from one pass over a matrix, for every basis, curvature and angle, how much energy the
 * seed's shape takes away. For a shape f (the value without jacobian) and weights w, that follows
 * from b = sum(w f) and n = sum(f^2):
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
 * <p>A matrix of more than {@value ShapeGeometry#LARGEST_EXACT} places is averaged over blocks
 * first, and each block counts as its centre. What depends on the matrix's size alone is in {@link
 * ShapeGeometry}, the sums that weights enter in {@link ShapeTotals}.
 */
final class ShapeSums {
  private static final int BINS = ShapeGeometry.BINS;
  private static final int CURVATURES = ShapeGeometry.CURVATURES;
  private static final int LINEAR = ShapeGeometry.LINEAR;
  private static final double BIN_OFFSET = ShapeGeometry.BIN_OFFSET;

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

  /** Sums of w s, w s v, s^2, s^2 v, s^2 v^2 before a bin; v is the angle over pi. */
  private static final int WAVE_MOMENTS = 5;

  private final ShapeGeometry geometry;
  private final ShapeTotals totals;

  /** The sums of a matrix. */
  ShapeSums(MatrixRows matrix, ShapeTotals totals) {
    this.geometry = ShapeGeometry.of(matrix.rows(), matrix.cols());
    this.totals = totals;
  }

  /** Sum of the squared weights, of the whole matrix. */
  double energy() {
    return totals.energy();
  }

  /** Whether the sums are over the matrix itself, not over averages. */
  boolean exact() {
    return geometry.exact();
  }

  /** The best candidate of every shape that takes any energy away, best first. */
  List<Candidate> candidates(AmplitudeRule rule) {
    List<Candidate> found = new ArrayList<>();
    addIfGood(found, bestLinear(0, 0, 0, rule));
    for (int k = 0; k < 4; k++) {
      addIfGood(found, bessel(4 + k, rule));
    }
    for (int k = 0; k < CURVATURES; k++) {
      addIfGood(found, bestStep(k, rule));
      addIfGood(found, bestWave(k, rule));
      addIfGood(found, bestLinear(1 + k, 10, MIN_LOG2C + k, rule));
    }
    addIfGood(found, bestLinear(LINEAR - 1, 11, 0, rule));
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
    double b = totals.bessel(basis - 4);
    double n = geometry.besselSquares(basis - 4);
    double amplitude = rule.amplitude(b, n, basis, 0);
    return new Candidate(basis, 0, 0, amplitude, gain(amplitude, b, n));
  }

  static double gain(double amplitude, double b, double n) {
    return amplitude * (2 * b - amplitude * n);
  }

  private Candidate bestLinear(int shape, int basis, int log2c, AmplitudeRule rule) {
    // Unimodal between the scan's steps, so halving steps end at the best field value.
    int step = 1 << 12;
    Candidate best = linearAt(shape, basis, log2c, 0, rule);
    for (int theta = step; theta < Angle.FIELDS; theta += step) {
      best = best.orBetter(linearAt(shape, basis, log2c, theta, rule));
    }
    for (step >>= 1; step > 0; step >>= 1) {
      int theta = best.theta();
      best = best.orBetter(linearAt(shape, basis, log2c, Angle.wrap(theta - step), rule));
      best = best.orBetter(linearAt(shape, basis, log2c, Angle.wrap(theta + step), rule));
    }
    return best;
  }

  private Candidate linearAt(int shape, int basis, int log2c, int theta, AmplitudeRule rule) {
    double angle = Angle.radians(theta);
    // Bases 0 and 10: sin t = sin theta cos thetaLocal + cos theta sin thetaLocal.
    // Basis 11: cos 5t = cos 5theta cos 5thetaLocal - sin 5theta sin 5thetaLocal.
    double p = basis == 11 ? StrictMath.cos(5 * angle) : StrictMath.sin(angle);
    double q = basis == 11 ? -StrictMath.sin(5 * angle) : StrictMath.cos(angle);
    double b = p * totals.linear(shape, 0) + q * totals.linear(shape, 1);
    double[] gram = geometry.gram(shape);
    double n = p * p * gram[0] + 2 * p * q * gram[1] + q * q * gram[2];
    // A shape that is 0 but for rounding errors, as sin t on a single column for theta = pi/2.
    if (n <= 1e-9 * (gram[0] + gram[2])) {
      return new Candidate(basis, log2c, theta, 0, 0);
    }
    double amplitude = rule.amplitude(b, n, basis, log2c);
    return new Candidate(basis, log2c, theta, amplitude, gain(amplitude, b, n));
  }

  /** Basis 8: sign(cos t) changes at one line through the centre; every bin's edge is tried. */
  private Candidate bestStep(int k, AmplitudeRule rule) {
    int log2c = MIN_LOG2C + k;
    double n = geometry.stepSquares(k);
    double total = 0;
    for (int bin = 0; bin < BINS; bin++) {
      total += totals.step(k, bin);
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
      before += totals.step(k, edge);
    }
    return best;
  }

  /** Basis 9: the triangle rises for half a turn of its period from an edge, then falls. */
  private Candidate bestWave(int k, AmplitudeRule rule) {
    int log2c = MIN_LOG2C + k;
    double[] sums = new double[(2 * BINS + 1) * WAVE_MOMENTS];
    for (int bin = 0; bin < 2 * BINS; bin++) {
      int of = bin % BINS;
      int fromSquares = 3 * of;
      // In the second lap v is larger by 1.
      double lap = bin < BINS ? 0 : 1;
      double[] squares = geometry.waveSquares(k);
      int at = bin * WAVE_MOMENTS;
      int next = at + WAVE_MOMENTS;
      sums[next] = sums[at] + totals.wave(k, of);
      sums[next + 1] = sums[at + 1] + totals.waveMoment(k, of) + lap * totals.wave(k, of);
      sums[next + 2] = sums[at + 2] + squares[fromSquares];
      sums[next + 3] = sums[at + 3] + squares[fromSquares + 1] + lap * squares[fromSquares];
      sums[next + 4] =
          sums[at + 4]
              + squares[fromSquares + 2]
              + lap * (2 * squares[fromSquares + 1] + squares[fromSquares]);
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
