package io.pseed.converter.encode.poincare;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.within;

import io.pseed.codec.poincare.PoincareCodes;
import io.pseed.codec.poincare.PoincareDecoder;
import io.pseed.codec.poincare.PoincareGenerator;
import io.pseed.codec.poincare.PoincareSeed;
import io.pseed.format.CorruptException;
import java.util.Arrays;
import java.util.Optional;
import java.util.Random;
import net.jqwik.api.Assume;
import net.jqwik.api.Example;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.IntRange;

class PoincareSearchTest {
  /** Checks what every found seed must keep, with the decoder that readers use. */
  private static void check(float[] w, int m, int n, FittedSeed found) throws CorruptException {
    assertThat(found.seed()).isNotZero();
    assertThat(PoincareCodes.isSafe(PoincareSeed.fromBits(found.seed()), found.shift(), m, n))
        .isTrue();
    float[] decoded = new float[w.length];
    PoincareDecoder.fill(found.seed(), found.amplitude(), found.shift(), m, n, 0, m, decoded, 0);
    double error = 0;
    double energy = 0;
    for (int k = 0; k < w.length; k++) {
      error += ((double) w[k] - decoded[k]) * ((double) w[k] - decoded[k]);
      energy += (double) w[k] * w[k];
    }
    assertThat(error).isLessThan(energy);
    assertThat(found.rmse())
        .isCloseTo(Math.sqrt(error / w.length), within(1e-9 * found.rmse() + 1e-12));
    assertThat(found.zeroRmse())
        .isCloseTo(Math.sqrt(energy / w.length), within(1e-9 * found.zeroRmse()));
    assertThat(found.relativeEnergyReduction()).isGreaterThan(0).isLessThanOrEqualTo(1);
  }

  private static float[] shape(PoincareSeed seed, int m, int n, double amplitude) {
    PoincareGenerator generator = new PoincareGenerator(seed, m, n);
    double[] values = new double[m * n];
    generator.fill(0, m, values, 0);
    float[] w = new float[m * n];
    for (int k = 0; k < w.length; k++) {
      w[k] = (float) (amplitude * values[k]);
    }
    return w;
  }

  /** False where the sign of basis 8 is a matter of rounding. */
  private static boolean hasSigns(PoincareSeed seed, int m, int n) {
    return PoincareCodes.marginOf(new PoincareGenerator(seed, m, n), 0).cosine() > 1e-6;
  }

  @Property(tries = 150)
  void neverAboveZerosAndAlwaysSafe(
      @ForAll long random,
      @ForAll @IntRange(min = 1, max = 20) int m,
      @ForAll @IntRange(min = 1, max = 20) int n,
      @ForAll AmplitudeRule rule)
      throws CorruptException {
    Random r = new Random(random);
    float[] w = new float[m * n];
    double scale = Math.pow(10, r.nextInt(9) - 4);
    for (int k = 0; k < w.length; k++) {
      w[k] = (float) (scale * r.nextGaussian());
    }
    Optional<FittedSeed> found = PoincareSearch.findSeed(MatrixRows.of(w, m, n), rule);
    if (rule == AmplitudeRule.FREE) {
      assertThat(found).isPresent();
    }
    if (found.isPresent()) {
      check(w, m, n, found.get());
      if (rule == AmplitudeRule.ONE) {
        assertThat(found.get().amplitude()).isEqualTo(Math.scalb(1f, -found.get().shift()));
      }
    }
  }

  /** What a seed has generated, a search finds again (or something as good). */
  @Property(tries = 150)
  void findsAnySeedsOwnMatrix(
      @ForAll @IntRange(max = 11) int basis,
      @ForAll @IntRange(min = -4, max = 3) int log2c,
      @ForAll @IntRange(max = PoincareSeed.THETA_MAX) int theta,
      @ForAll @IntRange(max = 15) int rot,
      @ForAll @IntRange(max = 3) int dTheta,
      @ForAll @IntRange(min = 9, max = 33) int m,
      @ForAll @IntRange(min = 9, max = 33) int n)
      throws CorruptException {
    PoincareSeed seed = new PoincareSeed(300_000, theta, basis, dTheta, 1, rot, log2c, 0);
    Assume.that(hasSigns(seed, m, n));
    float[] w = shape(seed, m, n, basis == 5 ? -0.01 : 0.37);
    FittedSeed found =
        PoincareSearch.findSeed(MatrixRows.of(w, m, n), AmplitudeRule.FREE).orElseThrow();
    check(w, m, n, found);
    // Basis 8: two places may be nearer to each other, seen from the centre, than the angles tried.
    assertThat(found.relativeEnergyReduction()).isGreaterThan(basis == 8 ? 0.99 : 0.999999);
  }

