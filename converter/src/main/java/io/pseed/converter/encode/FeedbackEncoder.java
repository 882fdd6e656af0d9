package io.pseed.converter.encode;

import io.pseed.codec.hadamard.Hadamard;
import io.pseed.codec.trellis.Panels;
import io.pseed.codec.trellis.Scales;
import io.pseed.codec.trellis.TrellisBody;
import io.pseed.codec.trellis.TrellisCode;
import io.pseed.converter.plan.TrellisPlan;
import io.pseed.format.View;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.function.LongConsumer;

/**
 * Codes a matrix row by row, each row towards what makes up for the errors of the rows before it
 * (LDLQ; see {@link FeedbackFactor}). Holds the matrix in memory. Rows of one panel of columns
 * depend on one another, so panels are what runs in parallel.
 */
public final class FeedbackEncoder {
  /** Widens the codes to four times the values' spread at most. */
  private static final double LARGEST_EXCESS = 15;

  /** Errors that cost more than so many times the panel's mean count as that. */
  private static final double HEAVIEST = 8;

  /** What is cut off weighs more than noise: feedback carries it on into the rows behind. */
  private static final double CUT_OFF = 4;

  /** Codes reach about so many times the spread. */
  private static final double REACH = 3;

  private static final float[] WIDER = {1, 1.12f, 1.26f, 1.41f, 1.68f, 2, 2.4f, 2.8f, 4};

  private final EncoderBackend backend;

  FeedbackEncoder(EncoderBackend backend) {
    this.backend = backend;
  }

  /**
   * What rows and columns are divided by before the rotation, so that all values are alike.
   *
   * @param rows positive; all one where the rows' factor is a single value
   * @param cols root of the mean square of each column, its rows divided
   */
  @SuppressWarnings("ArrayRecordComponent") // A value of this package alone; nobody changes it.
  record Levels(float[] rows, float[] cols) {
    /** Rows of less than this share of the mean level count as that. */
    private static final float LEAST = 1 / 64f;

    /** Lines of less than this share of the largest level count as that: the range of F8. */
    private static final float LEAST_OF_LARGEST = 1 / 200f;

    static Levels of(WeightMatrix matrix, boolean rowsVary) throws IOException {
      int n = matrix.rows();
      int cols = matrix.cols();
      float[] rows = new float[n];
      float[] row = new float[cols];
      Arrays.fill(rows, 1);
      if (rowsVary) {
        double total = 0;
        for (int i = 0; i < n; i++) {
          matrix.read(i, 1, row);
          double sum = 0;
          for (float value : row) {
            sum += (double) value * value;
          }
          rows[i] = (float) Math.sqrt(sum / cols);
          total += sum;
        }
        float mean = (float) Math.sqrt(total / n / cols);
        float largest = 0;
        for (float level : rows) {
          largest = Math.max(largest, level);
        }
        float least = Math.max(LEAST, largest / mean * LEAST_OF_LARGEST);
        for (int i = 0; i < n; i++) {
          rows[i] = total == 0 ? 1 : Math.max(rows[i] / mean, least);
        }
        rows = Scales.F8.nearest(rows);
      }
      double[] sums = new double[cols];
      for (int i = 0; i < n; i++) {
        matrix.read(i, 1, row);
        for (int j = 0; j < cols; j++) {
          double value = row[j] / rows[i];
          sums[j] += value * value;
        }
      }
      float[] levels = new float[cols];
      float largest = 0;
      for (int j = 0; j < cols; j++) {
        levels[j] = (float) Math.sqrt(sums[j] / n);
        largest = Math.max(largest, levels[j]);
      }
      for (int j = 0; j < cols; j++) {
        levels[j] = levels[j] == 0 ? 0 : Math.max(levels[j], largest * LEAST_OF_LARGEST);
      }
      return new Levels(rows, levels);
    }
  }

