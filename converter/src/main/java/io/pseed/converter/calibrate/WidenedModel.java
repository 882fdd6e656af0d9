package io.pseed.converter.calibrate;

import com.google.protobuf.ByteString;
import io.pseed.converter.onnx.proto.AttributeProto;
import io.pseed.converter.onnx.proto.FunctionProto;
import io.pseed.converter.onnx.proto.GraphProto;
import io.pseed.converter.onnx.proto.ModelProto;
import io.pseed.converter.onnx.proto.NodeProto;
import io.pseed.converter.onnx.proto.TensorProto;
import io.pseed.converter.onnx.proto.TypeProto;
import io.pseed.converter.onnx.proto.ValueInfoProto;
import io.pseed.converter.source.SourceTensor;
import io.pseed.format.DType;
import io.pseed.format.Halfs;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * A model of FP16 or BF16 values as one of FP32 values. ONNX Runtime computes FP16 on a processor
 * through FP32 anyway, node by node; and gradients of FP16 values would vanish or overflow.
 */
final class WidenedModel {
  private static final int FP32 = TensorProto.DataType.FLOAT_VALUE;
  private static final String NARROW = "pseed.narrow.";

  /** Attributes that hold a type of elements. */
  private static final List<String> TYPES = List.of("to", "dtype");

  private WidenedModel() {}

  private static boolean narrow(int type) {
    return type == TensorProto.DataType.FLOAT16_VALUE
        || type == TensorProto.DataType.BFLOAT16_VALUE;
  }

  private static boolean narrow(DType type) {
    return type == DType.F16 || type == DType.BF16;
  }

  /** The type that a weight of the source has in the widened model. */
  static DType type(DType type) {
    return narrow(type) ? DType.F32 : type;
  }

  /** Bytes that a weight of the source takes in the widened model. */
  static long byteSize(SourceTensor tensor) {
    return narrow(tensor.dtype()) ? 2 * tensor.byteSize() : tensor.byteSize();
  }

  /**
   * All of a weight's bytes as the widened model has them.
   *
   * @return little-endian, direct, from 0 to the limit
   */
  static ByteBuffer read(SourceTensor tensor) throws IOException {
    ByteBuffer stored = SourceSession.read(tensor);
    if (!narrow(tensor.dtype())) {
      return stored;
    }
    return widened(
        stored,
        tensor.dtype() == DType.F16,
        ByteBuffer.allocateDirect(Math.toIntExact(byteSize(tensor))));
  }

  private static ByteBuffer widened(ByteBuffer narrow, boolean half, ByteBuffer wide) {
    wide.order(ByteOrder.LITTLE_ENDIAN);
    while (narrow.remaining() >= Short.BYTES) {
      wide.putFloat(value(narrow.getShort(), half));
    }
    return wide.flip();
  }

  private static float value(short bits, boolean half) {
    return half ? Halfs.toFloat(bits) : Halfs.fromBFloat16(bits);
  }

  /**
   * The model with all values in FP32; inputs keep their types, outputs are FP32. The same object
   * where nothing is to be widened.
   */
  static ModelProto of(ModelProto model) {
    ModelProto.Builder out =
        model.toBuilder().setGraph(graph(model.getGraph(), true, new HashMap<>()));
    for (int f = 0; f < out.getFunctionsCount(); f++) {
      FunctionProto.Builder function = out.getFunctionsBuilder(f).clearValueInfo();
      for (int n = 0; n < function.getNodeCount(); n++) {
        function.setNode(n, node(function.getNode(n), Map.of()));
      }
    }
    ModelProto widened = out.build();
    return widened.equals(model) ? model : widened;
  }

