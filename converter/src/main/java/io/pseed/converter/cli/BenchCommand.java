package io.pseed.converter.cli;

import ai.onnxruntime.OrtException;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.pseed.converter.Converter;
import io.pseed.converter.ProgressListener;
import io.pseed.converter.Sources;
import io.pseed.converter.Version;
import io.pseed.converter.bench.DecodeRate;
import io.pseed.converter.bench.DeviceBench;
import io.pseed.converter.bench.LoadBench;
import io.pseed.converter.bench.MatMulModel;
import io.pseed.converter.command.CommandFailure;
import io.pseed.converter.command.DeviceSetting;
import io.pseed.converter.command.Json;
import io.pseed.converter.command.Table;
import io.pseed.converter.command.Units;
import io.pseed.converter.demo.ModelTable;
import io.pseed.converter.encode.Workers;
import io.pseed.converter.plan.Planner;
import io.pseed.converter.source.TensorSource;
import io.pseed.format.PseedReader;
import io.pseed.onnx.RecordDecoder;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.ServiceLoader;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** {@code pseed bench}. */
@Command(
    name = "bench",
    description = {
      "Measure what each way to load a model costs beside the original: time to load, time of a"
          + " run, memory, and how often seeds are decoded.",
      "Without a model: a product with a matrix of 4096 x 4096.",
      "With --device: what a GPU searches and decodes in a second, beside its bounds and the CPU; a"
          + " table in Markdown. With a model, also its conversion.",
      "With --all: real models as FP32, FP16, int8, int4, zstd and pseed at several rates, side by"
          + " side, with size, fidelity and rates; models come through Maven."
    },
    customSynopsis = {
      "pseed bench [ORIGINAL.onnx MODEL.pseed | --all] [OPTIONS]",
      "pseed bench --device cuda [--quick] [MODEL]"
    },
    footerHeading = "%nExamples:%n",
    footer = {
      "  pseed bench model.onnx model.pseed --batch 1,64",
      "  pseed bench --all --markdown performance.md --plot performance.svg",
      "  pseed bench --device cuda --quick"
    },
    sortOptions = false)
final class BenchCommand implements Callable<Integer> {
  private static final int MATRIX = 4096;
  private static final int BITS = 4;
  private static final int SEED_BITS = 12;

  private final Console console;

  @Spec CommandSpec spec;

  @Parameters(
      arity = "0..2",
      paramLabel = "FILE",
      description = "An ONNX model and the .pseed file that was made of it.")
  List<Path> files = List.of();

  @Option(
      names = "--batch",
      split = ",",
      paramLabel = "N,N",
      description = "First dimension of the inputs, where it is open (default: 1,64).")
  int[] batches = {1, 64};

  @Option(
      names = "--threads",
      paramLabel = "N",
      description = "Threads of ONNX Runtime (default: ${DEFAULT-VALUE}).")
  int threads = 1;

  @Option(
      names = "--rounds",
      paramLabel = "N",
      description =
          "How often each way is measured; the quietest round counts (default: ${DEFAULT-VALUE}).")
  int rounds = 5;

  @Option(
      names = "--work-dir",
      paramLabel = "DIR",
      description = "Where models and answers go (default: ${DEFAULT-VALUE}).")
  Path workDir = Path.of(".pseed-bench");

  @Option(
      names = "--device",
      paramLabel = "DEVICE",
      description = "Measure search and decoding on a GPU: cuda, or cuda:0 and so on.")
  String device;

  @Option(
      names = "--device-memory",
      paramLabel = "SIZE",
      converter = Converters.Size.class,
      description = "Use at most so much memory of the GPU (default: 80 %% of what is free).")
  Long deviceMemory;

  @Option(names = "--quick", description = "With --device: fewer lines, smaller matrices.")
  boolean quick;

  @Option(names = "--json", description = "Print JSON.")
  boolean json;

  @Option(names = "--all", description = "Measure real models in every form.")
  boolean all;

  @Option(
      names = "--only",
      paramLabel = "NAME",
      split = ",",
      description = "With --all: the models (default: ${DEFAULT-VALUE}).")
  List<String> only = List.of("all-MiniLM-L6-v2", "PP-OCRv4-rec");

  @Option(
      names = "--bits",
      split = ",",
      paramLabel = "N,N",
      description = "With --all: rates of pseed (default: 2,3,4,6).")
  int[] rates = {2, 3, 4, 6};

