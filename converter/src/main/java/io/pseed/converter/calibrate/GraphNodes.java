package io.pseed.converter.calibrate;

import com.google.protobuf.ByteString;
import io.pseed.converter.onnx.proto.AttributeProto;
import io.pseed.converter.onnx.proto.GraphProto;
import io.pseed.converter.onnx.proto.NodeProto;
import io.pseed.converter.onnx.proto.TensorProto;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/** Short words for nodes, attributes and constants of ONNX graphs. */
final class GraphNodes {
  private GraphNodes() {}

  /** Adds the names that a graph or one inside it refers to. */
  static void uses(GraphProto graph, Set<String> names) {
    graph.getOutputList().forEach(output -> names.add(output.getName()));
    graph.getNodeList().forEach(node -> uses(node, names));
  }

  /** Adds the names that a node or a graph inside it refers to. */
  static void uses(NodeProto node, Set<String> names) {
    names.addAll(node.getInputList());
    for (AttributeProto attribute : node.getAttributeList()) {
      if (attribute.hasG()) {
        uses(attribute.getG(), names);
      }
      attribute.getGraphsList().forEach(inner -> uses(inner, names));
    }
  }

  static Optional<AttributeProto> attribute(NodeProto node, String name) {
    return node.getAttributeList().stream().filter(a -> a.getName().equals(name)).findFirst();
  }

  static long integer(NodeProto node, String name, long absent) {
    return attribute(node, name).map(AttributeProto::getI).orElse(absent);
  }

  static float real(NodeProto node, String name, float absent) {
    return attribute(node, name).map(AttributeProto::getF).orElse(absent);
  }

  static List<Long> integers(NodeProto node, String name) {
    return attribute(node, name).map(AttributeProto::getIntsList).orElse(List.of());
  }

  static String text(NodeProto node, String name, String absent) {
    return attribute(node, name).map(a -> a.getS().toStringUtf8()).orElse(absent);
  }

  static AttributeProto integer(String name, long value) {
    return AttributeProto.newBuilder()
        .setName(name)
        .setType(AttributeProto.AttributeType.INT)
        .setI(value)
        .build();
  }

  static AttributeProto real(String name, float value) {
    return AttributeProto.newBuilder()
        .setName(name)
        .setType(AttributeProto.AttributeType.FLOAT)
        .setF(value)
        .build();
  }

  static AttributeProto integers(String name, Iterable<Long> values) {
    return AttributeProto.newBuilder()
        .setName(name)
        .setType(AttributeProto.AttributeType.INTS)
        .addAllInts(values)
        .build();
  }

  /** A scalar of binary32. */
  static TensorProto scalar(String name, float value) {
    ByteBuffer bytes = ByteBuffer.allocate(4).order(ByteOrder.LITTLE_ENDIAN).putFloat(value);
    return TensorProto.newBuilder()
        .setName(name)
        .setDataType(TensorProto.DataType.FLOAT_VALUE)
        .setRawData(ByteString.copyFrom(bytes.flip()))
        .build();
  }

  /** A vector of 64-bit integers. */
  static TensorProto vector(String name, List<Long> values) {
    ByteBuffer bytes = ByteBuffer.allocate(8 * values.size()).order(ByteOrder.LITTLE_ENDIAN);
    values.forEach(bytes::putLong);
    return TensorProto.newBuilder()
        .setName(name)
        .setDataType(TensorProto.DataType.INT64_VALUE)
        .addDims(values.size())
        .setRawData(ByteString.copyFrom(bytes.flip()))
        .build();
  }
}