  /**
   * Widens a graph.
   *
   * @param renamed values of the graphs around it that have another name now
   */
  private static GraphProto graph(GraphProto graph, boolean main, Map<String, String> renamed) {
    GraphProto.Builder out = graph.toBuilder().clearNode().clearValueInfo();
    for (int i = 0; i < graph.getInitializerCount(); i++) {
      out.setInitializer(i, tensor(graph.getInitializer(i)));
    }
    for (ValueInfoProto info : graph.getValueInfoList()) {
      out.addValueInfo(wide(info));
    }
    for (int i = 0; i < graph.getOutputCount(); i++) {
      out.setOutput(i, wide(graph.getOutput(i)));
    }
    Set<String> defaults = new HashSet<>();
    graph.getInitializerList().forEach(initializer -> defaults.add(initializer.getName()));
    for (int i = 0; i < graph.getInputCount(); i++) {
      ValueInfoProto input = graph.getInput(i);
      if (!main || defaults.contains(input.getName())) {
        out.setInput(i, wide(input));
      } else if (narrow(input.getType().getTensorType().getElemType())) {
        // Callers feed what the signature says.
        String name = input.getName();
        renamed.put(name, NARROW + name);
        out.addNode(
            NodeProto.newBuilder()
                .setOpType("Cast")
                .setName(NARROW + name)
                .addInput(name)
                .addOutput(NARROW + name)
                .addAttribute(GraphNodes.integer("to", FP32)));
      }
    }
    for (NodeProto node : graph.getNodeList()) {
      out.addNode(node(node, renamed));
    }
    return out.build();
  }

  private static NodeProto node(NodeProto node, Map<String, String> renamed) {
    NodeProto.Builder out = node.toBuilder();
    for (int i = 0; i < node.getInputCount(); i++) {
      out.setInput(i, renamed.getOrDefault(node.getInput(i), node.getInput(i)));
    }
    for (int a = 0; a < node.getAttributeCount(); a++) {
      AttributeProto attribute = node.getAttribute(a);
      AttributeProto.Builder wide = out.getAttributeBuilder(a);
      if (TYPES.contains(attribute.getName()) && narrow((int) attribute.getI())) {
        wide.setI(FP32);
      }
      if (attribute.hasT()) {
        wide.setT(tensor(attribute.getT()));
      }
      for (int t = 0; t < attribute.getTensorsCount(); t++) {
        wide.setTensors(t, tensor(attribute.getTensors(t)));
      }
      if (attribute.hasG()) {
        wide.setG(graph(attribute.getG(), false, renamed));
      }
      for (int g = 0; g < attribute.getGraphsCount(); g++) {
        wide.setGraphs(g, graph(attribute.getGraphs(g), false, renamed));
      }
    }
    return out.build();
  }

  private static ValueInfoProto wide(ValueInfoProto info) {
    return info.hasType() ? info.toBuilder().setType(wide(info.getType())).build() : info;
  }

  private static TypeProto wide(TypeProto type) {
    TypeProto.Builder out = type.toBuilder();
    switch (type.getValueCase()) {
      case TENSOR_TYPE -> {
        if (narrow(type.getTensorType().getElemType())) {
          out.getTensorTypeBuilder().setElemType(FP32);
        }
      }
      case SEQUENCE_TYPE ->
          out.getSequenceTypeBuilder().setElemType(wide(type.getSequenceType().getElemType()));
      case OPTIONAL_TYPE ->
          out.getOptionalTypeBuilder().setElemType(wide(type.getOptionalType().getElemType()));
      default -> {}
    }
    return out.build();
  }

  /** Data that stand elsewhere get their new type alone: {@link #read} makes them. */
  private static TensorProto tensor(TensorProto tensor) {
    if (!narrow(tensor.getDataType())) {
      return tensor;
    }
    boolean half = tensor.getDataType() == TensorProto.DataType.FLOAT16_VALUE;
    TensorProto.Builder out = tensor.toBuilder().setDataType(FP32).clearInt32Data();
    for (int bits : tensor.getInt32DataList()) {
      out.addFloatData(value((short) bits, half));
    }
    if (tensor.hasRawData()) {
      // A piece of the file's bytes: its buffer starts elsewhere than at 0.
      ByteBuffer raw =
          tensor.getRawData().asReadOnlyByteBuffer().slice().order(ByteOrder.LITTLE_ENDIAN);
      out.setRawData(
          ByteString.copyFrom(widened(raw, half, ByteBuffer.allocate(2 * raw.remaining()))));
    }
    return out.build();
  }
}
