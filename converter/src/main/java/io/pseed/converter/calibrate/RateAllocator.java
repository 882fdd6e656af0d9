package io.pseed.converter.calibrate;

import io.pseed.codec.hadamard.Hadamard;
import io.pseed.codec.trellis.Panels;
import io.pseed.codec.trellis.Scales;
import io.pseed.codec.trellis.TrellisCode;
import io.pseed.converter.encode.ErrorForecast;
import io.pseed.converter.encode.ErrorMetric;
import io.pseed.converter.encode.WeightMatrix;
import io.pseed.converter.plan.Plan;
import io.pseed.converter.plan.SegmentLimit;
import io.pseed.converter.plan.TensorPlan;
import io.pseed.converter.plan.TrellisPlan;
import io.pseed.converter.source.SourceTensor;
import io.pseed.converter.source.TensorSource;
import io.pseed.format.View;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * Divides bits among and inside tensors so that the expected error of the outputs is least for the
 * size: the rate of each range of rows or columns minimizes error + price * bits (Shoham and
 * Gersho, "Efficient bit allocation for an arbitrary set of quantizers", 1988), with what a change
 * of rate costs counted.
 */
public final class RateAllocator {
  /** Bits of a panel's description. */
  private static final double PANEL_BITS = 64;

  /** Vectors of at least so many and fewer than so many elements are coded at 8 bits. */
  private static final int SMALLEST_VECTOR = 256;

  private static final int LARGEST_VECTOR = 4096;

  /** Rate 8 needs long seeds: at L = 9 the vectors' errors were half of all loss. */
  private static final int VECTOR_SEED_BITS = 16;

  /** What starting one more stream costs: padding, and the first weights' lack of predecessors. */
  private static final double STREAM_BITS = 10;

  private static final double LOWEST_PRICE = 1e-20;
  private static final double HIGHEST_PRICE = 1;

  /** Of the logarithm of a price: 46 over 2^60 leaves a relative step of 1e-16. */
  private static final int HALVINGS = 60;

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
   * @param shrink how far metrics of linear weights are drawn towards their diagonals, 0 to 1
   * @param even how far the columns' weights are drawn towards their mean, 0 to 1
   */
  public record Options(
      double damping,
      double tableDamping,
      double unseen,
      double trust,
      double shrink,
      double even) {
    /** What {@code pseed convert} uses. */
    public static final Options DEFAULT = new Options(0.01, 0.1, 0.05, 30, 0.05, 0.2);
  }

  /** A tensor's view and what errors in it cost. */
  private record Costs(TrellisPlan plan, ErrorForecast forecast) {}

  /**
   * Reads all calibrated weights.
   *
   * @param base how tensors are coded that calibration says nothing of
   */
  public RateAllocator(TensorSource source, Plan base, Calibration calibration, Options options)
      throws IOException {
    this.options = options;
    this.base = base.tensors();
    boolean lossless = source.quantized();
    List<SourceTensor> tensors = source.tensors();
    for (int i = 0; i < tensors.size(); i++) {
      SourceTensor tensor = tensors.get(i);
      TensorPlan plan = this.base.get(i);
      TensorStatistics statistics = calibration.tensors().get(tensor.name());
      if (plan.trellis() != null && statistics != null) {
        add(tensor, plan.trellis(), statistics);
      }
      if (!lossless) {
        small(tensor, plan).ifPresent(coded -> fixed.put(tensor.name(), coded));
      }
    }
  }

  /**
   * Vectors that would be kept lossless take more of a small file than they are worth: 8 bits a
   * weight leave an error 30 dB below that of the matrices.
   */
  private Optional<TensorPlan> small(SourceTensor tensor, TensorPlan plan) {
    long[] shape = tensor.shape();
    if (plan.trellis() != null
        || !tensor.dtype().isCoded()
        || shape.length != 1
        || shape[0] < SMALLEST_VECTOR
        || shape[0] >= LARGEST_VECTOR) {
      return Optional.empty();
    }
    int n = (int) shape[0];
    TrellisPlan row =
        new TrellisPlan(
            new View(1, n, false),
            VECTOR_SEED_BITS,
            TrellisCode.LAW_RAYLEIGH,
            0,
            0,
            Hadamard.largestLog2(n, Hadamard.MAX_LOG2),
            Optional.of(Scales.SIGNS),
            Optional.of(Scales.SIGNS),
            Panels.uniform(n, TrellisCode.MAX_RATE));
    return Optional.of(TensorPlan.trellis(tensor.name(), row, false));
  }

