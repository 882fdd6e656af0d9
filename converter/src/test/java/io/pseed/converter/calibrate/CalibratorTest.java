package io.pseed.converter.calibrate;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import ai.onnxruntime.OnnxJavaType;
import ai.onnxruntime.OnnxTensor;
import ai.onnxruntime.OrtEnvironment;
import ai.onnxruntime.OrtException;
import com.google.protobuf.ByteString;
import io.pseed.converter.encode.Workers;
import io.pseed.converter.onnx.proto.AttributeProto;
import io.pseed.converter.onnx.proto.GraphProto;
import io.pseed.converter.onnx.proto.ModelProto;
import io.pseed.converter.onnx.proto.NodeProto;
import io.pseed.converter.onnx.proto.TensorProto;
import io.pseed.converter.onnx.proto.ValueInfoProto;
import io.pseed.converter.source.onnx.OnnxModelSource;
import io.pseed.format.Halfs;
import io.pseed.format.View;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.FloatBuffer;
import java.nio.LongBuffer;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.Set;
import org.junit.jupiter.api.Test;

/**
 * What calibration sees of weights in convolutions, branches, recurrent layers, rearranged forms.
 */
class CalibratorTest {
  private static final Calibrator.Limits ENOUGH =
      new Calibrator.Limits(1L << 30, 1L << 40, 1L << 40);

  /** Noise of a shape for "x"; "n", where it is given, is the run's number. */
  private record Noise(List<Long> shape, int size, boolean numbered) implements CalibrationInputs {
    @Override
    public String description() {
      return "noise";
    }

    @Override
    public Origin origin() {
      return Origin.GENERATED;
    }

    @Override
    public Map<String, OnnxTensor> make(OrtEnvironment environment, int index) throws OrtException {
      long[] dims = shape.stream().mapToLong(d -> d).toArray();
      float[] x = TestGraph.gaussian(new Random(index), TestGraph.count(dims));
      Map<String, OnnxTensor> inputs = new LinkedHashMap<>();
      inputs.put("x", OnnxTensor.createTensor(environment, FloatBuffer.wrap(x), dims));
      if (numbered) {
        inputs.put(
            "n",
            OnnxTensor.createTensor(
                environment, LongBuffer.wrap(new long[] {index}), new long[] {1}));
      }
      return inputs;
    }
  }

  private static Calibration calibrate(ModelProto model, CalibrationInputs inputs, int threads)
      throws Exception {
    return calibrate(model, inputs, threads, ENOUGH);
  }

  private static Calibration calibrate(
      ModelProto model, CalibrationInputs inputs, int threads, Calibrator.Limits limits)
      throws Exception {
    OnnxModelSource source =
        OnnxModelSource.open(Path.of("test.onnx"), model.toByteArray(), Optional.empty());
    try (Workers workers = new Workers(threads)) {
      Calibrator.Options options = new Calibrator.Options(0, 0, 4);
      return new Calibrator(source, workers, options, limits).run(inputs);
    }
  }

  private static AttributeProto ints(String name, Long... values) {
    return GraphNodes.integers(name, List.of(values));
  }

  private static TestGraph convolutions() {
    return new TestGraph()
        .input("x")
        .weight("w", 16, 4, 3, 3)
        .weight("d", 16, 1, 5, 5)
        .weight("t", 16, 8, 2, 2)
        .node("Conv", "a", List.of("x", "w"), ints("pads", 1L, 1L, 1L, 1L), ints("strides", 2L, 2L))
        .node("Relu", "b", List.of("a"))
        .node(
            "Conv",
            "c",
            List.of("b", "d"),
            ints("pads", 2L, 2L, 2L, 2L),
            GraphNodes.integer("group", 16))
        .node("ConvTranspose", "y", List.of("c", "t"), ints("strides", 2L, 2L));
  }

