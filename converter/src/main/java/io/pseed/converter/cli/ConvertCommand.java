package io.pseed.converter.cli;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.pseed.converter.ConversionResult;
import io.pseed.converter.ConversionResult.TensorResult;
import io.pseed.converter.Sources;
import io.pseed.converter.command.ConversionOutcome;
import io.pseed.converter.command.ConversionRequest;
import io.pseed.converter.command.ConversionTask;
import io.pseed.converter.command.ConversionWatcher;
import io.pseed.converter.command.InputSettings;
import io.pseed.converter.command.Json;
import io.pseed.converter.command.QualityTable;
import io.pseed.converter.command.Table;
import io.pseed.converter.command.TensorReport;
import io.pseed.converter.command.Units;
import io.pseed.converter.plan.Plan;
import io.pseed.converter.plan.PlanJson;
import io.pseed.converter.report.Report;
import io.pseed.converter.report.ReportJson;
import io.pseed.converter.source.TensorSource;
import io.pseed.converter.source.safetensors.SafetensorsFormat;
import io.pseed.converter.verify.Judgement;
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
import java.util.Objects;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.OptionalLong;
import java.util.concurrent.Callable;
import java.util.stream.Stream;
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
      "  pseed convert model.onnx --min-cosine 0.99    the smallest file whose outputs are that near",
      "  pseed convert model.onnx --calibrate in.npz   bits go where your inputs need them",
      "  pseed convert checkpoint/ -o small.pseed      a folder of safetensors shards",
      "",
      "A conversion that was interrupted goes on where it stopped when the same command is given."
    },
    sortOptions = false)
final class ConvertCommand implements Callable<Integer> {
  private static final int WORST_SHOWN = 3;