  @Option(
      names = "--no-calibration",
      description = "With --all: convert without running the models, which is faster and worse.")
  boolean noCalibration;

  @Option(
      names = "--markdown",
      paramLabel = "FILE",
      description = "With --all: write the table here too.")
  Path markdown;

  @Option(
      names = "--plot",
      paramLabel = "FILE",
      description = "With --all: write a picture here, as SVG.")
  Path plot;

  BenchCommand(Console console) {
    this.console = console;
  }

  @Override
  public Integer call() throws IOException, OrtException, CommandFailure, InterruptedException {
    if (device != null) {
      return onDevice();
    }
    if (quick || deviceMemory != null) {
      throw usage("--quick and --device-memory are for --device");
    }
    if (files.size() == 1) {
      throw usage("give an ONNX model and its .pseed file, or neither");
    }
    if (threads < 1 || threads > 1024 || rounds < 1 || rounds > 1000) {
      throw usage("--threads and --rounds are from 1 to 1024 and to 1000");
    }
    for (int batch : batches) {
      if (batch < 1) {
        throw usage("--batch is " + batch + ", expected 1 or more");
      }
    }
    Files.createDirectories(workDir);
    if (all) {
      return all();
    }
    if (markdown != null || plot != null) {
      throw usage("--markdown and --plot go with --all");
    }
    Path original = files.isEmpty() ? workDir.resolve("matmul.onnx") : files.get(0);
    Path pseed = files.isEmpty() ? workDir.resolve("matmul.pseed") : files.get(1);
    if (files.isEmpty()) {
      matrix(original, pseed);
    }
    List<LoadBench.Way> ways =
        new LoadBench(workDir, batches, threads, rounds, console::say).run(original, pseed);
    RecordDecoder decoder = RecordDecoder.ofThisProcess();
    double inJava;
    double chosen;
    try (PseedReader reader = PseedReader.open(pseed)) {
      DecodeRate rate = new DecodeRate(reader);
      inJava = rate.inJava();
      chosen = decoder.isNative() ? rate.of(decoder) : Double.NaN;
    }
    if (json) {
      ObjectNode root = json(original, ways);
      ObjectNode rates = root.putObject("decodeWeightsPerSecond");
      put(rates, "java", inJava);
      put(rates, "native", chosen);
      console.out().println(Json.text(root));
    } else {
      print(original, ways);
      console.line("");
      console.line(
          "  one thread decodes, in a second: %s in Java, %s in native code",
          weights(inJava), weights(chosen));
    }
    return PseedCommand.EXIT_OK;
  }

  /** What was not measured is left out. */
  private static void put(ObjectNode node, String name, double weights) {
    if (Double.isFinite(weights)) {
      node.put(name, Math.round(weights));
    }
  }

  private static String weights(double rate) {
    return Double.isFinite(rate) ? number("%.0f million weights", rate / 1e6) : "none";
  }

  private int onDevice() throws IOException, CommandFailure, InterruptedException {
    DeviceSetting setting;
    try {
      setting =
          DeviceSetting.of(
              device, deviceMemory == null ? OptionalLong.empty() : OptionalLong.of(deviceMemory));
    } catch (IllegalArgumentException e) {
      throw new ParameterException(spec.commandLine(), "--device: " + e.getMessage(), e);
    }
    if (json || files.size() > 1 || List.of("auto", "cpu").contains(setting.kind())) {
      throw usage("--device takes cuda or cuda:0 and so on, at most one model, and no --json");
    }
    DeviceBench bench =
        ServiceLoader.load(DeviceBench.class, DeviceBench.class.getClassLoader()).stream()
            .map(ServiceLoader.Provider::get)
            .filter(one -> one.kind().equals(setting.kind()))
            .findFirst()
            .orElseThrow(
                () ->
                    new CommandFailure(
                        "--device " + device + ": pseed-gpu is not on the class path"));
    try {
      bench.run(
          new DeviceBench.Settings(
              setting.number(), setting.memory(), files.stream().findFirst(), quick),
          text -> {
            console.out().println(text);
            console.out().flush();
          });
    } catch (DeviceBench.DeviceBenchException e) {
      throw new CommandFailure("--device " + device + ": " + e.getMessage(), e);
    }
    return PseedCommand.EXIT_OK;
  }

