package io.pseed.converter.calibrate;

import java.util.List;
import java.util.Map;

/**
 * What one calibration found out.
 *
 * @param tensors by name of the weight
 * @param inputs what the model was run with
 * @param notices sentences for the user: what could not be looked at, and what is used in its place
 */
public record Calibration(
    Map<String, TensorStatistics> tensors, String inputs, List<String> notices) {
  public Calibration {
    tensors = Map.copyOf(tensors);
    notices = List.copyOf(notices);
  }
}