  private void add(SourceTensor tensor, TrellisPlan plan, TensorStatistics statistics)
      throws IOException {
    View view = plan.view();
    double[] columns = statistics.columns();
    if (statistics.lookup()) {
      long[] shape = tensor.shape();
      view = new View((int) shape[1], (int) shape[0], true);
      columns = spread(statistics.rows(), statistics.counts());
    }
    if (view.rows() != statistics.size() || view.cols() != columns.length) {
      notices.add(
          "'"
              + tensor.name()
              + "' is coded as "
              + view.rows()
              + " x "
              + view.cols()
              + " but used as "
              + statistics.size()
              + " x "
              + columns.length
              + ": it is coded without calibration");
      return;
    }
    double damping = statistics.lookup() ? options.tableDamping : options.damping;
    double shrink = statistics.lookup() ? 0 : options.shrink;
    ErrorMetric metric =
        new ErrorMetric(
            statistics.size(),
            shrunk(statistics.metric(), statistics.size(), shrink),
            statistics.lookup() ? columns : mixed(columns),
            damping);
    int block = Hadamard.largestLog2(view.rows(), Hadamard.MAX_LOG2);
    TrellisPlan turned =
        new TrellisPlan(
            view,
            plan.seedBits(),
            plan.law(),
            plan.kappa(),
            block,
            0,
            Optional.of(Scales.F8),
            Optional.of(Scales.F8),
            Panels.uniform(view.cols(), 1));
    costs.put(
        tensor.name(),
        new Costs(turned, ErrorForecast.of(WeightMatrix.of(tensor, view), metric, turned)));
    metrics.put(tensor.name(), metric);
  }

  /** Draws a metric from few samples towards its diagonal: what is seen together by chance. */
  private static double[] shrunk(double[] metric, int n, double share) {
    double[] out = metric.clone();
    for (int i = 0; i < n; i++) {
      for (int j = 0; j < n; j++) {
        out[i * n + j] *= i == j ? 1 : 1 - share;
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
   * like its neighbours by number, and a share of the weight follows Zipf's law, for the unseen may
   * come.
   */
  private double[] spread(double[] seen, long[] counts) {
    int n = seen.length;
    double[] known = new double[n];
    double[] prefix = new double[n + 1];
    double total = 0;
    double harmonic = 0;
    for (int i = 0; i < n; i++) {
      known[i] = counts[i] / (counts[i] + options.trust);
      prefix[i + 1] = prefix[i] + (1 - known[i]) * seen[i];
      total += seen[i];
      harmonic += 1.0 / (i + 100);
    }
    double[] out = new double[n];
    for (int i = 0; i < n; i++) {
      int from = Math.max(0, (int) (i * 0.7) - 2);
      int to = Math.min(n, (int) (i * 1.4) + 3);
      double near = (prefix[to] - prefix[from]) / (to - from);
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
    List<TensorPlan> plans = new ArrayList<>();
    for (TensorPlan tensor : base) {
      Costs cost = costs.get(tensor.name());
      plans.add(
          cost == null
              ? fixed.getOrDefault(tensor.name(), tensor)
              : TensorPlan.trellis(
                  tensor.name(), cost.plan.withPanels(panels(cost, price)), false));
    }
    return new Plan(plans);
  }

  /**
   * The plan of least expected error whose file is forecast to fit.
   *
   * @param bytes of the whole file
   * @return empty where even the smallest does not fit
   */
  public Optional<Plan> fit(SizeOf size, long bytes) {
    double low = LOWEST_PRICE;
    double high = HIGHEST_PRICE;
    if (size.bytes(plan(high)) > bytes) {
      return Optional.empty();
    }
    for (int step = 0; step < HALVINGS; step++) {
      double middle = Math.sqrt(low * high);
      if (size.bytes(plan(middle)) > bytes) {
        low = middle;
      } else {
        high = middle;
      }
    }
    return Optional.of(plan(high));
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
      if (cost != null) {
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
        sum += lines[line++] * across * ErrorForecast.noise(panels.rates()[p]);
      }
    }
    return sum;
  }

  private static Panels panels(Costs cost, double price) {
    ErrorForecast forecast = cost.forecast;
    int rows = forecast.rows().length;
    int cols = forecast.columns().length;
    int seedBits = cost.plan.seedBits();
    int longest = SegmentLimit.longest(seedBits, 1);
    Ranges byColumns =
        Ranges.best(
            forecast.columns(),
            Arrays.stream(forecast.rows()).sum(),
            rows,
            price,
            PANEL_BITS + rows * STREAM_BITS);
    if (cols <= longest) {
      Ranges byRows =
          Ranges.best(
              forecast.rows(), Arrays.stream(forecast.columns()).sum(), cols, price, PANEL_BITS);
      if (byRows.total <= byColumns.total) {
        return new Panels(true, byRows.lengths, byRows.rates);
      }
    }
    return new Panels(false, byColumns.lengths, byColumns.rates);
  }

  /** A division of lines into ranges of one rate. */
  @SuppressWarnings("ArrayRecordComponent") // A value of this class alone; nobody changes it.
  private record Ranges(int[] lengths, int[] rates, double total) {
    /**
     * The division of least error + price * bits, by dynamic programming over lines and rates.
     *
     * @param cost of each line at noise 1, times {@code across}
     * @param width weights of a line
     * @param change bits that one more range costs
     */
    static Ranges best(double[] cost, double across, int width, double price, double change) {
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
              (same ? best[k] : changed)
                  + cost[i] * across * ErrorForecast.noise(k)
                  + price * width * k;
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
          ranges.stream().mapToInt(r -> r[0]).toArray(),
          ranges.stream().mapToInt(r -> r[1]).toArray(),
          total);
    }
  }
}
