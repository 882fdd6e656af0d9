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
import java.util.Arrays;
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
    return GraphNodes.integers(name, Arrays.stream(values).boxed().toList());
  }

  private static AttributeProto text(String name, String value) {
    return AttributeProto.newBuilder()
        .setName(name)
        .setType(AttributeProto.AttributeType.STRING)
        .setS(com.google.protobuf.ByteString.copyFromUtf8(value))
        .build();
  }

  /** A linear resize to given sizes. */
  private static Case sized(String places, int opset, long[] input, long... sizes) {
    return of(
        "linear resize to " + Arrays.toString(sizes) + ", " + places,
        opset,
        input,
        new TestGraph()
            .reals("none")
            .integers("sizes", sizes)
            .node(
                "Resize",
                "y",
                List.of("a", "none", "none", "sizes"),
                text("mode", "linear"),
                text("coordinate_transformation_mode", places)));
  }

  /** A linear resize by factors that are known. */
  private static Case scaled(String places, int opset, long[] input, float... scales) {
    TestGraph graph = new TestGraph().reals("none").reals("scales", scales);
    graph.scalars().put("scales", scales);
    return of(
        "linear resize by " + Arrays.toString(scales) + ", " + places,
        opset,
        input,
        opset < 11
            ? graph.node("Resize", "y", List.of("a", "scales"), text("mode", "linear"))
            : graph.node(
                "Resize",
                "y",
                List.of("a", "none", "scales"),
                text("mode", "linear"),
                text("coordinate_transformation_mode", places)));
  }

  static Stream<Case> cases() {
    return Stream.concat(operators(), resizes());
  }

  private static Stream<Case> resizes() {
    long[] image = {2, 4, 7, 8};
    return Stream.of(
        sized("half_pixel", 11, image, 2, 4, 11, 5),
        sized("half_pixel", 18, image, 2, 4, 14, 4),
        sized("half_pixel_symmetric", 19, image, 2, 4, 5, 13),
        sized("pytorch_half_pixel", 13, image, 2, 4, 1, 12),
        sized("align_corners", 13, image, 2, 4, 3, 20),
        sized("align_corners", 13, image, 2, 4, 1, 9),
        sized("asymmetric", 11, image, 2, 4, 10, 3),
        sized("half_pixel", 13, new long[] {2, 7, 8, 4}, 2, 10, 5, 4),
        sized("half_pixel", 13, new long[] {5, 9}, 7, 4),
        sized("half_pixel", 13, new long[] {2, 4, 9}, 2, 4, 14),
        sized("align_corners", 13, new long[] {4, 7, 8}, 6, 5, 9),
        sized("half_pixel", 13, new long[] {1, 2, 3, 4, 5}, 1, 2, 5, 3, 8),
        sized("half_pixel", 13, image, 2, 4, 7, 8),
        scaled("asymmetric", 10, image, 1, 1, 1.3f, 0.55f),
        scaled("half_pixel", 11, image, 1, 1, 1.3f, 0.55f),
        scaled("half_pixel", 13, image, 1, 1, 1.1f, 2.2f),
        scaled("half_pixel", 13, image, 1, 1, 1.1f, 1.1f),
        scaled("half_pixel_symmetric", 19, image, 1, 1, 1.3f, 0.55f),
        scaled("pytorch_half_pixel", 13, image, 1, 1, 0.2f, 1.7f),
        of(
            "linear resize, factors not known and corners aligned",
            11,
            image,
            new TestGraph()
                .reals("none")
                .reals("scales", 1, 1, 1.3f, 0.55f)
                .node(
                    "Resize",
                    "y",
                    List.of("a", "none", "scales"),
                    text("mode", "linear"),
                    text("coordinate_transformation_mode", "align_corners"))),
        of(
            "linear upsample, whole factors",
            9,
            image,
            new TestGraph()
                .reals("scales", 1, 1, 2, 3)
                .node("Upsample", "y", List.of("a", "scales"), text("mode", "linear"))));
  }

  /** A resize of [2, 4, 7, 8] to [2, 4, 9, 16]. */
  private static Case unknown(String name, String last, AttributeProto... attributes) {
    boolean sized = last.equals("sizes");
    return of(
        name,
        18,
        new long[] {2, 4, 7, 8},
        new TestGraph()
            .reals("scales", 1, 1, 1.3f, 2)
            .integers("sizes", 2, 4, 9, 16)
            .node(
                "Resize",
                "y",
                sized ? List.of("a", "", "", "sizes") : List.of("a", "", "scales"),
                attributes));
  }

  static Stream<Case> withoutARule() {
    AttributeProto linear = text("mode", "linear");
    return Stream.of(
        unknown("nearest, factors not whole", "sizes", text("mode", "nearest")),
        unknown("cubic", "sizes", text("mode", "cubic")),
        unknown("factors not known", "scales", linear),
        unknown("antialias", "sizes", linear, GraphNodes.integer("antialias", 1)),
        unknown("axes", "sizes", linear, ints("axes", 0, 1, 2, 3)),
        unknown("aspect ratio", "sizes", linear, text("keep_aspect_ratio_policy", "not_larger")),
        unknown(
            "crop", "sizes", linear, text("coordinate_transformation_mode", "tf_crop_and_resize")));
  }

  @ParameterizedTest
  @MethodSource("withoutARule")
  void resizeWithoutARuleIsNamedAndLeavesNoGradient(Case given) {
    TestGraph graph = given.graph.input("x").first("Identity", "a", "x");
    Map<String, long[]> shapes =
        Map.of("x", given.input, "a", given.input, "y", new long[] {2, 4, 9, 16});
    GradientGraph.Result result =
        new GradientGraph(graph.model(given.opset, Set.of("y")), shapes, graph.scalars())
            .differentiate(List.of("a"), List.of("y"));
    assertThat(result.missing()).containsExactly("Resize");
    assertThat(result.gradients()).isEmpty();
  }

  private static Stream<Case> operators() {
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
