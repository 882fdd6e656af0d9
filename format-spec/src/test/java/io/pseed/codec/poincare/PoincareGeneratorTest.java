package io.pseed.codec.poincare;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import net.jqwik.api.Example;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.IntRange;

class PoincareGeneratorTest {
  /** The text of section 6.2, written down once more without any shortcut. */
  private static double asInTheText(PoincareSeed s, int i, int j, int m, int n) {
    double x = n == 1 ? 0 : 2.0 * j / (n - 1) - 1;
    double y = m == 1 ? 0 : 2.0 * i / (m - 1) - 1;
    double rLocal = Math.min(Math.sqrt(x * x + y * y), 0.999999);
    double thetaLocal = x == 0 && y == 0 ? 0 : Math.atan2(y, x);
    double t = s.theta() + thetaLocal + PoincareGenerator.rotation(s.rot());
    double c = s.curvature();
    double[] sines = {Math.sin(t), Math.cos(t), -Math.sin(t), -Math.cos(t)};
    double[] cosines = {Math.cos(t), -Math.sin(t), -Math.cos(t), Math.sin(t)};
    double angular = (s.basis() % 2 == 0 ? sines : cosines)[s.dTheta()];
    double sinh = Math.sinh(c * s.r());
    double cosh = Math.cosh(c * s.r());
    double radial = (s.basis() & 2) == 0 ? (s.dR() == 0 ? sinh : cosh) : s.dR() == 0 ? cosh : sinh;
    double value =
        switch (s.basis()) {
          case 0, 1, 2, 3 -> angular * radial;
          case 4 -> BesselFunctions.j0(10 * rLocal);
          case 5 -> BesselFunctions.i0(10 * rLocal);
          case 6 -> BesselFunctions.k0(10 * rLocal);
          case 7 -> BesselFunctions.y0(10 * rLocal);
          case 8 -> Math.tanh(c * rLocal) * Math.signum(Math.cos(t));
          case 9 -> 2 / Math.PI * Math.asin(-Math.cos(2 * t)) / Math.cosh(c * rLocal);
          case 10 -> Math.exp(-c * rLocal) * Math.sin(t);
          case 11 -> Math.exp(-2.5 * rLocal * rLocal) * Math.cos(5 * t);
          default -> 0;
        };
    value /= Math.abs(1 - c * s.r() * s.r());
    return Double.isFinite(value) ? value : 0;
  }

  @Property(tries = 2000)
  void matchesTheText(
      @ForAll long bits,
      @ForAll @IntRange(min = 1, max = 12) int m,
      @ForAll @IntRange(min = 1, max = 12) int n) {
    PoincareSeed seed = PoincareSeed.fromBits(bits);
    PoincareGenerator generator = new PoincareGenerator(seed, m, n);
    double[] values = new double[m * n];
    generator.fill(0, m, values, 0);
    double largest = generator.envelope();
    for (double v : values) {
      largest = Math.max(largest, Math.abs(v));
    }
    // The text's own formula for the jacobian loses digits where 1 - c r^2 cancels.
    double lost = 1e-15 * Math.min(1e20, PoincareGenerator.jacobian(seed));
    // The text's triangle is written here with asin, which is ill-conditioned at the peaks.
    double tolerance = largest * ((seed.basis() == 9 ? 1e-7 : 1e-12) + lost) + 1e-300;
    for (int i = 0; i < m; i++) {
      for (int j = 0; j < n; j++) {
        if (seed.basis() == 8 && generator.absoluteCosine(i, j) < 1e-12) {
          continue;
        }
        assertThat(values[i * n + j]).isCloseTo(asInTheText(seed, i, j, m, n), within(tolerance));
        assertThat(generator.value(i, j)).isEqualTo(values[i * n + j]);
        assertThat(PoincareGenerator.value(seed, i, j, m, n)).isEqualTo(values[i * n + j]);
      }
    }
  }

  @Property(tries = 200)
  void rowRangesAreThoseOfTheWhole(@ForAll long bits, @ForAll @IntRange(max = 6) int from) {
    PoincareGenerator generator = new PoincareGenerator(PoincareSeed.fromBits(bits), 7, 5);
    double[] whole = new double[35];
    generator.fill(0, 7, whole, 0);
    double[] part = new double[3 + (7 - from) * 5];
    generator.fill(from, 7, part, 3);
    for (int k = 3; k < part.length; k++) {
      assertThat(part[k]).isEqualTo(whole[from * 5 + k - 3]);
    }
  }

  @Example
  void rotations() {
    double[] degrees = {0, 22.5, 30, 45, 60, 90, 120, 135, 150, 157.5, 0, 0, 0, 0, 0, 0};
    for (int code = 0; code < 16; code++) {
      assertThat(PoincareGenerator.rotation(code))
          .isCloseTo(Math.toRadians(degrees[code]), within(1e-15));
    }
  }

  @Example
  void triangleWave() {
    assertThat(PoincareGenerator.triangle(0)).isEqualTo(-1);
    assertThat(PoincareGenerator.triangle(Math.PI / 2)).isEqualTo(1);
    assertThat(PoincareGenerator.triangle(Math.PI / 4)).isEqualTo(0);
    assertThat(PoincareGenerator.triangle(-Math.PI / 4)).isEqualTo(0);
    assertThat(PoincareGenerator.triangle(Math.PI)).isEqualTo(-1);
  }

  @Example
  void infiniteJacobianGivesZeros() {
    PoincareSeed seed = new PoincareSeed(PoincareSeed.R_MAX, 12345, 10, 0, 0, 0, 0, 0);
    assertThat(PoincareGenerator.jacobian(seed)).isEqualTo(Double.POSITIVE_INFINITY);
    assertThat(PoincareGenerator.value(seed, 2, 3, 8, 8)).isEqualTo(0);
    // It is the only curvature and radius where that happens.
    for (int log2c = -4; log2c <= 3; log2c++) {
      double root = PoincareSeed.R_MAX / Math.sqrt(Math.pow(2, log2c));
      for (int d = -2; d <= 2; d++) {
        int r = (int) Math.round(root) + d;
        if (r >= 0 && r < PoincareSeed.R_MAX) {
          PoincareSeed near = new PoincareSeed(r, 0, 0, 0, 0, 0, log2c, 0);
          assertThat(PoincareGenerator.jacobian(near)).isFinite();
        }
      }
    }
  }

  @Example
  void singularBesselFunctionsAreZeroAtTheCentre() {
    for (int basis = 6; basis <= 7; basis++) {
      PoincareSeed seed = PoincareSeed.encode(0, 0, basis, 0, 0, 0, 0, 0);
      assertThat(PoincareGenerator.value(seed, 2, 2, 5, 5)).isEqualTo(0);
      assertThat(PoincareGenerator.value(seed, 2, 1, 5, 5)).isNotEqualTo(0);
    }
  }
}