  @Test
  void kernelsAreSeenAsPatchesByChannels() throws Exception {
    Calibration found =
        calibrate(
            convolutions().model(11, Set.of("y")),
            new Noise(List.of(1L, 4L, 12L, 10L), 6, false),
            1);
    assertThat(found.notices()).isEmpty();
    assertThat(found.tensors().get("w").view()).isEqualTo(new View(36, 16, true));
    assertThat(found.tensors().get("d").view()).isEqualTo(new View(25, 16, true));
    assertThat(found.tensors().get("t").view()).isEqualTo(new View(16, 32, false));
    assertThat(found.tensors().values()).allMatch(TensorStatistics::sensitive);
  }

  /** The last layer is linear: what its noise costs can be told by adding noise. */
  @Test
  void theCostIsWhatNoiseDoesToTheOutput() throws Exception {
    TestGraph graph =
        new TestGraph()
            .input("x")
            .weight("w", 8, 6, 3, 3)
            .node("Conv", "y", List.of("x", "w"), ints("strides", 2L, 1L));
    Calibration found =
        calibrate(graph.model(11, Set.of("y")), new Noise(List.of(1L, 6L, 9L, 9L), 200, false), 2);
    TensorStatistics w = found.tensors().get("w");
    double trace = 0;
    for (int i = 0; i < w.size(); i++) {
      trace += w.metric()[i * w.size() + i];
    }
    // White noise of a variance v in the kernel changes y by v times the patches' energy; y itself
    // is the kernel's energy times the same, for white inputs.
    double kernel = 0;
    for (float value : TestGraph.gaussian(new Random(5), 8 * 54)) {
      kernel += value * value;
    }
    assertThat(trace * Arrays.stream(w.columns()).sum())
        .isCloseTo(8 * 54 / kernel, within(0.25 * 8 * 54 / kernel));
  }

  private static void assertNear(Calibration found, Calibration expected, double share) {
    found
        .tensors()
        .forEach(
            (name, near) -> {
              TensorStatistics statistics = expected.tensors().get(name);
              assertThat(near.sensitive()).isEqualTo(statistics.sensitive());
              assertThat(near.samples()).isEqualTo(statistics.samples());
              assertNear(near.metric(), statistics.metric(), share);
              assertNear(near.columns(), statistics.columns(), share);
            });
  }

  private static void assertNear(double[] found, double[] expected, double share) {
    double largest = Arrays.stream(expected).map(Math::abs).max().orElseThrow();
    assertThat(largest).isPositive();
    assertThat(found).containsExactly(expected, within(share * largest));
  }

  /** A stride that leaves a rest, a dilation, uneven padding, and a kernel that is used twice. */
  @Test
  void whatTheRuntimeSumsOfLargeConvolutionsIsWhatIsSummedHere() throws Exception {
    TestGraph graph =
        convolutions()
            .weight("u", 4, 4, 5, 5)
            .node(
                "Conv",
                "e",
                List.of("x", "u"),
                ints("dilations", 2L, 1L),
                ints("strides", 3L, 2L),
                ints("pads", 1L, 0L, 2L, 2L))
            .node("Conv", "z", List.of("e", "u"), ints("pads", 2L, 2L, 2L, 2L));
    ModelProto model = graph.model(11, Set.of("y", "z"));
    Noise inputs = new Noise(List.of(2L, 4L, 13L, 10L), 5, false);
    Calibration here = calibrate(model, inputs, 1);
    Calibration there = calibrate(model, inputs, 3, new Calibrator.Limits(1L << 30, 1L << 40, 0));
    assertThat(there.notices()).isEqualTo(here.notices()).isEmpty();
    assertThat(there.tensors()).containsOnlyKeys("w", "d", "t", "u");
    assertNear(there, here, 1e-4);
  }

  /** "x" as FP16, on its way to a model of such values. */
  private record Narrow(Noise noise) implements CalibrationInputs {
    @Override
    public String description() {
      return noise.description();
    }

