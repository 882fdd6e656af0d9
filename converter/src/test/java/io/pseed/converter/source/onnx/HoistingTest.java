package io.pseed.converter.source.onnx;

import static io.pseed.converter.source.onnx.OnnxBuilders.attribute;
import static io.pseed.converter.source.onnx.OnnxBuilders.call;
import static io.pseed.converter.source.onnx.OnnxBuilders.constant;
import static io.pseed.converter.source.onnx.OnnxBuilders.function;
import static io.pseed.converter.source.onnx.OnnxBuilders.graph;
import static io.pseed.converter.source.onnx.OnnxBuilders.header;
import static io.pseed.converter.source.onnx.OnnxBuilders.ints;
import static io.pseed.converter.source.onnx.OnnxBuilders.model;
import static io.pseed.converter.source.onnx.OnnxBuilders.node;
import static io.pseed.converter.source.onnx.OnnxBuilders.opset;
import static io.pseed.converter.source.onnx.OnnxBuilders.tensor;
import static io.pseed.converter.source.onnx.OnnxBuilders.value;
import static org.assertj.core.api.Assertions.assertThat;

import io.pseed.converter.onnx.proto.AttributeProto;
import io.pseed.converter.onnx.proto.FunctionProto;
import io.pseed.converter.onnx.proto.GraphProto;
import io.pseed.converter.onnx.proto.ModelProto;
import io.pseed.converter.onnx.proto.NodeProto;
import io.pseed.converter.onnx.proto.StringStringEntryProto;
import io.pseed.converter.onnx.proto.TensorAnnotation;
import io.pseed.converter.onnx.proto.TensorProto.DataType;
import io.pseed.converter.source.SourceTensor;
import io.pseed.converter.source.TensorRole;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;

/** Weights in odd places move to the top, and ONNX Runtime computes the same bits as before. */
class HoistingTest {
  private static final int N = 16;

  private static OnnxModelSource open(ModelProto model) throws Exception {
    return OnnxModelSource.open(Path.of("test.onnx"), model.toByteArray(), Optional.empty());
  }

  private static List<String> names(OnnxModelSource source) {
    return source.tensors().stream().map(SourceTensor::name).toList();
  }

  private static void assertSame(ModelProto.Builder model, Map<String, OnnxRuns.Input> extra)
      throws Exception {
    byte[] original = model.build().toByteArray();
    OnnxModelSource source = open(model.build());
    Map<String, OnnxRuns.Input> inputs = OnnxRuns.inputs(original, Map.of(), 7);
    inputs.putAll(extra);
    OnnxRuns.assertSame(original, source, inputs);
  }

  private static GraphProto.Builder xToY() {
    return graph("main").addInput(value("x", 1, N)).addOutput(value("y", 1, N));
  }

  @Test
  void constantNodesOfTheMainGraphBecomeInitializers() throws Exception {
    ModelProto.Builder model =
        model(
            xToY()
                .addNode(constant("w", tensor("ignored", 1, N, N)))
                .addNode(
                    node(
                        "Constant",
                        List.of(),
                        List.of("b"),
                        AttributeProto.newBuilder()
                            .setName("value_floats")
                            .setType(AttributeProto.AttributeType.FLOATS)
                            .addAllFloats(new ArrayList<>(java.util.Collections.nCopies(256, 0.5f)))
                            .build()))
                .addNode(
                    node(
                        "Constant",
                        List.of(),
                        List.of("i"),
                        ints(
                            "value_ints",
                            new ArrayList<>(java.util.Collections.nCopies(N * 8, 3L)))))
                .addNode(node("MatMul", List.of("x", "w"), List.of("m")))
                .addNode(node("ReduceSum", List.of("b"), List.of("bs"), attribute("keepdims", 0)))
                .addNode(node("Gather", List.of("b", "i"), List.of("g")))
                .addNode(node("ReduceMax", List.of("g"), List.of("gm"), attribute("keepdims", 0)))
                .addNode(node("Add", List.of("m", "bs"), List.of("a")))
                .addNode(node("Add", List.of("a", "gm"), List.of("y"))));
    OnnxModelSource source = open(model.build());
    assertThat(names(source)).containsExactly("w", "b", "i");
    assertThat(source.tensors().get(0).role()).isEqualTo(TensorRole.MATMUL);
    assertThat(source.graph().getGraph().getNodeList())
        .noneMatch(n -> n.getOpType().equals("Constant"));
    assertSame(model, Map.of());
  }

