package io.pseed.converter.cli;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.pseed.converter.ConversionResult;
import io.pseed.converter.ConversionResult.TensorResult;
import io.pseed.converter.Converter;
import io.pseed.converter.ProgressListener;
import io.pseed.converter.SizeForecast;
import io.pseed.converter.Sources;
import io.pseed.converter.calibrate.Calibration;
import io.pseed.converter.calibrate.CalibrationInputs;
import io.pseed.converter.calibrate.Calibrator;
import io.pseed.converter.calibrate.RateAllocator;
import io.pseed.converter.encode.ErrorMetric;
import io.pseed.converter.encode.Workers;
import io.pseed.converter.inputs.UnsupportedModelException;
import io.pseed.converter.plan.Plan;
import io.pseed.converter.plan.PlanJson;
import io.pseed.converter.plan.Planner;
import io.pseed.converter.source.TensorSource;
import io.pseed.converter.source.onnx.OnnxModelSource;
import io.pseed.converter.source.safetensors.SafetensorsFormat;
import io.pseed.format.Codec;
import io.pseed.format.TensorRecord;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** {@code pseed convert}. */
@Command(
    name = "convert",
    description = "Turn an ONNX model or a safetensors checkpoint into a .pseed file.",
    footerHeading = "%nExamples:%n",
    footer = {
      "  pseed convert model.onnx                      model.pseed with 4 bits a weight",
      "  pseed convert model.onnx --target-size 8MB    the most bits that fit into 8 MB",
      "  pseed convert model.onnx --calibrate in.npz   bits go where your inputs need them",
      "  pseed convert checkpoint/ -o small.pseed      a folder of safetensors shards",
      "",
      "A conversion that was interrupted goes on where it stopped when the same command is given."
    },
    sortOptions = false)
final class ConvertCommand implements Callable<Integer> {
  private static final int WORST_SHOWN = 3;

  private final Console console;
  private final List<String> notices = new ArrayList<>();
  private CalibrationInputs calibratedWith;
  private String uncalibrated;

  @Spec CommandSpec spec;

  @Parameters(
      paramLabel = "SOURCE",
      description = "An ONNX model, a .safetensors file, its index, or the folder of a checkpoint.")
  Path source;

  @Option(
      names = {"-o", "--output"},
      paramLabel = "TARGET",
      description = "The file to write; without it, the source's name with .pseed, beside it.")
  Path output;

  @Option(
      names = "--bits",
      paramLabel = "BITS",
      description = "Bits a weight, 1 to 8, fractions allowed (default: 4).")
  Double bits;

  @Option(
      names = "--target-size",
      paramLabel = "SIZE",
      converter = Units.SizeConverter.class,
      description = "Use the most bits with which the whole file fits, for example 8MB or 7.5MiB.")
  Long targetSize;

  @Option(
      names = "--seed-bits",
      paramLabel = "L",
      description =
          "Bits of a weight's seed, 8 to 20 (default: 12); each bit more doubles the search, and 16"
              + " gains 0.3 to 0.9 dB over 12.")
  Integer seedBits;

  @Option(
      names = "--no-layer-seeds",
      description = "Do not look for one seed that carries a whole smooth layer.")
  boolean noLayerSeeds;

  @Mixin CalibrationOptions calibration = new CalibrationOptions();

  @Option(
      names = "--plan",
      paramLabel = "FILE",
      description =
          "Do what a plan says; the same source and plan give the same bytes. For a calibrated plan,"
              + " say with --calibrate what it was made with.")
  Path planFile;

  @Option(names = "--save-plan", paramLabel = "FILE", description = "Write the plan that was used.")
  Path savePlan;

  @Option(
      names = "--threads",
      paramLabel = "N",
      description = "Threads that search (default: one for each processor).")
  Integer threads;

  @Option(names = "--json", description = "Print the result as JSON.")
  boolean json;

  @Option(
      names = {"-q", "--quiet"},
      description = "Show no progress and no table.")
  boolean quiet;

  ConvertCommand(Console console) {
    this.console = console;
  }