    @Override
    public Origin origin() {
      return noise.origin();
    }

    @Override
    public int size() {
      return noise.size();
    }

    @Override
    public Map<String, OnnxTensor> make(OrtEnvironment environment, int index) throws OrtException {
      try (OnnxTensor wide = noise.make(environment, index).get("x")) {
        FloatBuffer values = wide.getFloatBuffer();
        ByteBuffer halves =
            ByteBuffer.allocateDirect(2 * values.remaining()).order(ByteOrder.nativeOrder());
        while (values.hasRemaining()) {
          halves.putShort(Halfs.fromFloat(values.get()));
        }
        OnnxTensor narrow =
            OnnxTensor.createTensor(
                environment, halves.flip(), wide.getInfo().getShape(), OnnxJavaType.FLOAT16);
        return Map.of("x", narrow);
      }
    }
  }

  private static ModelProto narrow(ModelProto model) {
    int half = TensorProto.DataType.FLOAT16_VALUE;
    ModelProto.Builder out = model.toBuilder();
    GraphProto.Builder graph = out.getGraphBuilder();
    graph.getInputBuilder(0).getTypeBuilder().getTensorTypeBuilder().setElemType(half);
    for (TensorProto.Builder tensor : graph.getInitializerBuilderList()) {
      ByteBuffer wide =
          tensor.getRawData().asReadOnlyByteBuffer().slice().order(ByteOrder.LITTLE_ENDIAN);
      ByteBuffer halves = ByteBuffer.allocate(wide.remaining() / 2).order(ByteOrder.LITTLE_ENDIAN);
      while (wide.hasRemaining()) {
        halves.putShort(Halfs.fromFloat(wide.getFloat()));
      }
      tensor.setDataType(half).setRawData(ByteString.copyFrom(halves.flip()));
    }
    return out.build();
  }

  /** Inputs, constants, weights in the file and weights in the graph are FP16. */
  @Test
  void modelsOfHalvesAreSeenLikeThoseOfSingles() throws Exception {
    TestGraph graph =
        convolutions()
            .real("k", 0.5f)
            .node("Mul", "scaled", List.of("y", "k"))
            .node("Cast", "out", List.of("scaled"), GraphNodes.integer("to", 1));
    ModelProto wide = graph.model(13, Set.of("out"));
    ModelProto narrow = narrow(wide);
    Noise inputs = new Noise(List.of(1L, 4L, 12L, 10L), 6, false);
    Calibration expected = calibrate(wide, inputs, 2);
    Calibration found = calibrate(narrow, new Narrow(inputs), 2);
    assertThat(found.notices()).isEmpty();
    // The third weight is so small that it stays in the graph.
    assertThat(found.tensors()).containsOnlyKeys("w", "t");
    assertNear(found, expected, 1e-2);
  }

  @Test
  void theNumberOfThreadsDoesNotMatter() throws Exception {
    ModelProto model = convolutions().model(11, Set.of("y"));
    Noise inputs = new Noise(List.of(1L, 4L, 12L, 10L), 7, false);
    Calibration one = calibrate(model, inputs, 1);
    Calibration three = calibrate(model, inputs, 3);
    for (String name : one.tensors().keySet()) {
      assertThat(three.tensors().get(name).metric()).isEqualTo(one.tensors().get(name).metric());
      assertThat(three.tensors().get(name).columns()).isEqualTo(one.tensors().get(name).columns());
    }
  }

  private static GraphProto branch(String weight, String output) {
    return GraphProto.newBuilder()
        .setName(output)
        .addNode(
            NodeProto.newBuilder()
                .setOpType("MatMul")
                .addInput("x")
                .addInput(weight)
                .addOutput("inner"))
        .addNode(NodeProto.newBuilder().setOpType("Tanh").addInput("inner").addOutput(output))
        .addOutput(ValueInfoProto.newBuilder().setName(output))
        .build();
  }

