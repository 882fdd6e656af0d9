package io.pseed.codec.trellis;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import org.junit.jupiter.api.Test;

class TrellisCodeTest {
  /** A file may name every L and kappa; what it named must not stay in memory. */
  @Test
  void fewGeneratorsAreKept() {
    for (int kappa = 1; kappa <= 255; kappa++) {
      assertThat(TrellisCode.of(8, TrellisCode.LAW_DISK, kappa).bits()).isEqualTo(8);
    }
    assertThat(TrellisCode.cached()).isEqualTo(TrellisCode.CACHE_SIZE);
    assertThat(TrellisCode.of(8, TrellisCode.LAW_DISK, 255))
        .isSameAs(TrellisCode.of(8, TrellisCode.LAW_DISK, 255));
  }

  @Test
  void parametersOutOfRangeAreRefused() {
    assertThatIllegalArgumentException().isThrownBy(() -> TrellisCode.of(7, 0, 0));
    assertThatIllegalArgumentException().isThrownBy(() -> TrellisCode.of(21, 0, 0));
    assertThatIllegalArgumentException().isThrownBy(() -> TrellisCode.of(8, 0, 1));
    assertThatIllegalArgumentException().isThrownBy(() -> TrellisCode.of(8, 1, 0));
    assertThatIllegalArgumentException().isThrownBy(() -> TrellisCode.of(8, 1, 256));
    assertThatIllegalArgumentException().isThrownBy(() -> TrellisCode.of(8, 2, 1));
  }
}
