package io.pseed.converter.calibrate;

import io.pseed.codec.hadamard.Hadamard;
import io.pseed.codec.trellis.Panels;
import io.pseed.codec.trellis.Scales;
import io.pseed.codec.trellis.TrellisCode;
import io.pseed.converter.encode.ErrorForecast;
import io.pseed.converter.encode.ErrorMetric;
import io.pseed.converter.encode.FeedbackEncoder;
import io.pseed.converter.encode.SampledEnergies;
import io.pseed.converter.encode.WeightMatrix;
import io.pseed.converter.plan.Plan;
import io.pseed.converter.plan.SegmentLimit;
import io.pseed.converter.plan.TensorPlan;
import io.pseed.converter.plan.TrellisPlan;
import io.pseed.converter.source.SourceTensor;
import io.pseed.converter.source.TensorSource;
import io.pseed.format.TensorRecord;
import io.pseed.format.View;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * Divides bits among and inside tensors so that the expected error of the outputs is least for the
 * size: the rate of each range of rows or columns minimizes error + price * bits (Shoham and
 * Gersho, "Efficient bit allocation for an arbitrary set of quantizers", 1988), with what a change
 * of rate costs counted.
 */
public final class RateAllocator {
  /** Bits of a panel's description. */
  private static final double PANEL_BITS = 64;

  /** Rate 8 needs long seeds: at L = 9 the vectors' errors were half of all loss. */
  private static final int VECTOR_SEED_BITS = 16;

  /** The usual length; also where the plan codes nothing, and so does not say. */
  private static final int SEED_BITS = 12;

  /**
   * Rows that must be rotated together to be alike. Kernels of 9 or 25 weights that are not, as
   * those of depthwise convolutions, have a large row in the middle: without a factor of its own it
   * lies beyond all codes, and feedback carries the error on. Rotating their columns instead was
   * worse (PP-OCRv4 detection at 0.59 MB: relative error 0.024 against 0.016).
   */
  private static final int ENOUGH_ROTATION_LOG2 = 5;

  private static final double LN2 = Math.log(2);

  /** What starting one more stream costs: padding, and the first weights' lack of predecessors. */
  private static final double STREAM_BITS = 10;

  private static final double LOWEST_PRICE = 1e-20;
  private static final double HIGHEST_PRICE = 1;

  /** Of the logarithm of a price: 46 over 2^60 leaves a relative step of 1e-16. */
  private static final int HALVINGS = 60;

  /** Bytes that coding adds to a record beside scales and payload: the body's fields, one panel. */
  private static final int BODY_BYTES = 40;

  /** Calibrated matrices of fewer elements are kept lossless. */
  private static final int SMALLEST_MATRIX = 256;

  /** Smaller matrices get long seeds, whose search takes no time there. */
  private static final int LONG_SEEDS_BELOW = 1 << 14;

  /**
   * Models of fewer weights get long seeds everywhere unless another length was asked for: their
   * search takes a minute or so, and where a model needs 5 to 8 bits a weight they gain 0.7 to 1.8
   * dB.
   */
  private static final long SMALL_MODEL = 1 << 21;

  /** Shortest row of a calibrated matrix that is worth a stream. */
  private static final int SHORTEST_ROW = 8;

  private final List<TensorPlan> base;
  private final Map<String, Costs> costs = new HashMap<>();
  private final Map<String, TensorPlan> fixed = new HashMap<>();
  private final Map<String, ErrorMetric> metrics = new HashMap<>();
  private final List<String> notices = new ArrayList<>();
  private final Options options;

  /**
   * Knobs, with the values that measurements chose.
   *
   * @param damping see {@link ErrorMetric}
   * @param tableDamping the same for tables
   * @param unseen share of a table's weight that rows get whether they were seen or not
   * @param trust how often a row must be seen to count half by itself
   * @param near look-ups of a row's neighbours that tell what it weighs
   * @param shrink how far metrics of linear weights are drawn towards their diagonals, 0 to 1
   * @param even how far the columns' weights are drawn towards their mean, 0 to 1
   */
  public record Options(
      double damping,
      double tableDamping,
      double unseen,
      double trust,
      double near,
      double shrink,
      double even) {
    /** What {@code pseed convert} uses. */
    public static final Options DEFAULT = new Options(0.01, 0.03, 0.005, 30, 64, 0.05, 0.2);
  }