  @Override
  public Integer call() throws Exception {
    checkArguments();
    try (TensorSource opened = Sources.open(source)) {
      Path target = output == null ? defaultTarget(source) : output;
      Targets.requireConvertible(target, source);
      ConversionResult result = convert(opened, target);
      notices.addAll(result.notices());
      report(opened, result);
    }
    return PseedCommand.EXIT_OK;
  }

  private void checkArguments() {
    if (bits != null && targetSize != null) {
      throw usage("--bits and --target-size exclude each other; give one of them");
    }
    if (planFile != null
        && (bits != null || targetSize != null || seedBits != null || noLayerSeeds)) {
      throw usage(
          "--plan says everything already; leave --bits, --target-size, --seed-bits and"
              + " --no-layer-seeds away");
    }
    Optional<String> trouble = calibration.trouble(planFile != null);
    if (trouble.isPresent()) {
      throw usage(trouble.get());
    }
    if (bits != null && !(bits >= 1 && bits <= 8)) {
      throw usage("--bits is " + bits + ", expected 1 to 8");
    }
    if (seedBits != null && (seedBits < 8 || seedBits > 20)) {
      throw usage("--seed-bits is " + seedBits + ", expected 8 to 20");
    }
    if (threads != null && (threads < 1 || threads > 1024)) {
      throw usage("--threads is " + threads + ", expected 1 to 1024");
    }
  }

  private ParameterException usage(String sentence) {
    return new ParameterException(spec.commandLine(), sentence);
  }

  /** {@code dir/model.onnx} becomes {@code dir/model.pseed}. */
  static Path defaultTarget(Path source) throws IOException {
    Path file = source.toRealPath().equals(source.toAbsolutePath()) ? source : source.normalize();
    Path name = file.getFileName();
    if (name == null || name.toString().isEmpty()) {
      file = source.toRealPath();
      name = file.getFileName();
    }
    String stem = String.valueOf(name);
    for (String suffix :
        List.of(SafetensorsFormat.INDEX_SUFFIX, SafetensorsFormat.FILE_SUFFIX, ".onnx")) {
      if (stem.length() > suffix.length() && stem.endsWith(suffix)) {
        stem = stem.substring(0, stem.length() - suffix.length());
        break;
      }
    }
    return file.resolveSibling(stem + ".pseed");
  }

  private Planner planner(double rate) {
    return new Planner(rate, seedBits == null ? 12 : seedBits, !noLayerSeeds, targetSize == null);
  }

  private ConversionResult convert(TensorSource opened, Path target)
      throws IOException, CommandFailure {
    Optional<RateAllocator> calibrated = calibrate(opened);
    if (planFile != null) {
      Plan plan =
          PlanJson.read(Files.readString(planFile, StandardCharsets.UTF_8), planFile.toString());
      return convert(opened, plan, calibrated.map(RateAllocator::metrics).orElse(Map.of()), target);
    }
    if (calibrated.isPresent()) {
      return convertCalibrated(opened, calibrated.get(), target);
    }
    if (targetSize != null) {
      return convertToSize(opened, target);
    }
    return convert(opened, planner(bits == null ? 4 : bits).plan(opened), Map.of(), target);
  }

  /**
   * What errors cost in the weights. Empty where the user wants none or the model cannot be run;
   * then {@link #uncalibrated} says why.
   */
  private Optional<RateAllocator> calibrate(TensorSource opened)
      throws IOException, CommandFailure {
    if (calibration.none) {
      return without("--no-calibration");
    }
    if (planFile != null && calibration.data == null) {
      return without("a plan is replayed without calibration unless --calibrate says with what");
    }
    if (!(opened instanceof OnnxModelSource model)) {
      if (calibration.explicit()) {
        throw new CommandFailure(
            "calibration runs the model, so it needs an ONNX model; "
                + source
                + " has only weights");
      }
      return without("a checkpoint holds no graph that could be run");
    }
    Plan base = planner(bits == null ? 4 : bits).plan(opened);
    if (base.tensors().stream().allMatch(tensor -> tensor.trellis() == null)) {
      return without("the model has no weights that are coded");
    }
    int workers = threads == null ? Runtime.getRuntime().availableProcessors() : threads;
    try (Workers pool = new Workers(workers)) {
      CalibrationInputs inputs = calibration.open(model, this::tell, notices::add);
      tell("calibrating with " + inputs.description());
      Calibration statistics = new Calibrator(model, pool, Calibrator.Options.DEFAULT).run(inputs);
      RateAllocator allocator =
          new RateAllocator(opened, base, statistics, RateAllocator.Options.DEFAULT);
      calibratedWith = inputs;
      notices.addAll(inputs.notices());
      notices.addAll(statistics.notices());
      notices.addAll(allocator.notices());
      return Optional.of(allocator);
    } catch (IOException
        | UnsupportedModelException
        | CommandFailure
        | RuntimeException
        | LinkageError
        | OutOfMemoryError e) {
      if (calibration.explicit()) {
        throw explained(e);
      }
      notices.add(
          "converted without calibration: "
              + Failures.sentence(e instanceof UnsupportedModelException ? explained(e) : e)
              + "; give inputs with --calibrate, or say --no-calibration");
      return without(notices.get(notices.size() - 1));
    }
  }

