package io.pseed.converter.encode.poincare;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.OptionalDouble;
import java.util.Random;
import java.util.function.DoubleBinaryOperator;

/**
 * The paper's table 4.1 once more, with what it leaves out: the kind of matrix, its standard
 * deviation, the error of storing nothing, and the best seed there is instead of the best of a
 * thousand random ones.
 *
 * <p>The paper gives an RMSE for each size without saying for which matrix; its test log names the
 * two smooth matrices used here, and prints 0.884049 and 0.534306 for them at 32 x 32.
 */
public final class PaperExperiment {
  private static final int[] SIZES = {32, 64, 128};

  /** Bytes of one seed, the number the paper counts. */
  public static final int SEED_BYTES = 8;

  /**
   * Bytes of a {@code .pseed} record with a layer seed and nothing else, for a matrix: 40 of
   * fields, 8 for each of 2 dimensions, 16 of view, 8 of an empty tile grid, 4 of checksum
   * (specification, sections 3, 4 and 7). Of them seed, amplitude and shift take 13.
   */
  public static final int RECORD_BYTES = 40 + 2 * 8 + 16 + 8 + 4;

  private static final long GAUSSIAN_SEED = 20260101L;

  /** The kinds of matrices. */
  public enum Kind {
    /** The first matrix of the paper's test log. */
    SMOOTH_1("sin(pi x) cos(pi y)"),
    /** The second matrix of the paper's test log. */
    SMOOTH_2("sin(2 pi x) cos(3 pi y)"),
    /** Sinusoids as in the position table of a transformer: sin and cos of row / 10000^(2k/n). */
    POSITIONS("sinusoid position table"),
    /**
     * Independent normal weights from a fixed random seed, scaled to a root mean square of 1, so
     * that the sample has the variance that the bound speaks of.
     */
    GAUSSIAN("independent Gaussian");

    private final String label;

    Kind(String label) {
      this.label = label;
    }

    /** What the paper's table or the test log prints for a size, if anything. */
    public OptionalDouble paperRmse(int size) {
      return switch (this) {
        case SMOOTH_1 ->
            switch (size) {
              case 32 -> OptionalDouble.of(0.884);
              case 64 -> OptionalDouble.of(0.961);
              case 128 -> OptionalDouble.of(1.124);
              default -> OptionalDouble.empty();
            };
        case SMOOTH_2 -> size == 32 ? OptionalDouble.of(0.534306) : OptionalDouble.empty();
        case POSITIONS, GAUSSIAN -> OptionalDouble.empty();
      };
    }

    /** Name for a table. */
    public String label() {
      return label;
    }

    /** The square matrix of this kind, row after row. */
    public float[] matrix(int size) {
      return switch (this) {
        case SMOOTH_1 -> sampled(size, (x, y) -> StrictMath.sin(Math.PI * x) * cosPi(y));
        case SMOOTH_2 -> sampled(size, (x, y) -> StrictMath.sin(2 * Math.PI * x) * cosPi(3 * y));
        case POSITIONS -> positions(size);
        case GAUSSIAN -> gaussian(size);
      };
    }

    private static double cosPi(double y) {
      return StrictMath.cos(Math.PI * y);
    }

    private static float[] sampled(int size, DoubleBinaryOperator f) {
      float[] w = new float[size * size];
      for (int i = 0; i < size; i++) {
        for (int j = 0; j < size; j++) {
          w[i * size + j] =
              (float) f.applyAsDouble(2.0 * j / (size - 1) - 1, 2.0 * i / (size - 1) - 1);
        }
      }
      return w;
    }

    private static float[] positions(int size) {
      float[] w = new float[size * size];
      for (int i = 0; i < size; i++) {
        for (int j = 0; j < size; j++) {
          double angle = i / StrictMath.pow(10000, (j & ~1) / (double) size);
          w[i * size + j] = (float) ((j & 1) == 0 ? StrictMath.sin(angle) : StrictMath.cos(angle));
        }
      }
      return w;
    }

    private static float[] gaussian(int size) {
      Random random = new Random(GAUSSIAN_SEED);
      double[] drawn = new double[size * size];
      double squares = 0;
      for (int k = 0; k < drawn.length; k++) {
        drawn[k] = random.nextGaussian();
        squares += drawn[k] * drawn[k];
      }
      double scale = 1 / Math.sqrt(squares / drawn.length);
      float[] w = new float[drawn.length];
      for (int k = 0; k < w.length; k++) {
        w[k] = (float) (scale * drawn[k]);
      }
      return w;
    }
  }

