package io.pseed.converter.calibrate;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import ai.onnxruntime.OnnxTensor;
import ai.onnxruntime.OrtEnvironment;
import ai.onnxruntime.OrtSession;
import io.pseed.converter.onnx.proto.AttributeProto;
import io.pseed.converter.onnx.proto.GraphProto;
import io.pseed.converter.onnx.proto.ModelProto;
import io.pseed.converter.onnx.proto.NodeProto;
import io.pseed.converter.onnx.proto.OperatorSetIdProto;
import io.pseed.converter.onnx.proto.TensorProto;
import io.pseed.converter.onnx.proto.TypeProto;
import io.pseed.converter.onnx.proto.ValueInfoProto;
import java.nio.FloatBuffer;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import org.junit.jupiter.api.Test;

class GradientGraphTest {
  private static final OrtEnvironment ENVIRONMENT = OrtEnvironment.getEnvironment();
  private static final long[] SHAPE = {2, 3, 4};

  private final GraphProto.Builder graph = GraphProto.newBuilder().setName("g");

  /** Every operator of a transformer layer, with broadcasts on both sides. */
  @Test
  void gradientsAreThoseOfFiniteDifferences() throws Exception {
    node("Identity", "a", "x");
    node("ReduceMean", "mean", List.of("a"), GraphNodes.integers("axes", List.of(-1L)));
    node("Sub", "centred", "a", "mean");
    scalar("two", 2);
    node("Pow", "squares", "centred", "two");
    node("ReduceMean", "variance", List.of("squares"), GraphNodes.integers("axes", List.of(-1L)));
    scalar("epsilon", 0.1f);
    node("Add", "padded", "epsilon", "variance");
    node("Sqrt", "deviation", "padded");
    node("Div", "normed", "centred", "deviation");
    matrix("w", 4, 4);
    node("MatMul", "key", "normed", "w");
    node("Transpose", "turned", List.of("key"), GraphNodes.integers("perm", List.of(0L, 2L, 1L)));
    node("MatMul", "scores", "normed", "turned");
    node("Softmax", "weights", List.of("scores"), GraphNodes.integer("axis", 2));
    node("MatMul", "mixed", "weights", "key");
    node("Erf", "bent", "mixed");
    node("Mul", "gated", "bent", "mixed");
    node("Tanh", "soft", "gated");
    node("Sigmoid", "sharp", "soft");
    node("Neg", "minus", "sharp");
    node("Exp", "grown", "minus");
    node("Concat", "both", List.of("grown", "a"), GraphNodes.integer("axis", -1));
    node(
        "ReduceSum",
        "y",
        List.of("both"),
        GraphNodes.integers("axes", List.of(1L)),
        GraphNodes.integer("keepdims", 0));
    Set<String> values = new LinkedHashSet<>();
    graph.getNodeList().forEach(n -> values.add(n.getOutput(0)));
    Map<String, long[]> shapes = new HashMap<>(Map.of("x", SHAPE, "w", new long[] {4, 4}));
    shapes.put("two", new long[0]);
    shapes.put("epsilon", new long[0]);
    Random random = new Random(3);
    float[] x = gaussian(random, 24);
    float[] v = gaussian(random, 16);
    try (OrtSession all = session(model(values));
        OnnxTensor input = tensor(x, SHAPE);
        OrtSession.Result result = all.run(Map.of("x", input))) {
      result.forEach(e -> shapes.put(e.getKey(), ((OnnxTensor) e.getValue()).getInfo().getShape()));
    }
    GradientGraph.Result gradients =
        new GradientGraph(model(Set.of("y")), shapes, Map.of("two", new float[] {2}))
            .differentiate(List.of("a"), List.of("y"));
    assertThat(gradients.missing()).isEmpty();
    float[] found;
    try (OrtSession session = session(gradients.model());
        OnnxTensor input = tensor(x, SHAPE);
        OnnxTensor cotangent = tensor(v, new long[] {2, 8});
        OrtSession.Result result =
            session.run(
                Map.of("x", input, gradients.cotangents().get("y"), cotangent),
                Set.of(gradients.gradients().get("a")))) {
      found = new float[24];
      ((OnnxTensor) result.get(0)).getFloatBuffer().get(found);
    }
    try (OrtSession session = session(model(Set.of("y")))) {
      for (int i = 0; i < x.length; i++) {
        double step = 1e-2;
        float[] up = x.clone();
        float[] down = x.clone();
        up[i] += (float) step;
        down[i] -= (float) step;
        double slope = (value(session, up, v) - value(session, down, v)) / (2 * step);
        assertThat((double) found[i]).as("gradient %d", i).isCloseTo(slope, within(5e-3));
      }
    }
  }