  /** Codes a matrix; ranges of columns are not for plans that rotate columns. */
  TrellisEncoder.Coded encode(
      WeightMatrix matrix, TrellisPlan plan, ErrorMetric metric, LongConsumer progress)
      throws IOException, BackendException {
    View view = plan.view();
    int rows = view.rows();
    int cols = view.cols();
    Scales colKind = plan.colScale().orElse(plan.colBlockLog2() == 0 ? Scales.F8 : Scales.SIGNS);
    Scales rowKind = plan.rowScale().orElse(Scales.F8);
    Levels levels = Levels.of(matrix, varies(rowKind));
    double energy = 0;
    for (float level : levels.cols) {
      energy += (double) level * level;
    }
    float sigma = (float) Math.sqrt(energy / cols);
    Panels panels = energy == 0 ? Panels.uniform(cols, 0) : plan.panels();
    float base =
        TrellisEncoder.gain(plan.seedBits(), (int) Math.max(1, Math.round(panels.meanRate())));
    float[] colScales = new float[cols];
    int column = 0;
    for (int p = 0; p < panels.count(); p++) {
      float relative =
          panels.byRows() || panels.rates()[p] == 0
              ? 1
              : TrellisEncoder.gain(plan.seedBits(), panels.rates()[p]) / base;
      int end = panels.byRows() ? cols : column + panels.lengths()[p];
      for (; column < end; column++) {
        // Signs are for the rotation: values that are all alike would add up in one place.
        float sign = varies(colKind) && plan.colBlockLog2() == 0 ? 1 : Signs.of(1, column);
        colScales[column] =
            varies(colKind) && sigma > 0 ? sign * levels.cols[column] / sigma * relative : sign;
      }
    }
    float unit =
        (float)
            (sigma
                * base
                / (TrellisCode.UNIT
                    * Math.sqrt((double) (1 << plan.rowBlockLog2()) * (1 << plan.colBlockLog2()))));
    // What is fed back widens the targets; without room for it they would run out of codes.
    double[] noise = new double[rows];
    for (int i = 0; i < rows; i++) {
      noise[i] = noise(panels, i);
    }
    double excess = FeedbackFactor.of(metric, levels.rows, plan.rowBlockLog2()).excess(noise);
    unit *= (float) Math.sqrt(1 + Math.min(excess, LARGEST_EXCESS));
    float[] rowScales = new float[rows];
    for (int i = 0; i < rows; i++) {
      rowScales[i] = levels.rows[i] * unit * Signs.of(0, i);
    }
    TrellisBody head = TrellisEncoder.head(plan, rowKind, rowScales, colKind, colScales, panels);
    float wider = wider(targets(matrix, head), plan, panels);
    if (wider > 1) {
      unit *= wider;
      for (int i = 0; i < rows; i++) {
        rowScales[i] *= wider;
      }
      head = TrellisEncoder.head(plan, rowKind, rowScales, colKind, colScales, panels);
    }
    // The factors as a decoder will read them, so that rounding them costs nothing.
    float[] stored = new float[rows];
    for (int i = 0; i < rows; i++) {
      stored[i] = unit == 0 ? 1 : Math.abs(head.rowScales()[i]) / unit;
    }
    FeedbackFactor factor = FeedbackFactor.of(metric, stored, plan.rowBlockLog2());
    return new TrellisEncoder.Coded(head, List.of(search(matrix, head, factor, metric, progress)));
  }

  /**
   * By how much codes are widened so that large values are within reach: where what is cut off and
   * the noise, which grows with the codes, are least together.
   */
  private static float wider(float[] targets, TrellisPlan plan, Panels panels) {
    int cols = plan.view().cols();
    // The largest code is that of the last radius: see the specification, section 8.3.
    double reach = TrellisCode.UNIT * Math.sqrt(2 * (plan.seedBits() / 2 + 1) * StrictMath.log(2));
    float best = 1;
    double least = Double.POSITIVE_INFINITY;
    for (float factor : WIDER) {
      double loss = 0;
      for (int i = 0; i < plan.view().rows(); i++) {
        double noise = noise(panels, i);
        if (noise < 1) {
          loss += noise * factor * factor * TrellisCode.UNIT * TrellisCode.UNIT * cols;
          for (int j = 0; j < cols; j++) {
            double beyond = Math.abs(targets[i * cols + j]) - factor * reach;
            loss += beyond > 0 ? CUT_OFF * beyond * beyond : 0;
          }
        }
      }
      if (loss < least) {
        least = loss;
        best = factor;
      }
    }
    return best;
  }

