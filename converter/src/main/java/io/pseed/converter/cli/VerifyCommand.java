package io.pseed.converter.cli;

import ai.onnxruntime.OrtEnvironment;
import ai.onnxruntime.OrtException;
import ai.onnxruntime.OrtLoggingLevel;
import ai.onnxruntime.OrtSession;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.pseed.converter.Sources;
import io.pseed.converter.export.onnx.ExternalExport;
import io.pseed.converter.inputs.UnsupportedModelException;
import io.pseed.converter.source.TensorSource;
import io.pseed.converter.source.onnx.OnnxModelSource;
import io.pseed.converter.verify.OutputCheck;
import io.pseed.converter.verify.OutputError;
import io.pseed.converter.verify.WeightCheck;
import io.pseed.converter.verify.WeightError;
import io.pseed.format.PseedReader;
import io.pseed.format.SectionEntry;
import io.pseed.onnx.PseedSession;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** {@code pseed verify}. */
@Command(
    name = "verify",
    description = {
      "Check that a .pseed file is whole and, with the original beside it, how far its weights and"
          + " outputs are from the original's.",
      "Ends with exit code 1 where something is damaged or a bound is missed."
    },
    customSynopsis = "pseed verify [ORIGINAL] MODEL.pseed [OPTIONS]",
    footerHeading = "%nExamples:%n",
    footer = {
      "  pseed verify model.pseed                                  is the file whole?",
      "  pseed verify model.onnx model.pseed --min-cosine 0.995    a bound for a build",
      "  pseed verify exported.onnx model.pseed       does this --external export belong to this file?"
    },
    sortOptions = false)
final class VerifyCommand implements Callable<Integer> {
  private static final int WORST_SHOWN = 5;

  private final Console console;

  @Spec CommandSpec spec;

  @Parameters(
      arity = "1..2",
      paramLabel = "FILE",
      description =
          "The .pseed file; before it, the ONNX model or checkpoint it was made from, or an export"
              + " that leaves its seeds in it.")
  List<Path> files;

  @Option(
      names = "--min-cosine",
      paramLabel = "C",
      description =
          "Smallest cosine between an output and the original's that passes (default:"
              + " ${DEFAULT-VALUE}; generated inputs are harder than real ones).")
  double minCosine = 0.9;

  @Option(
      names = "--inputs",
      paramLabel = "N",
      description = "How many inputs are generated (default: ${DEFAULT-VALUE}).")
  int inputs = 16;

  @Option(
      names = "--input-shape",
      paramLabel = "NAME=DIMS",
      converter = {Units.NameConverter.class, Units.ShapeConverter.class},
      description = "Shape of a generated input, for example image=1x3x48x320; may be repeated.")
  Map<String, long[]> shapes = new LinkedHashMap<>();

  @Option(names = "--weights-only", description = "Do not run the model.")
  boolean weightsOnly;

  @Option(names = "--json", description = "Print JSON.")
  boolean json;

  VerifyCommand(Console console) {
    this.console = console;
  }

  @Override
  public Integer call() throws Exception {
    if (!(minCosine >= -1 && minCosine <= 1)) {
      throw new ParameterException(
          spec.commandLine(), "--min-cosine is " + minCosine + ", expected -1 to 1");
    }
    if (inputs < 1 || inputs > 100_000) {
      throw new ParameterException(
          spec.commandLine(), "--inputs is " + inputs + ", expected 1 to 100000");
    }
    Path model = files.get(files.size() - 1);
    ObjectNode report = Json.object();
    boolean passed;
    try (PseedReader reader = Containers.open(model)) {
      WeightCheck.container(reader);
      report.put("file", model.toString()).put("whole", true);
      report.put("digest", reader.digest()).put("tensors", reader.header().tensors().size());
      if (!json) {
        console.line(
            "%s is whole: digest, padding, %d sections and %d tensors, each decoded, agree with"
                + " their checksums",
            model, reader.header().sections().size(), reader.header().tensors().size());
      }
      Optional<ExternalExport> export =
          files.size() == 1 ? Optional.empty() : ExternalExport.of(files.get(0));
      if (export.isPresent()) {
        pair(export.get(), files.get(0), model, reader.digest(), report);
      }
      passed =
          files.size() == 1 || export.isPresent() || compare(reader, files.get(0), model, report);
    }
    if (json) {
      report.put("passed", passed);
      console.out().println(Json.text(report));
    }
    return passed ? PseedCommand.EXIT_OK : PseedCommand.EXIT_FAILURE;
  }

