package io.pseed.converter.calibrate;

import ai.onnxruntime.OnnxJavaType;
import ai.onnxruntime.OnnxTensor;
import ai.onnxruntime.OnnxTensorLike;
import ai.onnxruntime.OrtEnvironment;
import ai.onnxruntime.OrtException;
import ai.onnxruntime.OrtSession;
import io.pseed.converter.onnx.proto.AttributeProto;
import io.pseed.converter.onnx.proto.GraphProto;
import io.pseed.converter.onnx.proto.ModelProto;
import io.pseed.converter.onnx.proto.NodeProto;
import io.pseed.converter.onnx.proto.TensorProto;
import io.pseed.converter.source.SourceException;
import io.pseed.converter.source.SourceTensor;
import io.pseed.converter.source.onnx.OnnxModelSource;
import io.pseed.converter.source.onnx.OnnxModels;
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
    /** Nothing is changed. */
    Rewrite NONE = (tensor, elements) -> {};

    /**
     * Changes a weight in place.
     *
     * @param elements all of the tensor's bytes, little-endian, from 0 to the limit
     */
    void apply(SourceTensor tensor, ByteBuffer elements) throws IOException;
  }

  /**
   * A session of {@code model}, whose initializers without data are those of the source.
   *
   * @param threads of one operator
   * @throws SourceException where a weight has a type that ONNX Runtime's Java binding cannot take
   * @throws OrtException where ONNX Runtime refuses the model, for example for an operator it lacks
   */
  static OrtSession open(
      OrtEnvironment environment, OnnxModelSource source, ModelProto model, int threads)
      throws IOException, OrtException {
    try (OrtSession.SessionOptions options = new OrtSession.SessionOptions()) {
      options.setIntraOpNumThreads(threads);
      return open(environment, source, model, options, Rewrite.NONE);
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
    Set<String> used = new HashSet<>();
    uses(model.getGraph(), used);
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
        ByteBuffer bytes =
            ByteBuffer.allocateDirect(Math.toIntExact(tensor.byteSize()))
                .order(ByteOrder.LITTLE_ENDIAN);
        tensor.read(0, bytes);
        rewrite.apply(tensor, bytes.flip());
        buffers.add(bytes);
        tensors.put(
            tensor.name(),
            OnnxTensor.createTensor(environment, bytes, tensor.shape(), type(source, tensor)));
      }
      options.addExternalInitializers(tensors);
      return environment.createSession(
          OnnxModels.serialize(model.toBuilder().setGraph(graph).build()), options);
    } finally {
      tensors.values().forEach(OnnxTensorLike::close);
      Reference.reachabilityFence(buffers);
    }
  }

  /**
   * Names that a graph or one inside it refers to; ONNX Runtime takes no weights that none does.
   */
  private static void uses(GraphProto graph, Set<String> names) {
    graph.getOutputList().forEach(output -> names.add(output.getName()));
    for (NodeProto node : graph.getNodeList()) {
      names.addAll(node.getInputList());
      for (AttributeProto attribute : node.getAttributeList()) {
        if (attribute.hasG()) {
          uses(attribute.getG(), names);
        }
        attribute.getGraphsList().forEach(inner -> uses(inner, names));
      }
    }
  }

  private static OnnxJavaType type(OnnxModelSource source, SourceTensor tensor)
      throws SourceException {
    return JavaTypes.of(tensor.dtype())
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
