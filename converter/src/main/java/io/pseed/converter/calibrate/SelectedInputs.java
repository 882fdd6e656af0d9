package io.pseed.converter.calibrate;

import ai.onnxruntime.OnnxTensor;
import ai.onnxruntime.OrtEnvironment;
import ai.onnxruntime.OrtException;
import java.io.IOException;
import java.util.List;
import java.util.Map;

/**
 * Some of other inputs.
 *
 * @param from all of them
 * @param indexes which, in which order
 * @param part what is said of them behind their number
 */
record SelectedInputs(CalibrationInputs from, List<Integer> indexes, String part)
    implements CalibrationInputs {
  SelectedInputs {
    indexes = List.copyOf(indexes);
  }

  @Override
  public String description() {
    return indexes.size() + " " + part + " of " + from.description();
  }

  @Override
  public Origin origin() {
    return from.origin();
  }

  @Override
  public int size() {
    return indexes.size();
  }

  @Override
  public List<String> notices() {
    return from.notices();
  }

  @Override
  public Map<String, OnnxTensor> make(OrtEnvironment environment, int index)
      throws IOException, OrtException {
    return from.make(environment, indexes.get(index));
  }
}
