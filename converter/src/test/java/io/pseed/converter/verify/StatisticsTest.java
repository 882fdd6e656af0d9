package io.pseed.converter.verify;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.util.Random;
import org.junit.jupiter.api.Test;

class StatisticsTest {
  @Test
  void quantilesLieBetweenValues() {
    double[] values = {4, 1, 3, 2, 5};
    assertThat(Statistics.quantile(values, 0)).isEqualTo(1);
    assertThat(Statistics.quantile(values, 0.05)).isCloseTo(1.2, within(1e-12));
    assertThat(Statistics.quantile(values, 0.5)).isEqualTo(3);
    assertThat(Statistics.quantile(values, 1)).isEqualTo(5);
    assertThat(Statistics.quantile(new double[] {7}, 0.05)).isEqualTo(7);
    assertThat(values).containsExactly(4, 1, 3, 2, 5);
  }

  /** Of 400 normal values the mean's error is 1/20 of their deviation; 1.96 of it to each side. */
  @Test
  void intervalsAreThoseOfTheNormalDistribution() {
    Random random = new Random(1);
    double[] values = random.doubles(400).map(u -> 3 + 2 * random.nextGaussian()).toArray();
    double mean = Statistics.mean(values);
    double[] interval = Statistics.meanInterval(values);
    assertThat(interval[0]).isCloseTo(mean - 0.196, within(0.02));
    assertThat(interval[1]).isCloseTo(mean + 0.196, within(0.02));
    assertThat(Statistics.meanInterval(values)).containsExactly(interval);
  }

  @Test
  void intervalsCoverTheMeanAboutAsOftenAsTheySay() {
    Random random = new Random(2);
    int covered = 0;
    for (int trial = 0; trial < 300; trial++) {
      // Losses as they are: squares, far from symmetric.
      double[] values =
          random.doubles(60).map(u -> 1 - Math.pow(random.nextGaussian(), 2)).toArray();
      double[] interval = Statistics.meanInterval(values);
      covered += interval[0] <= 0 && interval[1] >= 0 ? 1 : 0;
    }
    assertThat(covered / 300.0).isBetween(0.87, 0.99);
  }

  @Test
  void aBoundedMeasureStaysInItsRange() {
    double[] interval = Statistics.meanInterval(new double[] {1, 1, 1, 0.2});
    assertThat(interval[1]).isLessThanOrEqualTo(1);
    assertThat(interval[0]).isLessThan(0.8);
  }

  @Test
  void oneValueHasNoInterval() {
    assertThat(Statistics.meanInterval(new double[] {0.5})).containsOnly(Double.NaN);
  }
}