  private Optional<RateAllocator> without(String reason) {
    uncalibrated = reason;
    return Optional.empty();
  }

  /** The user asked for it, so it is an error. */
  private static CommandFailure explained(Throwable failure) throws IOException {
    if (failure instanceof IOException trouble) {
      throw trouble;
    }
    if (failure instanceof RuntimeException bug) {
      throw bug;
    }
    if (failure instanceof Error error) {
      throw error;
    }
    return failure instanceof CommandFailure known
        ? known
        : new CommandFailure(
            failure.getMessage() + "; give shapes with --input-shape, or inputs with --calibrate",
            failure);
  }

  /** Says what goes on, where anybody wants to know. */
  private void tell(String sentence) {
    if (!quiet) {
      console.say(sentence);
    }
  }

  private ConversionResult convertCalibrated(
      TensorSource opened, RateAllocator allocator, Path target)
      throws IOException, CommandFailure {
    SizeForecast forecast = new SizeForecast(opened);
    long wanted =
        targetSize == null
            ? forecast.bytes(planner(bits == null ? 4 : bits).plan(opened))
            : targetSize;
    while (true) {
      Optional<Plan> plan = allocator.fit(forecast::bytes, wanted);
      if (plan.isEmpty()) {
        throw tooSmall(wanted, forecast.bytes(allocator.plan(1)));
      }
      ConversionResult result = convert(opened, plan.get(), allocator.metrics(), target);
      if (targetSize == null || result.targetBytes() <= targetSize) {
        return result;
      }
      wanted -= tooLarge(result);
    }
  }

  private CommandFailure tooSmall(long wanted, long smallest) {
    return new CommandFailure(
        String.format(
            Locale.ROOT,
            "--target-size %s is too small for this source: at the lowest rates the file takes"
                + " about %s (%d bytes)",
            Units.bytes(targetSize == null ? wanted : targetSize),
            Units.bytes(smallest),
            smallest));
  }

  private long tooLarge(ConversionResult result) {
    long above = result.targetBytes() - targetSize;
    console.say(
        String.format(
            Locale.ROOT,
            "the file came out %d bytes larger than asked for; converting again with fewer bits",
            above));
    return above;
  }

  private ConversionResult convertToSize(TensorSource opened, Path target)
      throws IOException, CommandFailure {
    TargetSize search =
        new TargetSize(new SizeForecast(opened), rate -> planner(rate).plan(opened));
    long wanted = targetSize;
    while (true) {
      TargetSize.Found found =
          search.largest(wanted).orElseThrow(() -> tooSmall(targetSize, search.smallest()));
      if (!quiet) {
        console.say(
            String.format(
                Locale.ROOT, "%.2f bits a weight fit into %s", found.bits(), Units.bytes(wanted)));
      }
      ConversionResult result = convert(opened, found.plan(), Map.of(), target);
      if (result.targetBytes() <= targetSize) {
        return result;
      }
      wanted -= tooLarge(result);
    }
  }