  private final Console console;

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
      converter = Converters.Size.class,
      description = "Use the most bits with which the whole file fits, for example 8MB or 7.5MiB.")
  Long targetSize;

  @Option(
      names = "--min-cosine",
      paramLabel = "C",
      description =
          "Find the smallest file whose outputs, on inputs that judge, have at least this mean cosine"
              + " to the original's: of the embedding where an output is one, else of the output; the"
              + " worst output counts. Where --calibrate names your data and --judge nothing, a fifth"
              + " of it, at most 64 inputs, is held out of calibration and judges.")
  Double minCosine;

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

  @Mixin CalibrationOptions calibrate = new CalibrationOptions();

  @Mixin JudgeOptions judge = new JudgeOptions();

  @Mixin InputOptions inputs = new InputOptions();

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

  @Mixin DeviceOptions device = new DeviceOptions();

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
      if (judge.report != null) {
        Targets.requireReportable(judge.report, source, target);
      }
      report(opened, new ConversionTask(opened, request(), new Watcher()).run(target));
    }
    return PseedCommand.EXIT_OK;
  }

  private ConversionRequest request() {
    return new ConversionRequest(
        bits == null ? OptionalDouble.empty() : OptionalDouble.of(bits),
        targetSize == null ? OptionalLong.empty() : OptionalLong.of(targetSize),
        minCosine == null ? OptionalDouble.empty() : OptionalDouble.of(minCosine),
        seedBits == null ? ConversionRequest.USUAL_SEED_BITS : seedBits,
        !noLayerSeeds,
        Optional.ofNullable(planFile),
        calibrate.settings(),
        judge.settings(),
        inputs.settings(),
        threads == null ? Runtime.getRuntime().availableProcessors() : threads,
        device.setting());
  }

  /** Tells on stderr, keeps the plan, and says what Ctrl-C leaves. */
  private final class Watcher implements ConversionWatcher {
    @Override
    public void say(String sentence) {
      if (!quiet) {
        console.say(sentence);
      }
    }

    @Override
    public void planned(Plan plan) throws IOException {
      if (savePlan != null) {
        Files.writeString(savePlan, PlanJson.write(plan), StandardCharsets.UTF_8);
      }
    }

    @Override
    public Progress encoding() {
      console.onInterrupt("; run the same command again to go on where it stopped");
      return new ConsoleProgress(console, quiet);
    }
  }

  private void checkArguments() {
    if (Stream.of(bits, targetSize, minCosine).filter(Objects::nonNull).count() > 1) {
      throw usage("--bits, --target-size and --min-cosine exclude each other; give one of them");
    }
    if (planFile != null
        && (bits != null
            || targetSize != null
            || minCosine != null
            || seedBits != null
            || noLayerSeeds)) {
      throw usage(
          "--plan says everything already; leave --bits, --target-size, --min-cosine, --seed-bits"
              + " and --no-layer-seeds away");
    }
    if (minCosine != null && !(minCosine > 0 && minCosine < 1)) {
      throw usage("--min-cosine is " + minCosine + ", expected more than 0 and less than 1");
    }
    if (calibrate.data != null
        && judge.data != null
        && !InputSettings.isWord(judge.data)
        && Path.of(judge.data).normalize().equals(Path.of(calibrate.data).normalize())) {
      throw usage(
          "--judge and --calibrate name the same data; what was fitted to it cannot be judged by it");
    }
    boolean judges = minCosine != null || judge.report != null;
    if (judge.data != null && !judges) {
      throw usage("--judge has nothing to do; say --min-cosine or --report");
    }
    Optional<String> trouble = calibrate.trouble(inputs, planFile != null, judges);
    if (trouble.isPresent()) {
      throw usage(trouble.get());
    }
    if (bits != null && !(bits >= 1 && bits <= 8)) {
      throw usage("--bits is " + bits + ", expected 1 to 8");
    }
    if (seedBits != null && (seedBits < 8 || seedBits > 20)) {
      throw usage("--seed-bits is " + seedBits + ", expected 8 to 20");
    }
    Optional<String> devices = device.trouble();
    if (devices.isPresent()) {
      throw usage(devices.get());
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

  private void report(TensorSource opened, ConversionOutcome outcome) {
    if (json) {
      ObjectNode root = json(opened, outcome);
      outcome.report().ifPresent(made -> root.set("report", ReportJson.of(made)));
      console.out().println(Json.text(root));
    } else if (!quiet) {
      table(opened, outcome);
    } else {
      outcome.notices().forEach(console::say);
    }
  }

  private ObjectNode json(TensorSource opened, ConversionOutcome outcome) {
    ConversionResult result = outcome.result();
    ObjectNode root = Json.object();
    root.put("source", source.toString()).put("format", opened.format());
    root.put("target", result.target().toString());
    root.put("sourceBytes", result.sourceBytes()).put("targetBytes", result.targetBytes());
    root.put("weights", result.weights());
    Json.number(root, "ratio", (double) result.sourceBytes() / result.targetBytes());
    Json.number(root, "bitsPerWeight", 8.0 * result.targetBytes() / result.weights());
    root.put("seconds", result.seconds()).put("searchedWeights", result.searchedWeights());
    root.put("resumedTensors", result.resumed());
    outcome.calibration().write(root.putObject("calibration"));
    ArrayNode tensors = root.putArray("tensors");
    result.tensors().forEach(tensor -> tensors.add(TensorReport.json(tensor)));
    ArrayNode said = root.putArray("notices");
    outcome.notices().forEach(said::add);
    return root;
  }

  private void table(TensorSource opened, ConversionOutcome outcome) {
    ConversionResult result = outcome.result();
    Optional<Report> report = outcome.report();
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
    console.line("  bits     %s", outcome.calibration().text());
    console.line("");
    TensorReport.codecs(result.tensors()).print(console::text);
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
      table.print(console::text);
    }
    Optional<Judgement> judgement = report.flatMap(Report::judgement);
    if (judgement.isPresent()) {
      console.line("");
      console.line("Outputs on %s:", judgement.get().judges());
      QualityTable.of(judgement.get(), report.get().bound()).print(console::text);
    }
    if (!outcome.notices().isEmpty()) {
      console.line("");
      outcome.notices().forEach(notice -> console.line("  note: %s", notice));
    }
    console.line("");
    if (judge.report != null) {
      console.line("Report: %s", judge.report);
    }
    console.line("Next: %s", next(opened, result.target()));
  }

  private String next(TensorSource opened, Path target) {
    String option = opened.format().equals("onnx") ? "--onnx" : "--safetensors";
    return String.format(
        "pseed verify %s %s, or pseed export %s %s FILE", source, target, target, option);
  }
}
