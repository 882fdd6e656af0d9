package io.pseed.converter.cli;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.pseed.converter.command.Json;
import io.pseed.converter.command.Table;
import io.pseed.converter.encode.poincare.PaperExperiment;
import io.pseed.converter.experiment.GaussianExperiment;
import java.io.IOException;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** {@code pseed experiment}. */
@Command(
    name = "experiment",
    description = "Repeat a measurement: what seeds reach where the limit is known.",
    synopsisSubcommandLabel = "(paper | gaussian | models | minilm)",
    footerHeading = "%nExamples:%n",
    footer = {
      "  pseed experiment paper                            one seed for a layer, as in the paper",
      "  pseed experiment gaussian --seed-bits 12,16 --rows 96",
      "  pseed experiment models --only PP-OCRv4-rec --markdown",
      "  pseed experiment minilm held-out.tsv --calibrate mine.txt"
    },
    sortOptions = false)
final class ExperimentCommand implements Runnable {
  @Spec CommandSpec spec;

  @Override
  public void run() {
    throw new ParameterException(
        spec.commandLine(), "name the experiment: paper, gaussian, models or minilm");
  }

  /** {@code pseed experiment paper}. */
  @Command(
      name = "paper",
      description =
          "The table of the paper once more, with the error of storing nothing beside it.",
      sortOptions = false)
  static final class Paper implements Callable<Integer> {
    private final Console console;

    Paper(Console console) {
      this.console = console;
    }

    @Override
    public Integer call() {
      console.out().print(PaperExperiment.render(PaperExperiment.run()));
      return PseedCommand.EXIT_OK;
    }
  }

  /** {@code pseed experiment gaussian}. */
  @Command(
      name = "gaussian",
      description = {
        "Code independent normal weights at 1 to 8 bits and compare with Shannon's bound and with"
            + " rounding to the nearest level.",
        "All bytes of the records are counted. Speeds are those of one thread."
      },
      sortOptions = false)
  static final class Gaussian implements Callable<Integer> {
    private final Console console;

    @Spec CommandSpec spec;

    @Option(
        names = "--seed-bits",
        paramLabel = "L",
        split = ",",
        description = "Bits of a weight's seed, 8 to 20, several with commas (default: 12).")
    List<Integer> seedBits = List.of(12);

    @Option(
        names = "--rows",
        paramLabel = "N",
        description =
            "Rows of 384 weights (default: ${DEFAULT-VALUE}); with 16 seed bits, 384 rows take a"
                + " minute or more.")
    int rows = GaussianExperiment.ROWS;

    @Option(names = "--json", description = "Print JSON.")
    boolean json;

    Gaussian(Console console) {
      this.console = console;
    }

    @Override
    public Integer call() throws IOException {
      for (int bits : seedBits) {
        if (bits < 8 || bits > 20) {
          throw new ParameterException(
              spec.commandLine(), "--seed-bits is " + bits + ", expected 8 to 20");
        }
      }
      if (rows < 11 || rows > 100_000) {
        throw new ParameterException(
            spec.commandLine(), "--rows is " + rows + ", expected 11 to 100000");
      }
      ArrayNode list = Json.object().putArray("rows");
      for (int bits : seedBits) {
        if (!json) {
          console.line(
              "%d x %d independent normal weights, L = %d, one thread",
              rows, GaussianExperiment.COLS, bits);
        }
        List<GaussianExperiment.Row> table =
            GaussianExperiment.run(
                bits,
                rows,
                row -> {
                  if (console.terminal() && row.rate() < 8) {
                    console.err().print("\r  " + row.rate() + " of 8 rates \r");
                  }
                });
        table.forEach(row -> list.add(json(row)));
        if (!json) {
          print(table);
        }
      }
      if (json) {
        console.out().println(Json.text(list));
      }
      return PseedCommand.EXIT_OK;
    }

    private static ObjectNode json(GaussianExperiment.Row row) {
      ObjectNode node = Json.object();
      node.put("k", row.rate()).put("L", row.seedBits()).put("bitsPerWeight", row.bits());
      node.put("snrDb", row.snrDb()).put("boundDb", row.boundDb()).put("gapDb", row.gapDb());
      node.put("encodeWeightsPerSecond", row.encodeRate());
      node.put("decodeWeightsPerSecond", row.decodeRate());
      node.put("roundingBitsPerWeight", row.roundingBits());
      node.put("roundingSnrDb", row.roundingSnrDb()).put("roundingGapDb", row.roundingGapDb());
      return node;
    }

    private void print(List<GaussianExperiment.Row> rows) {
      Table table =
          new Table(
              "k",
              "bits/weight",
              "SNR dB",
              "bound dB",
              "gap dB",
              "encode M/s",
              "decode M/s",
              "| rounding dB",
              "gap dB");
      for (GaussianExperiment.Row row : rows) {
        table.row(
            String.valueOf(row.rate()),
            number("%.4f", row.bits()),
            number("%.2f", row.snrDb()),
            number("%.2f", row.boundDb()),
            number("%.2f", row.gapDb()),
            number("%.3f", row.encodeRate() / 1e6),
            number("%.1f", row.decodeRate() / 1e6),
            number("%.2f", row.roundingSnrDb()),
            number("%.2f", row.roundingGapDb()));
      }
      table.print(console::text);
    }

    private static String number(String format, double value) {
      return String.format(Locale.ROOT, format, value);
    }
  }
}