  @Test
  void aWeightThatIsAnOutputOfTheModelWorks() throws Exception {
    assertSame(
        model(
            graph("main", constant("w", tensor("", 1, N, N)))
                .addOutput(value("w", N, N))
                .addOutput(value("v", N, N))
                .addInitializer(tensor("v", 2, N, N))),
        Map.of());
  }

  /** Both branches use the same local names for different weights, one of them as output. */
  @Test
  void branchesOfIfWithEqualNames() throws Exception {
    GraphProto then =
        graph(
                "then",
                constant("w", tensor("", 1, N, N)),
                node("MatMul", List.of("x", "w"), List.of("y_in")))
            .addOutput(value("y_in", 1, N))
            .build();
    GraphProto otherwise =
        graph("else", node("MatMul", List.of("x", "w"), List.of("y_in")))
            .addInitializer(tensor("w", 2, N, N))
            .addValueInfo(value("w", N, N))
            .addOutput(value("y_in", 1, N))
            .build();
    ModelProto.Builder model =
        model(
            xToY()
                .addInput(value("c", DataType.BOOL))
                .addNode(
                    node(
                        "If",
                        List.of("c"),
                        List.of("y"),
                        attribute("then_branch", then),
                        attribute("else_branch", otherwise))));
    OnnxModelSource source = open(model.build());
    assertThat(names(source)).containsExactly("w_1", "w_2");
    assertThat(source.tensors()).allMatch(t -> t.role() == TensorRole.MATMUL);
    assertThat(source.notices()).anyMatch(n -> n.startsWith("2 weights of subgraphs"));
    assertSame(model, Map.of("c", OnnxRuns.scalar(true)));
    assertSame(model, Map.of("c", OnnxRuns.scalar(false)));
  }

  /** Exporters repeat weights in branches, and those of layers that share theirs. */
  @Test
  void equalWeightsAreStoredOnce() throws Exception {
    int n = 2 * N;
    GraphProto then =
        graph(
                "then",
                constant("w", tensor("", 1, n, n)),
                constant("other", tensor("", 3, n, n)),
                node("MatMul", List.of("h", "w"), List.of("m")),
                node("MatMul", List.of("m", "other"), List.of("y_in")))
            .addOutput(value("y_in", 1, n))
            .build();
    GraphProto otherwise =
        graph(
                "else",
                constant("y_in", tensor("", 1, n, n)),
                node("MatMul", List.of("h", "main2"), List.of("unused")))
            .addOutput(value("y_in", n, n))
            .build();
    ModelProto.Builder model =
        model(
            graph("main")
                .addInput(value("x", 1, n))
                .addInput(value("c", DataType.BOOL))
                .addOutput(value("y"))
                .addOutput(value("shown", n, n))
                .addInitializer(tensor("main", 1, n, n))
                .addInitializer(tensor("main2", 1, n, n))
                .addInitializer(tensor("turned", 1, 4L * N, N))
                .addInitializer(tensor("shown", 1, n, n))
                // Of a recurrent layer: biases are repeated too.
                .addInitializer(tensor("bias", 9, 1, 512))
                .addInitializer(tensor("bias2", 9, 1, 512))
                .addNode(node("Shape", List.of("bias"), List.of("s1")))
                .addNode(node("Shape", List.of("bias2"), List.of("s2")))
                .addNode(node("MatMul", List.of("x", "main2"), List.of("a")))
                .addNode(node("MatMul", List.of("a", "main"), List.of("b")))
                .addNode(node("Shape", List.of("turned"), List.of("s")))
                .addNode(node("Identity", List.of("b"), List.of("h")))
                .addNode(
                    node(
                        "If",
                        List.of("c"),
                        List.of("y"),
                        attribute("then_branch", then),
                        attribute("else_branch", otherwise))));
    OnnxModelSource source = open(model.build());
    assertThat(names(source)).containsExactly("main", "turned", "shown", "bias", "other");
    assertThat(source.notices()).contains("4 weights are equal to others and are stored once");
    assertSame(model, Map.of("c", OnnxRuns.scalar(true)));
    assertSame(model, Map.of("c", OnnxRuns.scalar(false)));
  }

