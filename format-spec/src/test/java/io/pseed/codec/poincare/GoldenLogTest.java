package io.pseed.codec.poincare;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.util.function.DoubleBinaryOperator;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Every value that the test log of the original program prints. */
class GoldenLogTest {
  @Test
  void decodesTheLoggedSeed() {
    PoincareSeed seed = PoincareSeed.fromBits(0x7FFFF800000AFB6AL);
    assertThat((float) seed.r()).isEqualTo(0.49999952f);
    assertThat(seed.theta()).isCloseTo(3.1415932, within(1e-6));
    assertThat(seed.basis()).isEqualTo(10);
    assertThat(seed.dTheta()).isEqualTo(3);
    assertThat(seed.dR()).isEqualTo(1);
    assertThat(seed.rot()).isEqualTo(13);
    assertThat(seed.log2c()).isEqualTo(-3);
    assertThat(seed.reserved()).isEqualTo(42);
    assertThat(seed.toBits()).isEqualTo(0x7FFFF800000AFB6AL);
  }

  @Test
  void encodesTheLoggedSeed() {
    PoincareSeed seed = PoincareSeed.encode(0.5, Math.PI, 10, 3, 1, 13, -3, 42);
    assertThat(seed.toBits()).isEqualTo(0x80000800000AFB6AL);
  }

  @ParameterizedTest
  @CsvSource({"0,0", "1,1", "2,2", "3,3", "4,-4", "5,-3", "6,-2", "7,-1"})
  void decodesTheSignedCurvature(long bits, int log2c) {
    assertThat(PoincareSeed.fromBits(bits << 6).log2c()).isEqualTo(log2c);
    assertThat(PoincareSeed.fromBits(bits << 6).curvature()).isEqualTo(Math.pow(2, log2c));
  }

  @Test
  void clampsTheRadiusAndReducesTheAngle() {
    PoincareSeed seed = PoincareSeed.encode(1.5, 3 * Math.PI, 0, 0, 0, 0, 0, 0);
    assertThat(seed.r()).isLessThan(1).isCloseTo(0.999999, within(1e-6));
    assertThat(seed.theta()).isCloseTo(Math.PI, within(1e-6));
    assertThat(PoincareSeed.encode(-0.1, -Math.PI, 0, 0, 0, 0, 0, 0).rBits()).isZero();
    assertThat(PoincareSeed.encode(0, -Math.PI, 0, 0, 0, 0, 0, 0).thetaBits()).isEqualTo(1 << 23);
  }

  @Test
  void printsTheLoggedJacobian() {
    // The log's 3.5714273 is the single-precision result; the true value is 3.5714286.
    float r = 0.8f;
    assertThat(1 / Math.abs(1 - 2f * r * r)).isEqualTo(3.5714273f);
    assertThat(PoincareGenerator.jacobian(2, 0.8)).isCloseTo(3.5714273, within(2e-6));
    assertThat(PoincareGenerator.jacobian(2, 0.8)).isCloseTo(1 / 0.28, within(1e-14));
    PoincareSeed seed = PoincareSeed.encode(0.8, 0, 0, 0, 0, 0, 1, 0);
    assertThat(seed.r()).isEqualTo(0.8);
    assertThat(PoincareGenerator.jacobian(seed)).isCloseTo(1 / 0.28, within(1e-14));
  }

  @Test
  void generatesTheLoggedCentre() {
    PoincareSeed seed = PoincareSeed.encode(0.5, Math.PI / 2, 0, 0, 0, 0, 0, 0);
    double value = PoincareGenerator.value(seed, 15, 15, 31, 31);
    assertThat(value).isCloseTo(0.69479495, within(1e-7));
    double unquantised = PoincareGenerator.jacobian(1, 0.5) * Math.sinh(0.5);
    assertThat(unquantised).isCloseTo(0.6947937, within(1e-7));
  }

  @Test
  void fieldsComeBack() {
    PoincareSeed seed = PoincareSeed.encode(0.5, Math.PI, 0, 2, 1, 3, -2, 0);
    PoincareSeed back = PoincareSeed.fromBits(seed.toBits());
    assertThat(back).isEqualTo(seed);
    assertThat(back.r()).isCloseTo(0.5, within(1e-6));
    assertThat(back.theta()).isCloseTo(Math.PI, within(1e-6));
    assertThat(back.dTheta()).isEqualTo(2);
    assertThat(back.dR()).isEqualTo(1);
    assertThat(back.rot()).isEqualTo(3);
    assertThat(back.log2c()).isEqualTo(-2);
  }

  @Test
  void reproducesTheRmseOfTheFirstLoggedSearch() {
    PoincareSeed found = PoincareSeed.encode(0.7914379, 3.869448, 1, 2, 1, 1, -3, 0);
    assertThat(rmse(found, GoldenLogTest::first)).isCloseTo(0.884049, within(1e-6));
  }

  @Test
  void reproducesTheRmseOfTheSecondLoggedSearch() {
    PoincareSeed found = PoincareSeed.encode(0.45216697, 0.20955694, 0, 3, 0, 2, -1, 0);
    assertThat(rmse(found, GoldenLogTest::second)).isCloseTo(0.534306, within(1e-6));
  }

  @Test
  void loggedSeedsAreWorseThanZeros() {
    PoincareSeed zeros = PoincareSeed.fromBits(0);
    assertThat(rmse(zeros, GoldenLogTest::first)).isCloseTo(0.5, within(1e-3));
    assertThat(rmse(zeros, GoldenLogTest::second)).isCloseTo(0.5, within(1e-3));
  }

  private static double first(double x, double y) {
    return Math.sin(Math.PI * x) * Math.cos(Math.PI * y);
  }

  private static double second(double x, double y) {
    return Math.sin(2 * Math.PI * x) * Math.cos(3 * Math.PI * y);
  }

  private static double rmse(PoincareSeed seed, DoubleBinaryOperator matrix) {
    int n = 32;
    double sum = 0;
    for (int i = 0; i < n; i++) {
      for (int j = 0; j < n; j++) {
        double x = 2.0 * j / (n - 1) - 1;
        double y = 2.0 * i / (n - 1) - 1;
        double e = matrix.applyAsDouble(x, y) - PoincareGenerator.value(seed, i, j, n, n);
        sum += e * e;
      }
    }
    return Math.sqrt(sum / (n * n));
  }
}
