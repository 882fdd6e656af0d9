package io.pseed.converter.source.onnx;

import static org.assertj.core.api.Assertions.assertThat;

import ai.onnxruntime.NodeInfo;
import ai.onnxruntime.OnnxJavaType;
import ai.onnxruntime.OnnxTensor;
import ai.onnxruntime.OnnxTensorLike;
import ai.onnxruntime.OnnxValue;
import ai.onnxruntime.OrtEnvironment;
import ai.onnxruntime.OrtException;
import ai.onnxruntime.OrtSession;
import ai.onnxruntime.TensorInfo;
import io.pseed.converter.onnx.proto.ModelProto;
import io.pseed.converter.onnx.proto.TensorProto;
import io.pseed.converter.source.SourceTensor;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;

/** Runs models in ONNX Runtime and compares what they compute, bit for bit. */
final class OnnxRuns {
  static final OrtEnvironment ENVIRONMENT = OrtEnvironment.getEnvironment();

  private OnnxRuns() {}

  /** All elements of a tensor. */
  static ByteBuffer bytes(SourceTensor tensor) throws IOException {
    ByteBuffer out = ByteBuffer.allocate(Math.toIntExact(tensor.byteSize()));
    tensor.read(0, out);
    return out.flip();
  }

  /** The model that the source's section and tensors stand for. */
  static ModelProto restored(OnnxModelSource source) throws IOException {
    Map<String, SourceTensor> byName = new HashMap<>();
    for (SourceTensor tensor : source.tensors()) {
      assertThat(byName.put(tensor.name(), tensor)).as(tensor.name()).isNull();
    }
    byte[] graph = source.sections().get(OnnxModels.GRAPH_SECTION);
    ModelProto restored =
        OnnxModels.restore(Path.of("m.pseed"), graph, name -> bytes(byName.get(name)));
    assertThat(OnnxModels.pseedInitializers(OnnxModels.parse(Path.of("g"), graph)))
        .extracting(TensorProto::getName)
        .containsExactlyElementsOf(source.tensors().stream().map(SourceTensor::name).toList());
    return restored;
  }

  /** A fixed input: type, shape and the bytes of the elements. */
  @SuppressWarnings("ArrayRecordComponent")
  record Input(OnnxJavaType type, long[] shape, ByteBuffer data) {}

  /** Random inputs for a model without symbolic dimensions, except where {@code shapes} says. */
  static Map<String, Input> inputs(byte[] model, Map<String, long[]> shapes, long seed)
      throws OrtException {
    Map<String, Input> inputs = new LinkedHashMap<>();
    try (OrtSession.SessionOptions options = options(true);
        OrtSession session = ENVIRONMENT.createSession(model, options)) {
      Random random = new Random(seed);
      for (Map.Entry<String, NodeInfo> entry : session.getInputInfo().entrySet()) {
        TensorInfo info = (TensorInfo) entry.getValue().getInfo();
        long[] shape = shapes.getOrDefault(entry.getKey(), info.getShape());
        int count = 1;
        for (long dim : shape) {
          count *= (int) dim;
        }
        inputs.put(entry.getKey(), new Input(info.type, shape, data(info.type, count, random)));
      }
    }
    return inputs;
  }

  private static ByteBuffer data(OnnxJavaType type, int count, Random random) {
    ByteBuffer out = ByteBuffer.allocateDirect(count * type.size).order(ByteOrder.nativeOrder());
    for (int i = 0; i < count; i++) {
      switch (type) {
        case FLOAT -> out.putFloat((float) random.nextGaussian());
        case INT64 -> out.putLong(random.nextInt(100));
        case INT32 -> out.putInt(random.nextInt(100));
        case BOOL -> out.put((byte) random.nextInt(2));
        default -> throw new IllegalArgumentException("no random values for " + type);
      }
    }
    return out.flip();
  }

  static Input scalar(boolean value) {
    return new Input(
        OnnxJavaType.BOOL,
        new long[0],
        ByteBuffer.allocateDirect(1).put((byte) (value ? 1 : 0)).flip());
  }

  static Input scalar(long value) {
    return new Input(
        OnnxJavaType.INT64,
        new long[0],
        ByteBuffer.allocateDirect(8).order(ByteOrder.nativeOrder()).putLong(value).flip());
  }

