package io.pseed.converter.command;

import io.pseed.converter.ConversionResult;
import io.pseed.converter.SizeForecast;
import io.pseed.converter.calibrate.CalibrationInputs;
import io.pseed.converter.encode.ErrorMetric;
import io.pseed.converter.plan.Plan;
import io.pseed.converter.report.Report;
import io.pseed.converter.source.TensorSource;
import io.pseed.converter.source.onnx.OnnxModelSource;
import io.pseed.converter.verify.CosineSearch;
import io.pseed.converter.verify.Judgement;
import io.pseed.format.PseedReader;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.function.Consumer;

/**
 * A conversion that is judged: for a bound, which searches the smallest file that passes or checks
 * the one that was asked for, and for a report. The judge is opened before anything is converted,
 * so that inputs that do not fit are found at once.
 */
final class JudgedConversion implements AutoCloseable {
  /** Settings of which the curve of a report is made. */
  private static final int CURVE_POINTS = 60;

  /** How far from the file's size the curve goes, as a factor. */
  private static final double CURVE_SPAN = 3;

  private final TensorSource source;
  private final JudgeSettings settings;
  private final Wording wording;
  private final Optional<Double> minCosine;
  private final Consumer<String> say;
  private final Optional<Judging> judging;
  private final String notJudged;
  private final Map<String, Double> seconds = new LinkedHashMap<>();
  private final List<String> notices = new ArrayList<>();
  private final List<Report.Attempt> tries = new ArrayList<>();
  private Optional<Coding> coding = Optional.empty();
  private Optional<Plan> plan = Optional.empty();
  private Optional<Judgement> judgement = Optional.empty();

  private JudgedConversion(
      TensorSource source,
      JudgeSettings settings,
      Wording wording,
      Optional<Double> minCosine,
      Consumer<String> say,
      Optional<Judging> judging,
      String notJudged) {
    this.source = source;
    this.settings = settings;
    this.wording = wording;
    this.minCosine = minCosine;
    this.say = say;
    this.judging = judging;
    this.notJudged = notJudged;
  }

  /** Whether a conversion is judged. */
  static boolean judges(JudgeSettings settings, Optional<Double> minCosine) {
    return minCosine.isPresent() || settings.report().isPresent();
  }

  /**
   * Opens the judge where one is needed.
   *
   * @param heldOut what judges where the settings name nothing; empty: what pseed has
   * @param say takes sentences for the user
   * @param note takes sentences that belong to the result
   * @throws CommandFailure where a bound was asked for and nothing can be judged
   */
  static JudgedConversion open(
      TensorSource source,
      JudgeSettings settings,
      InputSettings how,
      Optional<Double> minCosine,
      Optional<CalibrationInputs> heldOut,
      Consumer<String> say,
      Consumer<String> note)
      throws IOException, CommandFailure {
    Optional<Judging> judging = Optional.empty();
    String notJudged = "";
    if (judges(settings, minCosine)) {
      try {
        if (!(source instanceof OnnxModelSource model)) {
          throw new CommandFailure(
              source.path() + ": a checkpoint holds no graph, so its outputs cannot be judged");
        }
        judging = Optional.of(Judging.open(model, settings, how, heldOut, null, say, note));
      } catch (CommandFailure e) {
        if (minCosine.isPresent() || settings.data().isPresent()) {
          throw e;
        }
        notJudged = e.getMessage();
        say.accept("the report will not judge outputs: " + notJudged);
      }
    }
    return new JudgedConversion(
        source, settings, how.wording(), minCosine, say, judging, notJudged);
  }

  /** Makes a file. */
  @FunctionalInterface
  interface Encoder {
    ConversionResult convert(Plan plan, Map<String, ErrorMetric> metrics, Path target)
        throws IOException, CommandFailure;
  }

  /** Makes the one file of a conversion. */
  @FunctionalInterface
  interface FileEncoder {
    ConversionResult convert(Path target) throws IOException, CommandFailure;
  }

  /** Times a part of the work for the report. */
  void second(String part, double time) {
    seconds.merge(part, time, Double::sum);
  }

  /** Sentences for the report. */
  void notices(List<String> sentences) {
    notices.addAll(sentences);
  }

  /** Remembers for the report how the file was made. */
  void made(Coding by, Plan with) {
    coding = Optional.of(by);
    plan = Optional.of(with);
  }

