package io.pseed.converter.encode;

import io.pseed.converter.plan.TrellisPlan;
import java.io.IOException;
import java.util.Arrays;

/**
 * What coding a matrix with error feedback will cost, told before it is searched: {@link #cost} of
 * the rate, times the sum over rows i and columns j of rows[i] * columns[j].
 *
 * <p>At high rates that cost is the code's noise as a share of a value's energy. At low ones, what
 * is fed back widens the targets, and noise grows with them; and where nothing is coded, no row
 * makes up for another, which costs far more where the vectors that meet the rows have a direction
 * in common.
 *
 * @param rows cost of each row in the order of coding, in the rotated space
 * @param columns energy of a value of each column times the column's weight
 * @param feedback energy that a row's targets gain for each unit of noise in the rows before it
 * @param nothing cost of rate 0, at least 1
 */
@SuppressWarnings("ArrayRecordComponent")
public record ErrorForecast(double[] rows, double[] columns, double feedback, double nothing) {
  /** Share of the targets' growth that makes them grow once more: measured. */
  private static final double AGAIN = 1.0 / 6;

  /** Noise by rate at L = 12, relative to the energy: measured on Gaussian rows. */
  private static final double[] NOISE_DB = {
    0, -5.55, -11.35, -17.15, -22.95, -28.75, -34.5, -40.1, -45.5
  };

  /**
   * The forecast for a matrix under a metric, coded as the plan says.
   *
   * @param zeros of that matrix under that metric, whatever the plan
   */
  public static ErrorForecast of(
      WeightMatrix matrix, ErrorMetric metric, TrellisPlan plan, SampledEnergies zeros)
      throws IOException {
    FeedbackEncoder.Levels levels =
        FeedbackEncoder.Levels.of(
            matrix, plan.rowScale().isEmpty() || FeedbackEncoder.varies(plan.rowScale().get()));
    FeedbackFactor factor = FeedbackFactor.of(metric, levels.rows(), plan.rowBlockLog2());
    double[] columns = new double[levels.cols().length];
    for (int j = 0; j < columns.length; j++) {
      columns[j] = metric.columns()[j] * levels.cols()[j] * levels.cols()[j];
    }
    double[] noise = new double[factor.own().length];
    Arrays.fill(noise, 1);
    double nothing = zeros.weighted(metric.columns());
    double coded = zeros.sum(columns) * Arrays.stream(factor.own()).sum();
    return new ErrorForecast(
        factor.own(),
        columns,
        factor.excess(noise),
        nothing > coded && coded > 0 ? nothing / coded : 1);
  }

  /** The forecast where errors of rows neither make up for one another nor add up. */
  public static ErrorForecast alone(double[] rows, double[] columns) {
    return new ErrorForecast(rows, columns, 0, 1);
  }

  /** What a weight costs at a rate, as a multiple of its row's cost times its column's. */
  public double cost(int rate) {
    if (rate == 0) {
      return nothing;
    }
    double growth = feedback * noise(rate);
    return Math.min(nothing, noise(rate) * (1 + growth + AGAIN * growth * growth));
  }

  /** Noise of a rate, as a share of the energy. */
  public static double noise(int rate) {
    return StrictMath.pow(10, NOISE_DB[rate] / 10);
  }
}
