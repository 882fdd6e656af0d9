package io.pseed.converter.calibrate;

import io.pseed.format.View;
import java.util.Arrays;
import java.util.List;

/**
 * The sums of one weight over all runs. With x[t] the vectors that meet the weight in one run and
 * g[t] the gradients at what comes out, the gradient of the weight is the sum of x[t]^T g[t]; its
 * squares, summed over runs, make the metric of the rows and the weights of the columns.
 */
final class WeightSums {
  /** Positions whose products are taken together: what fits a processor's cache. */
  private static final int PIECE = 64;

  /** Without gradients, so many positions of a run are enough, evenly spread. */
  private static final int ENERGY_POSITIONS = 1024;

  private final View view;
  private final Accumulator metric;
  private final double[] columns;
  private final long[] counts;
  private boolean sensitive;
  private int runs;

  /** Sums for a weight seen as {@code view}, its metric in blocks. */
  WeightSums(View view, int block, boolean table) {
    this.view = view;
    this.metric = new Accumulator(view.rows(), block);
    this.columns = new double[view.cols()];
    this.counts = table ? new long[view.cols()] : new long[0];
  }

  View view() {
    return view;
  }

  /** One use in one run: vectors, and gradients of each pass; none where they are unknown. */
  record Use(Probe probe, Probe.Part part, Vectors inputs, List<Vectors> gradients) {}

  /** Adds the uses of one run; they belong together, for their errors are the same. */
  void add(List<Use> uses) {
    runs++;
    if (uses.get(0).gradients.isEmpty()) {
      uses.forEach(this::energy);
      return;
    }
    sensitive = true;
    Use only = uses.get(0);
    if (uses.size() == 1
        && only.probe.groups() == 1
        && only.inputs.positions() <= Math.min(view.rows(), view.cols()) / 2) {
      few(only);
      return;
    }
    int passes = uses.stream().mapToInt(use -> use.gradients.size()).max().orElse(0);
    for (int pass = 0; pass < passes; pass++) {
      float[] gradient = new float[Math.multiplyExact(view.rows(), view.cols())];
      for (Use use : uses) {
        if (pass < use.gradients.size()) {
          product(use, use.gradients.get(pass), gradient);
        }
      }
      addSquares(gradient);
    }
    uses.forEach(use -> metric.count(use.inputs.positions()));
  }

  /**
   * Adds the weight's gradients of one run's passes, columns of the view one behind another.
   *
   * @param positions that each sums
   */
  void add(List<float[]> gradients, long positions) {
    runs++;
    sensitive = true;
    gradients.forEach(this::addSquares);
    metric.count(positions);
  }

  private void addSquares(float[] gradient) {
    metric.addSquares(gradient, view.cols(), 1);
    for (int j = 0; j < view.cols(); j++) {
      columns[j] +=
          Accumulator.dot(gradient, j * view.rows(), gradient, j * view.rows(), view.rows());
    }
  }

  /** gradient[j] += the sum over positions of g[t][j] x[t]: columns of the view, one by one. */
  private void product(Use use, Vectors g, float[] gradient) {
    int n = view.rows();
    int each = g.size();
    float[] x = new float[PIECE * n];
    float[] slope = new float[PIECE * each];
    float[] sum = new float[n];
    int[] column = columnsOf(use);
    for (int group = 0; group < use.probe.groups(); group++) {
      for (int first = 0; first < use.inputs.positions(); first += PIECE) {
        int count = Math.min(PIECE, use.inputs.positions() - first);
        use.inputs.read(group, first, count, x);
        g.read(group, first, count, slope);
        float[][] vectors = Accumulator.vectors(x, count, n);
        for (int j = 0; j < each; j++) {
          int to = column[group * each + j];
          if (to >= 0) {
            System.arraycopy(gradient, to * n, sum, 0, n);
            for (int t = 0; t < count; t++) {
              float factor = slope[t * each + j];
              if (factor != 0) {
                Accumulator.axpy(factor, vectors[t], sum, 0, n);
              }
            }
            System.arraycopy(sum, 0, gradient, to * n, n);
          }
        }
      }
    }
  }

  /** By output of the use, the column of the view that it belongs to; -1: another weight's. */
  private static int[] columnsOf(Use use) {
    int[] column = new int[use.probe.outputs()];
    if (use.part.own() == null) {
      Arrays.setAll(column, j -> j);
    } else {
      Arrays.fill(column, -1);
      for (int c = 0; c < use.part.own().length; c++) {
        column[use.part.own()[c]] = use.part.columns()[c];
      }
    }
    return column;
  }

