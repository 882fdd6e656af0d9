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
import java.util.List;
import java.util.Optional;
import java.util.function.LongConsumer;

/**
 * Codes a matrix with the trellis: chooses the factors of rows and columns, rotates bands of rows
 * by signs and Hadamard blocks, and searches each row's streams. Works on groups of bands, so that
 * a matrix of any size takes bounded memory beside its payload.
 */
public final class TrellisEncoder {
  /** Weights rotated and searched in one go. */
  private static final int GROUP_WEIGHTS = 1 << 22;

  /**
   * Spread of the blocks' logarithmic root mean square from which on a factor for each line pays.
   */
  private static final double SPREAD_FOR_LINE_SCALES = 0.08;

  private final Workers workers;
  private final EncoderBackend backend;

  /** An encoder that rotates on {@code workers} and searches on {@code backend}. */
  TrellisEncoder(Workers workers, EncoderBackend backend) {
    this.workers = workers;
    this.backend = backend;
  }

  /** The coded matrix: the body's head, then its payload in pieces. */
  record Coded(TrellisBody head, List<ByteBuffer> payload) {
    List<ByteBuffer> parts() {
      List<ByteBuffer> parts = new ArrayList<>();
      parts.add(head.head());
      parts.addAll(payload);
      return parts;
    }
  }

  /**
   * Standard deviation of the generator's codes relative to that of the source, by rate, where the
   * error is least (measured on Gaussian rows by {@code pseed experiment gaussian}).
   */
  static float gain(int seedBits, int rate) {
    float[] byRate =
        seedBits < 14
            ? new float[] {0, 0.88f, 1.04f, 1.08f, 1.12f, 1.18f, 1.21f, 1.24f, 1.26f}
            : new float[] {0, 0.89f, 1.00f, 1.05f, 1.08f, 1.10f, 1.12f, 1.12f, 1.14f};
    return byRate[rate];
  }

  /**
   * Codes a matrix.
   *
   * @param matrix all finite
   * @param progress is told the number of weights just searched, from any thread
   */
  Coded encode(WeightMatrix matrix, TrellisPlan plan, LongConsumer progress)
      throws IOException, BackendException {
    View view = plan.view();
    Energies energies = energies(matrix, null);
    Panels panels = energies.total == 0 ? Panels.uniform(view.cols(), 0) : plan.panels();
    Scales rowKind = kind(plan.rowScale(), energies.rows, plan.rowBlockLog2());
    float gain = gain(plan.seedBits(), (int) Math.max(1, Math.round(panels.meanRate())));
    float unit =
        (float)
            (gain
                / (TrellisCode.UNIT
                    * Math.sqrt((double) (1 << plan.rowBlockLog2()) * (1 << plan.colBlockLog2()))));
    float sigma = (float) Math.sqrt(energies.total / ((double) view.rows() * view.cols()));
    boolean rowsVary = rowKind == Scales.F8 || rowKind == Scales.F16 || rowKind == Scales.F32;
    float[] rowLevels = new float[view.rows()];
    for (int i = 0; i < rowLevels.length; i++) {
      rowLevels[i] = rowsVary ? (float) Math.sqrt(energies.rows[i] / view.cols()) : sigma;
    }
    if (rowsVary) {
      energies = energies(matrix, rowLevels);
    }
    Scales colKind = kind(plan.colScale(), energies.cols, plan.colBlockLog2());
    boolean colsVary = colKind == Scales.F8 || colKind == Scales.F16 || colKind == Scales.F32;
    double colMean = energies.total / view.cols();
    float[] colScales = new float[view.cols()];
    for (int j = 0; j < colScales.length; j++) {
      float level = colsVary && colMean > 0 ? (float) Math.sqrt(energies.cols[j] / colMean) : 1f;
      colScales[j] = colKind == Scales.CONSTANT ? 1f : level * Signs.of(1, j);
    }
    float[] rowScales = new float[view.rows()];
    for (int i = 0; i < rowScales.length; i++) {
      float level = rowLevels[i] * unit;
      rowScales[i] = rowKind == Scales.CONSTANT ? level : level * Signs.of(0, i);
    }
    TrellisBody head = head(plan, rowKind, rowScales, colKind, colScales, panels);
    return new Coded(head, new Search(matrix, head, progress).run());
  }

  /** A body without payload, with the factors as a decoder will read them. */
  static TrellisBody head(
      TrellisPlan plan,
      Scales rowKind,
      float[] rowScales,
      Scales colKind,
      float[] colScales,
      Panels panels) {
    return new TrellisBody(
        plan.view(),
        TrellisCode.of(plan.seedBits(), plan.law(), plan.kappa()),
        plan.law(),
        plan.kappa(),
        plan.rowBlockLog2(),
        plan.colBlockLog2(),
        rowKind,
        colKind,
        rowKind.nearest(rowScales),
        colKind.nearest(colScales),
        panels,
        null,
        ByteBuffer.allocate(0));
  }

