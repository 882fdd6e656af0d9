package io.pseed.converter.encode;

import io.pseed.converter.plan.TrellisPlan;
import java.io.IOException;

/**
 * What coding a matrix with error feedback will cost, told before it is searched: at a rate whose
 * noise is a share s of a value's energy, about s times the sum over rows i and columns j of
 * rows[i] * columns[j].
 *
 * @param rows cost of each row in the order of coding, in the rotated space
 * @param columns energy of a value of each column times the column's weight
 */
@SuppressWarnings("ArrayRecordComponent")
public record ErrorForecast(double[] rows, double[] columns) {
  /** Noise by rate at L = 12, relative to the energy: measured on Gaussian rows. */
  private static final double[] NOISE_DB = {
    0, -5.55, -11.35, -17.15, -22.95, -28.75, -34.5, -40.1, -45.5
  };

  /** The forecast for a matrix under a metric, coded as the plan says. */
  public static ErrorForecast of(WeightMatrix matrix, ErrorMetric metric, TrellisPlan plan)
      throws IOException {
    FeedbackEncoder.Levels levels =
        FeedbackEncoder.Levels.of(
            matrix, plan.rowScale().isEmpty() || FeedbackEncoder.varies(plan.rowScale().get()));
    FeedbackFactor factor = FeedbackFactor.of(metric, levels.rows(), plan.rowBlockLog2());
    double[] columns = new double[levels.cols().length];
    for (int j = 0; j < columns.length; j++) {
      columns[j] = metric.columns()[j] * levels.cols()[j] * levels.cols()[j];
    }
    return new ErrorForecast(factor.own(), columns);
  }

  /** Noise of a rate, as a share of the energy. */
  public static double noise(int rate) {
    return StrictMath.pow(10, NOISE_DB[rate] / 10);
  }
}