  /** With amplitude 1 the matrix of a seed comes back with its own size, too. */
  @Property(tries = 100)
  void findsAnySeedsOwnMatrixWithAmplitudeOne(
      @ForAll @IntRange(max = 11) int basis,
      @ForAll @IntRange(min = -4, max = 3) int log2c,
      @ForAll @IntRange(max = PoincareSeed.THETA_MAX) int theta,
      @ForAll @IntRange(min = 1000, max = 1_000_000) int radius)
      throws CorruptException {
    PoincareSeed seed = new PoincareSeed(radius, theta, basis, 0, 1, 0, log2c, 0);
    Assume.that(hasSigns(seed, 17, 24));
    float[] w = shape(seed, 17, 24, 1);
    FittedSeed found =
        PoincareSearch.findSeed(MatrixRows.of(w, 17, 24), AmplitudeRule.ONE).orElseThrow();
    check(w, 17, 24, found);
    assertThat(found.relativeEnergyReduction()).isGreaterThan(basis == 8 ? 0.99 : 0.9999);
  }

  /** A scan of everything on a coarse grid of angles finds nothing better. */
  @Property(tries = 12)
  void nothingBetterInAFullScan(
      @ForAll long random,
      @ForAll @IntRange(min = 1, max = 8) int m,
      @ForAll @IntRange(min = 2, max = 8) int n) {
    Random r = new Random(random);
    float[] w = new float[m * n];
    for (int k = 0; k < w.length; k++) {
      w[k] = (float) r.nextGaussian();
    }
    FittedSeed found =
        PoincareSearch.findSeed(MatrixRows.of(w, m, n), AmplitudeRule.FREE).orElseThrow();
    double best = 0;
    double[] f = new double[m * n];
    for (int basis = 0; basis < 12; basis++) {
      for (int log2c = -4; log2c <= 3; log2c++) {
        for (int a = 0; a < 360; a++) {
          PoincareSeed seed = PoincareSeed.encode(0, a * Math.PI / 180, basis, 0, 1, 0, log2c, 0);
          PoincareGenerator generator = new PoincareGenerator(seed, m, n);
          generator.fill(0, m, f, 0);
          double b = 0;
          double nn = 0;
          for (int k = 0; k < f.length; k++) {
            b += w[k] * f[k];
            nn += f[k] * f[k];
          }
          // Where cos t is 0 but for rounding, the sign of basis 8 is noise: no encoder may use it.
          boolean defined = PoincareCodes.marginOf(generator, 0).cosine() > 1e-12;
          if (defined
              && nn > 1e-9 * f.length * generator.envelope() * generator.envelope()
              && nn > 0) {
            best = Math.max(best, b * b / nn);
          }
        }
      }
    }
    double energy = found.zeroRmse() * found.zeroRmse() * w.length;
    assertThat(found.relativeEnergyReduction()).isGreaterThan(best / energy - 1e-4);
  }

  @Example
  void zerosHaveNoSeed() {
    for (AmplitudeRule rule : AmplitudeRule.values()) {
      assertThat(PoincareSearch.findSeed(MatrixRows.of(new float[12], 3, 4), rule)).isEmpty();
    }
    assertThat(PoincareSearch.improve(MatrixRows.of(new float[12], 3, 4), 0)).isEmpty();
  }

  @Example
  void constantMatrices() throws CorruptException {
    for (int[] size : new int[][] {{1, 1}, {1, 7}, {7, 1}, {2, 2}, {16, 16}, {31, 5}}) {
      for (float c : new float[] {1f, -3e-7f, 2e20f, Float.MIN_NORMAL}) {
        float[] w = new float[size[0] * size[1]];
        Arrays.fill(w, c);
        FittedSeed found =
            PoincareSearch.findSeed(MatrixRows.of(w, size[0], size[1]), AmplitudeRule.FREE)
                .orElseThrow();
        check(w, size[0], size[1], found);
      }
    }
  }

