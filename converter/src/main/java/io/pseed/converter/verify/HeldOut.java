package io.pseed.converter.verify;

import ai.onnxruntime.OnnxTensor;
import ai.onnxruntime.OrtEnvironment;
import ai.onnxruntime.OrtException;
import ai.onnxruntime.OrtSession;
import io.pseed.converter.calibrate.CalibrationInputs;
import io.pseed.converter.onnx.proto.ModelProto;
import io.pseed.converter.verify.GeneratedInputs.UnsupportedModelException;
import java.util.Map;

/**
 * Inputs that judge: nothing that was fitted has met them.
 *
 * @param inputs the inputs
 * @param generated whether they are made from the graph's signature
 */
public record HeldOut(CalibrationInputs inputs, boolean generated) {
  /** Data of a user. */
  public static HeldOut real(CalibrationInputs inputs) {
    return new HeldOut(inputs, false);
  }

  /**
   * Generated inputs. The original decides which sizes are good: its graph may demand what its
   * signature hides.
   *
   * @param model the original's graph, to find what numbers its inputs take
   * @param shapes of inputs by name, where the user knows better
   * @param runs how many inputs are made
   * @throws UnsupportedModelException where no inputs can be made that the original takes
   */
  public static HeldOut generated(
      OrtSession original, ModelProto model, Map<String, long[]> shapes, int runs)
      throws OrtException, UnsupportedModelException {
    GeneratedInputs inputs = new GeneratedInputs(original.getInputInfo(), model, shapes);
    OrtEnvironment environment = OrtEnvironment.getEnvironment();
    OrtException failure = null;
    for (int profile = 0; profile < inputs.profiles(); profile++) {
      Map<String, OnnxTensor> made = inputs.make(environment, 0, profile);
      try (OrtSession.Result result = original.run(made)) {
        if (result.size() > 0) {
          return new HeldOut(new Generated(inputs, profile, runs), true);
        }
      } catch (OrtException e) {
        failure = e;
      } finally {
        made.values().forEach(OnnxTensor::close);
      }
    }
    throw new UnsupportedModelException(
        "the original does not run on generated inputs ("
            + (failure == null ? "it has no outputs" : failure.getMessage())
            + ")");
  }

  private record Generated(GeneratedInputs inputs, int profile, int size)
      implements CalibrationInputs {
    @Override
    public String description() {
      return "generated from the graph's signature";
    }

    @Override
    public Map<String, OnnxTensor> make(OrtEnvironment environment, int index) throws OrtException {
      return inputs.make(environment, index, profile);
    }
  }
}
