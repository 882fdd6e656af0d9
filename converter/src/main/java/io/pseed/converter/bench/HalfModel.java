package io.pseed.converter.bench;

import com.google.protobuf.ByteString;
import io.pseed.converter.onnx.proto.AttributeProto;
import io.pseed.converter.onnx.proto.GraphProto;
import io.pseed.converter.onnx.proto.ModelProto;
import io.pseed.converter.onnx.proto.NodeProto;
import io.pseed.converter.onnx.proto.TensorProto;
import io.pseed.converter.onnx.proto.ValueInfoProto;
import io.pseed.converter.source.SourceTensor;
import io.pseed.converter.source.onnx.OnnxModelSource;
import io.pseed.converter.source.onnx.OnnxModels;
import io.pseed.format.Halfs;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/** A model with its weights as 16-bit floats, which a node makes 32-bit ones of at load. */
final class HalfModel {
  private static final float LARGEST = 65504;

  /** From this version on, initializers need not be graph inputs. */
  private static final long FREE_INITIALIZERS_IR = 4;

  private HalfModel() {}

  static void write(OnnxModelSource source, Path target) throws IOException {
    Map<String, SourceTensor> tensors = new HashMap<>();
    source.tensors().forEach(tensor -> tensors.put(tensor.name(), tensor));
    ModelProto.Builder model =
        OnnxModels.restore(
            source.path(),
            source.sections().get(OnnxModels.GRAPH_SECTION),
            name -> bytes(tensors.get(name)))
            .toBuilder();
    GraphProto.Builder graph = model.getGraphBuilder();
    List<NodeProto> casts = new ArrayList<>();
    for (int i = 0; i < graph.getInitializerCount(); i++) {
      TensorProto tensor = graph.getInitializer(i);
      boolean taken = tensors.containsKey(tensor.getName());
      if (!taken || tensor.getDataType() != TensorProto.DataType.FLOAT_VALUE) {
        continue;
      }
      String half = tensor.getName() + ".half";
      graph.setInitializer(
          i,
          tensor.toBuilder()
              .setName(half)
              .setDataType(TensorProto.DataType.FLOAT16_VALUE)
              .setRawData(halves(tensor.getRawData())));
      casts.add(
          NodeProto.newBuilder()
              .setOpType("Cast")
              .setName(half + ".cast")
              .addInput(half)
              .addOutput(tensor.getName())
              .addAttribute(
                  AttributeProto.newBuilder()
                      .setName("to")
                      .setType(AttributeProto.AttributeType.INT)
                      .setI(TensorProto.DataType.FLOAT_VALUE))
              .build());
    }
    // Models of old versions list their weights as inputs too.
    Set<String> computed = new HashSet<>();
    casts.forEach(cast -> computed.add(cast.getOutput(0)));
    List<ValueInfoProto> inputs = new ArrayList<>(graph.getInputList());
    inputs.removeIf(input -> computed.contains(input.getName()));
    graph.clearInput().addAllInput(inputs);
    model.setIrVersion(Math.max(FREE_INITIALIZERS_IR, model.getIrVersion()));
    casts.addAll(graph.getNodeList());
    graph.clearNode().addAllNode(casts);
    Files.write(target, model.build().toByteArray());
  }

  private static ByteBuffer bytes(SourceTensor tensor) throws IOException {
    ByteBuffer out = ByteBuffer.allocate(Math.toIntExact(tensor.byteSize()));
    tensor.read(0, out);
    return out.flip();
  }

  private static ByteString halves(ByteString floats) {
    ByteBuffer in = floats.asReadOnlyByteBuffer().order(ByteOrder.LITTLE_ENDIAN);
    ByteBuffer out = ByteBuffer.allocate(floats.size() / 2).order(ByteOrder.LITTLE_ENDIAN);
    while (in.hasRemaining()) {
      out.putShort(Halfs.fromFloat(Math.max(-LARGEST, Math.min(LARGEST, in.getFloat()))));
    }
    return ByteString.copyFrom(out.flip());
  }
}