  /**
   * Searches the smallest file whose mean cosine reaches the bound. Tries stand beside the target
   * until the search ends.
   *
   * @throws CommandFailure where even the most bits miss the bound; nothing is left then
   */
  ConversionResult smallest(Coding by, Encoder encoder, Path target)
      throws IOException, CommandFailure {
    Judging judge = judging.orElseThrow();
    double bound = minCosine.orElseThrow();
    Path attempt = target.resolveSibling(target.getFileName() + ".try");
    Path best = target.resolveSibling(target.getFileName() + ".best");
    // Also where the process is interrupted.
    attempt.toFile().deleteOnExit();
    best.toFile().deleteOnExit();
    Tries files = new Tries(by, encoder, judge, bound, attempt, best);
    try {
      CosineSearch.Result result = CosineSearch.smallest(files, bound);
      if (result.found().isEmpty()) {
        CosineSearch.Try last = result.tries().get(result.tries().size() - 1);
        throw new CommandFailure(
            String.format(
                Locale.ROOT,
                "%s %s is missed even with the most bits: %s (%d bytes) reach a mean cosine of"
                    + " %.6f; nothing is written. Lower the bound, try %s 16, or ship the model as"
                    + " it is%s",
                wording.of(Setting.MIN_COSINE),
                bound,
                Units.bytes(last.bytes()),
                last.bytes(),
                last.cosine(),
                wording.of(Setting.SEED_BITS),
                judge.doubt()));
      }
      ConversionResult chosen = files.chosen.orElseThrow();
      Files.move(best, target, StandardCopyOption.REPLACE_EXISTING);
      made(by, files.chosenPlan.orElseThrow());
      judgement = files.chosenJudgement;
      say.accept(
          String.format(
              Locale.ROOT,
              "found %s (%d bytes) with a mean cosine of %.5f in %d tries",
              Units.bytes(chosen.targetBytes()),
              chosen.targetBytes(),
              result.found().get().cosine(),
              result.tries().size()));
      return moved(chosen, target);
    } catch (UncheckedFailure e) {
      throw e.failure;
    } finally {
      Files.deleteIfExists(attempt);
      Files.deleteIfExists(best);
    }
  }

  private static ConversionResult moved(ConversionResult made, Path target) {
    return new ConversionResult(
        target,
        made.sourceBytes(),
        made.targetBytes(),
        made.weights(),
        made.tensors(),
        made.resumed(),
        made.notices(),
        made.seconds(),
        made.searchedWeights());
  }

  /**
   * Makes one file whose rate is given, and keeps it only where it reaches the bound.
   *
   * @throws CommandFailure where it misses the bound; nothing is left then
   */
  ConversionResult bounded(FileEncoder encoder, Path target) throws IOException, CommandFailure {
    Judging judge = judging.orElseThrow();
    double bound = minCosine.orElseThrow();
    Path attempt = target.resolveSibling(target.getFileName() + ".try");
    attempt.toFile().deleteOnExit();
    try {
      ConversionResult result = encoder.convert(attempt);
      second("encoding", result.seconds());
      Judgement found = judged(judge, attempt);
      double cosine = found.worst().mean();
      if (cosine < bound) {
        throw new CommandFailure(
            String.format(
                Locale.ROOT,
                "%s %s is missed: %s (%d bytes) reach a mean cosine of %.6f on %s; nothing is"
                    + " written. Lower the bound, give more bits, or leave the number of bits to"
                    + " the bound%s",
                wording.of(Setting.MIN_COSINE),
                bound,
                Units.bytes(result.targetBytes()),
                result.targetBytes(),
                cosine,
                found.judges(),
                judge.doubt()));
      }
      Files.move(attempt, target, StandardCopyOption.REPLACE_EXISTING);
      judgement = Optional.of(found);
      return moved(result, target);
    } finally {
      Files.deleteIfExists(attempt);
    }
  }

  /** The plan of the file that was made. */
  Optional<Plan> plan() {
    return plan;
  }

  /** Carries a failure through the search. */
  private static final class UncheckedFailure extends RuntimeException {
    private static final long serialVersionUID = 1L;
    private final transient CommandFailure failure;

    UncheckedFailure(CommandFailure failure) {
      super(failure);
      this.failure = failure;
    }
  }

  /** The files of a search. */
  private final class Tries implements CosineSearch.Files {
    private final Coding by;
    private final Encoder encoder;
    private final Judging judge;
    private final double bound;
    private final Path attempt;
    private final Path best;
    private final SizeForecast forecast;
    private Optional<ConversionResult> chosen = Optional.empty();
    private Optional<Plan> chosenPlan = Optional.empty();
    private Optional<Judgement> chosenJudgement = Optional.empty();

    Tries(Coding by, Encoder encoder, Judging judge, double bound, Path attempt, Path best)
        throws IOException {
      this.by = by;
      this.encoder = encoder;
      this.judge = judge;
      this.bound = bound;
      this.attempt = attempt;
      this.best = best;
      this.forecast = new SizeForecast(source);
    }

    @Override
    public double lowest() {
      return by.lowest();
    }

    @Override
    public double highest() {
      return by.highest();
    }

    @Override
    public double predicted(double knob) {
      return by.predicted(knob);
    }

    @Override
    public long bytes(double knob) {
      return forecast.bytes(by.plan(knob));
    }