  /** What a subgraph says about a value follows the value's new name, or goes with it. */
  @Test
  void annotationsFollow() throws Exception {
    TensorAnnotation annotation =
        TensorAnnotation.newBuilder()
            .setTensorName("w")
            .addQuantParameterTensorNames(
                StringStringEntryProto.newBuilder().setKey("SCALE_TENSOR").setValue("w"))
            .build();
    GraphProto inner =
        graph("inner", node("MatMul", List.of("x", "w"), List.of("z")))
            .addValueInfo(value("w", N, N))
            .addOutput(value("z", 1, N))
            .build();
    GraphProto outer =
        graph(
                "outer",
                constant("w", tensor("", 1, N, N)),
                node("If", List.of("c"), List.of("v"), attribute("then_branch", inner)))
            .addValueInfo(value("w", N, N))
            .addQuantizationAnnotation(annotation)
            .addOutput(value("v", 1, N))
            .build();
    NodeProto choice =
        node(
            "If",
            List.of("c"),
            List.of("y"),
            attribute("then_branch", outer),
            attribute("else_branch", outer));
    GraphProto rewritten =
        open(model(xToY().addNode(choice)).build())
            .graph()
            .getGraph()
            .getNode(0)
            .getAttribute(1)
            .getG();
    assertThat(rewritten.getValueInfoCount()).isZero();
    assertThat(rewritten.getQuantizationAnnotation(0).getTensorName()).isEqualTo("w_2");
    assertThat(rewritten.getQuantizationAnnotation(0).getQuantParameterTensorNames(0).getValue())
        .isEqualTo("w_2");
    GraphProto deepest = rewritten.getNode(0).getAttribute(0).getG();
    assertThat(deepest.getNode(0).getInputList()).containsExactly("x", "w_2");
    assertThat(deepest.getValueInfo(0).getName()).isEqualTo("w_2");
  }

  @Test
  void aWeightThatIsTheOutputOfABranch() throws Exception {
    GraphProto then =
        graph("then", constant("out", tensor("", 1, N, N))).addOutput(value("out", N, N)).build();
    GraphProto otherwise =
        graph("else").addInitializer(tensor("out", 2, N, N)).addOutput(value("out", N, N)).build();
    ModelProto.Builder model =
        model(
            xToY()
                .addInput(value("c", DataType.BOOL))
                .addNode(
                    node(
                        "If",
                        List.of("c"),
                        List.of("w"),
                        attribute("then_branch", then),
                        attribute("else_branch", otherwise)))
                .addNode(node("MatMul", List.of("x", "w"), List.of("y"))));
    assertThat(names(open(model.build()))).hasSize(2);
    assertSame(model, Map.of("c", OnnxRuns.scalar(true)));
    assertSame(model, Map.of("c", OnnxRuns.scalar(false)));
  }

  /** A Loop within an If; the inner scopes shadow and see names of the outer ones. */
  @Test
  void nestedSubgraphsAndShadowedNames() throws Exception {
    GraphProto body =
        graph(
                "body",
                constant("inner", tensor("", 4, N, N)),
                node("Identity", List.of("go"), List.of("go_out")),
                node("MatMul", List.of("v", "inner"), List.of("v1")),
                node("MatMul", List.of("v1", "mid"), List.of("v2")),
                node("MatMul", List.of("v2", "top"), List.of("v3")),
                node("Tanh", List.of("v3"), List.of("v_out")))
            .addInput(value("i", DataType.INT64))
            .addInput(value("go", DataType.BOOL))
            .addInput(value("v", 1, N))
            .addOutput(value("go_out", DataType.BOOL))
            .addOutput(value("v_out", 1, N))
            .build();
    GraphProto then =
        graph(
                "then",
                node("Loop", List.of("n", "", "x"), List.of("looped"), attribute("body", body)))
            .addInitializer(tensor("mid", 3, N, N))
            .addOutput(value("looped", 1, N))
            .build();
    GraphProto otherwise =
        graph(
                "else",
                constant("mid", tensor("", 5, N, N)),
                node("MatMul", List.of("x", "mid"), List.of("z")))
            .addOutput(value("z", 1, N))
            .build();
    ModelProto.Builder model =
        model(
            xToY()
                .addInput(value("c", DataType.BOOL))
                .addInput(value("n", DataType.INT64))
                .addInitializer(tensor("top", 1, N, N))
                .addNode(
                    node(
                        "If",
                        List.of("c"),
                        List.of("y"),
                        attribute("then_branch", then),
                        attribute("else_branch", otherwise))));
    OnnxModelSource source = open(model.build());
    assertThat(names(source)).containsExactly("top", "mid_1", "inner", "mid_2");
    assertThat(source.tensors()).allMatch(t -> t.role() == TensorRole.MATMUL);
    OnnxRuns.Input n = OnnxRuns.scalar(3);
    assertSame(model, Map.of("n", n, "c", OnnxRuns.scalar(true)));
    assertSame(model, Map.of("n", n, "c", OnnxRuns.scalar(false)));
  }

