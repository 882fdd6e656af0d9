package io.pseed.converter.calibrate;

import ai.onnxruntime.OnnxTensor;
import ai.onnxruntime.OrtEnvironment;
import ai.onnxruntime.OrtException;
import java.util.Map;

/** Inputs that a model is run with to be calibrated; a number always gives the same inputs. */
public interface CalibrationInputs {
  /** What they are, for reports: {@code 200 texts of notes.txt}. */
  String description();

  /** How many runs there are. */
  int size();

  /**
   * The inputs of one run by name; the caller closes them.
   *
   * @param index 0 to {@link #size()} - 1
   */
  Map<String, OnnxTensor> make(OrtEnvironment environment, int index) throws OrtException;
}
