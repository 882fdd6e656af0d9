package io.pseed.converter.calibrate;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import ai.onnxruntime.OnnxTensor;
import ai.onnxruntime.OrtEnvironment;
import ai.onnxruntime.OrtSession;
import io.pseed.converter.onnx.proto.AttributeProto;
import io.pseed.converter.onnx.proto.ModelProto;
import io.pseed.converter.onnx.proto.NodeProto;
import java.nio.FloatBuffer;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Each operator's derivative against differences of the operator itself. */
class OperatorGradientsTest {
  private static final OrtEnvironment ENVIRONMENT = OrtEnvironment.getEnvironment();

  /** A graph from "a" to "y". */
  @SuppressWarnings("ArrayRecordComponent") // Nothing compares cases.
  private record Case(String name, int opset, long[] input, TestGraph graph) {
    @Override
    public String toString() {
      return name;
    }
  }

  private static Case of(String name, int opset, long[] input, TestGraph graph) {
    return new Case(name, opset, input, graph);
  }

  private static AttributeProto ints(String name, long... values) {
    return GraphNodes.integers(name, java.util.Arrays.stream(values).boxed().toList());
  }

  private static AttributeProto text(String name, String value) {
    return AttributeProto.newBuilder()
        .setName(name)
        .setType(AttributeProto.AttributeType.STRING)
        .setS(com.google.protobuf.ByteString.copyFromUtf8(value))
        .build();
  }

  static Stream<Case> cases() {
    long[] image = {2, 4, 7, 8};
    return Stream.of(
        of(
            "conv with stride, dilation, groups and uneven padding",
            11,
            image,
            new TestGraph()
                .weight("w", 6, 2, 3, 3)
                .node(
                    "Conv",
                    "y",
                    List.of("a", "w"),
                    ints("strides", 2, 3),
                    ints("dilations", 2, 1),
                    ints("pads", 1, 0, 2, 1),
                    GraphNodes.integer("group", 2))),
        of(
            "depthwise conv with automatic padding",
            11,
            image,
            new TestGraph()
                .weight("w", 4, 1, 3, 3)
                .node(
                    "Conv",
                    "y",
                    List.of("a", "w"),
                    ints("strides", 2, 2),
                    text("auto_pad", "SAME_UPPER"),
                    GraphNodes.integer("group", 4))),
        of(
            "conv of one dimension",
            13,
            new long[] {1, 3, 9},
            new TestGraph()
                .weight("w", 5, 3, 4)
                .node("Conv", "y", List.of("a", "w"), ints("strides", 3), ints("pads", 2, 1))),
        of(
            "transposed conv",
            11,
            image,
            new TestGraph()
                .weight("w", 4, 3, 2, 3)
                .node(
                    "ConvTranspose",
                    "y",
                    List.of("a", "w"),
                    ints("strides", 2, 2),
                    ints("pads", 0, 1, 0, 1),
                    ints("output_padding", 1, 0),
                    GraphNodes.integer("group", 2))),
        of(
            "batch normalization",
            11,
            image,
            new TestGraph()
                .weight("s", 4)
                .weight("b", 4)
                .weight("m", 4)
                .positive("v", 4)
                .node("BatchNormalization", "y", List.of("a", "s", "b", "m", "v"))),
        of(
            "average pool, padding not counted",
            11,
            image,
            new TestGraph()
                .node(
                    "AveragePool",
                    "y",
                    List.of("a"),
                    ints("kernel_shape", 3, 2),
                    ints("strides", 2, 2),
                    ints("pads", 1, 1, 1, 1))),
        of(
            "max pool with overlaps",
            12,
            image,
            new TestGraph()
                .node(
                    "MaxPool",
                    "y",
                    List.of("a"),
                    ints("kernel_shape", 3, 3),
                    ints("strides", 2, 2),
                    ints("pads", 1, 1, 1, 1),
                    GraphNodes.integer("ceil_mode", 1))),
        of(
            "global average pool",
            11,
            image,
            new TestGraph().node("GlobalAveragePool", "y", List.of("a"))),
        of(
            "resize to nearest",
            11,
            image,
            new TestGraph()
                .reals("scales", 1, 1, 2, 3)
                .reals("roi")
                .node(
                    "Resize",
                    "y",
                    List.of("a", "roi", "scales"),
                    text("mode", "nearest"),
                    text("coordinate_transformation_mode", "asymmetric"),
                    text("nearest_mode", "floor"))),
        of(
            "slices of all kinds",
            11,
            image,
            new TestGraph()
                .integers("from", 1, -3)
                .integers("to", 4, 1000)
                .integers("axes", 1, -1)
                .integers("steps", 2, 1)
                .node("Slice", "y", List.of("a", "from", "to", "axes", "steps"))),
        of(
            "gather of two places",
            13,
            image,
            new TestGraph()
                .integers("places", 2, 0)
                .node("Gather", "y", List.of("a", "places"), GraphNodes.integer("axis", 1))),
        of(
            "padding",
            11,
            image,
            new TestGraph()
                .integers("pads", 0, 0, 1, 2, 0, 1, 0, 1)
                .node("Pad", "y", List.of("a", "pads"))),
        of(
            "split, one part unused",
            11,
            image,
            new TestGraph()
                .split(
                    "a",
                    List.of("p", "q", "r"),
                    ints("split", 1, 1, 2),
                    GraphNodes.integer("axis", 1))
                .node("Mul", "y", List.of("p", "q"))),
        of(
            "clip with bounds as inputs",
            11,
            image,
            new TestGraph()
                .real("low", -0.5f)
                .real("high", 0.7f)
                .node("Clip", "y", List.of("a", "low", "high"))),
        of(
            "hard sigmoid, hard swish, kinks",
            14,
            image,
            new TestGraph()
                .node("HardSigmoid", "b", List.of("a"), GraphNodes.real("alpha", 0.3f))
                .node("HardSwish", "c", List.of("a"))
                .node("LeakyRelu", "d", List.of("a"), GraphNodes.real("alpha", 0.2f))
                .weight("slope", 4, 1, 1)
                .node("PRelu", "e", List.of("a", "slope"))
                .node("Abs", "f", List.of("e"))
                .node("Add", "g", List.of("b", "c"))
                .node("Mul", "h", List.of("d", "f"))
                .node("Sub", "y", List.of("g", "h"))),
        of(
            "layer normalization",
            17,
            image,
            new TestGraph()
                .weight("s", 8)
                .weight("b", 8)
                .node("LayerNormalization", "y", List.of("a", "s", "b"))),
        of(
            "squeeze and excite",
            12,
            image,
            new TestGraph()
                .weight("w", 4, 4, 1, 1)
                .node("GlobalAveragePool", "p", List.of("a"))
                .node("Conv", "q", List.of("p", "w"))
                .node("HardSigmoid", "r", List.of("q"))
                .node("Mul", "y", List.of("a", "r"))));
  }

