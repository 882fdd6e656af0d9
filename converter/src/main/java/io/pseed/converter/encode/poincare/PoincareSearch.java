package io.pseed.converter.encode.poincare;

import io.pseed.codec.poincare.PoincareCodes;
import io.pseed.codec.poincare.PoincareCodes.Margin;
import io.pseed.codec.poincare.PoincareGenerator;
import io.pseed.codec.poincare.PoincareSeed;
import io.pseed.format.LayerSeed;
import java.util.List;
import java.util.Optional;

/**
 * Finds the seed that takes most energy (sum of squares) away from a matrix, over all bases,
 * curvatures and angles. {@code ShapeSums} ranks the shapes with closed forms in one pass; the best
 * are then made into codes by the encoder's rule (specification, section 6.3) and measured by their
 * decoded weights. A seed that does not beat zeros is never returned.
 *
 * <p>Deterministic: the same matrix gives the same seed on every machine. One thread; callers
 * search many tensors in parallel. Memory: a few rows and 4 MB, and what {@code ShapeGeometry}
 * keeps for all of them.
 *
 * <p>Matrices up to 2^18 places are searched themselves, larger ones by block averages (at least
 * 512 lines a side); in both cases the measured error is that of the full matrix.
 */
public final class PoincareSearch {
  /** Largest codes are as near to 2^14 as a power of two brings them. */
  private static final int LOG2_CODE = 14;

  /**
   * Of N places with codes up to M, about N * M * 2^-36 are within the margin by chance: take M so
   * small that this is one half or less.
   */
  private static final int LOG2_PLACES_TIMES_CODE = 35;

  /** Fewer than these bits would not draw the shape any more. */
  private static final int SMALLEST_LOG2_CODE = 3;

  /** Neighbouring seeds tried until one is safe. */
  private static final int ATTEMPTS = 12;

  /** With a free amplitude the radius moves all values by a factor; a step of about 0.04. */
  private static final int R_STEP = 39_999;

  /**
   * Part of the best measured gain within which another candidate's estimate is worth measuring.
   */
  private static final double SLACK_EXACT = 1e-4;

  /** With few places, one on the other side of basis 8's jump is much, and refining brings more. */
  private static final double SLACK_SMALL = 0.03;

  private static final double SLACK_AVERAGED = 0.003;

  /** Candidates that are measured at most. */
  private static final int FINALISTS = 8;

  /** Places up to which the angles of bases 8 and 9 are refined between the edges of the bins. */
  private static final int LARGEST_REFINED = 1 << 14;

  /** Angle fields tried to both sides of an edge: one bin, in steps of 1/32 of it. */
  private static final int REFINE_REACH = Angle.FIELDS / 2 / ShapeGeometry.BINS;

  private static final int REFINE_STEP = REFINE_REACH / 32;

  /** An estimate this much below the wanted reduction ends the search. */
  private static final double ESTIMATE_TRUST = 0.9;

  private PoincareSearch() {}

  /**
   * The best seed of a matrix, if any is better than zeros.
   *
   * @throws IllegalArgumentException if a weight is not finite; the message names the row
   */
  public static Optional<FittedSeed> findSeed(MatrixRows matrix, AmplitudeRule rule) {
    return find(matrix, ShapeTotals.of(matrix), rule, 0);
  }

  /**
   * The best seed with a free amplitude, if it takes enough energy away. Most trained layers are
   * turned down after one pass.
   *
   * @param minRelativeEnergyReduction part of the energy, 0 to 1
   * @throws IllegalArgumentException if a weight is not finite; the message names the row
   */
  public static Optional<FittedSeed> improve(MatrixRows matrix, double minRelativeEnergyReduction) {
    return improve(matrix, ShapeTotals.of(matrix), minRelativeEnergyReduction);
  }

  /**
   * The same with sums that are there already.
   *
   * @param totals of the same matrix
   */
  public static Optional<FittedSeed> improve(
      MatrixRows matrix, ShapeTotals totals, double minRelativeEnergyReduction) {
    if (!(minRelativeEnergyReduction >= 0 && minRelativeEnergyReduction <= 1)) {
      throw new IllegalArgumentException(
          "minimal energy reduction is %s, expected 0 to 1".formatted(minRelativeEnergyReduction));
    }
    return find(matrix, totals, AmplitudeRule.FREE, minRelativeEnergyReduction);
  }