  /**
   * One matrix.
   *
   * @param kind kind of matrix
   * @param size rows and columns
   * @param sigma its standard deviation
   * @param zerosRmse RMSE of storing nothing
   * @param unitRmse RMSE of the best seed with amplitude 1, as in the paper; that of zeros if no
   *     seed is better
   * @param freeRmse RMSE of the best seed with an amplitude beside it, as in the format; likewise
   * @param unitSeed the former's seed, 0 if none
   * @param freeSeed the latter's seed, 0 if none
   * @param bound Shannon's bound for {@value #SEED_BYTES} bytes, zerosRmse * 2^(-64 / N); only for
   *     independent Gaussian weights, where it holds
   * @param paperRmse what the paper or its log prints for this size, if anything
   */
  public record Row(
      Kind kind,
      int size,
      double sigma,
      double zerosRmse,
      double unitRmse,
      double freeRmse,
      long unitSeed,
      long freeSeed,
      OptionalDouble bound,
      OptionalDouble paperRmse) {
    /** Bytes of the matrix in f32. */
    public long originalBytes() {
      return 4L * size * size;
    }

    /** The ratio that the paper counts: the seed's 8 bytes and nothing else. */
    public double paperRatio() {
      return (double) originalBytes() / SEED_BYTES;
    }

    /** The ratio of a record with everything that it needs. */
    public double recordRatio() {
      return (double) originalBytes() / RECORD_BYTES;
    }

    /** Part of the energy that the best seed takes away. */
    public double energyReduction() {
      double ratio = freeRmse / zerosRmse;
      return 1 - ratio * ratio;
    }

    /** What the row says, in a sentence. */
    public String meaning() {
      StringBuilder text = new StringBuilder();
      text.append(
          format("The best seed takes %.2f %% of the energy away", 100 * energyReduction()));
      if (bound.isPresent()) {
        text.append(
            format("; no 64-bit code of any kind gets below %.4f on average", bound.getAsDouble()));
      }
      if (paperRmse.isPresent()) {
        double paper = paperRmse.getAsDouble();
        text.append(
            format(
                "; the paper's %.3f is %s than storing nothing (%.4f)",
                paper, paper > zerosRmse ? "worse" : "better", zerosRmse));
      }
      return text.append('.').toString();
    }
  }

  private PaperExperiment() {}

  /** Runs the whole table: every kind at 32, 64 and 128 square. Takes a few seconds. */
  public static List<Row> run() {
    List<Row> rows = new ArrayList<>();
    for (Kind kind : Kind.values()) {
      for (int size : SIZES) {
        rows.add(row(kind, size));
      }
    }
    return List.copyOf(rows);
  }

  private static Row row(Kind kind, int size) {
    float[] w = kind.matrix(size);
    double sum = 0;
    double squares = 0;
    for (float v : w) {
      sum += v;
      squares += (double) v * v;
    }
    double mean = sum / w.length;
    double zeros = Math.sqrt(squares / w.length);
    double sigma = Math.sqrt(squares / w.length - mean * mean);
    MatrixRows matrix = MatrixRows.of(w, size, size);
    var unit = PoincareSearch.findSeed(matrix, AmplitudeRule.ONE);
    var free = PoincareSearch.findSeed(matrix, AmplitudeRule.FREE);
    return new Row(
        kind,
        size,
        sigma,
        zeros,
        unit.map(FittedSeed::rmse).orElse(zeros),
        free.map(FittedSeed::rmse).orElse(zeros),
        unit.map(FittedSeed::seed).orElse(0L),
        free.map(FittedSeed::seed).orElse(0L),
        kind == Kind.GAUSSIAN
            ? OptionalDouble.of(zeros * StrictMath.pow(2, -64.0 / w.length))
            : OptionalDouble.empty(),
        kind.paperRmse(size));
  }

  /** The table as plain text, with a sentence for every row and the reading of the whole. */
  public static String render(List<Row> rows) {
    StringBuilder text = new StringBuilder();
    String line = "%-24s %9s %8s %5s %7s %8s %9s %7s %7s %7s %7s %7s %7s%n";
    text.append(
        format(
            line,
            "matrix",
            "size",
            "original",
            "seed",
            "stored",
            "ratio",
            "stored",
            "sigma",
            "zeros",
            "paper",
            "best,",
            "best,",
            "Shannon"));
    text.append(
        format(
            line, "", "", "bytes", "bytes", "bytes", "paper's", "ratio", "", "RMSE", "RMSE",
            "A = 1", "free A", "bound"));
    for (Row r : rows) {
      text.append(
          format(
              line,
              r.kind().label(),
              r.size() + "x" + r.size(),
              r.originalBytes(),
              SEED_BYTES,
              RECORD_BYTES,
              format("%.0f:1", r.paperRatio()),
              format("%.1f:1", r.recordRatio()),
              format("%.4f", r.sigma()),
              format("%.4f", r.zerosRmse()),
              optional(r.paperRmse(), "%.3f"),
              format("%.4f", r.unitRmse()),
              format("%.4f", r.freeRmse()),
              optional(r.bound(), "%.4f")));
    }
    text.append(format("%n"));
    for (Row r : rows) {
      text.append(format("%s, %dx%d: %s%n", r.kind().label(), r.size(), r.size(), r.meaning()));
    }
    text.append(
        format(
            "%nRMSE says little without sigma: storing nothing has RMSE sigma (for a mean of 0)."
                + " One seed describes a smooth matrix in part and an independent Gaussian one"
                + " hardly at all; trained layers need many seeds.%n"));
    return text.toString();
  }

  private static String optional(OptionalDouble value, String pattern) {
    return value.isPresent() ? format(pattern, value.getAsDouble()) : "-";
  }

  private static String format(String pattern, Object... arguments) {
    return String.format(Locale.ROOT, pattern, arguments);
  }
}
