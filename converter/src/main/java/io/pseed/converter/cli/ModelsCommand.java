package io.pseed.converter.cli;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.pseed.converter.Version;
import io.pseed.converter.command.Json;
import io.pseed.converter.command.Table;
import io.pseed.converter.command.Units;
import io.pseed.converter.demo.ModelTable;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** {@code pseed experiment models}. */
@Command(
    name = "models",
    description = {
      "Convert real models of several kinds with the defaults to half the bytes of their 8-bit"
          + " form, and judge both.",
      "Models come through Maven (up to 400 MB); 15 to 30 minutes for all."
    },
    sortOptions = false)
final class ModelsCommand implements Callable<Integer> {
  private final Console console;

  @Spec CommandSpec spec;

  @Option(
      names = "--work-dir",
      paramLabel = "DIR",
      description = "Where models and results go (default: ${DEFAULT-VALUE}).")
  Path workDir = Path.of(".pseed-models");

  @Option(
      names = "--models",
      paramLabel = "DIR",
      description =
          "Holds models that Maven does not carry: silero_vad_v5.onnx and others; .ci/other-models fetches them.")
  Path models;

  @Option(
      names = "--only",
      paramLabel = "NAME",
      split = ",",
      description = "Rows to make, several with commas (default: all).")
  List<String> only = List.of();

  @Option(names = "--markdown", description = "Print the table as Markdown.")
  boolean markdown;

  @Option(
      names = "--lossless",
      description =
          "Keep every weight instead, and compare outputs bit for bit: of the exported model and of"
              + " the .pseed file in Java.")
  boolean lossless;

  ModelsCommand(Console console) {
    this.console = console;
  }

  @Override
  public Integer call() throws IOException {
    for (String name : only) {
      if (!ModelTable.names().contains(name)) {
        throw new ParameterException(
            spec.commandLine(),
            "--only " + name + " is no row; the rows are " + String.join(", ", ModelTable.names()));
      }
    }
    ModelTable table =
        new ModelTable(workDir, Optional.ofNullable(models), this::convert, console::say);
    if (lossless) {
      return lossless(table.lossless(only));
    }
    List<ModelTable.Row> rows = table.run(only);
    Files.writeString(
        workDir.resolve("models.json"), Json.text(json(rows)) + "\n", StandardCharsets.UTF_8);
    String text = markdown(rows);
    Files.writeString(workDir.resolve("models.md"), text, StandardCharsets.UTF_8);
    if (markdown) {
      console.out().print(text);
    } else {
      print(rows);
    }
    return PseedCommand.EXIT_OK;
  }

  /** Fails where a model answers with other bits, or cannot be compared though it is there. */
  private int lossless(List<ModelTable.Bits> found) {
    Table table = new Table("<model", "tensors", "size", "outputs", "<same bits");
    boolean equal = true;
    for (ModelTable.Bits bits : found) {
      String same = "all";
      if (bits.unequal() > 0) {
        same = "NO: " + bits.unequal() + " outputs have other bits";
      } else if (bits.unequalPrepacked() > 0) {
        same = "all without prepacking; with it " + bits.unequalPrepacked() + " differ";
      }
      table.row(
          bits.file(),
          String.valueOf(bits.tensors()),
          Units.bytes(bits.bytes()),
          String.valueOf(bits.outputs()),
          bits.trouble().isEmpty() ? same : bits.trouble());
      equal &= bits.unequal() == 0 || bits.trouble().startsWith("skipped");
    }
    table.print(console::text);
    return equal ? PseedCommand.EXIT_OK : PseedCommand.EXIT_FAILURE;
  }

  /** The command itself, so that its defaults are what is judged. */
  private Optional<String> convert(Path model, Optional<Path> tokenizer, long bytes, Path target) {
    List<String> arguments =
        new ArrayList<>(
            List.of(
                "convert",
                model.toString(),
                "--target-size",
                String.valueOf(bytes),
                "-o",
                target.toString(),
                "--quiet"));
    tokenizer.ifPresent(file -> arguments.addAll(List.of("--tokenizer", file.toString())));
    int code = PseedCommand.run(console, arguments.toArray(new String[0]));
    return code == 0
        ? Optional.empty()
        : Optional.of("pseed convert ended with exit code " + code + "; its message is above");
  }