  private static Optional<FittedSeed> find(
      MatrixRows matrix, ShapeTotals totals, AmplitudeRule rule, double minReduction) {
    ShapeSums sums = new ShapeSums(matrix, totals);
    List<ShapeSums.Candidate> candidates = sums.candidates(rule);
    boolean refined = (long) matrix.rows() * matrix.cols() <= LARGEST_REFINED;
    double slack = 1 - (refined ? SLACK_SMALL : sums.exact() ? SLACK_EXACT : SLACK_AVERAGED);
    double enough = minReduction * sums.energy();
    Fitted best = null;
    int fitted = 0;
    for (ShapeSums.Candidate candidate : candidates) {
      boolean hopeless =
          candidate.gain() < ESTIMATE_TRUST * enough
              || (best != null && candidate.gain() < slack * best.gain);
      if (hopeless || fitted == FINALISTS) {
        break;
      }
      boolean jumps = candidate.basis() == 8 || candidate.basis() == 9;
      ShapeSums.Candidate refinedCandidate =
          refined && jumps ? refine(matrix, candidate, rule) : candidate;
      Fitted next = fit(matrix, refinedCandidate, rule, sums.exact());
      fitted++;
      if (next != null && next.beats(best)) {
        best = next;
      }
    }
    if (best == null) {
      return Optional.empty();
    }
    double error = error(matrix, best);
    double gain = sums.energy() - error;
    // A gain within the rounding of the two sums is none.
    if (gain < enough || gain <= 1e-12 * sums.energy()) {
      return Optional.empty();
    }
    double places = (double) matrix.rows() * matrix.cols();
    return Optional.of(
        new FittedSeed(
            best.seed.toBits(),
            best.amplitude,
            best.shift,
            Math.sqrt(error / places),
            Math.sqrt(sums.energy() / places)));
  }

  /** A safe seed with the energy that its codes take away from the full matrix. */
  private record Fitted(PoincareSeed seed, float amplitude, int shift, double gain) {
    /** More gain, or the same and the smaller seed. */
    boolean beats(Fitted other) {
      if (other == null || gain > other.gain) {
        return true;
      }
      return gain == other.gain && Long.compareUnsigned(seed.toBits(), other.seed.toBits()) < 0;
    }
  }

  /** Looks for a better angle between the edges that the bins allowed, on the matrix itself. */
  private static ShapeSums.Candidate refine(
      MatrixRows matrix, ShapeSums.Candidate start, AmplitudeRule rule) {
    ShapeSums.Candidate best = at(matrix, start, start.theta(), rule);
    for (int aside = -REFINE_REACH; aside <= REFINE_REACH; aside += REFINE_STEP) {
      best = best.orBetter(at(matrix, start, Angle.wrap(start.theta() + aside), rule));
    }
    for (int step = REFINE_STEP / 2; step > 0; step /= 2) {
      int theta = best.theta();
      best = best.orBetter(at(matrix, start, Angle.wrap(theta - step), rule));
      best = best.orBetter(at(matrix, start, Angle.wrap(theta + step), rule));
    }
    return best;
  }

  /** A candidate with another angle, and the gain of it on the matrix itself. */
  private static ShapeSums.Candidate at(
      MatrixRows matrix, ShapeSums.Candidate shape, int theta, AmplitudeRule rule) {
    PoincareGenerator generator =
        new PoincareGenerator(
            new PoincareSeed(0, theta, shape.basis(), 0, 0, 0, shape.log2c(), 0),
            matrix.rows(),
            matrix.cols());
    double[] values = new double[matrix.cols()];
    float[] row = new float[matrix.cols()];
    double b = 0;
    double n = 0;
    for (int i = 0; i < matrix.rows(); i++) {
      generator.fill(i, i + 1, values, 0);
      matrix.row(i, row);
      for (int j = 0; j < values.length; j++) {
        b += row[j] * values[j];
        n += values[j] * values[j];
      }
    }
    double noise =
        1e-9 * generator.envelope() * generator.envelope() * matrix.rows() * values.length;
    double amplitude = n <= noise ? 0 : rule.amplitude(b, n, shape.basis(), shape.log2c());
    return new ShapeSums.Candidate(
        shape.basis(), shape.log2c(), theta, amplitude, ShapeSums.gain(amplitude, b, n));
  }

  /** The first safe seed at or beside a candidate, or null if none is. */
  private static Fitted fit(
      MatrixRows matrix, ShapeSums.Candidate candidate, AmplitudeRule rule, boolean small) {
    long places = (long) matrix.rows() * matrix.cols();
    int log2Places = Long.SIZE - Long.numberOfLeadingZeros(places - 1);
    int log2Code =
        Math.max(SMALLEST_LOG2_CODE, Math.min(LOG2_CODE, LOG2_PLACES_TIMES_CODE - log2Places));
    for (int attempt = 0; attempt < ATTEMPTS; attempt++) {
      PoincareSeed seed = seed(candidate, rule, attempt);
      PoincareGenerator generator = new PoincareGenerator(seed, matrix.rows(), matrix.cols());
      double largest = small ? largest(generator) : largestNearly(generator);
      if (largest <= 1e-9 * generator.envelope()) {
        return null;
      }
      // Smaller codes have smaller margins: with luck missing, go down.
      int wanted = Math.max(SMALLEST_LOG2_CODE, log2Code - attempt / 3);
      int shift = (int) Math.rint(wanted - StrictMath.log(largest) / StrictMath.log(2));
      if (shift < PoincareCodes.MIN_SHIFT || shift > PoincareCodes.MAX_SHIFT) {
        return null;
      }
      Projection projection = project(matrix, generator, shift);
      if (projection == null) {
        continue;
      }
      float amplitude =
          rule == AmplitudeRule.ONE
              ? Math.scalb(1f, -shift)
              : (float) (projection.weightsTimesCodes / projection.codesSquared);
      // A record holds no larger one.
      if (!(Math.abs(amplitude) <= LayerSeed.LARGEST_AMPLITUDE)) {
        return null;
      }
      double gain =
          amplitude * (2 * projection.weightsTimesCodes - amplitude * projection.codesSquared);
      return new Fitted(seed, amplitude, shift, gain);
    }
    return null;
  }

