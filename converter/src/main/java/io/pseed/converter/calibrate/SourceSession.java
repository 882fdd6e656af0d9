package io.pseed.converter.calibrate;

import ai.onnxruntime.OnnxJavaType;
import ai.onnxruntime.OnnxTensor;
import ai.onnxruntime.OnnxTensorLike;
import ai.onnxruntime.OrtEnvironment;
import ai.onnxruntime.OrtException;
import ai.onnxruntime.OrtSession;
import io.pseed.converter.onnx.proto.GraphProto;
import io.pseed.converter.onnx.proto.ModelProto;
import io.pseed.converter.onnx.proto.TensorProto;
import io.pseed.converter.source.SourceException;
import io.pseed.converter.source.SourceTensor;
import io.pseed.converter.source.onnx.OnnxModelSource;
import io.pseed.converter.source.onnx.OnnxModels;
import io.pseed.format.DType;
import io.pseed.onnx.JavaTypes;
import java.io.IOException;
import java.lang.ref.Reference;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/** Opens a source's graph, or one made from it, with the source's weights. */
public final class SourceSession {
  private SourceSession() {}

  /** Changes weights on their way into a session. */
  @FunctionalInterface
  public interface Rewrite {
    /**
     * Changes a weight in place.
     *
     * @param elements all of the tensor's bytes, little-endian, from 0 to the limit
     */
    void apply(SourceTensor tensor, ByteBuffer elements) throws IOException;
  }

  /**
   * A session of {@code model}, whose initializers without data are those of the source, FP16 and
   * BF16 as FP32.
   *
   * @param model {@linkplain WidenedModel widened}
   * @param threads of one operator
   * @throws SourceException where a weight has a type that ONNX Runtime's Java binding cannot take,
   *     or more bytes than a Java buffer
   * @throws OrtException where ONNX Runtime refuses the model, for example for an operator it lacks
   */
  static OrtSession open(
      OrtEnvironment environment, OnnxModelSource source, ModelProto model, int threads)
      throws IOException, OrtException {
    try (OrtSession.SessionOptions options = new OrtSession.SessionOptions()) {
      options.setIntraOpNumThreads(threads);
      return open(
          environment,
          source,
          model,
          options,
          tensor -> {
            requireBuffer(source, tensor, WidenedModel.byteSize(tensor));
            return new Weight(WidenedModel.read(tensor), WidenedModel.type(tensor.dtype()));
          });
    }
  }

  /** All of a weight's bytes, little-endian, direct, from 0 to the limit. */
  static ByteBuffer read(SourceTensor tensor) throws IOException {
    ByteBuffer bytes =
        ByteBuffer.allocateDirect(Math.toIntExact(tensor.byteSize()))
            .order(ByteOrder.LITTLE_ENDIAN);
    tensor.read(0, bytes);
    return bytes.flip();
  }

  private static void requireBuffer(OnnxModelSource source, SourceTensor tensor, long bytes)
      throws SourceException {
    if (bytes > Integer.MAX_VALUE) {
      throw new SourceException(
          source.path(),
          "tensor '"
              + tensor.name()
              + "' takes "
              + bytes
              + " bytes in memory, more than the 2147483647 of a Java buffer, so the model cannot"
              + " be run with given weights");
    }
  }

  /**
   * A session of {@code model} with changed weights; see {@link #open(OrtEnvironment,
   * OnnxModelSource, ModelProto, int)}.
   *
   * @param options for this session alone; the caller closes them
   */
  public static OrtSession open(
      OrtEnvironment environment,
      OnnxModelSource source,
      ModelProto model,
      OrtSession.SessionOptions options,
      Rewrite rewrite)
      throws IOException, OrtException {
    return open(
        environment,
        source,
        model,
        options,
        tensor -> {
          requireBuffer(source, tensor, tensor.byteSize());
          ByteBuffer bytes = read(tensor);
          rewrite.apply(tensor, bytes);
          return new Weight(bytes, tensor.dtype());
        });
  }

  /** All of a weight's bytes, and their type. */
  private record Weight(ByteBuffer bytes, DType type) {}

  @FunctionalInterface
  private interface Weights {
    Weight of(SourceTensor tensor) throws IOException;
  }

  private static OrtSession open(
      OrtEnvironment environment,
      OnnxModelSource source,
      ModelProto model,
      OrtSession.SessionOptions options,
      Weights weights)
      throws IOException, OrtException {
    // ONNX Runtime takes no weights that nothing refers to.
    Set<String> used = new HashSet<>();
    GraphNodes.uses(model.getGraph(), used);
    GraphProto.Builder graph = model.getGraph().toBuilder().clearInitializer();
    for (TensorProto initializer : model.getGraph().getInitializerList()) {
      if (used.contains(initializer.getName())) {
        graph.addInitializer(initializer);
      }
    }
    Map<String, OnnxTensorLike> tensors = new LinkedHashMap<>();
    List<ByteBuffer> buffers = new ArrayList<>();
    try {
      for (SourceTensor tensor : source.tensors()) {
        if (!used.contains(tensor.name())) {
          continue;
        }
        Weight weight = weights.of(tensor);
        buffers.add(weight.bytes);
        tensors.put(
            tensor.name(),
            OnnxTensor.createTensor(
                environment, weight.bytes, tensor.shape(), type(source, tensor, weight.type)));
      }
      options.addExternalInitializers(tensors);
      return environment.createSession(
          OnnxModels.serialize(model.toBuilder().setGraph(graph).build()), options);
    } finally {
      tensors.values().forEach(OnnxTensorLike::close);
      Reference.reachabilityFence(buffers);
    }
  }

  private static OnnxJavaType type(OnnxModelSource source, SourceTensor tensor, DType type)
      throws SourceException {
    return JavaTypes.of(type)
        .orElseThrow(
            () ->
                new SourceException(
                    source.path(),
                    "tensor '"
                        + tensor.name()
                        + "' is "
                        + tensor.dtype()
                        + ", which the Java binding of ONNX Runtime cannot take, so the model"
                        + " cannot be run with given weights"));
  }
}