  @ParameterizedTest
  @MethodSource("cases")
  void gradientIsThatOfDifferences(Case given) throws Exception {
    TestGraph graph = given.graph.input("x").first("Identity", "a", "x");
    Random random = new Random(11);
    long[] shape = given.input;
    float[] x = TestGraph.gaussian(random, TestGraph.count(shape));
    Map<String, long[]> shapes = new HashMap<>(graph.shapes());
    shapes.put("x", shape);
    Set<String> values = new LinkedHashSet<>();
    for (NodeProto node : graph.nodes()) {
      values.addAll(node.getOutputList());
    }
    try (OrtSession all = session(graph.model(given.opset, values));
        OnnxTensor input = tensor(x, shape);
        OrtSession.Result result = all.run(Map.of("x", input))) {
      result.forEach(e -> shapes.put(e.getKey(), ((OnnxTensor) e.getValue()).getInfo().getShape()));
    }
    float[] v = TestGraph.gaussian(random, TestGraph.count(shapes.get("y")));
    ModelProto model = graph.model(given.opset, Set.of("y"));
    GradientGraph.Result gradients =
        new GradientGraph(model, shapes, graph.scalars()).differentiate(List.of("a"), List.of("y"));
    assertThat(gradients.missing()).isEmpty();
    float[] found = new float[x.length];
    try (OrtSession session = session(gradients.model());
        OnnxTensor input = tensor(x, shape);
        OnnxTensor cotangent = tensor(v, shapes.get("y"));
        OrtSession.Result result =
            session.run(
                Map.of("x", input, gradients.cotangents().get("y"), cotangent),
                Set.of(gradients.gradients().get("a")))) {
      ((OnnxTensor) result.get(0)).getFloatBuffer().get(found);
    }
    int kinks = 0;
    try (OrtSession session = session(model)) {
      double middle = value(session, x, shape, v);
      for (int i = 0; i < x.length; i += 1 + x.length / 60) {
        float[] up = x.clone();
        float[] down = x.clone();
        up[i] += 5e-3f;
        down[i] -= 5e-3f;
        double above = (value(session, up, shape, v) - middle) / 5e-3;
        double below = (middle - value(session, down, shape, v)) / 5e-3;
        if (Math.abs(above - below) > 0.1) {
          kinks++;
        } else {
          assertThat((double) found[i])
              .as("gradient %d", i)
              .isCloseTo((above + below) / 2, within(2e-2));
        }
      }
    }
    assertThat(kinks).isLessThan(10);
  }

  private static double value(OrtSession session, float[] x, long[] shape, float[] v)
      throws Exception {
    try (OnnxTensor input = tensor(x, shape);
        OrtSession.Result result = session.run(Map.of("x", input))) {
      FloatBuffer y = ((OnnxTensor) result.get(0)).getFloatBuffer();
      double sum = 0;
      for (int i = 0; i < v.length; i++) {
        sum += (double) v[i] * y.get(i);
      }
      return sum;
    }
  }

  private static OrtSession session(ModelProto model) throws Exception {
    return ENVIRONMENT.createSession(model.toByteArray());
  }

  private static OnnxTensor tensor(float[] values, long[] shape) throws Exception {
    return OnnxTensor.createTensor(ENVIRONMENT, FloatBuffer.wrap(values), shape);
  }
}