  /** The candidate's seed, or for a later attempt a neighbour with other values. */
  private static PoincareSeed seed(ShapeSums.Candidate candidate, AmplitudeRule rule, int attempt) {
    // 0, 1, -1, 2, -2, ...
    int aside = (attempt & 1) == 0 ? -(attempt >> 1) : (attempt + 1) >> 1;
    // The sign of basis 8 does not depend on the radius.
    int theta = candidate.basis() == 8 ? Angle.wrap(candidate.theta() + aside) : candidate.theta();
    ShapeSums.Candidate turned =
        new ShapeSums.Candidate(
            candidate.basis(), candidate.log2c(), theta, candidate.amplitude(), candidate.gain());
    if (rule == AmplitudeRule.ONE) {
      PoincareSeed seed = UnitAmplitude.of(turned);
      int r = Math.min(Math.max(seed.rBits() + aside, 0), UnitAmplitude.LARGEST_R);
      return UnitAmplitude.withR(seed, r);
    }
    // dR = 1 makes the radial factor of basis 0 cosh(0) = 1 at radius 0.
    int dR = candidate.basis() < 4 ? 1 : 0;
    return new PoincareSeed(
        attempt * R_STEP, theta, candidate.basis(), 0, dR, 0, candidate.log2c(), 0);
  }

  private static double largest(PoincareGenerator generator) {
    double largest = 0;
    double[] values = new double[generator.cols()];
    for (int i = 0; i < generator.rows(); i++) {
      generator.fill(i, i + 1, values, 0);
      for (double v : values) {
        largest = Math.max(largest, Math.abs(v));
      }
    }
    return largest;
  }

  /**
   * The largest |value| of a large matrix without a pass over it: where the radial factor is
   * largest an angle near the best is not far, and a radial function shows all of itself on the
   * lines through the centre. Good to a few percent; the largest code has 41 % of room.
   */
  private static double largestNearly(PoincareGenerator generator) {
    double largest = generator.envelope();
    if (largest > 0) {
      return largest;
    }
    for (int i = 0; i < generator.rows(); i++) {
      largest = Math.max(largest, Math.abs(generator.value(i, generator.cols() / 2)));
    }
    for (int j = 0; j < generator.cols(); j++) {
      largest = Math.max(largest, Math.abs(generator.value(generator.rows() / 2, j)));
    }
    return largest;
  }

  private record Projection(double weightsTimesCodes, double codesSquared) {}

  /** Sums for the amplitude, or null if the seed is not safe with this shift. */
  private static Projection project(MatrixRows matrix, PoincareGenerator generator, int shift) {
    int cols = matrix.cols();
    double factor = Math.scalb(1.0, shift);
    double[] values = new double[cols];
    float[] row = new float[cols];
    Margin margin = Margin.NONE;
    double wq = 0;
    double qq = 0;
    for (int i = 0; i < matrix.rows(); i++) {
      generator.fill(i, i + 1, values, 0);
      margin = margin.and(PoincareCodes.marginOfRow(generator, shift, i, values));
      if (!margin.isSafe()) {
        return null;
      }
      matrix.row(i, row);
      for (int j = 0; j < cols; j++) {
        double q = Math.rint(values[j] * factor);
        wq += row[j] * q;
        qq += q * q;
      }
    }
    return new Projection(wq, qq);
  }

  /** Sum of the squared errors of the decoded weights. */
  private static double error(MatrixRows matrix, Fitted fitted) {
    int cols = matrix.cols();
    PoincareGenerator generator = new PoincareGenerator(fitted.seed, matrix.rows(), cols);
    double factor = Math.scalb(1.0, fitted.shift);
    double[] values = new double[cols];
    float[] row = new float[cols];
    double error = 0;
    for (int i = 0; i < matrix.rows(); i++) {
      generator.fill(i, i + 1, values, 0);
      matrix.row(i, row);
      for (int j = 0; j < cols; j++) {
        float decoded = (float) Math.rint(values[j] * factor) * fitted.amplitude;
        double e = (double) row[j] - decoded;
        error += e * e;
      }
    }
    return error;
  }
}
