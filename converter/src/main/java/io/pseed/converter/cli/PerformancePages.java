package io.pseed.converter.cli;

import ai.onnxruntime.OrtException;
import io.pseed.converter.Version;
import io.pseed.converter.bench.LoadBench;
import io.pseed.converter.bench.PagePlot;
import io.pseed.converter.bench.PerformancePage;
import io.pseed.converter.command.Units;
import io.pseed.converter.demo.ModelTable;
import io.pseed.onnx.OrtRuntime;
import io.pseed.onnx.RecordDecoder;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;

/** What {@code pseed bench --all} prints: pages as Markdown and as a picture. */
final class PerformancePages {
  private static final Path PROCESSOR = Path.of("/proc/cpuinfo");
  private static final String HEAD =
      "| form | size | mean cosine | lowest | load ms | run ms | peak | steady | encode M/s |"
          + " decode M/s |\n"
          + "|---|---|---|---|---|---|---|---|---|---|\n";

  private final Console console;
  private final Path workDir;
  private final int threads;
  private final boolean calibrated;

  PerformancePages(Console console, Path workDir, int threads, boolean calibrated) {
    this.console = console;
    this.workDir = workDir;
    this.threads = threads;
    this.calibrated = calibrated;
  }

  /** Measures all models; writes the picture where one is asked for. Returns the Markdown. */
  String run(List<String> models, int[] rates, int batch, int rounds, Optional<Path> plot)
      throws IOException, OrtException {
    PerformancePage page =
        new PerformancePage(workDir, rates, batch, threads, rounds, this::convert, console::say);
    List<PerformancePage.Page> pages = new ArrayList<>();
    for (String model : models) {
      pages.add(page.run(ModelTable.fetch(model, workDir)));
    }
    if (plot.isPresent()) {
      Files.writeString(plot.get(), PagePlot.svg(pages), StandardCharsets.UTF_8);
    }
    return markdown(pages, batch, rounds);
  }

  /** The command itself, so that its defaults are what is measured. */
  private Optional<String> convert(Path model, Optional<Path> tokenizer, int bits, Path target) {
    List<String> arguments =
        new ArrayList<>(List.of("convert", model.toString(), "--bits", String.valueOf(bits)));
    arguments.addAll(List.of("-o", target.toString(), "--quiet"));
    if (!calibrated) {
      arguments.add("--no-calibration");
    } else if (tokenizer.isPresent()) {
      arguments.addAll(List.of("--tokenizer", tokenizer.get().toString()));
    }
    int code = PseedCommand.run(console, arguments.toArray(new String[0]));
    return code == PseedCommand.EXIT_OK
        ? Optional.empty()
        : Optional.of("pseed convert ended with exit code " + code + "; its message is above");
  }

  private String markdown(List<PerformancePage.Page> pages, int batch, int rounds)
      throws IOException {
    StringBuilder text = new StringBuilder();
    for (PerformancePage.Page page : pages) {
      text.append(
          String.format(
              Locale.ROOT,
              "**%s**, %.1f M weights; fidelity on %s%n%n",
              page.model(),
              page.weights() / 1e6,
              page.judged()));
      text.append(HEAD);
      for (PerformancePage.Form form : page.forms()) {
        Optional<LoadBench.Way> way = form.way();
        text.append("| ").append(form.what());
        text.append(" | ").append(Units.bytes(form.bytes()));
        text.append(String.format(Locale.ROOT, " | %.5f | %.4f", form.mean(), form.lowest()));
        text.append(" | ").append(way.map(w -> number(w.firstLoadMs(), 0)).orElse(""));
        text.append(" | ").append(way.map(w -> number(w.latencyMs()[0], 2)).orElse(""));
        text.append(" | ").append(way.map(w -> memory(w.peakBytes())).orElse(""));
        text.append(" | ").append(way.map(w -> memory(w.steadyBytes())).orElse(""));
        text.append(" | ").append(number(form.encode(), form.encode() < 10 ? 2 : 0));
        text.append(" | ").append(number(form.decode(), 0)).append(" |\n");
      }
      text.append('\n');
    }
    text.append(
        String.format(
            Locale.ROOT,
            "Made by `pseed bench --all` of %s on %s. Each form is loaded in processes of its own,"
                + " in turn, the quietest of %d; load is the first of a process; a run has batch %d"
                + " and %s; peak is resident memory after the first run, steady the"
                + " process's own then. Encoding of pseed is a whole conversion%s, with all"
                + " processors; decoding is %s on one thread, that of zstd as well. FP16 weights"
                + " become FP32 ones at load. Rounded forms are rounded in memory: there is no file"
                + " to load.%n",
            Version.PRODUCER,
            machine(),
            rounds,
            batch,
            threads == 1 ? "one thread" : threads + " threads",
            calibrated ? ", calibration included" : " without calibration",
            RecordDecoder.ofThisProcess().isNative() ? "native code" : "Java"));
    return text.toString();
  }

  /** What the figures depend on. */
  private static String machine() throws IOException {
    Runtime runtime = Runtime.getRuntime();
    String processor = System.getProperty("os.arch");
    if (Files.isReadable(PROCESSOR)) {
      processor =
          Files.readAllLines(PROCESSOR, StandardCharsets.UTF_8).stream()
              .filter(line -> line.startsWith("model name"))
              .map(line -> line.substring(line.indexOf(':') + 1).strip())
              .findFirst()
              .orElse(processor);
    }
    return String.format(
        Locale.ROOT,
        "%s, %d processors, %s %s, Java %s, ONNX Runtime %s",
        processor,
        runtime.availableProcessors(),
        System.getProperty("os.name"),
        System.getProperty("os.version"),
        Runtime.version(),
        OrtRuntime.environment().getVersion());
  }

  private static String number(double value, int digits) {
    return Double.isNaN(value) ? "" : String.format(Locale.ROOT, "%." + digits + "f", value);
  }

  private static String memory(long bytes) {
    return bytes < 0 ? "n/a" : Units.bytes(bytes);
  }
}
