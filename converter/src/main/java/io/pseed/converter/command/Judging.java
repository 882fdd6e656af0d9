package io.pseed.converter.command;

import ai.onnxruntime.OrtException;
import ai.onnxruntime.OrtLoggingLevel;
import ai.onnxruntime.OrtSession;
import io.pseed.converter.calibrate.CalibrationInputs;
import io.pseed.converter.inputs.GeneratedInputs;
import io.pseed.converter.inputs.InputSignature;
import io.pseed.converter.inputs.TextInputs;
import io.pseed.converter.inputs.UnsupportedModelException;
import io.pseed.converter.report.Report;
import io.pseed.converter.source.onnx.OnnxModelSource;
import io.pseed.converter.verify.Baselines;
import io.pseed.converter.verify.Baselines.Baseline;
import io.pseed.converter.verify.Judge;
import io.pseed.converter.verify.Judgement;
import io.pseed.converter.verify.RoundToNearest;
import io.pseed.onnx.OrtRuntime;
import io.pseed.onnx.PseedSession;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.function.Consumer;

/** A model's judge, opened for a command: failures are sentences that name its settings. */
public final class Judging implements AutoCloseable {
  /** How many inputs are generated where nobody says; convert and verify judge by the same ones. */
  static final int GENERATED = 32;

  private final OnnxModelSource source;
  private final OrtSession original;
  private final Judge judge;
  private final Wording wording;

  private Judging(OnnxModelSource source, OrtSession original, Judge judge, Wording wording) {
    this.source = source;
    this.original = original;
    this.judge = judge;
    this.wording = wording;
  }

  /**
   * Opens the original and the inputs, and runs the one on the others.
   *
   * @param heldOut what judges where the settings name nothing; empty: what pseed has
   * @param count inputs at most; null for the usual number
   * @param say takes sentences about what was found
   * @param note takes sentences that belong to the result
   */
  public static Judging open(
      OnnxModelSource source,
      JudgeSettings settings,
      InputSettings how,
      Optional<CalibrationInputs> heldOut,
      Integer count,
      Consumer<String> say,
      Consumer<String> note)
      throws IOException, CommandFailure {
    OrtSession original = session(source.path());
    try {
      Judge judge =
          settings.data().isEmpty() && heldOut.isEmpty()
              ? usual(source, original, how, count, say, note)
              : prepared(
                  original,
                  settings.data().isEmpty()
                      ? heldOut.get()
                      : named(source, original, settings.data().get(), how, count, say));
      judge.inputs().notices().forEach(note);
      return new Judging(source, original, judge, how.wording());
    } catch (OrtException e) {
      close(original);
      throw refused(source.path(), e);
    } catch (UnsupportedModelException e) {
      close(original);
      throw unjudged(e, how.wording());
    } catch (IOException | CommandFailure | RuntimeException | Error e) {
      close(original);
      throw e;
    }
  }

  private static OrtSession session(Path model) throws CommandFailure {
    try (OrtSession.SessionOptions options = new OrtSession.SessionOptions()) {
      hush(options);
      return OrtRuntime.environment().createSession(model.toString(), options);
    } catch (OrtException e) {
      throw refused(model, e);
    }
  }

  private static Judge prepared(OrtSession original, CalibrationInputs inputs)
      throws IOException, OrtException, UnsupportedModelException {
    Judge judge = new Judge(original, inputs);
    judge.prepare();
    return judge;
  }

  /** What pseed has: the texts that no calibration meets, else generated inputs. */
  private static Judge usual(
      OnnxModelSource source,
      OrtSession original,
      InputSettings how,
      Integer count,
      Consumer<String> say,
      Consumer<String> note)
      throws IOException, OrtException, UnsupportedModelException, CommandFailure {
    if (how.anyTokenizer(source, new InputSignature(source.graph())).isPresent()) {
      try {
        return prepared(original, named(source, original, InputSettings.TEXTS, how, count, say));
      } catch (IOException | UnsupportedModelException | LinkageError e) {
        if (how.namesTokenizer()) {
          throw e;
        }
        note.accept(how.uncut(e));
      }
    }
    return prepared(original, named(source, original, InputSettings.GENERATED, how, count, say));
  }

  private static CalibrationInputs named(
      OnnxModelSource source,
      OrtSession original,
      String data,
      InputSettings how,
      Integer count,
      Consumer<String> say)
      throws IOException, UnsupportedModelException, CommandFailure {
    InputSignature signature = new InputSignature(source.graph());
    int most = count == null ? InputSettings.MOST : count;
    int generated = count == null ? GENERATED : count;
    return switch (data) {
      case InputSettings.GENERATED ->
          new GeneratedInputs(signature, how.shapes(), generated)
              .forJudging(generated)
              .thatRun(original);
      case InputSettings.TEXTS -> TextInputs.heldOut(signature, how.tokenizer(source, say), most);
      default -> how.read(data, source, signature, most, say);
    };
  }

  /** Judges a file. */
  public Judgement judge(Path file) throws IOException, CommandFailure {
    try (OrtSession seeded = PseedSession.builder().configure(Judging::hush).open(file)) {
      return judge.judge(seeded);
    } catch (OrtException e) {
      throw refused(file, e);
    } catch (UnsupportedModelException e) {
      throw unjudged(e, wording);
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
                  + " real ones with %s",
              cosine,
              wording.of(Setting.JUDGE));
    } catch (OrtException e) {
      throw refused(source.path(), e);
    } catch (UnsupportedModelException e) {
      throw unjudged(e, wording);
    }
  }

  /** FP16, int8 and int4 of the original. */
  public List<Report.Other> baselines() throws IOException, CommandFailure {
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
      throw unjudged(e, wording);
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

  private static CommandFailure unjudged(UnsupportedModelException e, Wording wording) {
    return new CommandFailure(
        e.getMessage()
            + "; give shapes with "
            + wording.of(Setting.INPUT_SHAPE)
            + " or inputs with "
            + wording.of(Setting.JUDGE)
            + ", or check the weights alone with "
            + wording.of(Setting.WEIGHTS_ONLY),
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
