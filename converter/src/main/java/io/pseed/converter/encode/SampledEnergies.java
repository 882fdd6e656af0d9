package io.pseed.converter.encode;

import java.io.IOException;
import java.util.Arrays;
import java.util.stream.IntStream;

/**
 * What zeros in place of columns of a matrix would cost, w_j^T matrix w_j, neither weighted nor
 * damped: of evenly spread columns that tell enough of all.
 */
public final class SampledEnergies {
  /** Columns at most. */
  private static final int SAMPLE = 32;

  private final int[] columns;
  private final double[] energies;

  private SampledEnergies(int[] columns, double[] energies) {
    this.columns = columns;
    this.energies = energies;
  }

  /** Those of a matrix under a metric. */
  public static SampledEnergies of(WeightMatrix weights, ErrorMetric metric) throws IOException {
    int step = (weights.cols() + SAMPLE - 1) / SAMPLE;
    int[] columns = IntStream.iterate(0, j -> j < weights.cols(), j -> j + step).toArray();
    int size = metric.size();
    int block = metric.block();
    float[] row = new float[weights.cols()];
    double[][] taken = new double[columns.length][size];
    for (int i = 0; i < size; i++) {
      weights.read(i, 1, row);
      for (int c = 0; c < columns.length; c++) {
        taken[c][i] = row[columns[c]];
      }
    }
    double[] energies = new double[columns.length];
    for (int c = 0; c < columns.length; c++) {
      double[] w = taken[c];
      for (int i = 0; i < size; i++) {
        int start = i / block * block;
        double inner = 0;
        for (int k = start; k < Math.min(size, start + block); k++) {
          inner += metric.matrix()[i * block + k - start] * w[k];
        }
        energies[c] += inner * w[i];
      }
    }
    return new SampledEnergies(columns, energies);
  }

  /** Columns in the sample. */
  public int size() {
    return columns.length;
  }

  /** The sum over the sample, each column's energy times its weight. */
  public double weighted(double[] weights) {
    double sum = 0;
    for (int s = 0; s < columns.length; s++) {
      sum += weights[columns[s]] * energies[s];
    }
    return sum;
  }

  /** The sum over the sample of what columns have. */
  double sum(double[] ofColumns) {
    return Arrays.stream(columns).mapToDouble(j -> ofColumns[j]).reduce(0, Double::sum);
  }
}