  /**
   * A tensor's view and what errors in it cost.
   *
   * @param raw bits that it takes lossless
   * @param side bits that it takes coded beside the payload, ranges not counted
   */
  private record Costs(TrellisPlan plan, ErrorForecast forecast, long raw, long side) {
    static Costs of(SourceTensor tensor, TrellisPlan plan, ErrorForecast forecast) {
      long side =
          BODY_BYTES
              + plan.rowScale().orElse(Scales.F8).paddedSize(plan.view().rows())
              + plan.colScale().orElse(Scales.F8).paddedSize(plan.view().cols());
      return new Costs(plan, forecast, 8 * tensor.byteSize(), 8 * side);
    }

    /** The same with columns rotated too. */
    Costs alsoAlongRows() {
      TrellisPlan turned =
          new TrellisPlan(
              plan.view(),
              plan.seedBits(),
              plan.law(),
              plan.kappa(),
              plan.rowBlockLog2(),
              Hadamard.largestLog2(plan.view().cols(), Hadamard.MAX_LOG2),
              plan.rowScale(),
              plan.colScale(),
              plan.panels());
      return new Costs(turned, forecast, raw, side);
    }

    /** The error of all weights at noise 1. */
    double total() {
      return sum(forecast.rows()) * sum(forecast.columns());
    }

    long weights() {
      return (long) plan.view().rows() * plan.view().cols();
    }
  }

  /**
   * Reads all calibrated weights.
   *
   * @param base how tensors are coded that calibration says nothing of
   */
  public RateAllocator(TensorSource source, Plan base, Calibration calibration, Options options)
      throws IOException {
    this.options = options;
    this.base = base.tensors();
    if (source.quantized()) {
      return;
    }
    List<SourceTensor> tensors = source.tensors();
    int seedBits =
        this.base.stream()
            .filter(plan -> plan.trellis() != null)
            .mapToInt(plan -> plan.trellis().seedBits())
            .findFirst()
            .orElse(SEED_BITS);
    if (seedBits == SEED_BITS
        && calibration.tensors().values().stream().mapToLong(t -> matrixSize(t.view())).sum()
            < SMALL_MODEL) {
      seedBits = VECTOR_SEED_BITS;
    }
    double typical = typical(tensors, calibration);
    for (int i = 0; i < tensors.size(); i++) {
      SourceTensor tensor = tensors.get(i);
      TensorStatistics statistics = calibration.tensors().get(tensor.name());
      if (VectorUses.isVector(tensor) && (statistics == null || statistics.view().rows() == 1)) {
        addVector(tensor, statistics);
      } else if (statistics != null) {
        add(tensor, seedBits, statistics, typical);
      }
    }
    addUnmet(tensors);
  }

  /**
   * The energy, relative to the outputs', that a whole weight stands for where that is known: the
   * median. Stands in for weights of which only the layer's own output is known.
   */
  private static double typical(List<SourceTensor> tensors, Calibration calibration)
      throws IOException {
    List<Double> known = new ArrayList<>();
    for (SourceTensor tensor : tensors) {
      TensorStatistics statistics = calibration.tensors().get(tensor.name());
      if (statistics != null
          && statistics.sensitive()
          && !statistics.lookup()
          && !VectorUses.isVector(tensor)) {
        known.add(energy(tensor, statistics));
      }
    }
    return known.isEmpty() ? 1 : median(known);
  }

  private static double median(List<Double> values) {
    List<Double> sorted = values.stream().sorted().toList();
    return sorted.get(sorted.size() / 2);
  }

  /** What an error as large as the weight itself would cost, from evenly spread columns. */
  private static double energy(SourceTensor tensor, TensorStatistics statistics)
      throws IOException {
    double[] columns = statistics.columns();
    ErrorMetric metric =
        new ErrorMetric(statistics.size(), statistics.block(), statistics.metric(), columns, 0);
    SampledEnergies zeros = SampledEnergies.of(WeightMatrix.of(tensor, statistics.view()), metric);
    return zeros.weighted(columns) * columns.length / zeros.size();
  }