  @Example
  void noSeedWhereItsAmplitudeWouldBeBeyondTheFormat() {
    float[] w = new float[12];
    Arrays.fill(w, 2e30f);
    assertThat(PoincareSearch.findSeed(MatrixRows.of(w, 3, 4), AmplitudeRule.FREE)).isEmpty();
  }

  @Example
  void refusesWeightsThatAreNotFinite() {
    float[] w = new float[12];
    w[7] = Float.NaN;
    assertThatIllegalArgumentException()
        .isThrownBy(() -> PoincareSearch.improve(MatrixRows.of(w, 3, 4), 0.1))
        .withMessage("row 1 of the matrix has a weight that is not finite");
    assertThatIllegalArgumentException()
        .isThrownBy(() -> PoincareSearch.improve(MatrixRows.of(new float[12], 3, 4), 1.5));
    assertThatIllegalArgumentException()
        .isThrownBy(() -> MatrixRows.of(new float[11], 3, 4))
        .withMessage("11 weights for a 3 x 4 matrix");
  }

  @Example
  void improveTurnsDownWhatIsNotWorthIt() {
    float[] smooth = PaperExperiment.Kind.SMOOTH_1.matrix(32);
    MatrixRows matrix = MatrixRows.of(smooth, 32, 32);
    FittedSeed found = PoincareSearch.improve(matrix, 0.1).orElseThrow();
    assertThat(found.rmse()).isLessThanOrEqualTo(0.4555);
    assertThat(PoincareSearch.improve(matrix, 0.2)).isEmpty();
    float[] noise = PaperExperiment.Kind.GAUSSIAN.matrix(64);
    assertThat(PoincareSearch.improve(MatrixRows.of(noise, 64, 64), 0.05)).isEmpty();
  }

  /** Golden: another machine, or another version of the JDK, must find the same. */
  @Example
  void theSameSeedEverywhere() {
    MatrixRows first = MatrixRows.of(PaperExperiment.Kind.SMOOTH_1.matrix(32), 32, 32);
    MatrixRows second = MatrixRows.of(PaperExperiment.Kind.SMOOTH_2.matrix(32), 32, 32);
    FittedSeed free = PoincareSearch.findSeed(first, AmplitudeRule.FREE).orElseThrow();
    assertThat(free.seed()).isEqualTo(4398047166528L);
    assertThat(free.amplitude()).isEqualTo(6.0151615E-5f);
    assertThat(free.shift()).isEqualTo(14);
    assertThat(free.rmse()).isEqualTo(0.4547331134585296, within(1e-15));
    FittedSeed unit = PoincareSearch.findSeed(second, AmplitudeRule.ONE).orElseThrow();
    assertThat(unit.seed()).isEqualTo(2793555580970205376L);
    assertThat(unit.amplitude()).isEqualTo(0x1p-15f);
    assertThat(unit.shift()).isEqualTo(15);
    assertThat(unit.rmse()).isEqualTo(0.4954646177449754, within(1e-15));
  }

  /** Above 2^18 places the search runs on block averages, the error on the matrix itself. */
  @Example
  void largeMatricesAreSearchedByAverages() throws CorruptException {
    int m = 1100;
    int n = 700;
    Random r = new Random(5);
    for (int basis : new int[] {0, 4, 6, 7, 8, 9, 10, 11}) {
      PoincareSeed seed = PoincareSeed.encode(0.2, 1.234, basis, 0, 1, 0, 0, 0);
      float[] w = shape(seed, m, n, 0.02);
      for (int k = 0; k < w.length; k++) {
        w[k] += 0.001f * (float) r.nextGaussian();
      }
      FittedSeed found = PoincareSearch.improve(MatrixRows.of(w, m, n), 0.5).orElseThrow();
      check(w, m, n, found);
      double signal = found.zeroRmse() * found.zeroRmse() - 1e-6;
      double left = found.rmse() * found.rmse() - 1e-6;
      assertThat(left / signal).as("basis %d", basis).isLessThan(0.002);
    }
  }
}