  @Test
  void operatorsWithoutARuleAreNamedAndLeaveNoGradient() {
    node("Identity", "a", "x");
    node("Sin", "y", "a");
    Map<String, long[]> shapes = Map.of("x", SHAPE, "a", SHAPE, "y", SHAPE);
    GradientGraph.Result result =
        new GradientGraph(model(Set.of("y")), shapes, Map.of())
            .differentiate(List.of("a"), List.of("y"));
    assertThat(result.missing()).containsExactly("Sin");
    assertThat(result.gradients()).isEmpty();
  }

  private static double value(OrtSession session, float[] x, float[] v) throws Exception {
    try (OnnxTensor input = tensor(x, SHAPE);
        OrtSession.Result result = session.run(Map.of("x", input))) {
      FloatBuffer y = ((OnnxTensor) result.get(0)).getFloatBuffer();
      double sum = 0;
      for (int i = 0; i < v.length; i++) {
        sum += (double) v[i] * y.get(i);
      }
      return sum;
    }
  }

  private ModelProto model(Set<String> outputs) {
    TypeProto.Tensor type =
        TypeProto.Tensor.newBuilder().setElemType(TensorProto.DataType.FLOAT_VALUE).build();
    GraphProto.Builder out = graph.clone();
    out.addInput(
        ValueInfoProto.newBuilder()
            .setName("x")
            .setType(TypeProto.newBuilder().setTensorType(type)));
    outputs.forEach(o -> out.addOutput(ValueInfoProto.newBuilder().setName(o)));
    return ModelProto.newBuilder()
        .setIrVersion(7)
        .addOpsetImport(OperatorSetIdProto.newBuilder().setDomain("").setVersion(11))
        .setGraph(out)
        .build();
  }

  private static OrtSession session(ModelProto model) throws Exception {
    return ENVIRONMENT.createSession(model.toByteArray());
  }

  private static OnnxTensor tensor(float[] values, long[] shape) throws Exception {
    return OnnxTensor.createTensor(ENVIRONMENT, FloatBuffer.wrap(values), shape);
  }

  private void node(String op, String output, String... inputs) {
    node(op, output, List.of(inputs));
  }

  private void node(String op, String output, List<String> inputs, AttributeProto... attributes) {
    graph.addNode(
        NodeProto.newBuilder()
            .setOpType(op)
            .setName(output)
            .addAllInput(inputs)
            .addOutput(output)
            .addAllAttribute(List.of(attributes)));
  }

  private void scalar(String name, float value) {
    graph.addInitializer(GraphNodes.scalar(name, value));
  }

  private void matrix(String name, int rows, int cols) {
    TensorProto.Builder tensor =
        TensorProto.newBuilder()
            .setName(name)
            .setDataType(TensorProto.DataType.FLOAT_VALUE)
            .addDims(rows)
            .addDims(cols);
    for (float value : gaussian(new Random(5), rows * cols)) {
      tensor.addFloatData(value);
    }
    graph.addInitializer(tensor);
  }

  private static float[] gaussian(Random random, int n) {
    float[] values = new float[n];
    for (int i = 0; i < n; i++) {
      values[i] = (float) random.nextGaussian();
    }
    return values;
  }
}
