package io.pseed.codec.poincare;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.within;

import java.util.function.BinaryOperator;
import java.util.function.DoubleUnaryOperator;
import org.apfloat.Apfloat;
import org.apfloat.ApfloatMath;
import org.junit.jupiter.api.Test;

/** Against published values, and against 30 digits of an arbitrary-precision library. */
class BesselFunctionsTest {
  private static final int DIGITS = 30;

  @Test
  void publishedValues() {
    // Abramowitz and Stegun, tables 9.1 and 9.8; DLMF 10.
    assertThat(BesselFunctions.j0(1)).isCloseTo(0.7651976865579666, within(1e-15));
    assertThat(BesselFunctions.j0(5)).isCloseTo(-0.1775967713143383, within(1e-15));
    assertThat(BesselFunctions.j0(10)).isCloseTo(-0.24593576445134835, within(1e-15));
    assertThat(BesselFunctions.y0(1)).isCloseTo(0.08825696421567696, within(1e-15));
    assertThat(BesselFunctions.y0(10)).isCloseTo(0.055671167283599395, within(1e-15));
    assertThat(BesselFunctions.i0(1)).isCloseTo(1.2660658777520084, within(1e-15));
    assertThat(BesselFunctions.k0(1)).isCloseTo(0.42102443824070834, within(1e-15));
    assertThat(BesselFunctions.k0(10)).isCloseTo(1.778006231616765e-5, within(1e-19));
  }

  @Test
  void atZero() {
    assertThat(BesselFunctions.j0(0)).isEqualTo(1);
    assertThat(BesselFunctions.i0(0)).isEqualTo(1);
    assertThat(BesselFunctions.k0(0)).isEqualTo(Double.POSITIVE_INFINITY);
    assertThat(BesselFunctions.y0(0)).isEqualTo(Double.NEGATIVE_INFINITY);
  }

  @Test
  void refusesArgumentsOutsideItsRange() {
    for (double x : new double[] {-1e-9, 14.21, Double.NaN, Double.POSITIVE_INFINITY}) {
      assertThatIllegalArgumentException().isThrownBy(() -> BesselFunctions.j0(x));
      assertThatIllegalArgumentException().isThrownBy(() -> BesselFunctions.i0(x));
      assertThatIllegalArgumentException().isThrownBy(() -> BesselFunctions.k0(x));
      assertThatIllegalArgumentException().isThrownBy(() -> BesselFunctions.y0(x));
    }
  }

  @Test
  void j0HasThirteenDigits() {
    compare(BesselFunctions::j0, ApfloatMath::besselJ, true);
  }

  @Test
  void y0HasThirteenDigits() {
    compare(BesselFunctions::y0, ApfloatMath::besselY, true);
  }

  @Test
  void i0HasThirteenDigits() {
    compare(BesselFunctions::i0, ApfloatMath::besselI, false);
  }

  @Test
  void k0HasThirteenDigits() {
    compare(BesselFunctions::k0, ApfloatMath::besselK, false);
  }

  private static void compare(
      DoubleUnaryOperator ours, BinaryOperator<Apfloat> exact, boolean hasZeros) {
    Apfloat order = new Apfloat(0, DIGITS);
    double worst = 0;
    double at = 0;
    // Steps of 0.4, off the round numbers, the switch at 2 from both sides, and small arguments.
    for (int k = 0; k <= 39; k++) {
      double x =
          switch (k) {
            case 36 -> 1e-6;
            case 37 -> Math.nextUp(2.0);
            case 38 -> 1e-3;
            case 39 -> 2.0;
            default -> 0.4 * k + 0.1371;
          };
      double truth = exact.apply(order, new Apfloat(x, DIGITS)).doubleValue();
      double scale = hasZeros ? Math.max(1, Math.abs(truth)) : Math.abs(truth);
      double error = Math.abs(ours.applyAsDouble(x) - truth) / scale;
      if (error > worst) {
        worst = error;
        at = x;
      }
    }
    assertThat(worst).as("worst error, at x = %s", at).isLessThan(1e-13);
  }
}
