package io.pseed.converter.cli;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.pseed.converter.Sources;
import io.pseed.converter.command.CommandFailure;
import io.pseed.converter.command.Json;
import io.pseed.converter.command.Judging;
import io.pseed.converter.command.QualityTable;
import io.pseed.converter.command.ReportMaker;
import io.pseed.converter.command.Table;
import io.pseed.converter.command.Units;
import io.pseed.converter.export.onnx.ExternalExport;
import io.pseed.converter.report.Report;
import io.pseed.converter.report.ReportJson;
import io.pseed.converter.source.TensorSource;
import io.pseed.converter.source.onnx.OnnxModelSource;
import io.pseed.converter.verify.Judgement;
import io.pseed.converter.verify.WeightCheck;
import io.pseed.converter.verify.WeightError;
import io.pseed.format.PseedReader;
import io.pseed.format.SectionEntry;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
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
      "  pseed verify model.onnx model.pseed --report report.html  a page to look at",
      "  pseed verify exported.onnx model.pseed                    does this export belong to this file?"
    },
    sortOptions = false)
final class VerifyCommand implements Callable<Integer> {
  private static final int WORST_SHOWN = 5;

  private final Console console;
  private final Set<String> notices = new LinkedHashSet<>();

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
          "Smallest mean cosine to the original that passes, as for convert --min-cosine: of the"
              + " embedding where an output is one, else of the output; the worst output counts.")
  Double minCosine;

  @Option(
      names = "--min-worst",
      paramLabel = "C",
      description =
          "Smallest cosine of a single input that passes (default: 0.9 where no bound is given).")
  Double minWorst;

  @Mixin JudgeOptions judge = new JudgeOptions();

  @Option(
      names = "--inputs",
      paramLabel = "N",
      description =
          "Judge with at most N inputs (default: 512 of your own, all shipped texts, or 32"
              + " generated ones).")
  Integer count;

  @Mixin InputOptions inputs = new InputOptions();

  @Option(names = "--weights-only", description = "Do not run the model.")
  boolean weightsOnly;

  @Option(names = "--json", description = "Print JSON.")
  boolean json;

  VerifyCommand(Console console) {
    this.console = console;
  }

  @Override
  public Integer call() throws Exception {
    requireCosine("--min-cosine", minCosine);
    requireCosine("--min-worst", minWorst);
    if (count != null && (count < 1 || count > 100_000)) {
      throw new ParameterException(
          spec.commandLine(), "--inputs is " + count + ", expected 1 to 100000");
    }
    Path model = files.get(files.size() - 1);
    if (files.size() == 2 && Containers.isPseed(files.get(0)) && !Containers.isPseed(model)) {
      throw new ParameterException(
          spec.commandLine(),
          files.get(0)
              + " is a .pseed file, expected the original first: pseed verify "
              + model
              + " "
              + files.get(0));
    }
    if (judge.report != null) {
      if (files.size() == 1 || weightsOnly) {
        throw new ParameterException(
            spec.commandLine(),
            "--report compares with the original: name it before the .pseed file, and leave"
                + " --weights-only away");
      }
      Targets.requireReportable(judge.report, files.toArray(Path[]::new));
    }
    ObjectNode report = Json.object();
    boolean passed;
    try (PseedReader reader = Containers.open(model)) {
      WeightCheck.container(reader);
      report.put("file", model.toString()).put("whole", true);
      report.put("digest", reader.digest()).put("tensors", reader.header().tensors().size());
      if (!json) {
        console.line(
            "%s is whole: digest, padding, %s and %s, each decoded, agree with their checksums",
            model,
            count(reader.header().sections().size(), "section"),
            count(reader.header().tensors().size(), "tensor"));
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

  private void requireCosine(String option, Double value) {
    if (value != null && !(value >= -1 && value <= 1)) {
      throw new ParameterException(
          spec.commandLine(), option + " is " + value + ", expected -1 to 1");
    }
  }

  /** An export that left its seeds in the file: it must be this file, where the export looks. */
  private void pair(
      ExternalExport export, Path exported, Path model, String digest, ObjectNode report)
      throws IOException, CommandFailure {
    if (judge.report != null || judge.data != null || minCosine != null || minWorst != null) {
      throw new CommandFailure(
          exported
              + ": is an export of a .pseed file, whose outputs are those of the file; to judge them,"
              + " name the original");
    }
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
      throws IOException, CommandFailure {
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
        if (judge.report != null) {
          write(
              ReportMaker.of("verify", source, reader)
                  .notJudged("a checkpoint holds no graph that could be run"),
              report);
        }
        return true;
      }
      return outputs(onnx, reader, model, report);
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
      table.print(console::text);
    }
  }

  private void say(String sentence) {
    if (!json) {
      console.say(sentence);
    }
  }

  private Report.Bound bound() {
    boolean none = minCosine == null && minWorst == null;
    return new Report.Bound(
        minCosine == null ? Double.NaN : minCosine,
        none ? 0.9 : minWorst == null ? Double.NaN : minWorst);
  }

  private boolean outputs(OnnxModelSource source, PseedReader reader, Path model, ObjectNode report)
      throws IOException, CommandFailure {
    Report.Bound bound = bound();
    try (Judging judging =
        Judging.open(
            source,
            judge.settings(),
            inputs.settings(),
            Optional.empty(),
            count,
            this::say,
            notices::add)) {
      long start = System.nanoTime();
      Judgement judgement = judging.judge(model);
      double seconds = (System.nanoTime() - start) / 1e9;
      boolean passed = bound.passes(judgement);
      report.put("inputs", judgement.runs());
      report.put("inputsAre", judgement.origin().name().toLowerCase(Locale.ROOT));
      report.put("judges", judgement.judges());
      ArrayNode said = report.putArray("notices");
      notices.forEach(said::add);
      Json.number(report, "minCosine", bound.minCosine());
      Json.number(report, "minWorst", bound.minWorst());
      report.set("outputs", ReportJson.qualities(judgement, Optional.of(bound)));
      if (!json) {
        console.line("");
        console.line("Outputs on %s:", judgement.judges());
        QualityTable.of(judgement, Optional.of(bound)).print(console::text);
        console.line("");
        notices.forEach(notice -> console.line("note: %s", notice));
        console.line(
            passed
                ? "Passed."
                : "Failed: an output is below the bound; convert with more --bits or with"
                    + " --min-cosine, or lower the bound if your own data say that the model is"
                    + " good enough.");
      }
      if (judge.report != null) {
        long then = System.nanoTime();
        List<Report.Other> others = judging.baselines();
        write(
            ReportMaker.of("verify", source, reader)
                .notices(List.copyOf(notices))
                .judged(judgement, Optional.of(bound))
                .others(others)
                .second("judging", seconds)
                .second("FP16, int8, int4", (System.nanoTime() - then) / 1e9),
            report);
      }
      return passed;
    }
  }

  private void write(ReportMaker maker, ObjectNode root) throws IOException {
    Report made = maker.make();
    ReportMaker.write(made, judge.report);
    root.set("report", ReportJson.of(made));
    if (!json) {
      console.line("Report: %s", judge.report);
    }
  }

  private static String count(int n, String what) {
    return n + " " + what + (n == 1 ? "" : "s");
  }
}