  private int all() throws IOException, OrtException {
    if (!files.isEmpty() || json) {
      throw usage("--all takes no files and prints no JSON");
    }
    for (int rate : rates) {
      if (rate < 1 || rate > 8) {
        throw usage("--bits is " + rate + ", expected 1 to 8");
      }
    }
    for (String name : only) {
      if (!ModelTable.names().contains(name)) {
        throw usage("--only " + name + " is none of " + String.join(", ", ModelTable.names()));
      }
    }
    String text =
        new PerformancePages(console, workDir, threads, !noCalibration)
            .run(only, rates, batches[0], rounds, Optional.ofNullable(plot));
    if (markdown != null) {
      Files.writeString(markdown, text, StandardCharsets.UTF_8);
    }
    console.out().print(text);
    return PseedCommand.EXIT_OK;
  }

  private ParameterException usage(String sentence) {
    return new ParameterException(spec.commandLine(), sentence);
  }

  private void matrix(Path original, Path pseed) throws IOException {
    console.say("converting a matrix of " + MATRIX + " x " + MATRIX);
    MatMulModel.write(original, MATRIX);
    try (TensorSource source = Sources.open(original);
        Workers workers = new Workers(Runtime.getRuntime().availableProcessors())) {
      new Converter(workers, ProgressListener.NONE)
          .convert(source, new Planner(BITS, SEED_BITS, true, true).plan(source), pseed);
    }
  }

  private void print(Path original, List<LoadBench.Way> ways) {
    console.line(
        "%s, ONNX Runtime with %d threads, the quietest of %d rounds", original, threads, rounds);
    console.line("");
    String[] titles = new String[7 + batches.length];
    List<String> fixed = List.of("<way", "file", "first load ms", "load ms");
    for (int i = 0; i < fixed.size(); i++) {
      titles[i] = fixed.get(i);
    }
    for (int b = 0; b < batches.length; b++) {
      titles[4 + b] = "run ms, batch " + batches[b];
    }
    titles[4 + batches.length] = "peak";
    titles[5 + batches.length] = "steady";
    titles[6 + batches.length] = "<decoded";
    Table table = new Table(titles);
    for (LoadBench.Way way : ways) {
      String[] row = new String[titles.length];
      row[0] = way.name();
      row[1] = Units.bytes(way.fileBytes());
      row[2] = number("%.0f", way.firstLoadMs());
      row[3] = number("%.0f", way.loadMs());
      for (int b = 0; b < batches.length; b++) {
        row[4 + b] =
            number("%.2f", way.latencyMs()[b])
                + number(" (%.2f)", way.latencyMs()[b] / ways.get(0).latencyMs()[b]);
      }
      row[4 + batches.length] = memory(way.peakBytes());
      row[5 + batches.length] = memory(way.steadyBytes());
      row[6 + batches.length] = way.decoded();
      table.row(row);
    }
    table.print(console::text);
    console.line("");
    console.line(
        "  each way in processes of its own, in turn; (ratio to the original); peak: resident");
    console.line("  after one load and one run; steady: the process's own memory then");
  }

  private static String memory(long bytes) {
    return bytes < 0 ? "n/a" : Units.bytes(bytes);
  }

  private static String number(String format, double value) {
    return String.format(Locale.ROOT, format, value);
  }

  private ObjectNode json(Path original, List<LoadBench.Way> ways) {
    ObjectNode root = Json.object();
    root.put("program", Version.PRODUCER).put("model", original.toString());
    root.put("java", Runtime.version().toString());
    root.put("processors", Runtime.getRuntime().availableProcessors());
    root.put("threads", threads).put("rounds", rounds);
    ArrayNode list = root.putArray("ways");
    for (LoadBench.Way way : ways) {
      ObjectNode node = list.addObject();
      node.put("name", way.name()).put("fileBytes", way.fileBytes());
      node.put("firstLoadMs", way.firstLoadMs()).put("loadMs", way.loadMs());
      ObjectNode latency = node.putObject("latencyMs");
      for (int b = 0; b < batches.length; b++) {
        latency.put(String.valueOf(batches[b]), way.latencyMs()[b]);
      }
      node.put("peakBytes", way.peakBytes()).put("steadyBytes", way.steadyBytes());
      node.put("decoded", way.decoded());
    }
    return root;
  }
}
