package io.pseed.converter.verify;

import ai.onnxruntime.OnnxTensor;
import ai.onnxruntime.OnnxValue;
import ai.onnxruntime.OrtEnvironment;
import ai.onnxruntime.OrtException;
import ai.onnxruntime.OrtSession;
import ai.onnxruntime.TensorInfo;
import io.pseed.converter.inputs.GeneratedInputs;
import io.pseed.converter.inputs.InputSignature;
import io.pseed.converter.inputs.UnsupportedModelException;
import io.pseed.converter.onnx.proto.ModelProto;
import java.nio.ByteBuffer;
import java.nio.FloatBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** Runs two sessions on the same generated inputs and compares what they answer. */
public final class OutputCheck {
  private OutputCheck() {}

  /**
   * Compares.
   *
   * @param model the original's graph, to find what numbers its inputs take
   * @param shapes of inputs by name, where the user knows better
   * @param runs how many inputs are made
   * @throws UnsupportedModelException where no inputs can be made that the original takes, or no
   *     output is a tensor of numbers
   */
  public static List<OutputError> compare(
      OrtSession original, OrtSession other, ModelProto model, Map<String, long[]> shapes, int runs)
      throws OrtException, UnsupportedModelException {
    OrtEnvironment environment = OrtEnvironment.getEnvironment();
    GeneratedInputs inputs =
        new GeneratedInputs(new InputSignature(model), shapes, runs)
            .forJudging(runs)
            .thatRun(original);
    Map<String, List<Double>> cosines = new LinkedHashMap<>();
    Map<String, Boolean> real = new LinkedHashMap<>();
    for (int run = 0; run < runs; run++) {
      Map<String, OnnxTensor> made = inputs.make(environment, run);
      try (OrtSession.Result expected = original.run(made);
          OrtSession.Result found = other.run(made)) {
        for (Map.Entry<String, OnnxValue> entry : expected) {
          if (entry.getValue() instanceof OnnxTensor tensor
              && found.get(entry.getKey()).orElse(null) instanceof OnnxTensor answer) {
            compare(entry.getKey(), tensor, answer, cosines, real);
          }
        }
      } finally {
        made.values().forEach(OnnxTensor::close);
      }
    }
    if (cosines.isEmpty()) {
      throw new UnsupportedModelException("no output of the model is a tensor of numbers");
    }
    List<OutputError> errors = new ArrayList<>();
    cosines.forEach(
        (name, values) ->
            errors.add(
                new OutputError(
                    name,
                    real.get(name),
                    values.stream().mapToDouble(v -> v).average().orElseThrow(),
                    values.stream().mapToDouble(v -> v).min().orElseThrow())));
    return errors;
  }

  private static void compare(
      String name,
      OnnxTensor expected,
      OnnxTensor found,
      Map<String, List<Double>> cosines,
      Map<String, Boolean> real) {
    TensorInfo info = expected.getInfo();
    double value;
    switch (info.type) {
      case FLOAT, FLOAT16, BFLOAT16 -> {
        real.put(name, true);
        value = cosine(floats(expected), floats(found));
      }
      case DOUBLE -> {
        real.put(name, true);
        value = cosine(doubles(expected), doubles(found));
      }
      case STRING, UNKNOWN -> {
        return;
      }
      default -> {
        real.put(name, false);
        value = equalShare(expected.getByteBuffer(), found.getByteBuffer(), info.type.size);
      }
    }
    cosines.computeIfAbsent(name, key -> new ArrayList<>()).add(value);
  }

  /** Also converts 16-bit floats. */
  private static double[] floats(OnnxTensor tensor) {
    FloatBuffer buffer = tensor.getFloatBuffer();
    double[] out = new double[buffer.remaining()];
    for (int i = 0; i < out.length; i++) {
      out[i] = buffer.get(i);
    }
    return out;
  }

  private static double[] doubles(OnnxTensor tensor) {
    double[] out = new double[tensor.getDoubleBuffer().remaining()];
    tensor.getDoubleBuffer().get(out);
    return out;
  }

  /** 1 for equal vectors, also of zeros; 0 where sizes differ or a number is not finite. */
  public static double cosine(double[] a, double[] b) {
    if (Arrays.equals(a, b)) {
      return 1;
    }
    if (a.length != b.length) {
      return 0;
    }
    double ab = 0;
    double aa = 0;
    double bb = 0;
    for (int i = 0; i < a.length; i++) {
      ab += a[i] * b[i];
      aa += a[i] * a[i];
      bb += b[i] * b[i];
    }
    double cosine = ab / Math.sqrt(aa * bb);
    return Double.isFinite(cosine) ? Math.min(1, cosine) : 0;
  }

  private static double equalShare(ByteBuffer a, ByteBuffer b, int width) {
    if (a.remaining() != b.remaining()) {
      return 0;
    }
    int count = a.remaining() / width;
    int equal = 0;
    for (int i = 0; i < count; i++) {
      equal += a.slice(i * width, width).equals(b.slice(i * width, width)) ? 1 : 0;
    }
    return count == 0 ? 1 : (double) equal / count;
  }
}