  /**
   * Weights that no input met take part with the typical cost of a weight that was met, relative to
   * its energy; they are coded without a metric.
   */
  private void addUnmet(List<SourceTensor> tensors) throws IOException {
    List<Double> density = new ArrayList<>();
    for (Costs cost : costs.values()) {
      if (cost.total() > 0 && cost.plan.view().rows() > 1) {
        density.add(cost.total() / cost.weights());
      }
    }
    if (density.isEmpty()) {
      return;
    }
    double typical = median(density);
    for (int i = 0; i < tensors.size(); i++) {
      SourceTensor tensor = tensors.get(i);
      TensorPlan plan = base.get(i);
      if (plan.trellis() == null
          || costs.containsKey(tensor.name())
          || fixed.containsKey(tensor.name())) {
        continue;
      }
      View view = plan.trellis().view();
      double[] rows = new double[view.rows()];
      double[] columns = new double[view.cols()];
      Arrays.fill(rows, typical);
      Arrays.fill(columns, 1);
      costs.put(
          tensor.name(), Costs.of(tensor, plan.trellis(), ErrorForecast.alone(rows, columns)));
    }
  }

  /**
   * Vectors are coded in one row where the outputs' gradient says what their errors cost and a
   * rotation spreads what stands out; else they stay lossless, up to a size. At 8 bits by rule, the
   * biases of PP-OCRv4 recognition alone gave a relative error of 0.035: a single one of 480
   * elements 0.02, and the 6625 of the last layer, which nothing rotates, 0.018.
   */
  private void addVector(SourceTensor tensor, TensorStatistics statistics) throws IOException {
    long elements = TensorRecord.elementCount(tensor.shape());
    if (!tensor.dtype().isCoded() || (statistics == null && elements >= VectorUses.LARGEST)) {
      return;
    }
    int rotation = Hadamard.largestLog2(Math.toIntExact(elements), Hadamard.MAX_LOG2);
    if (statistics == null || rotation < ENOUGH_ROTATION_LOG2) {
      fixed.put(tensor.name(), TensorPlan.raw(tensor.name(), "a vector that stands alone"));
      return;
    }
    View view = statistics.view();
    int n = view.cols();
    float[] all = new float[n];
    WeightMatrix.of(tensor, view).read(0, 1, all);
    double energy = 0;
    for (float value : all) {
      energy += (double) value * value;
    }
    if (!Double.isFinite(energy)) {
      notices.add("'" + tensor.name() + "' has elements that are not finite: it is kept lossless");
      return;
    }
    TrellisPlan row =
        new TrellisPlan(
            view,
            VECTOR_SEED_BITS,
            TrellisCode.LAW_RAYLEIGH,
            0,
            0,
            rotation,
            Optional.of(Scales.SIGNS),
            Optional.of(Scales.SIGNS),
            Panels.uniform(n, TrellisCode.MAX_RATE));
    // The rotation shares errors out evenly.
    double[] columns = new double[n];
    Arrays.fill(columns, energy / n * Arrays.stream(statistics.columns()).sum() / n);
    costs.put(tensor.name(), Costs.of(tensor, row, ErrorForecast.alone(new double[] {1}, columns)));
  }

  private void add(SourceTensor tensor, int seedBits, TensorStatistics statistics, double typical)
      throws IOException {
    View view = statistics.view();
    if (matrixSize(view) < SMALLEST_MATRIX || view.cols() < SHORTEST_ROW) {
      return;
    }
    double[] columns =
        statistics.lookup()
            ? spread(statistics.columns(), statistics.counts())
            : mixed(statistics.columns());
    if (!statistics.sensitive()) {
      double energy = energy(tensor, statistics);
      for (int j = 0; j < columns.length; j++) {
        columns[j] *= energy > 0 ? typical / energy : 0;
      }
    }
    ErrorMetric metric =
        new ErrorMetric(
            view.rows(),
            statistics.block(),
            shrunk(statistics, statistics.lookup() ? 0 : options.shrink),
            columns,
            statistics.lookup() ? options.tableDamping : options.damping);
    WeightMatrix matrix = WeightMatrix.of(tensor, view);
    int length = matrixSize(view) < LONG_SEEDS_BELOW ? VECTOR_SEED_BITS : seedBits;
    SampledEnergies zeros = SampledEnergies.of(matrix, metric);
    Costs each = costs(tensor, view, matrix, metric, zeros, length, Scales.F8);
    if (!Double.isFinite(each.total())) {
      notices.add("'" + tensor.name() + "' has elements that are not finite: it is kept lossless");
      return;
    }
    Costs same = costs(tensor, view, matrix, metric, zeros, length, Scales.SIGNS);
    // A bit a weight takes 6 dB: what rows of their own size gain, against what telling it takes.
    double gain =
        each.total() > 0 ? 0.5 * each.weights() * Math.log(same.total() / each.total()) / LN2 : 0;
    // Without a rotation of rows, a row of large weights would be beyond all codes.
    boolean own = each.plan.rowBlockLog2() < ENOUGH_ROTATION_LOG2;
    Costs chosen = own || gain > each.side - same.side ? each : same;
    if (!own
        && view.cols() <= SegmentLimit.longest(length, 1)
        && FeedbackEncoder.sticksOut(matrix, chosen.plan)) {
      chosen = chosen.alsoAlongRows();
    }
    costs.put(tensor.name(), chosen);
    metrics.put(tensor.name(), metric);
  }

