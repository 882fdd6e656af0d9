package io.pseed.codec.poincare;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.pseed.format.CorruptException;
import net.jqwik.api.Example;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.IntRange;

class PoincareCodesTest {
  @Example
  void codesAreRoundedScaledValues() throws CorruptException {
    PoincareSeed seed = PoincareSeed.encode(0.3, 1.1, 10, 0, 0, 0, 1, 0);
    int[] codes = PoincareCodes.of(seed, 14, 9, 7);
    for (int i = 0; i < 9; i++) {
      for (int j = 0; j < 7; j++) {
        double value = PoincareGenerator.value(seed, i, j, 9, 7);
        assertThat(codes[i * 7 + j]).isEqualTo((int) Math.round(value * 16384));
      }
    }
  }

  @Example
  void refusesCodesBeyondTheLimit() {
    PoincareSeed seed = PoincareSeed.encode(0, 0, 5, 0, 0, 0, 0, 0);
    assertThatThrownBy(() -> PoincareCodes.of(seed, 20, 4, 4))
        .isInstanceOf(CorruptException.class)
        .hasMessageContaining(seed.toHex())
        .hasMessageContaining("row 0, column 0 of 4 x 4, expected at most 32767");
    assertThatThrownBy(() -> PoincareCodes.of(seed, 65, 4, 4))
        .isInstanceOf(CorruptException.class)
        .hasMessageContaining("shift of a Poincaré seed is 65");
  }

  /** Neighbours of a double give one sentence, whatever decoder and JDK print it. */
  @Example
  void sentencesNameTheDigitsThatDecodersAgreeOn() {
    assertThat(PoincareCodes.codeText(32768)).isEqualTo("32768");
    assertThat(PoincareCodes.codeText(-32768)).isEqualTo("-32768");
    assertThat(PoincareCodes.codeText(16777215)).isEqualTo("16777215");
    assertThat(PoincareCodes.codeText(16777216)).isEqualTo("1.6777216E7");
    assertThat(PoincareCodes.codeText(-1e12)).isEqualTo("-1.0E12");
    assertThat(PoincareCodes.codeText(0x1p63)).isEqualTo("9.223372E18");
    double found = 208740793069878784.0;
    assertThat(PoincareCodes.codeText(found))
        .isEqualTo(PoincareCodes.codeText(Math.nextDown(found)))
        .isEqualTo(PoincareCodes.codeText(Math.nextUp(found)));
    // The largest jacobian, the largest radial factor, the largest shift.
    assertThat(PoincareCodes.codeText(0x1p40 * 0x1p12 * 0x1p64)).isEqualTo("8.307675E34");
  }

  @Example
  void marginOfKnownValues() {
    // I0(0) = 1 at the only place of a 1 x 1 matrix: scaled by 1/2 it is a half-integer.
    PoincareSeed one = PoincareSeed.encode(0, 0, 5, 0, 0, 0, 0, 0);
    PoincareGenerator generator = new PoincareGenerator(one, 1, 1);
    assertThat(PoincareCodes.marginOf(generator, -1).distance()).isEqualTo(0);
    assertThat(PoincareCodes.isSafe(one, -1, 1, 1)).isFalse();
    assertThat(PoincareCodes.marginOf(generator, 0))
        .isEqualTo(new PoincareCodes.Margin(1, 1, 0.5, Double.POSITIVE_INFINITY));
    assertThat(PoincareCodes.isSafe(one, 14, 1, 1)).isTrue();
    assertThat(PoincareCodes.isSafe(one, 15, 1, 1)).as("32768 is too large").isFalse();
    assertThat(PoincareCodes.isSafe(one, 65, 1, 1)).isFalse();
  }

  @Example
  void basisEightNeedsACosineAwayFromZero() {
    // theta = 0: cos t is 0 on the vertical axis, which an odd number of columns has.
    PoincareSeed seed = new PoincareSeed(0, 0, 8, 0, 0, 0, 0, 0);
    assertThat(PoincareCodes.isSafe(seed, 14, 5, 5)).isFalse();
    assertThat(PoincareCodes.isSafe(seed, 14, 4, 4)).isTrue();
    // The centre alone does not count.
    assertThat(PoincareCodes.isSafe(new PoincareSeed(0, 0, 8, 0, 0, 5, 0, 0), 14, 1, 1)).isTrue();
    assertThat(PoincareCodes.isSafe(new PoincareSeed(0, 999, 8, 0, 0, 0, 0, 0), 14, 5, 5)).isTrue();
  }

  /** Values that are nothing but rounding errors must not pass for a matrix. */
  @Example
  void errorsAreRelativeToTheEnvelope() {
    // sin t is 0 on a matrix of one column with theta = pi/2: about 1e-16 in double precision.
    PoincareSeed seed = new PoincareSeed(0, 0, 0, 0, 1, 5, 0, 0);
    PoincareGenerator generator = new PoincareGenerator(seed, 2, 1);
    double largest = PoincareCodes.marginOf(generator, 0).largest();
    assertThat(largest).isGreaterThan(0).isLessThan(1e-15);
    assertThat(PoincareCodes.marginOf(generator, 0).envelope()).isEqualTo(1);
    assertThat(PoincareCodes.isSafe(seed, 14, 2, 1)).as("codes are 0").isTrue();
    assertThat(PoincareCodes.isSafe(seed, 64, 2, 1)).as("codes would be noise").isFalse();
  }

  @Property(tries = 300)
  void envelopeIsAnUpperBound(
      @ForAll long bits,
      @ForAll @IntRange(min = 1, max = 9) int m,
      @ForAll @IntRange(min = 1, max = 9) int n) {
    PoincareSeed seed = PoincareSeed.fromBits(bits);
    PoincareGenerator generator = new PoincareGenerator(seed, m, n);
    if (seed.basis() < 4 || seed.basis() > 7) {
      assertThat(PoincareCodes.marginOf(generator, 0).largest())
          .isLessThanOrEqualTo(generator.envelope() * (1 + 1e-12));
    }
  }

  /** Any decoder within the allowed error of a safe matrix gets its codes. */
  @Property(tries = 300)
  void safeCodesSurviveTheAllowedError(
      @ForAll long bits,
      @ForAll @IntRange(min = 1, max = 9) int m,
      @ForAll @IntRange(min = 1, max = 9) int n,
      @ForAll @IntRange(min = -4, max = 14) int shift)
      throws CorruptException {
    PoincareSeed seed = PoincareSeed.fromBits(bits);
    PoincareGenerator generator = new PoincareGenerator(seed, m, n);
    PoincareCodes.Margin margin = PoincareCodes.marginOf(generator, shift);
    if (!margin.isSafe()) {
      return;
    }
    int[] codes = PoincareCodes.of(seed, shift, m, n);
    double error = 1e-12 * margin.envelope();
    for (int k = 0; k < codes.length; k++) {
      double scaled = Math.scalb(generator.value(k / n, k % n), shift);
      assertThat(Math.rint(scaled + error)).isEqualTo(codes[k]);
      assertThat(Math.rint(scaled - error)).isEqualTo(codes[k]);
    }
  }
}