    @Override
    public CosineSearch.Try encode(double knob) throws IOException {
      Plan with = by.plan(knob);
      try {
        ConversionResult result = encoder.convert(with, by.metrics(), attempt);
        second("encoding", result.seconds());
        Judgement found = judged(judge, attempt);
        double cosine = found.worst().mean();
        boolean passes = cosine >= bound;
        tries.add(new Report.Attempt(result.targetBytes(), cosine, passes));
        say.accept(
            String.format(
                Locale.ROOT,
                "try %d: %s, %.2f bits a weight, mean cosine %.5f: %s %s",
                tries.size(),
                Units.bytes(result.targetBytes()),
                8.0 * result.targetBytes() / Math.max(1, result.weights()),
                cosine,
                passes ? "passes" : "misses",
                bound));
        if (passes && (chosen.isEmpty() || result.targetBytes() <= chosen.get().targetBytes())) {
          Files.move(attempt, best, StandardCopyOption.REPLACE_EXISTING);
          chosen = Optional.of(result);
          chosenPlan = Optional.of(with);
          chosenJudgement = Optional.of(found);
        }
        return new CosineSearch.Try(knob, result.targetBytes(), cosine);
      } catch (CommandFailure e) {
        throw new UncheckedFailure(e);
      }
    }
  }

  private Judgement judged(Judging judge, Path file) throws IOException, CommandFailure {
    long start = System.nanoTime();
    Judgement found = judge.judge(file);
    second("judging", (System.nanoTime() - start) / 1e9);
    return found;
  }

  /**
   * The report of a finished conversion; empty where neither a report nor a bound was asked for.
   * Writes the page where it was asked for.
   */
  Optional<Report> report(ConversionResult result) throws IOException, CommandFailure {
    if (settings.report().isEmpty() && minCosine.isEmpty()) {
      return Optional.empty();
    }
    if (minCosine.isEmpty()) {
      second("encoding", result.seconds());
    }
    if (judging.isPresent() && judgement.isEmpty()) {
      judgement = Optional.of(judged(judging.get(), result.target()));
    }
    try (PseedReader reader = PseedReader.open(result.target())) {
      ReportMaker maker =
          ReportMaker.of("convert", source, reader)
              .notices(notices)
              .notices(result.notices())
              .tries(tries);
      if (coding.isPresent()) {
        Plan used = plan.orElseThrow();
        maker.tensors(coding.get().shares(used), coding.get().whys(used));
      }
      if (judgement.isPresent()) {
        maker.judged(judgement.get(), minCosine.map(bound -> new Report.Bound(bound, Double.NaN)));
        maker.curve(curve(result.targetBytes(), judgement.get().worst().mean()));
      } else {
        maker.notJudged(notJudged);
      }
      if (settings.report().isPresent() && judging.isPresent()) {
        long start = System.nanoTime();
        maker.others(judging.get().baselines());
        second("FP16, int8, int4", (System.nanoTime() - start) / 1e9);
      }
      seconds.forEach(maker::second);
      Report report = maker.make();
      if (settings.report().isPresent()) {
        ReportMaker.write(report, settings.report().get());
      }
      return Optional.of(report);
    }
  }

  /** The prediction for other sizes, through the point that was measured. */
  private Report.Curve curve(long bytes, double cosine) throws IOException {
    if (coding.isEmpty() || !(cosine < 1)) {
      return Report.Curve.NONE;
    }
    Coding by = coding.get();
    SizeForecast forecast = new SizeForecast(source);
    List<double[]> grid = new ArrayList<>();
    for (int i = 0; i <= CURVE_POINTS; i++) {
      double knob = by.lowest() + (by.highest() - by.lowest()) * i / CURVE_POINTS;
      double size = (double) forecast.bytes(by.plan(knob));
      double loss = by.predicted(knob);
      boolean grows = grid.isEmpty() || size > grid.get(grid.size() - 1)[0];
      if (grows && loss > 0 && size < bytes * CURVE_SPAN && size > bytes / CURVE_SPAN) {
        grid.add(new double[] {size, Math.log(loss)});
      }
    }
    double here = at(grid, (double) bytes);
    if (Double.isNaN(here)) {
      return Report.Curve.NONE;
    }
    List<Report.Point> points = new ArrayList<>();
    for (double[] point : grid) {
      double loss = (1 - cosine) * Math.exp(point[1] - here);
      if (loss < 1) {
        points.add(new Report.Point(Math.round(point[0]), 1 - loss));
      }
    }
    return new Report.Curve(
        "expected for other sizes: "
            + by.prediction()
            + ", drawn through the measured file. It was not measured.",
        points);
  }

  /** A value between the points of a grid; NaN outside. */
  private static double at(List<double[]> grid, double x) {
    for (int i = 1; i < grid.size(); i++) {
      double[] a = grid.get(i - 1);
      double[] b = grid.get(i);
      if (x >= a[0] && x <= b[0]) {
        return a[1] + (b[1] - a[1]) * (x - a[0]) / (b[0] - a[0]);
      }
    }
    return Double.NaN;
  }

  @Override
  public void close() throws CommandFailure {
    if (judging.isPresent()) {
      judging.get().close();
    }
  }
}