  private static OrtSession.SessionOptions options(boolean prepack) throws OrtException {
    OrtSession.SessionOptions options = new OrtSession.SessionOptions();
    options.setIntraOpNumThreads(1);
    options.setInterOpNumThreads(1);
    options.setSessionLogLevel(ai.onnxruntime.OrtLoggingLevel.ORT_LOGGING_LEVEL_FATAL);
    options.addConfigEntry("session.disable_prepacking", prepack ? "0" : "1");
    return options;
  }

  /** Outputs by name; those that are no tensors of numbers as the text of their value. */
  static Map<String, Object> run(byte[] model, Map<String, Input> inputs, boolean prepack)
      throws OrtException {
    try (OrtSession.SessionOptions options = options(prepack)) {
      return run(model, inputs, options);
    }
  }

  /** Runs the section as it is and gives the runtime the weights as external initializers. */
  private static Map<String, Object> runInjected(
      OnnxModelSource source, Map<String, Input> inputs, boolean prepack)
      throws IOException, OrtException {
    Map<String, OnnxTensorLike> weights = new LinkedHashMap<>();
    try (OrtSession.SessionOptions options = options(prepack)) {
      for (SourceTensor tensor : source.tensors()) {
        OnnxJavaType type =
            switch (tensor.dtype()) {
              case F32 -> OnnxJavaType.FLOAT;
              case I64 -> OnnxJavaType.INT64;
              case U8 -> OnnxJavaType.UINT8;
              case I8 -> OnnxJavaType.INT8;
              default -> throw new IllegalArgumentException(tensor.dtype().name());
            };
        ByteBuffer data =
            ByteBuffer.allocateDirect(Math.toIntExact(tensor.byteSize()))
                .order(ByteOrder.nativeOrder());
        tensor.read(0, data);
        weights.put(
            tensor.name(), OnnxTensor.createTensor(ENVIRONMENT, data.flip(), tensor.shape(), type));
      }
      options.addExternalInitializers(weights);
      return run(source.sections().get(OnnxModels.GRAPH_SECTION), inputs, options);
    } finally {
      weights.values().forEach(OnnxTensorLike::close);
    }
  }

  private static Map<String, Object> run(
      byte[] model, Map<String, Input> inputs, OrtSession.SessionOptions options)
      throws OrtException {
    Map<String, OnnxTensorLike> tensors = new LinkedHashMap<>();
    try (OrtSession session = ENVIRONMENT.createSession(model, options)) {
      for (Map.Entry<String, Input> entry : inputs.entrySet()) {
        Input in = entry.getValue();
        tensors.put(
            entry.getKey(),
            OnnxTensor.createTensor(ENVIRONMENT, in.data().duplicate(), in.shape(), in.type()));
      }
      Map<String, Object> outputs = new LinkedHashMap<>();
      try (OrtSession.Result result = session.run(tensors)) {
        for (Map.Entry<String, OnnxValue> entry : result) {
          outputs.put(entry.getKey(), comparable(entry.getValue()));
        }
      }
      return outputs;
    } finally {
      tensors.values().forEach(OnnxTensorLike::close);
    }
  }

  private static Object comparable(OnnxValue value) throws OrtException {
    if (value instanceof OnnxTensor tensor && tensor.getInfo().type != OnnxJavaType.STRING) {
      return List.of(
          tensor.getInfo().type,
          ByteBuffer.wrap(array(tensor.getByteBuffer())),
          Arrays.toString(tensor.getInfo().getShape()));
    }
    Object plain = value.getValue();
    return plain instanceof Object[] array ? Arrays.deepToString(array) : String.valueOf(plain);
  }

  private static byte[] array(ByteBuffer buffer) {
    byte[] out = new byte[buffer.remaining()];
    buffer.duplicate().get(out);
    return out;
  }

  /**
   * Asserts that the source's model computes what the original computes, restored as one file and
   * with its weights injected at load.
   */
  static void assertSame(byte[] original, OnnxModelSource source, Map<String, Input> inputs)
      throws IOException, OrtException {
    assertSame(original, source, inputs, true);
  }

  /**
   * The same.
   *
   * @param prepack whether the runtime may lay weights out anew at load, which it does for an LSTM
   *     only where the weight stands in the LSTM's own graph, and which changes last bits
   */
  static void assertSame(
      byte[] original, OnnxModelSource source, Map<String, Input> inputs, boolean prepack)
      throws IOException, OrtException {
    byte[] restored = restored(source).toByteArray();
    Map<String, Object> expected = run(original, inputs, prepack);
    assertThat(run(restored, inputs, prepack)).isEqualTo(expected);
    assertThat(runInjected(source, inputs, prepack)).isEqualTo(expected);
  }
}