  private static double sum(double[] values) {
    return Arrays.stream(values).sum();
  }

  private static long matrixSize(View view) {
    return (long) view.rows() * view.cols();
  }

  private static Costs costs(
      SourceTensor tensor,
      View view,
      WeightMatrix matrix,
      ErrorMetric metric,
      SampledEnergies zeros,
      int seedBits,
      Scales rowScale)
      throws IOException {
    TrellisPlan turned =
        new TrellisPlan(
            view,
            seedBits,
            TrellisCode.LAW_RAYLEIGH,
            0,
            Hadamard.largestLog2(view.rows(), Hadamard.MAX_LOG2),
            0,
            Optional.of(rowScale),
            Optional.of(Scales.F8),
            Panels.uniform(view.cols(), 1));
    return Costs.of(tensor, turned, ErrorForecast.of(matrix, metric, turned, zeros));
  }

  /** Draws a metric from few samples towards its diagonal: what is seen together by chance. */
  private static double[] shrunk(TensorStatistics statistics, double share) {
    double[] out = statistics.metric().clone();
    int block = statistics.block();
    for (int i = 0; i < statistics.size(); i++) {
      for (int j = 0; j < block; j++) {
        out[i * block + j] *= i % block == j ? 1 : 1 - share;
      }
    }
    return out;
  }

  /**
   * Draws the columns' weights towards their mean: a gradient of zero tells only of small steps.
   */
  private double[] mixed(double[] columns) {
    double mean = Arrays.stream(columns).sum() / columns.length;
    return Arrays.stream(columns).map(c -> c + options.even * (mean - c)).toArray();
  }

  /**
   * Smooths what rows of a table weigh: a row counts by itself as far as it was seen often, else
   * like its neighbours by number, as many as were looked up often enough to tell; and a share of
   * the weight follows Zipf's law, for the unseen may come.
   */
  private double[] spread(double[] seen, long[] counts) {
    int n = seen.length;
    double[] known = new double[n];
    double[] weights = new double[n + 1];
    double[] lookups = new double[n + 1];
    double total = 0;
    double harmonic = 0;
    for (int i = 0; i < n; i++) {
      known[i] = counts[i] / (counts[i] + options.trust);
      weights[i + 1] = weights[i] + (1 - known[i]) * seen[i];
      lookups[i + 1] = lookups[i] + (1 - known[i]) * counts[i];
      total += seen[i];
      harmonic += 1.0 / (i + 100);
    }
    double[] out = new double[n];
    for (int i = 0; i < n; i++) {
      int reach = 0;
      int step = Integer.highestOneBit(n);
      // The largest reach that is not enough, bit by bit; one more is.
      for (; step > 0; step >>= 1) {
        int wider = reach + step;
        if (lookups[Math.min(n, i + wider)] - lookups[Math.max(0, i - wider + 1)] < options.near) {
          reach = wider;
        }
      }
      int from = Math.max(0, i - reach);
      int to = Math.min(n, i + reach + 1);
      double near = (weights[to] - weights[from]) / (to - from);
      double zipf = total / harmonic / (i + 100);
      out[i] = (1 - options.unseen) * (near + known[i] * seen[i]) + options.unseen * zipf;
    }
    return out;
  }

  /** Sentences for the user: which statistics could not be used. */
  public List<String> notices() {
    return List.copyOf(notices);
  }

  /** What errors cost in each calibrated tensor, for the encoder. */
  public Map<String, ErrorMetric> metrics() {
    return Map.copyOf(metrics);
  }

  /**
   * The best plan at a price.
   *
   * @param price error, relative to the outputs' energy, that one bit must take away to be spent
   */
  public Plan plan(double price) {
    return plan(price, Set.of());
  }

  /**
   * The best plan at a price.
   *
   * @param coded tensors that are not kept lossless, whatever the price
   */
  private Plan plan(double price, Set<String> coded) {
    List<TensorPlan> plans = new ArrayList<>();
    for (TensorPlan tensor : base) {
      Costs cost = costs.get(tensor.name());
      plans.add(
          cost == null
              ? fixed.getOrDefault(tensor.name(), tensor)
              : plan(tensor.name(), cost, price, coded.contains(tensor.name())));
    }
    return new Plan(plans);
  }

