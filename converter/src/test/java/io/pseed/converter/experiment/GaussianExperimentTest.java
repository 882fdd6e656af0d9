package io.pseed.converter.experiment;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.offset;

import java.io.IOException;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;

class GaussianExperimentTest {
  @Test
  void noRatePassesShannonsBoundAndLowRatesBeatRounding() throws IOException {
    List<GaussianExperiment.Row> rows = GaussianExperiment.run(10, 64, row -> {});
    assertThat(rows).hasSize(8);
    for (GaussianExperiment.Row row : rows) {
      assertThat(row.gapDb()).isPositive();
      assertThat(row.roundingGapDb()).isPositive();
      assertThat(row.bits()).isBetween((double) row.rate(), row.rate() + 0.1);
      assertThat(row.encodeRate()).isPositive();
      assertThat(row.decodeRate()).isPositive();
      if (row.rate() <= 4) {
        assertThat(row.gapDb()).isLessThan(row.roundingGapDb());
      }
    }
  }

  @Test
  void roundingReachesWhatIsKnownOfIt() {
    // Max (1960), optimum uniform quantisers of a normal variable: 1 bit 4.40 dB, 4 bits 19.38 dB.
    Random random = new Random(1);
    float[] weights = new float[200_000];
    for (int i = 0; i < weights.length; i++) {
      weights[i] = (float) random.nextGaussian();
    }
    assertThat(GaussianExperiment.Rounding.bestSnrDb(weights, 1)).isCloseTo(4.40, offset(0.03));
    assertThat(GaussianExperiment.Rounding.bestSnrDb(weights, 4)).isCloseTo(19.38, offset(0.05));
  }
}