  private ConversionResult convert(
      TensorSource opened, Plan plan, Map<String, ErrorMetric> metrics, Path target)
      throws IOException, CommandFailure {
    if (savePlan != null) {
      Files.writeString(savePlan, PlanJson.write(plan), StandardCharsets.UTF_8);
    }
    console.onInterrupt("; run the same command again to go on where it stopped");
    int workers = threads == null ? Runtime.getRuntime().availableProcessors() : threads;
    try (Workers pool = new Workers(workers);
        ConsoleProgress progress = quiet ? null : new ConsoleProgress(console)) {
      return new Converter(pool, progress == null ? ProgressListener.NONE : progress)
          .convert(opened, plan, metrics, target);
    } finally {
      console.onInterrupt("");
    }
  }

  private void report(TensorSource opened, ConversionResult result) {
    if (json) {
      console.out().println(Json.text(json(opened, result)));
    } else if (!quiet) {
      table(opened, result);
    } else {
      notices.forEach(console::say);
    }
  }

  private ObjectNode json(TensorSource opened, ConversionResult result) {
    ObjectNode root = Json.object();
    root.put("source", source.toString()).put("format", opened.format());
    root.put("target", result.target().toString());
    root.put("sourceBytes", result.sourceBytes()).put("targetBytes", result.targetBytes());
    root.put("weights", result.weights());
    Json.number(root, "ratio", (double) result.sourceBytes() / result.targetBytes());
    Json.number(root, "bitsPerWeight", 8.0 * result.targetBytes() / result.weights());
    root.put("seconds", result.seconds()).put("searchedWeights", result.searchedWeights());
    root.put("resumedTensors", result.resumed());
    ObjectNode how = root.putObject("calibration").put("done", calibratedWith != null);
    if (calibratedWith == null) {
      how.put("reason", uncalibrated);
    } else {
      how.put("inputs", calibratedWith.description());
      how.put("origin", calibratedWith.origin().name().toLowerCase(Locale.ROOT));
      how.put("runs", calibratedWith.size());
    }
    ArrayNode tensors = root.putArray("tensors");
    result.tensors().forEach(tensor -> tensors.add(TensorReport.json(tensor)));
    ArrayNode said = root.putArray("notices");
    notices.forEach(said::add);
    return root;
  }

  private void table(TensorSource opened, ConversionResult result) {
    console.line("%s -> %s", source, result.target());
    console.line("");
    console.line(
        "  size     %s -> %s, %.2f : 1",
        Units.bytes(result.sourceBytes()),
        Units.bytes(result.targetBytes()),
        (double) result.sourceBytes() / result.targetBytes());
    console.line(
        "  weights  %s in %d tensors, %.2f bits a weight, all counted",
        Units.count(result.weights()),
        result.tensors().size(),
        8.0 * result.targetBytes() / Math.max(1, result.weights()));
    console.line(
        "  time     %s%s",
        Units.time(result.seconds()),
        result.searchedWeights() == 0
            ? ""
            : ", " + Units.rate((double) result.searchedWeights(), result.seconds()) + " searched");
    console.line(
        "  bits     %s",
        calibratedWith == null
            ? "spread without calibration"
            : "go where the outputs need them, by " + calibratedWith.description());
    console.line("");
    TensorReport.codecs(result.tensors()).print(console);
    List<TensorResult> worst = new ArrayList<>(result.tensors());
    worst.removeIf(tensor -> tensor.codec() == Codec.RAW);
    worst.sort(Comparator.comparingDouble(TensorResult::snrDb));
    if (!worst.isEmpty()) {
      console.line("");
      Table table = new Table("<largest errors", "weights", "bits/weight", "SNR dB");
      for (TensorResult tensor : worst.subList(0, Math.min(WORST_SHOWN, worst.size()))) {
        table.row(
            tensor.name(),
            Units.count(TensorRecord.elementCount(tensor.shape())),
            String.format(Locale.ROOT, "%.2f", tensor.bitsPerWeight()),
            Units.decibels(tensor.snrDb()));
      }
      table.print(console);
    }
    if (!notices.isEmpty()) {
      console.line("");
      notices.forEach(notice -> console.line("  note: %s", notice));
    }
    console.line("");
    console.line("Next: %s", next(opened, result.target()));
  }

  private String next(TensorSource opened, Path target) {
    String option = opened.format().equals("onnx") ? "--onnx" : "--safetensors";
    return String.format(
        "pseed verify %s %s, or pseed export %s %s FILE", source, target, target, option);
  }
}