  private static TensorPlan plan(String name, Costs cost, double price, boolean coded) {
    Ranges best = ranges(cost, price);
    return coded || best.total + price * cost.side < price * cost.raw
        ? TensorPlan.trellis(name, cost.plan.withPanels(best.panels()), false)
        : TensorPlan.raw(name, "its errors cost more than its bits");
  }

  /**
   * The plan of least expected error whose file is forecast to fit.
   *
   * <p>A tensor that would be kept lossless at the price that fills the file, and then does not
   * fit, stays coded, and the others get what it leaves: the step from 8 bits to 32 is so large
   * that it may be half of a small model.
   *
   * @param bytes of the whole file
   * @return empty where even the smallest does not fit
   */
  public Optional<Plan> fit(SizeOf size, long bytes) {
    Set<String> coded = new HashSet<>();
    while (true) {
      double low = LOWEST_PRICE;
      double high = HIGHEST_PRICE;
      if (size.bytes(plan(high, coded)) > bytes) {
        return Optional.empty();
      }
      for (int step = 0; step < HALVINGS; step++) {
        double middle = Math.sqrt(low * high);
        if (size.bytes(plan(middle, coded)) > bytes) {
          low = middle;
        } else {
          high = middle;
        }
      }
      Plan tooLarge = plan(low, coded);
      Plan found = filled(plan(high, coded), tooLarge, size, bytes);
      boolean more = false;
      for (int i = 0; i < base.size(); i++) {
        boolean lossless = tooLarge.tensors().get(i).trellis() == null;
        if (lossless && found.tensors().get(i).trellis() != null) {
          more |= coded.add(base.get(i).name());
        }
      }
      if (!more) {
        return Optional.of(found);
      }
    }
  }

  /**
   * The plans between two neighbours: tensors whose rates change at the same price change one after
   * the other, as long as they fit.
   *
   * @param fits takes no more than {@code bytes}
   * @param tooLarge of a lower price
   * @param bytes of the whole file
   */
  public static Plan filled(Plan fits, Plan tooLarge, SizeOf size, long bytes) {
    List<TensorPlan> tensors = new ArrayList<>(fits.tensors());
    for (int i = 0; i < tensors.size(); i++) {
      TensorPlan before = tensors.get(i);
      if (!before.equals(tooLarge.tensors().get(i))) {
        tensors.set(i, tooLarge.tensors().get(i));
        if (size.bytes(new Plan(tensors)) > bytes) {
          tensors.set(i, before);
        }
      }
    }
    return new Plan(tensors);
  }

  /**
   * Whether a plan leaves more than error: less of it than the outputs' energy, and less than half
   * of what zeros in place of all calibrated weights would make.
   */
  public boolean useful(Plan plan) {
    double nothing = 0;
    for (Costs cost : costs.values()) {
      nothing += error(cost, Panels.uniform(cost.forecast.columns().length, 0));
    }
    double error = error(plan);
    return error == 0 || error < Math.min(1, nothing / 2);
  }

  /** The smallest plan that is {@link #useful}. */
  public Plan least() {
    double low = LOWEST_PRICE;
    double high = HIGHEST_PRICE;
    if (useful(plan(high))) {
      return plan(high);
    }
    for (int step = 0; step < HALVINGS; step++) {
      double middle = Math.sqrt(low * high);
      if (useful(plan(middle))) {
        low = middle;
      } else {
        high = middle;
      }
    }
    return plan(low);
  }

  /** Tells the size of a plan's file. */
  @FunctionalInterface
  public interface SizeOf {
    /** Bytes of the whole file. */
    long bytes(Plan plan);
  }

  /** The error that a plan is expected to make, relative to the outputs' energy. */
  public double error(Plan plan) {
    return errors(plan).values().stream().mapToDouble(e -> e).sum();
  }

  /** What each calibrated tensor adds to {@link #error}, by name, in the plan's order. */
  public Map<String, Double> errors(Plan plan) {
    Map<String, Double> errors = new LinkedHashMap<>();
    for (TensorPlan tensor : plan.tensors()) {
      Costs cost = costs.get(tensor.name());
      if (cost != null && tensor.trellis() != null) {
        errors.put(tensor.name(), error(cost, tensor.trellis().panels()));
      }
    }
    return errors;
  }