  /** Both branches name their values alike, and runs take them in turn. */
  @Test
  void weightsOfBothBranchesAreMet() throws Exception {
    TestGraph graph =
        new TestGraph()
            .input("x")
            .integerInput("n")
            .weight("v", 16, 32)
            .weight("w", 16, 32)
            .integers("two", 2)
            .integers("zero", 0)
            .node("Mod", "half", List.of("n", "two"))
            .node("Equal", "even", List.of("half", "zero"))
            .node("Squeeze", "condition", List.of("even"));
    AttributeProto.Builder type =
        AttributeProto.newBuilder().setType(AttributeProto.AttributeType.GRAPH);
    graph.node(
        "If",
        "y",
        List.of("condition"),
        type.setName("then_branch").setG(branch("v", "out")).build(),
        type.setName("else_branch").setG(branch("w", "out2")).build());
    Calibration found =
        calibrate(graph.model(11, Set.of("y")), new Noise(List.of(3L, 16L), 6, true), 2);
    assertThat(found.tensors().keySet()).containsExactlyInAnyOrder("v", "w");
    assertThat(found.tensors().values()).allMatch(TensorStatistics::sensitive);
    assertThat(found.notices()).isEmpty();
  }

  /** The gates are cut apart and put together in another order, as exporters do. */
  @Test
  void recurrentWeightsAreMetStepByStep() throws Exception {
    TestGraph graph =
        new TestGraph().input("x").weight("w", 32, 12).weight("r", 32, 8).weight("b", 1, 64);
    for (String name : List.of("w", "r")) {
      graph
          .split(name, List.of(name + "i", name + "fc", name + "o"), ints("split", 8L, 16L, 8L))
          .node(
              "Concat",
              name + "c",
              List.of(name + "i", name + "o", name + "fc"),
              GraphNodes.integer("axis", 0))
          .node("Unsqueeze", name + "u", List.of(name + "c"), ints("axes", 0L));
    }
    graph
        .nodes(
            "LSTM",
            List.of("all", "last"),
            List.of("x", "wu", "ru", "b"),
            GraphNodes.integer("hidden_size", 8))
        .node("Add", "y", List.of("all", "last"));
    Calibration found =
        calibrate(graph.model(11, Set.of("y")), new Noise(List.of(5L, 2L, 12L), 6, false), 1);
    assertThat(found.notices()).isEmpty();
    assertThat(found.tensors().get("w").view()).isEqualTo(new View(12, 32, true));
    assertThat(found.tensors().get("r").view()).isEqualTo(new View(8, 32, true));
    assertThat(found.tensors().get("r").sensitive()).isTrue();
  }

  @Test
  void aWeightOnTheLeftCountsLikeItsTransposeOnTheRight() throws Exception {
    TestGraph left =
        new TestGraph().input("x").weight("w", 24, 20).node("MatMul", "y", List.of("w", "x"));
    TestGraph right =
        new TestGraph()
            .input("x")
            .weight("w", 24, 20)
            .node("Transpose", "t", List.of("x"), ints("perm", 1L, 0L))
            .node("Transpose", "u", List.of("w"), ints("perm", 1L, 0L))
            .node("MatMul", "z", List.of("t", "u"))
            .node("Transpose", "y", List.of("z"), ints("perm", 1L, 0L));
    Noise inputs = new Noise(List.of(20L, 30L), 4, false);
    TensorStatistics a = calibrate(left.model(11, Set.of("y")), inputs, 1).tensors().get("w");
    TensorStatistics b = calibrate(right.model(11, Set.of("y")), inputs, 1).tensors().get("w");
    assertThat(a.view()).isEqualTo(new View(20, 24, true)).isEqualTo(b.view());
    for (int i = 0; i < a.metric().length; i++) {
      assertThat(a.metric()[i]).isCloseTo(b.metric()[i], within(1e-6));
    }
  }

