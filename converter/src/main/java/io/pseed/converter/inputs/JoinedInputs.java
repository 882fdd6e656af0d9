package io.pseed.converter.inputs;

import ai.onnxruntime.OnnxTensor;
import ai.onnxruntime.OrtEnvironment;
import ai.onnxruntime.OrtException;
import io.pseed.converter.calibrate.CalibrationInputs;
import java.io.IOException;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;

/**
 * Inputs, and more of another kind behind them; {@link #split} judges with the first kind alone.
 *
 * @param texts the first kind
 * @param others the second
 */
public record JoinedInputs(CalibrationInputs texts, CalibrationInputs others)
    implements CalibrationInputs {
  @Override
  public String description() {
    return texts.description() + ", and " + others.description();
  }

  @Override
  public Origin origin() {
    return texts.origin();
  }

  @Override
  public int size() {
    return texts.size() + others.size();
  }

  @Override
  public List<String> notices() {
    return Stream.concat(texts.notices().stream(), others.notices().stream()).toList();
  }

  @Override
  public Map<String, OnnxTensor> make(OrtEnvironment environment, int index)
      throws IOException, OrtException {
    return index < texts.size()
        ? texts.make(environment, index)
        : others.make(environment, index - texts.size());
  }

  @Override
  public Split split(int judging) {
    Split divided = texts.split(judging);
    return new Split(new JoinedInputs(divided.calibration(), others), divided.judging());
  }
}
