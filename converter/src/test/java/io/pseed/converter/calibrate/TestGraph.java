package io.pseed.converter.calibrate;

import com.google.protobuf.ByteString;
import io.pseed.converter.onnx.proto.AttributeProto;
import io.pseed.converter.onnx.proto.GraphProto;
import io.pseed.converter.onnx.proto.ModelProto;
import io.pseed.converter.onnx.proto.NodeProto;
import io.pseed.converter.onnx.proto.OperatorSetIdProto;
import io.pseed.converter.onnx.proto.TensorProto;
import io.pseed.converter.onnx.proto.TypeProto;
import io.pseed.converter.onnx.proto.ValueInfoProto;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;

/** Writes small graphs with random weights; the same calls give the same graph. */
final class TestGraph {
  private final GraphProto.Builder graph = GraphProto.newBuilder().setName("test");
  private final Map<String, long[]> shapes = new HashMap<>();
  private final Map<String, float[]> scalars = new HashMap<>();
  private final Random random = new Random(5);

  static float[] gaussian(Random random, int n) {
    float[] values = new float[n];
    for (int i = 0; i < n; i++) {
      values[i] = (float) random.nextGaussian();
    }
    return values;
  }

  static int count(long[] shape) {
    return (int) Arrays.stream(shape).reduce(1, (a, b) -> a * b);
  }

  Map<String, long[]> shapes() {
    return shapes;
  }

  Map<String, float[]> scalars() {
    return scalars;
  }

  List<NodeProto> nodes() {
    return graph.getNodeList();
  }

  GraphProto.Builder graph() {
    return graph;
  }

  private static TypeProto type(int type) {
    return TypeProto.newBuilder()
        .setTensorType(TypeProto.Tensor.newBuilder().setElemType(type))
        .build();
  }

  TestGraph input(String name) {
    graph.addInput(
        ValueInfoProto.newBuilder().setName(name).setType(type(TensorProto.DataType.FLOAT_VALUE)));
    return this;
  }

  TestGraph integerInput(String name) {
    graph.addInput(
        ValueInfoProto.newBuilder().setName(name).setType(type(TensorProto.DataType.INT64_VALUE)));
    return this;
  }

  TestGraph reals(String name, float... values) {
    return tensor(name, values, values.length);
  }

  TestGraph weight(String name, long... shape) {
    return tensor(name, gaussian(random, count(shape)), shape);
  }

  TestGraph positive(String name, long... shape) {
    float[] values = gaussian(random, count(shape));
    for (int i = 0; i < values.length; i++) {
      values[i] = 0.5f + Math.abs(values[i]);
    }
    return tensor(name, values, shape);
  }

  TestGraph tensor(String name, float[] values, long... shape) {
    ByteBuffer bytes = ByteBuffer.allocate(4 * values.length).order(ByteOrder.LITTLE_ENDIAN);
    for (float value : values) {
      bytes.putFloat(value);
    }
    TensorProto.Builder tensor =
        TensorProto.newBuilder()
            .setName(name)
            .setDataType(TensorProto.DataType.FLOAT_VALUE)
            .setRawData(ByteString.copyFrom(bytes.flip()));
    for (long dim : shape) {
      tensor.addDims(dim);
    }
    graph.addInitializer(tensor);
    shapes.put(name, shape);
    return this;
  }

  TestGraph real(String name, float value) {
    graph.addInitializer(GraphNodes.scalar(name, value));
    shapes.put(name, new long[0]);
    scalars.put(name, new float[] {value});
    return this;
  }

  TestGraph integers(String name, long... values) {
    graph.addInitializer(GraphNodes.vector(name, Arrays.stream(values).boxed().toList()));
    float[] known = new float[values.length];
    for (int i = 0; i < known.length; i++) {
      known[i] = values[i];
    }
    scalars.put(name, known);
    return this;
  }

  private static NodeProto make(
      String op, List<String> outputs, List<String> inputs, AttributeProto... attributes) {
    return NodeProto.newBuilder()
        .setOpType(op)
        .setName(outputs.get(0))
        .addAllInput(inputs)
        .addAllOutput(outputs)
        .addAllAttribute(List.of(attributes))
        .build();
  }

  TestGraph first(String op, String output, String input) {
    graph.addNode(0, make(op, List.of(output), List.of(input)));
    return this;
  }

  TestGraph node(String op, String output, List<String> inputs, AttributeProto... attributes) {
    graph.addNode(make(op, List.of(output), inputs, attributes));
    return this;
  }

  TestGraph split(String input, List<String> outputs, AttributeProto... attributes) {
    graph.addNode(make("Split", outputs, List.of(input), attributes));
    return this;
  }

  TestGraph nodes(String op, List<String> outputs, List<String> inputs, AttributeProto... more) {
    graph.addNode(make(op, outputs, inputs, more));
    return this;
  }

  ModelProto model(int opset, Set<String> outputs) {
    GraphProto.Builder out = graph.clone();
    outputs.forEach(o -> out.addOutput(ValueInfoProto.newBuilder().setName(o)));
    return ModelProto.newBuilder()
        .setIrVersion(7)
        .addOpsetImport(OperatorSetIdProto.newBuilder().setDomain("").setVersion(opset))
        .setGraph(out)
        .build();
  }
}