  @Test
  void withoutMemoryForAMetricItsBlocksAreKeptAndItIsSaid() throws Exception {
    OnnxModelSource source =
        OnnxModelSource.open(
            Path.of("test.onnx"),
            new TestGraph()
                .input("x")
                .weight("w", 512, 32)
                .node("MatMul", "y", List.of("x", "w"))
                .model(11, Set.of("y"))
                .toByteArray(),
            Optional.empty());
    Noise inputs = new Noise(List.of(40L, 512L), 3, false);
    Calibrator.Options options = new Calibrator.Options(0, 0, 4);
    try (Workers workers = new Workers(1)) {
      // A quarter of it holds 512 x 128 numbers, and not 512 x 512.
      Calibration few =
          new Calibrator(
                  source, workers, options, new Calibrator.Limits(3L << 20, 1L << 40, 1L << 40))
              .run(inputs);
      assertThat(few.notices().toString())
          .contains("memory for metrics is short (3 MB of heap)", "in blocks of 128", "-Xmx");
      TensorStatistics blocks = few.tensors().get("w");
      TensorStatistics whole =
          new Calibrator(source, workers, options).run(inputs).tensors().get("w");
      assertThat(blocks.block()).isEqualTo(128);
      assertThat(whole.block()).isEqualTo(512);
      for (int i = 0; i < 512; i++) {
        for (int j = 0; j < 128; j++) {
          assertThat(blocks.metric()[i * 128 + j])
              .isCloseTo(whole.metric()[i * 512 + i / 128 * 128 + j], within(1e-9));
        }
      }
    }
  }

  /** Models that take texts are used by the mean over the positions, or by the first one. */
  @Test
  void withoutMemoryForGradientsEnergiesCountAndItIsSaid() throws Exception {
    Calibration found =
        calibrate(
            convolutions().model(11, Set.of("y")),
            new Noise(List.of(1L, 4L, 12L, 10L), 3, false),
            2,
            new Calibrator.Limits(1L << 30, 1L << 16, 1L << 40));
    assertThat(found.notices().toString())
        .contains("memory for gradients is short", "half of the machine's memory is 0 MB");
    assertThat(found.tensors()).containsOnlyKeys("w", "d", "t");
    assertThat(found.tensors().values()).noneMatch(TensorStatistics::sensitive);
  }

  @Test
  void theFirstPositionOfATextCounts() throws Exception {
    TestGraph graph =
        new TestGraph()
            .integerInput("x")
            .weight("table", 20, 16)
            .node("Gather", "y", List.of("table", "x"));
    OnnxModelSource source =
        OnnxModelSource.open(
            Path.of("test.onnx"), graph.model(11, Set.of("y")).toByteArray(), Optional.empty());
    CalibrationInputs tokens =
        new CalibrationInputs() {
          @Override
          public String description() {
            return "tokens";
          }

          @Override
          public Origin origin() {
            return Origin.GENERATED;
          }

          @Override
          public int size() {
            return 8;
          }

          @Override
          public Map<String, OnnxTensor> make(OrtEnvironment environment, int index)
              throws OrtException {
            return Map.of(
                "x",
                OnnxTensor.createTensor(
                    environment, LongBuffer.wrap(new long[] {3, 7, 7, 7}), new long[] {1, 4}));
          }
        };
    try (Workers workers = new Workers(1)) {
      double[] first =
          new Calibrator(source, workers, new Calibrator.Options(0, 1, 0))
              .run(tokens)
              .tensors()
              .get("table")
              .columns();
      assertThat(first[3]).isPositive();
      assertThat(first[7]).isZero();
      double[] mean =
          new Calibrator(source, workers, new Calibrator.Options(1, 0, 0))
              .run(tokens)
              .tensors()
              .get("table")
              .columns();
      // Every position has the same gradient.
      assertThat(mean[7]).isCloseTo(3 * mean[3], within(1e-3 * mean[7]));
    }
  }

