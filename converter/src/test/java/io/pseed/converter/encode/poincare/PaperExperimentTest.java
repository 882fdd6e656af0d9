package io.pseed.converter.encode.poincare;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import io.pseed.converter.encode.poincare.PaperExperiment.Kind;
import io.pseed.converter.encode.poincare.PaperExperiment.Row;
import java.util.List;
import org.junit.jupiter.api.Test;

class PaperExperimentTest {
  private static final List<Row> ROWS = PaperExperiment.run();

  private static Row row(Kind kind, int size) {
    return ROWS.stream()
        .filter(r -> r.kind() == kind && r.size() == size)
        .findFirst()
        .orElseThrow();
  }

  @Test
  void everyKindAtEverySize() {
    assertThat(ROWS).hasSize(12);
    for (Row r : ROWS) {
      assertThat(r.freeRmse()).isLessThanOrEqualTo(r.zerosRmse());
      assertThat(r.unitRmse()).isLessThanOrEqualTo(r.zerosRmse());
      assertThat(r.freeRmse()).isLessThanOrEqualTo(r.unitRmse() + 1e-6);
    }
  }

  @Test
  void theTargetsOfTheTwoSmoothMatrices() {
    assertThat(row(Kind.SMOOTH_1, 32).freeRmse()).isLessThanOrEqualTo(0.4555);
    assertThat(row(Kind.SMOOTH_2, 32).freeRmse()).isLessThanOrEqualTo(0.4960);
  }

  @Test
  void thePapersSizesAndRatios() {
    Row small = row(Kind.SMOOTH_1, 32);
    assertThat(small.originalBytes()).isEqualTo(4096);
    assertThat(small.paperRatio()).isEqualTo(512);
    assertThat(small.paperRmse()).hasValue(0.884);
    assertThat(small.sigma()).isCloseTo(0.5, within(1e-3));
    assertThat(row(Kind.SMOOTH_1, 64).paperRatio()).isEqualTo(2048);
    assertThat(row(Kind.SMOOTH_1, 128).paperRatio()).isEqualTo(8192);
    assertThat(small.meaning()).contains("0.884 is worse than storing nothing (0.4998)");
  }

  @Test
  void shannonsBoundForUnitVariance() {
    for (int size : new int[] {32, 64, 128}) {
      Row r = row(Kind.GAUSSIAN, size);
      double expected = size == 32 ? 0.9576 : size == 64 ? 0.9892 : 0.9973;
      assertThat(r.bound().orElseThrow()).isCloseTo(expected, within(5e-5));
      assertThat(r.freeRmse()).isGreaterThan(r.bound().orElseThrow());
    }
  }

  @Test
  void theTableHasARowAndASentenceForEach() {
    String table = PaperExperiment.render(ROWS);
    assertThat(table.lines()).hasSize(2 + 12 + 1 + 12 + 2);
    assertThat(table).contains("512:1").contains("sin(2 pi x) cos(3 pi y)");
  }
}
