package io.pseed.converter.command;

import com.fasterxml.jackson.databind.node.ObjectNode;
import io.pseed.converter.calibrate.Calibration;
import io.pseed.converter.calibrate.CalibrationInputs;
import io.pseed.converter.calibrate.CalibrationInputs.Origin;
import io.pseed.converter.calibrate.Calibrator;
import io.pseed.converter.calibrate.RateAllocator;
import io.pseed.converter.encode.Workers;
import io.pseed.converter.inputs.UnsupportedModelException;
import io.pseed.converter.plan.Plan;
import io.pseed.converter.source.TensorSource;
import io.pseed.converter.source.onnx.OnnxModelSource;
import java.io.IOException;
import java.util.Locale;
import java.util.Optional;
import java.util.function.Consumer;

/** The calibration of one conversion: what it is done with, or why it is not done. */
public final class ConversionCalibration {
  private final CalibrationSettings settings;
  private final InputSettings how;
  private final Consumer<String> say;
  private final Consumer<String> note;
  private Optional<CalibrationInputs> inputs = Optional.empty();
  private boolean done;
  private boolean machine;
  private String reason = "";

  /**
   * Nothing is opened yet.
   *
   * @param say takes sentences about what goes on
   * @param note takes sentences that belong to the result
   */
  ConversionCalibration(
      CalibrationSettings settings,
      InputSettings how,
      Consumer<String> say,
      Consumer<String> note) {
    this.settings = settings;
    this.how = how;
    this.say = say;
    this.note = note;
  }

  /**
   * Opens the inputs. Opens none where the user wants none, or where the model cannot be run and
   * nobody asked for it.
   *
   * @param base what is done without calibration
   * @param replays whether a plan is replayed
   */
  void open(TensorSource source, Plan base, boolean replays) throws IOException, CommandFailure {
    if (settings.none()) {
      reason = how.wording().of(Setting.NO_CALIBRATION);
    } else if (replays && settings.data().isEmpty()) {
      reason =
          "a plan is replayed without calibration unless "
              + how.wording().of(Setting.CALIBRATE)
              + " says with what";
    } else if (!(source instanceof OnnxModelSource model)) {
      if (settings.explicit(how)) {
        throw new CommandFailure(
            "calibration runs the model, so it needs an ONNX model; "
                + source.path()
                + " has only weights");
      }
      reason = "a checkpoint holds no graph that could be run";
    } else if (base.tensors().stream().allMatch(tensor -> tensor.trellis() == null)) {
      reason = "the model has no weights that are coded";
    } else {
      try {
        inputs = Optional.of(settings.open(model, how, say, note));
      } catch (IOException
          | UnsupportedModelException
          | CommandFailure
          | RuntimeException
          | LinkageError
          | OutOfMemoryError e) {
        failed(e);
      }
    }
  }

  /**
   * Takes a part of the user's own data out of calibration, for judging.
   *
   * @param most inputs that are taken
   * @return empty where calibration has other inputs, or too few
   */
  Optional<CalibrationInputs> holdOut(int most) {
    if (inputs.isEmpty() || inputs.get().origin() != Origin.GIVEN) {
      return Optional.empty();
    }
    CalibrationInputs.Split split = inputs.get().split(most);
    if (split.judging().size() == 0) {
      note.accept(
          inputs.get().description()
              + " are too few to hold some out, so they do not judge; give others with "
              + how.wording().of(Setting.JUDGE));
      return Optional.empty();
    }
    inputs = Optional.of(split.calibration());
    return Optional.of(split.judging());
  }

  /**
   * What errors cost in the weights; empty where nothing was opened, or where the model cannot be
   * run and nobody asked for it.
   */
  Optional<RateAllocator> run(TensorSource source, Plan base, int threads)
      throws IOException, CommandFailure {
    if (inputs.isEmpty() || !(source instanceof OnnxModelSource model)) {
      return Optional.empty();
    }
    try (Workers pool = new Workers(threads)) {
      say.accept("calibrating with " + inputs.get().description());
      Calibration statistics =
          new Calibrator(model, pool, Calibrator.Options.DEFAULT).run(inputs.get());
      RateAllocator allocator =
          new RateAllocator(source, base, statistics, RateAllocator.Options.DEFAULT);
      done = true;
      inputs.get().notices().forEach(note);
      statistics.notices().forEach(note);
      allocator.notices().forEach(note);
      return Optional.of(allocator);
    } catch (IOException | RuntimeException | LinkageError | OutOfMemoryError e) {
      failed(e);
      return Optional.empty();
    }
  }

  private void failed(Throwable failure) throws IOException, CommandFailure {
    if (settings.explicit(how)) {
      throw explained(failure);
    }
    machine = failure instanceof Error;
    reason =
        "converted without calibration: "
            + Failures.sentence(
                failure instanceof UnsupportedModelException ? explained(failure) : failure,
                how.wording())
            + "; give inputs with "
            + how.wording().of(Setting.CALIBRATE)
            + ", or say "
            + how.wording().of(Setting.NO_CALIBRATION);
    note.accept(reason);
  }

  /** The user asked for it, so it is an error. */
  private CommandFailure explained(Throwable failure) throws IOException {
    if (failure instanceof IOException trouble) {
      throw trouble;
    }
    if (failure instanceof RuntimeException bug) {
      throw bug;
    }
    if (failure instanceof Error error) {
      throw error;
    }
    return failure instanceof CommandFailure known
        ? known
        : new CommandFailure(
            failure.getMessage()
                + "; give shapes with "
                + how.wording().of(Setting.INPUT_SHAPE)
                + ", or inputs with "
                + how.wording().of(Setting.CALIBRATE),
            failure);
  }

  /**
   * Whether calibration was left out because of this machine (memory, a native library) and not
   * because of the model, so that another run may calibrate.
   */
  public boolean failedHere() {
    return machine;
  }

  /** One phrase for people. */
  public String text() {
    return done
        ? "go where the outputs need them, by " + inputs.orElseThrow().description()
        : "spread without calibration";
  }

  /** The same for programs. */
  public void write(ObjectNode node) {
    node.put("done", done);
    if (done) {
      CalibrationInputs with = inputs.orElseThrow();
      node.put("inputs", with.description());
      node.put("origin", with.origin().name().toLowerCase(Locale.ROOT));
      node.put("runs", with.size());
    } else {
      node.put("reason", reason);
    }
  }
}
