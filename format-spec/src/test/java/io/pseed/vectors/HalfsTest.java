package io.pseed.vectors;

import static org.assertj.core.api.Assertions.assertThat;

import io.pseed.format.Halfs;
import org.junit.jupiter.api.Test;

/** Narrow floats against the definition: all of them, and the floats around every boundary. */
class HalfsTest {
  @Test
  void everyHalfHasItsValueAndComesBack() {
    for (int bits = 0; bits < 1 << 16; bits++) {
      short half = (short) bits;
      float value = Halfs.toFloat(half);
      if ((bits & 0x7C00) == 0x7C00) {
        boolean infinite = (bits & 0x3FF) == 0;
        assertThat(Float.isInfinite(value)).isEqualTo(infinite);
        assertThat(Float.isNaN(value)).isNotEqualTo(infinite);
        assertThat(Float.isNaN(Halfs.toFloat(Halfs.fromFloat(value)))).isNotEqualTo(infinite);
      } else {
        assertThat(Float.floatToRawIntBits(value))
            .isEqualTo(Float.floatToRawIntBits((float) Reference.half(half)));
        assertThat(Halfs.fromFloat(value)).isEqualTo(half);
      }
    }
  }

  @Test
  void floatsRoundToTheNearestNarrowOne() {
    // The floats at and beside each narrow value and each tie between two of them.
    for (int upper = 0; upper < 1 << 16; upper++) {
      for (int lower : new int[] {0, 1, 0x0FFF, 0x1000, 0x1001, 0x7FFF, 0x8000, 0x8001, 0xFFFF}) {
        float value = Float.intBitsToFloat(upper << 16 | lower);
        if (Float.isNaN(value)) {
          assertThat(Float.isNaN(Halfs.toFloat(Halfs.fromFloat(value)))).isTrue();
          assertThat(Float.isNaN(Halfs.fromBFloat16(Halfs.toBFloat16(value)))).isTrue();
        } else {
          check(value);
        }
      }
    }
    Rng rng = Rng.of("halfs");
    for (int i = 0; i < 1_000_000; i++) {
      // Exponents around those of binary16, subnormal ones included.
      check(rng.real(-27, 18));
    }
  }

  private static void check(float value) {
    int half = Reference.narrow(value, 10, 5);
    int brain = Reference.narrow(value, 7, 8);
    if (Short.toUnsignedInt(Halfs.fromFloat(value)) != half
        || Short.toUnsignedInt(Halfs.toBFloat16(value)) != brain) {
      assertThat(Short.toUnsignedInt(Halfs.fromFloat(value))).as("%s", value).isEqualTo(half);
      assertThat(Short.toUnsignedInt(Halfs.toBFloat16(value))).as("%s", value).isEqualTo(brain);
    }
  }
}