  @Test
  void valuesThatAreNotFiniteAreLeftOutAndNamed() throws Exception {
    TestGraph graph =
        new TestGraph()
            .input("x")
            .weight("w", 16, 32)
            .node("Sqrt", "s", List.of("x"))
            .node("MatMul", "y", List.of("s", "w"));
    Calibration found =
        calibrate(graph.model(11, Set.of("y")), new Noise(List.of(2L, 16L), 3, false), 1);
    assertThat(found.tensors()).isEmpty();
    assertThat(found.notices().toString()).contains("'w' was not finite in 3 of 3 runs");
  }

  /**
   * Biases, factors, shifts and means: the gradient says what an error costs, element by element.
   */
  @Test
  void theCostOfVectorsIsWhatNoiseDoesToTheOutput() throws Exception {
    int n = 256;
    TestGraph graph =
        new TestGraph()
            .input("x")
            .weight("w", n, 4, 1, 1)
            .weight("b", n)
            .weight("s", n)
            .weight("t", n)
            .weight("m", n)
            .positive("v", n)
            .weight("f", n, 1, 1)
            .node("Conv", "c", List.of("x", "w", "b"))
            .node("BatchNormalization", "d", List.of("c", "s", "t", "m", "v"))
            .node("Mul", "y", List.of("d", "f"));
    Calibration found =
        calibrate(graph.model(11, Set.of("y")), new Noise(List.of(1L, 4L, 3L, 3L), 40, false), 2);
    assertThat(found.notices()).isEmpty();
    assertThat(found.tensors().keySet()).contains("b", "s", "t", "m", "f").doesNotContain("v");
    // y = (c + b - m) s / d f + t f: a bias and a mean move it alike, a shift by d / s times that.
    double[] b = found.tensors().get("b").columns();
    double[] m = found.tensors().get("m").columns();
    double[] t = found.tensors().get("t").columns();
    float[] s = values(graph, "s");
    float[] v = values(graph, "v");
    for (int j = 0; j < n; j++) {
      assertThat(m[j]).isCloseTo(b[j], within(1e-4 * b[j]));
      assertThat(t[j] * s[j] * s[j] / (v[j] + 1e-5)).isCloseTo(b[j], within(1e-3 * b[j]));
    }
  }

  private static float[] values(TestGraph graph, String name) {
    return graph.graph().getInitializerList().stream()
        .filter(tensor -> tensor.getName().equals(name))
        .map(
            tensor -> {
              float[] out = new float[TestGraph.count(graph.shapes().get(name))];
              tensor
                  .getRawData()
                  .asReadOnlyByteBuffer()
                  .order(ByteOrder.LITTLE_ENDIAN)
                  .asFloatBuffer()
                  .get(out);
              return out;
            })
        .findFirst()
        .orElseThrow();
  }

  /** Where a classifier is sure, the true slope is next to nothing: errors of few bits are not. */
  @Test
  void sureClassifiersAreNotTakenForInsensitiveOnes() throws Exception {
    double[] sums = new double[2];
    for (int i = 0; i < 2; i++) {
      TestGraph graph =
          new TestGraph()
              .input("x")
              .weight("w", 32, 64)
              .real("sure", 10)
              .node("MatMul", "a", List.of("x", "w"))
              .node("Mul", "b", List.of("a", "sure"))
              .node("Softmax", "y", List.of("b"), GraphNodes.integer("axis", -1));
      if (i == 1) {
        graph.node("Mul", "z", List.of("y", "sure"));
      }
      Calibration found =
          calibrate(
              graph.model(13, Set.of(i == 0 ? "y" : "z")),
              new Noise(List.of(8L, 32L), 20, false),
              2);
      sums[i] = Arrays.stream(found.tensors().get("w").columns()).sum();
    }
    // Behind another operator the probabilities are no answers, and count with their true slope.
    assertThat(sums[0]).isGreaterThan(4 * sums[1]);
  }
}