  @Test
  void weightsOfScan() throws Exception {
    GraphProto body =
        graph(
                "body",
                node("MatMul", List.of("row", "w"), List.of("m")),
                node("Add", List.of("m", "s"), List.of("s_out")),
                node("Identity", List.of("s_out"), List.of("row_out")))
            .addInitializer(tensor("w", 1, N, N))
            .addInput(value("s", N))
            .addInput(value("row", N))
            .addOutput(value("s_out", N))
            .addOutput(value("row_out", N))
            .build();
    assertSame(
        model(
            graph("main")
                .addInput(value("s0", N))
                .addInput(value("x", 5, N))
                .addOutput(value("s1", N))
                .addOutput(value("y", 5, N))
                .addNode(
                    node(
                        "Scan",
                        List.of("s0", "x"),
                        List.of("s1", "y"),
                        attribute("num_scan_inputs", 1),
                        attribute("body", body)))),
        Map.of());
  }

  /** Functions that call functions, with weights in the body and in a subgraph of the body. */
  @Test
  void weightsOfFunctions() throws Exception {
    GraphProto then =
        graph(
                "then",
                constant("w", tensor("", 2, N, N)),
                node("MatMul", List.of("a", "w"), List.of("t")))
            .addOutput(value("t", 1, N))
            .build();
    GraphProto otherwise =
        graph("else", call("test.fn", "Inner", List.of("a"), List.of("t")))
            .addOutput(value("t", 1, N))
            .build();
    FunctionProto outer =
        function(
                "test.fn",
                "Outer",
                List.of("a", "c", "unused"),
                List.of("r"),
                node(
                    "If",
                    List.of("c"),
                    List.of("b"),
                    attribute("then_branch", then),
                    attribute("else_branch", otherwise)),
                call("test.fn", "Inner", List.of("b"), List.of("r")))
            .build();
    FunctionProto inner =
        function(
                "test.fn",
                "Inner",
                List.of("a"),
                List.of("r"),
                constant("w", tensor("", 3, N, N)),
                node("MatMul", List.of("a", "w"), List.of("m")),
                node("Tanh", List.of("m"), List.of("r")))
            .build();
    ModelProto.Builder model =
        model(
                xToY()
                    .addInput(value("c", DataType.BOOL))
                    .addNode(call("test.fn", "Outer", List.of("x", "c"), List.of("w")))
                    .addNode(call("test.fn", "Inner", List.of("w"), List.of("y"))))
            .addOpsetImport(opset("test.fn", 1))
            .addFunctions(outer)
            .addFunctions(inner);
    OnnxModelSource source = open(model.build());
    assertThat(names(source)).hasSize(2);
    assertThat(source.tensors()).allMatch(t -> t.role() == TensorRole.MATMUL);
    assertThat(source.notices()).anyMatch(n -> n.startsWith("2 weights of model-local functions"));
    assertThat(source.graph().getFunctionsList())
        .extracting(FunctionProto::getInputCount)
        .containsExactly(5, 2);
    assertSame(model, Map.of("c", OnnxRuns.scalar(true)));
    assertSame(model, Map.of("c", OnnxRuns.scalar(false)));
  }

  @Test
  void aWeightThatIsTheOutputOfAFunction() throws Exception {
    ModelProto.Builder model =
        model(
                xToY()
                    .addNode(call("test.fn", "Give", List.of(), List.of("w")))
                    .addNode(node("MatMul", List.of("x", "w"), List.of("y"))))
            .addOpsetImport(opset("test.fn", 1))
            .addFunctions(
                function(
                    "test.fn",
                    "Give",
                    List.of(),
                    List.of("o"),
                    constant("o", tensor("", 3, N, N))));
    assertThat(names(open(model.build()))).hasSize(1);
    assertSame(model, Map.of());
  }