  /** F8 where the rotation leaves blocks of different size, else a single value with signs. */
  private static Scales kind(Optional<Scales> planned, double[] energies, int blockLog2) {
    if (planned.isPresent()) {
      return planned.get();
    }
    int block = 1 << blockLog2;
    double sum = 0;
    double squares = 0;
    int n = energies.length / block;
    for (int b = 0; b < n; b++) {
      double energy = 0;
      for (int i = 0; i < block; i++) {
        energy += energies[b * block + i];
      }
      if (energy == 0) {
        return Scales.F8;
      }
      double level = 0.5 * StrictMath.log(energy);
      sum += level;
      squares += level * level;
    }
    double mean = sum / n;
    double spread = Math.sqrt(Math.max(0, squares / n - mean * mean));
    return spread > SPREAD_FOR_LINE_SCALES ? Scales.F8 : Scales.SIGNS;
  }

  /** Sums of squares by row and by column. */
  @SuppressWarnings("ArrayRecordComponent") // Made, read and dropped; nothing compares them.
  private record Energies(double[] rows, double[] cols, double total) {}

  /**
   * Sums of squares of the matrix, each row divided by its level where levels are given; zero
   * levels give zeros.
   */
  private Energies energies(WeightMatrix matrix, float[] levels) throws IOException {
    int cols = matrix.cols();
    int step = Math.max(1, (1 << 20) / cols);
    int bands = (matrix.rows() + step - 1) / step;
    double[] rowSums = new double[matrix.rows()];
    double[] colSums = new double[cols];
    int parallel = workers.threads();
    for (int first = 0; first < bands; first += parallel) {
      int count = Math.min(parallel, bands - first);
      double[][] partial = new double[count][];
      List<Workers.Task> tasks = new ArrayList<>();
      for (int b = 0; b < count; b++) {
        int slot = b;
        int top = (first + b) * step;
        tasks.add(() -> partial[slot] = bandEnergies(matrix, top, step, levels, rowSums));
      }
      workers.run(tasks);
      // In the order of the bands, so that the sums do not depend on the number of threads.
      for (double[] band : partial) {
        for (int j = 0; j < cols; j++) {
          colSums[j] += band[j];
        }
      }
    }
    double total = 0;
    for (double row : rowSums) {
      total += row;
    }
    return new Energies(rowSums, colSums, total);
  }

  private static double[] bandEnergies(
      WeightMatrix matrix, int top, int step, float[] levels, double[] rowSums) throws IOException {
    int cols = matrix.cols();
    int count = Math.min(step, matrix.rows() - top);
    float[] values = new float[count * cols];
    matrix.read(top, count, values);
    double[] colSums = new double[cols];
    for (int i = 0; i < count; i++) {
      double level = levels == null ? 1 : levels[top + i];
      double factor = level == 0 ? 0 : 1 / level;
      double sum = 0;
      for (int j = 0; j < cols; j++) {
        double value = values[i * cols + j] * factor;
        sum += value * value;
        colSums[j] += value * value;
      }
      rowSums[top + i] = sum;
    }
    return colSums;
  }

  /** The search of one matrix. */
  private final class Search {
    private final WeightMatrix matrix;
    private final TrellisBody head;
    private final LongConsumer progress;

    Search(WeightMatrix matrix, TrellisBody head, LongConsumer progress) {
      this.matrix = matrix;
      this.head = head;
      this.progress = progress;
    }

    List<ByteBuffer> run() throws IOException, BackendException {
      int rows = matrix.rows();
      int cols = matrix.cols();
      int block = 1 << head.rowBlockLog2();
      int group = Math.max(1, GROUP_WEIGHTS / cols / block) * block;
      List<ByteBuffer> payload = new ArrayList<>();
      for (int top = 0; top < rows; top += group) {
        int first = top;
        int count = Math.min(group, rows - top);
        float[] targets = new float[Math.multiplyExact(count, cols)];
        List<Workers.Task> rotations = new ArrayList<>();
        for (int band = 0; band < count; band += block) {
          int at = band;
          rotations.add(() -> rotate(first + at, block, targets, at * cols));
        }
        workers.run(rotations);
        SearchRequest request =
            SearchRequest.of(
                head.code(), head.panels(), first, count, cols, targets, Optional.empty());
        backend.search(request, progress);
        payload.add(ByteBuffer.wrap(request.payload()));
      }
      return payload;
    }

    /** The targets, in code units, of a band of rows: divided by the scales, then transformed. */
    private void rotate(int first, int count, float[] targets, int at) throws IOException {
      int cols = matrix.cols();
      float[] band = new float[count * cols];
      matrix.read(first, count, band);
      for (int i = 0; i < count; i++) {
        float rowScale = head.rowScales()[first + i];
        for (int j = 0; j < cols; j++) {
          float scale = rowScale * head.colScales()[j];
          band[i * cols + j] = scale == 0 ? 0 : band[i * cols + j] / scale;
        }
      }
      Hadamard.alongRows(band, count, cols, head.colBlockLog2());
      Hadamard.acrossRows(band, count, cols, head.rowBlockLog2());
      float norm = 1f / ((float) (1 << head.rowBlockLog2()) * (1 << head.colBlockLog2()));
      for (int i = 0; i < count * cols; i++) {
        targets[at + i] = band[i] * norm;
      }
    }
  }
}
