package io.pseed.converter.calibrate;

import com.google.protobuf.ByteString;
import io.pseed.converter.onnx.proto.AttributeProto;
import io.pseed.converter.onnx.proto.ModelProto;
import io.pseed.converter.onnx.proto.NodeProto;
import io.pseed.converter.onnx.proto.TensorProto;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.List;

/** Writes further nodes and constants of a graph, in one version of the standard operators. */
final class GraphWriter {
  private final String prefix;
  private final int opset;
  private final List<NodeProto> nodes = new ArrayList<>();
  private final List<TensorProto> constants = new ArrayList<>();
  private int count;

  /**
   * A writer.
   *
   * @param prefix of all names that it makes
   */
  GraphWriter(String prefix, ModelProto model) {
    this.prefix = prefix;
    this.opset = opset(model);
  }

  /** Version of the standard operators that a model uses. */
  static int opset(ModelProto model) {
    return model.getOpsetImportList().stream()
        .filter(o -> o.getDomain().isEmpty() || o.getDomain().equals("ai.onnx"))
        .mapToInt(o -> (int) o.getVersion())
        .findFirst()
        .orElse(1);
  }

  int opset() {
    return opset;
  }

  List<NodeProto> nodes() {
    return nodes;
  }

  List<TensorProto> constants() {
    return constants;
  }

  /** A node of one output; its name. */
  String node(String op, List<String> inputs, AttributeProto... attributes) {
    String name = prefix + op + count++;
    nodes.add(
        NodeProto.newBuilder()
            .setOpType(op)
            .setName(name)
            .addAllInput(inputs)
            .addOutput(name)
            .addAllAttribute(List.of(attributes))
            .build());
    return name;
  }

  /** A node of one output that has the given name. */
  void named(String op, List<String> inputs, String output, AttributeProto... attributes) {
    nodes.add(
        NodeProto.newBuilder()
            .setOpType(op)
            .setName(prefix + op + count++)
            .addAllInput(inputs)
            .addOutput(output)
            .addAllAttribute(List.of(attributes))
            .build());
  }

  /** A scalar. */
  String constant(float value) {
    String name = prefix + "c" + count++;
    constants.add(GraphNodes.scalar(name, value));
    return name;
  }

  /** A vector of 64-bit integers. */
  String vector(List<Long> values) {
    String name = prefix + "v" + count++;
    constants.add(GraphNodes.vector(name, values));
    return name;
  }

  /** A tensor of binary32. */
  String tensor(List<Long> dims, float[] values) {
    String name = prefix + "t" + count++;
    ByteBuffer bytes = ByteBuffer.allocate(4 * values.length).order(ByteOrder.LITTLE_ENDIAN);
    for (float value : values) {
      bytes.putFloat(value);
    }
    constants.add(
        TensorProto.newBuilder()
            .setName(name)
            .setDataType(TensorProto.DataType.FLOAT_VALUE)
            .addAllDims(dims)
            .setRawData(ByteString.copyFrom(bytes.flip()))
            .build());
    return name;
  }

  String shape(String value) {
    return node("Shape", List.of(value));
  }

  /** How many elements a value has, as binary32. */
  String size(String value) {
    return real(node("Size", List.of(value)));
  }

  /** Converts to binary32; true is 1. */
  String real(String value) {
    return node("Cast", List.of(value), GraphNodes.integer("to", TensorProto.DataType.FLOAT_VALUE));
  }

  String add(String a, String b) {
    return node("Add", List.of(a, b));
  }

  String mul(String a, String b) {
    return node("Mul", List.of(a, b));
  }

  String div(String a, String b) {
    return node("Div", List.of(a, b));
  }

  String difference(String a, String b) {
    return node("Sub", List.of(a, b));
  }

  String scaled(String g, float factor) {
    return factor == 1 ? g : mul(g, constant(factor));
  }

  String reshape(String value, String shape) {
    return node("Reshape", List.of(value, shape));
  }

  /** Elements {@code from} to {@code to} - 1 of a dimension, step 1. */
  String slice(String value, long axis, long from, long to) {
    return node(
        "Slice", List.of(value, vector(List.of(from)), vector(List.of(to)), vector(List.of(axis))));
  }

  String sum(String g, List<Long> axes, boolean keep) {
    AttributeProto keepdims = GraphNodes.integer("keepdims", keep ? 1 : 0);
    if (opset < 13) {
      return node("ReduceSum", List.of(g), GraphNodes.integers("axes", axes), keepdims);
    }
    return node("ReduceSum", List.of(g, vector(axes)), keepdims);
  }

  String mean(String g, List<Long> axes) {
    AttributeProto keepdims = GraphNodes.integer("keepdims", 1);
    if (opset < 18) {
      return node("ReduceMean", List.of(g), GraphNodes.integers("axes", axes), keepdims);
    }
    return node("ReduceMean", List.of(g, vector(axes)), keepdims);
  }

  /** Zeros of a value's shape, also where the value is not finite. */
  String zerosLike(String value) {
    return node("Expand", List.of(constant(0), shape(value)));
  }
}