  private static double error(Costs cost, Panels panels) {
    double[] lines = panels.byRows() ? cost.forecast.rows() : cost.forecast.columns();
    double across =
        Arrays.stream(panels.byRows() ? cost.forecast.columns() : cost.forecast.rows()).sum();
    double sum = 0;
    int line = 0;
    for (int p = 0; p < panels.count(); p++) {
      for (int i = 0; i < panels.lengths()[p]; i++) {
        sum += lines[line++] * across * cost.forecast.cost(panels.rates()[p]);
      }
    }
    return sum;
  }

  private static Ranges ranges(Costs cost, double price) {
    ErrorForecast forecast = cost.forecast;
    int rows = forecast.rows().length;
    int cols = forecast.columns().length;
    int seedBits = cost.plan.seedBits();
    int longest = SegmentLimit.longest(seedBits, 1);
    Ranges byColumns =
        Ranges.best(
            false,
            forecast,
            forecast.columns(),
            Arrays.stream(forecast.rows()).sum(),
            rows,
            price,
            PANEL_BITS + rows * STREAM_BITS);
    boolean rotated = cost.plan.colBlockLog2() > 0;
    if (cols <= longest) {
      Ranges byRows =
          Ranges.best(
              true,
              forecast,
              forecast.rows(),
              Arrays.stream(forecast.columns()).sum(),
              cols,
              price,
              PANEL_BITS);
      if (rotated || byRows.total <= byColumns.total) {
        return byRows;
      }
    }
    return byColumns;
  }

  /** A division of lines into ranges of one rate. */
  @SuppressWarnings("ArrayRecordComponent") // A value of this class alone; nobody changes it.
  private record Ranges(boolean byRows, int[] lengths, int[] rates, double total) {
    /** Columns of a panel at most: panels are what is searched at the same time. */
    private static final int LONGEST = 4096;

    /** The ranges, long ones of columns cut into equal parts. */
    Panels panels() {
      if (byRows) {
        return new Panels(true, lengths, rates);
      }
      List<Integer> cutLengths = new ArrayList<>();
      List<Integer> cutRates = new ArrayList<>();
      for (int r = 0; r < lengths.length; r++) {
        int parts = rates[r] == 0 ? 1 : (lengths[r] + LONGEST - 1) / LONGEST;
        for (int part = 0; part < parts; part++) {
          int from = (int) ((long) lengths[r] * part / parts);
          cutLengths.add((int) ((long) lengths[r] * (part + 1) / parts) - from);
          cutRates.add(rates[r]);
        }
      }
      return new Panels(
          false,
          cutLengths.stream().mapToInt(n -> n).toArray(),
          cutRates.stream().mapToInt(k -> k).toArray());
    }

    /**
     * The division of least error + price * bits, by dynamic programming over lines and rates.
     *
     * @param cost of each line at noise 1, times {@code across}
     * @param width weights of a line
     * @param change bits that one more range costs
     */
    static Ranges best(
        boolean byRows,
        ErrorForecast forecast,
        double[] cost,
        double across,
        int width,
        double price,
        double change) {
      int n = cost.length;
      int kinds = TrellisCode.MAX_RATE + 1;
      byte[][] from = new byte[n][kinds];
      double[] best = new double[kinds];
      double[] next = new double[kinds];
      for (int i = 0; i < n; i++) {
        int cheapest = 0;
        for (int k = 1; k < kinds; k++) {
          if (best[k] < best[cheapest]) {
            cheapest = k;
          }
        }
        double changed = best[cheapest] + price * change;
        for (int k = 0; k < kinds; k++) {
          boolean same = best[k] <= changed || i == 0;
          from[i][k] = (byte) (same ? k : cheapest);
          next[k] =
              (same ? best[k] : changed) + cost[i] * across * forecast.cost(k) + price * width * k;
        }
        double[] swap = best;
        best = next;
        next = swap;
      }
      int rate = 0;
      for (int k = 1; k < kinds; k++) {
        if (best[k] < best[rate]) {
          rate = k;
        }
      }
      double total = best[rate];
      List<int[]> ranges = new ArrayList<>();
      int end = n;
      for (int i = n - 1; i >= 0; i--) {
        int before = from[i][rate];
        if (i == 0 || before != rate) {
          ranges.add(0, new int[] {end - i, rate});
          end = i;
          rate = before;
        }
      }
      return new Ranges(
          byRows,
          ranges.stream().mapToInt(r -> r[0]).toArray(),
          ranges.stream().mapToInt(r -> r[1]).toArray(),
          total);
    }
  }
}
