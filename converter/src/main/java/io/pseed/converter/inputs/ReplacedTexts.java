package io.pseed.converter.inputs;

import ai.onnxruntime.OnnxTensor;
import ai.onnxruntime.OrtEnvironment;
import ai.onnxruntime.OrtException;
import io.pseed.converter.calibrate.CalibrationInputs;
import java.io.IOException;
import java.util.List;
import java.util.Map;

/**
 * Texts, and behind them copies with words replaced; {@link #split} judges with texts alone, of
 * which no copy calibrates.
 *
 * @param texts as they are
 * @param copies each has as many runs as the texts, number i of text i
 */
record ReplacedTexts(CalibrationInputs texts, List<CalibrationInputs> copies)
    implements CalibrationInputs {
  ReplacedTexts {
    copies = List.copyOf(copies);
    for (CalibrationInputs copy : copies) {
      if (copy.size() != texts.size()) {
        throw new IllegalArgumentException(
            copy.size() + " copies of texts, expected " + texts.size());
      }
    }
  }

  @Override
  public String description() {
    return texts.description()
        + (copies.size() == 1 ? ", once more" : ", " + copies.size() + " times more")
        + " with half of the words replaced";
  }

  @Override
  public Origin origin() {
    return texts.origin();
  }

  @Override
  public int size() {
    return texts.size() * (1 + copies.size());
  }

  @Override
  public List<String> notices() {
    return texts.notices();
  }

  @Override
  public Map<String, OnnxTensor> make(OrtEnvironment environment, int index)
      throws IOException, OrtException {
    int copy = index / texts.size();
    CalibrationInputs from = copy == 0 ? texts : copies.get(copy - 1);
    return from.make(environment, index % texts.size());
  }

  @Override
  public Split split(int judging) {
    Split divided = texts.split(judging);
    // As many inputs are always divided in the same way.
    List<CalibrationInputs> kept =
        copies.stream().map(copy -> copy.split(judging).calibration()).toList();
    return new Split(new ReplacedTexts(divided.calibration(), kept), divided.judging());
  }
}
