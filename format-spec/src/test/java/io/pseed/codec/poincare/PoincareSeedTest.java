package io.pseed.codec.poincare;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.within;

import net.jqwik.api.Example;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.DoubleRange;
import net.jqwik.api.constraints.IntRange;
import net.jqwik.api.constraints.Scale;

class PoincareSeedTest {
  @Property
  void everyNumberIsASeedAndComesBack(@ForAll long bits) {
    PoincareSeed seed = PoincareSeed.fromBits(bits);
    assertThat(seed.toBits()).isEqualTo(bits);
    assertThat(seed.r()).isBetween(0.0, 1.0);
    assertThat(seed.theta()).isBetween(0.0, 2 * Math.PI);
    assertThat(seed.toHex()).isEqualTo("0x" + String.format("%016X", bits));
  }

  @Property
  void encodeIsWithinHalfAStep(
      @ForAll @DoubleRange(max = 0.999999) @Scale(9) double r,
      @ForAll @DoubleRange(max = 6.28318) @Scale(9) double theta,
      @ForAll @IntRange(max = 15) int basis,
      @ForAll @IntRange(max = 3) int dTheta,
      @ForAll @IntRange(max = 1) int dR,
      @ForAll @IntRange(max = 15) int rot,
      @ForAll @IntRange(min = -4, max = 3) int log2c,
      @ForAll @IntRange(max = 63) int reserved) {
    PoincareSeed seed = PoincareSeed.encode(r, theta, basis, dTheta, dR, rot, log2c, reserved);
    assertThat(PoincareSeed.fromBits(seed.toBits())).isEqualTo(seed);
    assertThat(seed.r()).isCloseTo(r, within(0.5000001 / PoincareSeed.R_MAX));
    assertThat(seed.theta()).isCloseTo(theta, within(3.1415927 / PoincareSeed.THETA_MAX));
    assertThat(PoincareSeed.encode(seed.r(), seed.theta(), basis, dTheta, dR, rot, log2c, reserved))
        .isEqualTo(seed);
  }

  @Example
  void refusesFieldsThatDoNotFit() {
    assertThatIllegalArgumentException()
        .isThrownBy(() -> new PoincareSeed(1 << 20, 0, 0, 0, 0, 0, 0, 0))
        .withMessage("seed field 'r' is 1048576, expected 0 to 1048575");
    assertThatIllegalArgumentException()
        .isThrownBy(() -> PoincareSeed.encode(0.5, 0, 16, 0, 0, 0, 0, 0))
        .withMessageContaining("'basis' is 16");
    assertThatIllegalArgumentException()
        .isThrownBy(() -> PoincareSeed.encode(0.5, 0, 0, 0, 0, 0, 4, 0))
        .withMessageContaining("'log2c' is 4");
    assertThatIllegalArgumentException()
        .isThrownBy(() -> PoincareSeed.encode(Double.NaN, 0, 0, 0, 0, 0, 0, 0))
        .withMessageContaining("NaN");
  }
}