  @Test
  void functionsThatCannotTakeInputsKeepTheirWeightsAndSaySo() throws Exception {
    FunctionProto.Builder reserved =
        function(
            "com.microsoft",
            "Mine",
            List.of("a"),
            List.of("r"),
            call("test.fn", "Inner", List.of("a"), List.of("r")));
    FunctionProto.Builder inner =
        function(
            "test.fn",
            "Inner",
            List.of("a"),
            List.of("r"),
            constant("w", tensor("", 3, N, N)),
            node("MatMul", List.of("a", "w"), List.of("r")));
    FunctionProto.Builder dead =
        function(
            "test.fn",
            "Dead",
            List.of("a"),
            List.of("r"),
            constant("w", tensor("", 3, N, N)),
            node("MatMul", List.of("a", "w"), List.of("r")));
    ModelProto.Builder model =
        model(xToY().addNode(call("com.microsoft", "Mine", List.of("x"), List.of("y"))))
            .addOpsetImport(opset("test.fn", 1))
            .addOpsetImport(opset("com.microsoft", 1))
            .addFunctions(reserved.addOpsetImport(opset("test.fn", 1)))
            .addFunctions(inner)
            .addFunctions(dead);
    OnnxModelSource source = open(model.build());
    assertThat(source.tensors()).isEmpty();
    assertThat(source.graph()).isEqualTo(model.build());
    assertThat(source.notices())
        .anyMatch(n -> n.contains("never called"))
        .anyMatch(n -> n.contains("called by one that cannot pass them on"));
    assertSame(model, Map.of());
  }

  @Test
  void functionsThatLeadBackToThemselvesKeepTheirWeights() throws Exception {
    ModelProto model =
        model(xToY().addNode(call("test.fn", "A", List.of("x"), List.of("y"))))
            .addFunctions(
                function(
                    "test.fn",
                    "A",
                    List.of("a"),
                    List.of("r"),
                    constant("w", tensor("", 3, N, N)),
                    call("test.fn", "A", List.of("a"), List.of("r"))))
            .build();
    OnnxModelSource source = open(model);
    assertThat(source.graph()).isEqualTo(model);
    assertThat(source.notices()).anyMatch(n -> n.contains("leads back to itself"));
  }

  @Test
  void initializersThatAreInputsStopBeingInputs() throws Exception {
    GraphProto.Builder graph =
        xToY()
            .addInput(value("w", N, N))
            .addInput(value("small", 1))
            .addInitializer(tensor("w", 1, N, N))
            .addInitializer(tensor("small", 2, 1))
            .addNode(node("MatMul", List.of("x", "w"), List.of("m")))
            .addNode(node("Add", List.of("m", "small"), List.of("y")));
    OnnxModelSource modern = open(model(graph).build());
    assertThat(modern.graph().getIrVersion()).isEqualTo(8);
    assertThat(modern.graph().getGraph().getInputList())
        .extracting(v -> v.getName())
        .containsExactly("x", "small");
    assertThat(modern.notices()).anyMatch(n -> n.contains("cannot be overridden any more: w"));

    ModelProto.Builder old =
        model(graph).setIrVersion(3).clearOpsetImport().addOpsetImport(opset("", 7));
    OnnxModelSource legacy = open(old.build());
    assertThat(legacy.graph().getIrVersion()).isEqualTo(4);
    assertThat(legacy.graph().getGraph().getInputList())
        .extracting(v -> v.getName())
        .containsExactly("x");
    Map<String, OnnxRuns.Input> x = OnnxRuns.inputs(old.build().toByteArray(), Map.of(), 3);
    OnnxRuns.assertSame(old.build().toByteArray(), legacy, Map.of("x", x.get("x")));
  }

  @Test
  void valuesThatShareANameStayAndSaySo() throws Exception {
    ModelProto model =
        model(
                xToY()
                    .addInitializer(tensor("w", 1, N, N))
                    .addInitializer(tensor("w", 2, N, N))
                    .addInitializer(
                        header("", DataType.FLOAT, N, N)
                            .setRawData(tensor("", 3, N, N).getRawData())
                            .build())
                    .addNode(node("MatMul", List.of("x", "w"), List.of("y"))))
            .build();
    OnnxModelSource source = open(model);
    assertThat(source.graph()).isEqualTo(model);
    assertThat(source.notices())
        .anyMatch(n -> n.startsWith("2 tensors") && n.contains("share their name"))
        .anyMatch(n -> n.startsWith("1 tensors") && n.contains("no name"));
  }
}