  private static String number(double value, int digits) {
    return Double.isNaN(value) ? "" : String.format(Locale.ROOT, "%." + digits + "f", value);
  }

  private static String percent(double value) {
    return Double.isNaN(value) ? "" : String.format(Locale.ROOT, "%.0f %%", 100 * value);
  }

  private static String kilobytes(long bytes) {
    return String.format(Locale.ROOT, "%,d KB", Math.round(bytes / 1000.0)).replace(',', ' ');
  }

  private void print(List<ModelTable.Row> rows) {
    Table table =
        new Table("<model", "<file", "size", "mean cosine", "lowest", "task done", "<judged on");
    for (ModelTable.Row row : rows) {
      table.row(
          row.model(),
          weights(row),
          Units.bytes(row.bytes()),
          "",
          "",
          percent(row.right()),
          row.trouble().isEmpty() ? row.judged() : row.trouble());
      for (ModelTable.Score score : row.scores()) {
        table.row(
            "",
            score.what(),
            Units.bytes(score.bytes()),
            number(score.mean(), 4),
            number(score.lowest(), 3),
            percent(score.right()),
            "");
      }
    }
    table.print(console::text);
  }

  private static String weights(ModelTable.Row row) {
    return switch (row.weights()) {
      case SINGLES -> "FP32";
      case SINGLES_OF_HALVES -> "FP32 (FP16 loses nothing)";
      case HALVES -> "FP16";
    };
  }

  private static String markdown(List<ModelTable.Row> rows) {
    StringBuilder text =
        new StringBuilder(
            "| model | FP32 | int8 | mean, lowest cosine | `.pseed` | mean, lowest cosine | task"
                + " done: original, int8, pseed | half of int8, no worse? |\n"
                + "|---|---|---|---|---|---|---|---|\n");
    for (ModelTable.Row row : rows) {
      text.append("| ").append(row.model()).append(" | ");
      text.append(
          switch (row.weights()) {
            case SINGLES -> kilobytes(row.bytes());
            case SINGLES_OF_HALVES ->
                kilobytes(row.bytes()) + " (FP16: " + kilobytes(row.bytes() / 2) + ")";
            case HALVES -> "FP16: " + kilobytes(row.bytes());
          });
      if (!row.trouble().isEmpty()) {
        text.append(" | | | | | | ").append(row.trouble()).append(" |\n");
        continue;
      }
      for (ModelTable.Score score : row.scores()) {
        text.append(" | ").append(kilobytes(score.bytes()));
        text.append(score.what().equals("int8, shipped") ? " shipped" : "");
        text.append(" | ").append(number(score.mean(), 4)).append(", ");
        text.append(number(score.lowest(), 3));
      }
      text.append(" | ");
      if (!Double.isNaN(row.right())) {
        text.append(percent(row.right()));
        row.scores().forEach(score -> text.append(", ").append(percent(score.right())));
      }
      text.append(" | ").append(row.reached() ? "yes" : "no").append(" |\n");
    }
    return text.toString();
  }

  private static ObjectNode json(List<ModelTable.Row> rows) {
    ObjectNode root = Json.object();
    root.put("program", Version.PRODUCER);
    ArrayNode list = root.putArray("models");
    for (ModelTable.Row row : rows) {
      ObjectNode node = list.addObject();
      node.put("model", row.model()).put("bytes", row.bytes()).put("weights", row.weights().name());
      node.put("judged", row.judged()).put("trouble", row.trouble());
      number(node, "taskDone", row.right());
      ArrayNode scores = node.putArray("files");
      for (ModelTable.Score score : row.scores()) {
        ObjectNode file = scores.addObject();
        file.put("what", score.what()).put("bytes", score.bytes());
        file.put("meanCosine", score.mean()).put("lowestCosine", score.lowest());
        number(file, "taskDone", score.right());
      }
    }
    return root;
  }

  private static void number(ObjectNode node, String name, double value) {
    if (Double.isNaN(value)) {
      node.putNull(name);
    } else {
      node.put(name, value);
    }
  }
}