  /** The same sums by way of the positions' products, where positions are few. */
  private void few(Use use) {
    int n = view.rows();
    int m = view.cols();
    int count = use.inputs.positions();
    float[] x = new float[count * n];
    use.inputs.read(0, 0, count, x);
    double[] inner = Accumulator.gram(x, count, n);
    double[] k = new double[count * count];
    int[] column = columnsOf(use);
    for (Vectors vectors : use.gradients) {
      float[] all = new float[count * vectors.size()];
      vectors.read(0, 0, count, all);
      float[] g = all;
      if (use.part.own() != null) {
        g = new float[count * m];
        for (int t = 0; t < count; t++) {
          for (int j = 0; j < column.length; j++) {
            if (column[j] >= 0) {
              g[t * m + column[j]] = all[t * column.length + j];
            }
          }
        }
      }
      double[] outer = Accumulator.gram(g, count, m);
      for (int i = 0; i < k.length; i++) {
        k[i] += outer[i];
      }
      float[][] slopes = Accumulator.vectors(g, count, m);
      float[] p = new float[m];
      for (int t = 0; t < count; t++) {
        Arrays.fill(p, 0);
        for (int s = 0; s < count; s++) {
          Accumulator.axpy((float) inner[t * count + s], slopes[s], p, 0, m);
        }
        for (int j = 0; j < m; j++) {
          columns[j] += (double) p[j] * slopes[t][j];
        }
      }
    }
    metric.add(x, count, k);
  }

  /** Every column weighs what its group's vectors weigh. */
  private void energy(Use use) {
    int n = view.rows();
    int each = use.probe.outputs() / use.probe.groups();
    int[] column = columnsOf(use);
    int step = (use.inputs.positions() + ENERGY_POSITIONS - 1) / ENERGY_POSITIONS;
    for (int group = 0; group < use.probe.groups(); group++) {
      double energy = 0;
      float[] x = new float[n];
      for (int t = 0; t < use.inputs.positions(); t += step) {
        use.inputs.read(group, t, 1, x);
        metric.addSquares(x, 1, step);
        metric.count(1);
        energy += step * Accumulator.dot(x, 0, x, 0, n);
      }
      for (int j = 0; j < each; j++) {
        if (column[group * each + j] >= 0) {
          columns[column[group * each + j]] += energy;
        }
      }
    }
  }

  /** Adds look-ups of rows: what meets a row is 1, so the gradients alone tell. */
  void lookup(int[] rows, List<Vectors> gradients) {
    runs++;
    sensitive = true;
    int m = view.rows();
    for (int row : rows) {
      counts[row < 0 ? row + counts.length : row]++;
    }
    for (Vectors g : gradients) {
      float[] slope = new float[PIECE * m];
      for (int first = 0; first < rows.length; first += PIECE) {
        int count = Math.min(PIECE, rows.length - first);
        g.read(0, first, count, slope);
        metric.addSquares(slope, count, 1);
        metric.count(count);
        for (int t = 0; t < count; t++) {
          int row = rows[first + t] < 0 ? rows[first + t] + counts.length : rows[first + t];
          columns[row] += Accumulator.dot(slope, t * m, slope, t * m, m);
        }
      }
    }
  }

  /** Whether gradients are in. */
  boolean sensitive() {
    return sensitive;
  }

  /** How many runs had a use. */
  int runs() {
    return runs;
  }

  /**
   * Takes the sums of another use of the same weight in: a table that is a matrix as well.
   *
   * @param other with the same view
   */
  void join(WeightSums other) {
    double own = metric.trace();
    double more = other.metric.trace();
    if (own > 0 && more > 0) {
      metric.add(other.metric, 1);
    }
    for (int j = 0; j < columns.length; j++) {
      columns[j] += other.columns[j];
    }
  }

  /**
   * The statistics.
   *
   * @param norm one through the number of runs and passes
   * @return null where the sums are zero or not finite
   */
  TensorStatistics statistics(double norm) {
    double trace = metric.trace();
    double total = Arrays.stream(columns).sum();
    if (!(trace > 0) || !Double.isFinite(trace) || !(total > 0) || !Double.isFinite(total)) {
      return null;
    }
    double[] h = metric.symmetric();
    for (int i = 0; i < h.length; i++) {
      h[i] *= 1 / trace;
    }
    double[] weights = columns.clone();
    for (int j = 0; j < weights.length; j++) {
      weights[j] *= norm;
    }
    return new TensorStatistics(
        view, counts.length > 0, metric.block(), h, weights, counts, metric.samples(), sensitive);
  }
}
