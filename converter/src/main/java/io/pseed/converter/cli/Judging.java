package io.pseed.converter.cli;

import ai.onnxruntime.OrtEnvironment;
import ai.onnxruntime.OrtException;
import ai.onnxruntime.OrtLoggingLevel;
import ai.onnxruntime.OrtSession;
import io.pseed.converter.report.Report;
import io.pseed.converter.source.onnx.OnnxModelSource;
import io.pseed.converter.verify.Baselines;
import io.pseed.converter.verify.Baselines.Baseline;
import io.pseed.converter.verify.GeneratedInputs.UnsupportedModelException;
import io.pseed.converter.verify.HeldOut;
import io.pseed.converter.verify.Judge;
import io.pseed.converter.verify.Judgement;
import io.pseed.converter.verify.RoundToNearest;
import io.pseed.onnx.PseedSession;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/** A model's judge, opened for a command: failures are sentences that name its options. */
final class Judging implements AutoCloseable {
  /** How many inputs are generated where nobody says; convert and verify judge by the same ones. */
  static final int GENERATED = 32;

  private final OnnxModelSource source;
  private final OrtSession original;
  private final Judge judge;

  private Judging(OnnxModelSource source, OrtSession original, Judge judge) {
    this.source = source;
    this.original = original;
    this.judge = judge;
  }

  /**
   * Opens the original and makes the inputs.
   *
   * @param tokenizer for texts; null where there are none
   * @param shapes of generated inputs, where the user knows better
   * @param inputs how many are generated
   */
  static Judging open(
      OnnxModelSource source,
      JudgeOptions options,
      Path tokenizer,
      Map<String, long[]> shapes,
      int inputs)
      throws IOException, CommandFailure {
    OrtSession original = session(source.path());
    HeldOut heldOut;
    try {
      heldOut =
          options.texts == null
              ? generated(source, original, shapes, inputs)
              : HeldOut.real(Texts.read("--judge", options.texts, tokenizer, source));
    } catch (IOException | CommandFailure | RuntimeException e) {
      close(original);
      throw e;
    }
    return new Judging(source, original, new Judge(original, heldOut));
  }

  private static OrtSession session(Path model) throws CommandFailure {
    try (OrtSession.SessionOptions options = new OrtSession.SessionOptions()) {
      hush(options);
      return OrtEnvironment.getEnvironment().createSession(model.toString(), options);
    } catch (OrtException e) {
      throw refused(model, e);
    }
  }

  private static HeldOut generated(
      OnnxModelSource source, OrtSession original, Map<String, long[]> shapes, int inputs)
      throws CommandFailure {
    try {
      return HeldOut.generated(original, source.graph(), shapes, inputs);
    } catch (OrtException e) {
      throw refused(source.path(), e);
    } catch (UnsupportedModelException e) {
      throw unjudged(e);
    }
  }

  /** Judges a file. */
  Judgement judge(Path file) throws IOException, CommandFailure {
    try (OrtSession seeded = PseedSession.builder().configure(Judging::hush).open(file)) {
      return judge.judge(seeded);
    } catch (OrtException e) {
      throw refused(file, e);
    } catch (UnsupportedModelException e) {
      throw unjudged(e);
    }
  }

  /**
   * What to think of the inputs, where even FP16 is far from the original on them: then they, and
   * not a file, are at fault. Empty where they are good.
   */
  String doubt() throws IOException, CommandFailure {
    try {
      double cosine =
          new Baselines(source).judge(judge, RoundToNearest.FP16).judgement().worst().mean();
      return cosine >= Report.TRUSTED_FP16
          ? ""
          : String.format(
              Locale.ROOT,
              "; even FP16 reaches only %.5f on these inputs, so they cannot judge this model: give"
                  + " real ones with --judge",
              cosine);
    } catch (OrtException e) {
      throw refused(source.path(), e);
    } catch (UnsupportedModelException e) {
      throw unjudged(e);
    }
  }

  /** FP16, int8 and int4 of the original. */
  List<Report.Other> baselines() throws IOException, CommandFailure {
    List<Report.Other> others = new ArrayList<>();
    try {
      for (Baseline baseline : new Baselines(source).judge(judge)) {
        others.add(
            new Report.Other(
                baseline.kind().label(),
                baseline.kind().rule(),
                baseline.bytes(),
                baseline.judgement()));
      }
    } catch (OrtException e) {
      throw refused(source.path(), e);
    } catch (UnsupportedModelException e) {
      throw unjudged(e);
    }
    return others;
  }

  /** What goes wrong is told in one sentence; ONNX Runtime would log it besides. */
  private static void hush(OrtSession.SessionOptions options) throws OrtException {
    options.setSessionLogLevel(OrtLoggingLevel.ORT_LOGGING_LEVEL_FATAL);
  }

  private static CommandFailure refused(Path file, OrtException e) {
    return new CommandFailure(file + ": ONNX Runtime refused the model: " + e.getMessage(), e);
  }

  private static CommandFailure unjudged(UnsupportedModelException e) {
    return new CommandFailure(
        e.getMessage()
            + "; give shapes with --input-shape or texts with --judge, or check the weights alone"
            + " with pseed verify --weights-only",
        e);
  }

  private static void close(OrtSession session) throws CommandFailure {
    try {
      session.close();
    } catch (OrtException e) {
      throw new CommandFailure("ONNX Runtime cannot close the model: " + e.getMessage(), e);
    }
  }

  @Override
  public void close() throws CommandFailure {
    close(original);
  }
}