  /** An export that left its seeds in the file: it must be this file, where the export looks. */
  private void pair(
      ExternalExport export, Path exported, Path model, String digest, ObjectNode report)
      throws IOException, CommandFailure {
    if (!export.digest().equals(digest)) {
      throw new CommandFailure(
          String.format(
              "%s: was exported from a .pseed file with digest %s, %s has %s, so it would load wrong"
                  + " weights; export it again",
              exported, export.digest(), model, digest));
    }
    Path expected = export.file(exported);
    if (!Files.exists(expected) || !Files.isSameFile(expected, model)) {
      throw new CommandFailure(
          String.format(
              "%s: reads its seeds from %s, which %s; %s is the right file, put it there",
              exported,
              expected,
              Files.exists(expected) ? "is another file" : "does not exist",
              model));
    }
    report.putObject("export").put("file", exported.toString()).put("location", export.location());
    if (!json) {
      console.line("");
      console.line("%s is an export of this file and reads its seeds from it.", exported);
    }
  }

  private boolean compare(PseedReader reader, Path original, Path model, ObjectNode report)
      throws IOException, OrtException, CommandFailure {
    try (TensorSource source = Sources.open(original)) {
      weights(WeightCheck.compare(source, reader), report);
      boolean graph = reader.header().section(SectionEntry.ONNX_GRAPH) != null;
      if (weightsOnly || !graph || !(source instanceof OnnxModelSource onnx)) {
        if (!json) {
          console.line("");
          console.line(
              "Outputs are not compared: %s.",
              weightsOnly ? "--weights-only" : "a checkpoint holds no graph that could be run");
        }
        return true;
      }
      return outputs(onnx, original, model, report);
    }
  }

  private void weights(List<WeightError> errors, ObjectNode report) {
    ArrayNode list = report.putArray("weights");
    int coded = 0;
    for (WeightError error : errors) {
      ObjectNode node = list.addObject();
      node.put("name", error.name()).put("codec", error.codec().label());
      Json.number(node, "snrDb", error.snrDb());
      node.put("maxAbs", error.maxAbs());
      coded += Double.isFinite(error.snrDb()) ? 1 : 0;
    }
    if (json) {
      return;
    }
    console.line("");
    console.line(
        "Weights: %d of %d tensors are equal to the original's, %d approximate them",
        errors.size() - coded, errors.size(), coded);
    if (coded > 0) {
      List<WeightError> worst = new ArrayList<>(errors);
      worst.sort(Comparator.comparingDouble(WeightError::snrDb));
      Table table = new Table("<largest errors", "SNR dB", "max difference");
      for (WeightError error : worst.subList(0, Math.min(WORST_SHOWN, coded))) {
        table.row(
            error.name(),
            Units.decibels(error.snrDb()),
            String.format(Locale.ROOT, "%.3g", error.maxAbs()));
      }
      table.print(console);
    }
  }

  private static OrtSession open(Path original, OrtSession.SessionOptions options)
      throws OrtException {
    hush(options);
    return OrtEnvironment.getEnvironment().createSession(original.toString(), options);
  }

  /** What goes wrong is told in one sentence; ONNX Runtime would log it besides. */
  private static void hush(OrtSession.SessionOptions options) throws OrtException {
    options.setSessionLogLevel(OrtLoggingLevel.ORT_LOGGING_LEVEL_FATAL);
  }

  private boolean outputs(OnnxModelSource source, Path original, Path model, ObjectNode report)
      throws IOException, OrtException, CommandFailure {
    List<OutputError> errors;
    try (OrtSession.SessionOptions options = new OrtSession.SessionOptions();
        OrtSession plain = open(original, options);
        OrtSession seeded = PseedSession.builder().configure(VerifyCommand::hush).open(model)) {
      errors = OutputCheck.compare(plain, seeded, source.graph(), shapes, inputs);
    } catch (UnsupportedModelException e) {
      throw new CommandFailure(
          e.getMessage()
              + "; give shapes with --input-shape, or check the weights alone with --weights-only",
          e);
    }
    boolean passed = true;
    ArrayNode list = report.putArray("outputs");
    report.put("inputs", inputs).put("inputsAre", "generated").put("minCosine", minCosine);
    Table table = new Table("<output", "<measure", "mean", "min", "<");
    for (OutputError error : errors) {
      boolean good = !error.real() || error.minCosine() >= minCosine;
      passed &= good;
      String measure = error.real() ? "cosine" : "equal elements";
      ObjectNode node = list.addObject();
      node.put("name", error.name()).put("measure", measure);
      node.put("mean", error.meanCosine()).put("min", error.minCosine()).put("passed", good);
      table.row(
          error.name(),
          measure,
          String.format(Locale.ROOT, "%.5f", error.meanCosine()),
          String.format(Locale.ROOT, "%.5f", error.minCosine()),
          good ? "" : String.format(Locale.ROOT, "below the bound %s", minCosine));
    }
    if (!json) {
      console.line("");
      console.line(
          "Outputs on %d generated inputs (made from the graph's signature, no real data; the seed"
              + " is fixed):",
          inputs);
      table.print(console);
      console.line("");
      console.line(
          passed
              ? "Passed."
              : "Failed: an output is below the bound; convert with more --bits, or lower"
                  + " --min-cosine if your own data say that the model is good enough.");
    }
    return passed;
  }
}
