package io.pseed.converter.encode.poincare;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import io.pseed.codec.poincare.PoincareGenerator;
import io.pseed.codec.poincare.PoincareSeed;
import org.junit.jupiter.api.Test;

class ShapeGeometryTest {
  @Test
  void isKeptUntilOthersNeedItsPlace() {
    ShapeGeometry first = ShapeGeometry.of(40, 30);
    assertThat(ShapeGeometry.of(40, 30)).isSameAs(first);
    for (int i = 1; i <= 70; i++) {
      ShapeGeometry.of(i, 3);
    }
    ShapeGeometry again = ShapeGeometry.of(40, 30);
    assertThat(again).isNotSameAs(first);
    assertThat(again.cells()).isEqualTo(first.cells());
    assertThat(again.bins()).isEqualTo(first.bins());
    for (int k = 0; k < ShapeGeometry.CURVATURES; k++) {
      assertThat(again.waveSquares(k)).isEqualTo(first.waveSquares(k));
    }
  }

  /** The halves of a linear shape are the generator's values at two angles. */
  @Test
  void cellsHoldTheShapesThatSeedsGenerate() {
    int rows = 9;
    int cols = 14;
    ShapeGeometry geometry = ShapeGeometry.of(rows, cols);
    assertThat(geometry.exact()).isTrue();
    // With radius and angle 0 the values are exp(-radius / 16) sin thetaLocal and J0(10 radius).
    PoincareGenerator wave =
        new PoincareGenerator(
            new PoincareSeed(0, 0, 10, 0, 0, 0, ShapeSums.MIN_LOG2C, 0), rows, cols);
    PoincareGenerator bessel =
        new PoincareGenerator(new PoincareSeed(0, 0, 4, 0, 0, 0, 0, 0), rows, cols);
    double[] cells = geometry.cells();
    for (int cell = 0; cell < rows * cols; cell++) {
      int at = ShapeGeometry.FIELDS * cell;
      assertThat(cells[at + ShapeGeometry.DECAY] * cells[at + ShapeGeometry.SIN])
          .isCloseTo(wave.value(cell / cols, cell % cols), within(1e-12));
      assertThat(cells[at + ShapeGeometry.BESSEL])
          .isCloseTo(bessel.value(cell / cols, cell % cols), within(1e-12));
    }
  }
}