  /**
   * Whether a matrix has values that stay beyond the codes when a rotation has shared them out
   * among the {@code 1 << plan.rowBlockLog2()} rows of a block: the diagonals of convolutions into
   * which a way around them was folded.
   */
  public static boolean sticksOut(WeightMatrix matrix, TrellisPlan plan) throws IOException {
    Levels levels = Levels.of(matrix, varies(plan.rowScale().orElse(Scales.F8)));
    double reach = REACH * Math.sqrt(1 << plan.rowBlockLog2());
    float[] row = new float[matrix.cols()];
    for (int i = 0; i < matrix.rows(); i++) {
      matrix.read(i, 1, row);
      for (int j = 0; j < row.length; j++) {
        if (Math.abs(row[j]) > reach * levels.rows[i] * levels.cols[j]) {
          return true;
        }
      }
    }
    return false;
  }

  /** Noise of a coded row; with panels of columns, the mean over columns. */
  private static double noise(Panels panels, int row) {
    if (panels.byRows()) {
      return ErrorForecast.noise(panels.rateOfRow(row));
    }
    double sum = 0;
    double total = 0;
    for (int p = 0; p < panels.count(); p++) {
      sum += panels.lengths()[p] * ErrorForecast.noise(panels.rates()[p]);
      total += panels.lengths()[p];
    }
    return sum / total;
  }

  /** Whether a kind of scales has a value for each line. */
  static boolean varies(Scales kind) {
    return kind == Scales.F8 || kind == Scales.F16 || kind == Scales.F32;
  }

  private ByteBuffer search(
      WeightMatrix matrix,
      TrellisBody head,
      FeedbackFactor factor,
      ErrorMetric metric,
      LongConsumer progress)
      throws IOException, BackendException {
    int rows = matrix.rows();
    int cols = matrix.cols();
    Panels panels = head.panels();
    List<byte[]> weights = new ArrayList<>();
    SearchRequest request =
        SearchRequest.of(
            head.code(),
            panels,
            0,
            rows,
            cols,
            targets(matrix, head),
            Optional.of(new SearchRequest.Feedback(factor.matrix(), factor.block(), weights)));
    int rotated = 1 << head.colBlockLog2();
    for (SearchRequest.Part part : request.parts()) {
      weights.add(
          weights(metric.columns(), head.colScales(), part.firstColumn(), part.columns(), rotated));
    }
    backend.search(request, progress);
    return ByteBuffer.wrap(request.payload());
  }

  /**
   * What errors of a panel's columns count in its search, from the columns' weights and factors.
   *
   * @param rotated columns that a rotation mixes: they count alike
   * @return null where all count alike
   */
  private static byte[] weights(double[] columns, float[] scales, int first, int n, int rotated) {
    double[] costs = new double[n];
    double mean = 0;
    for (int j = 0; j < n; j++) {
      costs[j] = columns[first + j] * scales[first + j] * scales[first + j];
      mean += costs[j] / n;
    }
    for (int j = 0; j < n; j += rotated) {
      Arrays.fill(costs, j, j + rotated, Arrays.stream(costs, j, j + rotated).average().orElse(0));
    }
    if (!(mean > 0)) {
      return null;
    }
    byte[] weights = new byte[n];
    for (int j = 0; j < n; j++) {
      long weight = Math.round(TrellisSearch.FULL_WEIGHT / HEAVIEST * costs[j] / mean);
      weights[j] = (byte) Math.max(1, Math.min(TrellisSearch.FULL_WEIGHT, weight));
    }
    return weights;
  }

  /** The matrix in code units, in the rotated space. */
  private static float[] targets(WeightMatrix matrix, TrellisBody head) throws IOException {
    int rows = matrix.rows();
    int cols = matrix.cols();
    float[] m = new float[Math.multiplyExact(rows, cols)];
    matrix.read(0, rows, m);
    for (int i = 0; i < rows; i++) {
      for (int j = 0; j < cols; j++) {
        float scale = head.rowScales()[i] * head.colScales()[j];
        m[i * cols + j] = scale == 0 ? 0 : m[i * cols + j] / scale;
      }
    }
    Hadamard.alongRows(m, rows, cols, head.colBlockLog2());
    Hadamard.acrossRows(m, rows, cols, head.rowBlockLog2());
    float norm = 1f / ((float) (1 << head.rowBlockLog2()) * (1 << head.colBlockLog2()));
    for (int i = 0; i < m.length; i++) {
      m[i] *= norm;
    }
    return m;
  }
}
