package io.pseed.converter.verify;

import java.util.Arrays;
import java.util.SplittableRandom;

/** Numbers about a sample. */
final class Statistics {
  /**
   * Of the bootstrap; the ends of the interval are then known to a few thousandths of its width.
   */
  static final int RESAMPLES = 2_000;

  private static final long SEED = 0x70736565645F62L;

  private Statistics() {}

  /** The arithmetic mean, summed in order. */
  static double mean(double[] values) {
    double sum = 0;
    for (double value : values) {
      sum += value;
    }
    return sum / values.length;
  }

  /**
   * The quantile q of 0 to 1, between the two nearest values where it falls between them (type 7 of
   * Hyndman and Fan, "Sample quantiles in statistical packages", 1996).
   */
  static double quantile(double[] values, double q) {
    double[] sorted = values.clone();
    Arrays.sort(sorted);
    double at = q * (sorted.length - 1);
    int below = (int) Math.floor(at);
    int above = Math.min(sorted.length - 1, below + 1);
    return sorted[below] + (at - below) * (sorted[above] - sorted[below]);
  }

  /**
   * The 95 % confidence interval of the mean: percentiles of the means of {@link #RESAMPLES}
   * resamples (Efron's percentile bootstrap, "Bootstrap methods: another look at the jackknife",
   * 1979). Cosines crowd below 1, so an interval that is symmetric about their mean would leave
   * their range. The seed is fixed: the same values give the same interval.
   *
   * @return its ends; two NaN for fewer than two values, of which no spread can be told
   */
  static double[] meanInterval(double[] values) {
    if (values.length < 2) {
      return new double[] {Double.NaN, Double.NaN};
    }
    SplittableRandom random = new SplittableRandom(SEED);
    double[] means = new double[RESAMPLES];
    for (int r = 0; r < RESAMPLES; r++) {
      double sum = 0;
      for (int i = 0; i < values.length; i++) {
        sum += values[random.nextInt(values.length)];
      }
      means[r] = sum / values.length;
    }
    return new double[] {quantile(means, 0.025), quantile(means, 0.975)};
  }
}
