package io.pseed.converter.calibrate;

import ai.onnxruntime.OnnxTensor;
import ai.onnxruntime.OrtEnvironment;
import ai.onnxruntime.OrtException;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/** Inputs that a model is run with to be calibrated; a number always gives the same inputs. */
public interface CalibrationInputs {
  /** Largest share of given inputs that is held out for judging: one in so many. */
  int HELD_OUT = 5;

  /** Who made the inputs: what a judgement is worth depends on it. */
  enum Origin {
    /** The user's own data. */
    GIVEN,
    /** Data that ships with pseed. */
    SHIPPED,
    /** Made from the graph's signature; they exercise a model, they are no data. */
    GENERATED
  }

  /**
   * Two parts that have no input in common.
   *
   * @param calibration what the model is calibrated with
   * @param judging what the result is judged with; of size 0 where there is nothing to spare
   */
  record Split(CalibrationInputs calibration, CalibrationInputs judging) {}

  /** What they are, for reports: {@code 200 texts of notes.txt}. */
  String description();

  /** Who made them. */
  Origin origin();

  /** Whether they were made from the graph's signature, so that they say little of real use. */
  default boolean generated() {
    return origin() == Origin.GENERATED;
  }

  /** How many runs there are. */
  int size();

  /** Sentences for the user: what of the data was left aside. */
  default List<String> notices() {
    return List.of();
  }

  /**
   * The inputs of one run by name; the caller closes them.
   *
   * @param index 0 to {@link #size()} - 1
   * @throws IOException where the data turns out not to fit the model; the message names the place
   */
  Map<String, OnnxTensor> make(OrtEnvironment environment, int index)
      throws IOException, OrtException;

  /**
   * Takes inputs out for judging: of given ones, evenly spread, at most every fifth. The same
   * inputs are always divided in the same way.
   *
   * @param judging how many are wanted for judging
   */
  default Split split(int judging) {
    int held = Math.max(0, Math.min(judging, size() / HELD_OUT));
    List<Integer> kept = new ArrayList<>();
    List<Integer> out = new ArrayList<>();
    for (int i = 0; i < size(); i++) {
      // Held out is where i * held / size steps up.
      boolean step = (long) (i + 1) * held / size() > (long) i * held / size();
      (step ? out : kept).add(i);
    }
    return new Split(
        new SelectedInputs(this, kept, "for calibration"),
        new SelectedInputs(this, out, "held out"));
  }
}
