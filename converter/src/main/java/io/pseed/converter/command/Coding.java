package io.pseed.converter.command;

import io.pseed.converter.calibrate.RateAllocator;
import io.pseed.converter.encode.ErrorMetric;
import io.pseed.converter.plan.Plan;
import io.pseed.converter.plan.TensorPlan;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.function.DoubleFunction;

/** A way to divide bits among tensors, with one knob for how many. */
interface Coding {
  /** The knob of the fewest bits. */
  double lowest();

  /** The knob of the most bits. */
  double highest();

  /** What is done with each tensor. */
  Plan plan(double knob);

  /** What the outputs lose, up to a factor; falls as the knob rises. */
  double predicted(double knob);

  /** Where the prediction comes from, as a phrase. */
  String prediction();

  /** What errors cost, by tensor, for the encoder. */
  Map<String, ErrorMetric> metrics();

  /** Share of the outputs' predicted error that each tensor causes; empty where none is known. */
  Map<String, Double> shares(Plan plan);

  /** Why a coded tensor has its rate, by name. */
  Map<String, String> whys(Plan plan);

  /** One rate for all tensors; the knob is that rate, in bits. */
  record Uniform(DoubleFunction<Plan> planOfBits) implements Coding {
    private static final double STEPS_PER_BIT = 100;

    @Override
    public double lowest() {
      return 1;
    }

    @Override
    public double highest() {
      return 8;
    }

    @Override
    public Plan plan(double knob) {
      return planOfBits.apply(Math.round(knob * STEPS_PER_BIT) / STEPS_PER_BIT);
    }

    @Override
    public double predicted(double knob) {
      // Of a single matrix it is 4^-bits; what all layers of a small model add was four times that.
      return 4 * Math.pow(4, -knob);
    }

    @Override
    public String prediction() {
      return "6 dB a bit, as for any Gaussian source";
    }

    @Override
    public Map<String, ErrorMetric> metrics() {
      return Map.of();
    }

    @Override
    public Map<String, Double> shares(Plan plan) {
      return Map.of();
    }

    @Override
    public Map<String, String> whys(Plan plan) {
      Map<String, String> whys = new LinkedHashMap<>();
      for (TensorPlan tensor : plan.tensors()) {
        whys.put(
            tensor.name(),
            tensor.minSnrDb() == TensorPlan.ANY_SNR
                ? "the same rate for all"
                : "the rate that was asked for, or more where outliers need it");
      }
      return whys;
    }
  }

  /**
   * Rates by what errors cost; the knob is the negative logarithm of a bit's price. Plans of prices
   * on a grid are made by the allocator; between two of them tensors change one after the other, so
   * that sizes have no gaps where many tensors change at one price.
   */
  final class Calibrated implements Coding {
    /** Prices a unit of the knob: neighbours differ by a tenth, 0.07 bits a weight. */
    private static final int GRID = 10;

    private final RateAllocator allocator;
    private final RateAllocator.SizeOf size;
    private final Map<Long, Plan> grid = new HashMap<>();

    /**
     * A coding.
     *
     * @param size forecasts a plan's file
     */
    Calibrated(RateAllocator allocator, RateAllocator.SizeOf size) {
      this.allocator = allocator;
      this.size = size;
    }

    private Plan onGrid(long place) {
      return grid.computeIfAbsent(
          place, key -> allocator.plan(StrictMath.exp(-(double) key / GRID)));
    }

    @Override
    public double lowest() {
      return 0;
    }

    @Override
    public double highest() {
      return 46;
    }

    @Override
    public Plan plan(double knob) {
      long place = (long) Math.floor(knob * GRID);
      double share = knob * GRID - place;
      Plan fewer = onGrid(place);
      if (share == 0) {
        return fewer;
      }
      Plan more = onGrid(place + 1);
      long least = size.bytes(fewer);
      long bytes = least + (long) (share * (size.bytes(more) - least));
      return fewer.equals(more) ? fewer : RateAllocator.filled(fewer, more, size, bytes);
    }

    @Override
    public double predicted(double knob) {
      // An error e of unit energy that stands at a right angle leaves a cosine of 1 - e / 2.
      return allocator.error(plan(knob)) / 2;
    }

    @Override
    public String prediction() {
      return "what calibration says errors of the weights cost";
    }

    @Override
    public Map<String, ErrorMetric> metrics() {
      return allocator.metrics();
    }

    @Override
    public Map<String, Double> shares(Plan plan) {
      Map<String, Double> errors = allocator.errors(plan);
      double sum = errors.values().stream().mapToDouble(e -> e).sum();
      Map<String, Double> shares = new LinkedHashMap<>();
      errors.forEach((name, error) -> shares.put(name, sum > 0 ? error / sum : 0));
      return shares;
    }

    @Override
    public Map<String, String> whys(Plan plan) {
      Map<String, ErrorMetric> known = allocator.metrics();
      Map<String, String> whys = new LinkedHashMap<>();
      for (TensorPlan tensor : plan.tensors()) {
        whys.put(
            tensor.name(),
            known.containsKey(tensor.name())
                ? "bits where calibration says the outputs need them"
                : "calibration says nothing of it: a fixed rate");
      }
      return whys;
    }
  }
}
