package io.pseed.converter.calibrate;

import static org.assertj.core.api.Assertions.assertThat;

import ai.onnxruntime.OnnxJavaType;
import ai.onnxruntime.OnnxTensor;
import ai.onnxruntime.OrtEnvironment;
import ai.onnxruntime.OrtSession;
import com.google.protobuf.ByteString;
import io.pseed.converter.onnx.proto.AttributeProto;
import io.pseed.converter.onnx.proto.GraphProto;
import io.pseed.converter.onnx.proto.ModelProto;
import io.pseed.converter.onnx.proto.NodeProto;
import io.pseed.converter.onnx.proto.OperatorSetIdProto;
import io.pseed.converter.onnx.proto.TensorProto;
import io.pseed.converter.onnx.proto.TypeProto;
import io.pseed.converter.onnx.proto.ValueInfoProto;
import io.pseed.format.Halfs;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.FloatBuffer;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

/** Models of 16-bit floats as models of FP32. */
class WidenedModelTest {
  private static final int HALF = TensorProto.DataType.FLOAT16_VALUE;
  private static final int BRAIN = TensorProto.DataType.BFLOAT16_VALUE;

  private static TensorProto halves(String name, float... values) {
    ByteBuffer raw = ByteBuffer.allocate(2 * values.length).order(ByteOrder.LITTLE_ENDIAN);
    for (float value : values) {
      raw.putShort(Halfs.fromFloat(value));
    }
    return TensorProto.newBuilder()
        .setName(name)
        .setDataType(HALF)
        .addDims(values.length)
        .setRawData(ByteString.copyFrom(raw.flip()))
        .build();
  }

  private static ValueInfoProto value(String name, int type, long... dims) {
    TypeProto.Tensor.Builder tensor = TypeProto.Tensor.newBuilder().setElemType(type);
    for (long dim : dims) {
      tensor.getShapeBuilder().addDimBuilder().setDimValue(dim);
    }
    return ValueInfoProto.newBuilder()
        .setName(name)
        .setType(TypeProto.newBuilder().setTensorType(tensor))
        .build();
  }

  private static NodeProto node(
      String op, String output, List<String> inputs, AttributeProto... attributes) {
    return NodeProto.newBuilder()
        .setOpType(op)
        .addAllInput(inputs)
        .addOutput(output)
        .addAllAttribute(List.of(attributes))
        .build();
  }

  private static AttributeProto tensor(TensorProto value) {
    return AttributeProto.newBuilder()
        .setName("value")
        .setType(AttributeProto.AttributeType.TENSOR)
        .setT(value)
        .build();
  }

  private static AttributeProto branch(String name, NodeProto... nodes) {
    return AttributeProto.newBuilder()
        .setName(name)
        .setType(AttributeProto.AttributeType.GRAPH)
        .setG(
            GraphProto.newBuilder()
                .setName(name)
                .addAllNode(List.of(nodes))
                .addInitializer(halves("k." + name, 3))
                .addOutput(value(name + ".out", HALF, 2)))
        .build();
  }

  /**
   * An FP16 input and one with a default, constants in nodes and in lists of numbers, casts there
   * and back, and branches that use the input.
   */
  private static ModelProto model() {
    TensorProto listed =
        TensorProto.newBuilder()
            .setDataType(HALF)
            .addDims(2)
            .addInt32Data(Halfs.fromFloat(0.25f) & 0xFFFF)
            .addInt32Data(Halfs.fromFloat(-2) & 0xFFFF)
            .build();
    GraphProto graph =
        GraphProto.newBuilder()
            .setName("test")
            .addInput(value("x", HALF, 2))
            .addInput(value("d", HALF, 2))
            .addInput(value("c", TensorProto.DataType.BOOL_VALUE))
            .addInitializer(halves("d", 1, 2))
            .addInitializer(GraphNodes.vector("two", List.of(2L)))
            .addNode(node("Constant", "listed", List.of(), tensor(listed)))
            .addNode(node("ConstantOfShape", "fill", List.of("two"), tensor(halves("", 0.5f))))
            .addNode(node("Mul", "scaled", List.of("x", "listed")))
            .addNode(node("Add", "moved", List.of("scaled", "fill")))
            .addNode(node("Cast", "single", List.of("moved"), GraphNodes.integer("to", 1)))
            .addNode(node("Cast", "half", List.of("single"), GraphNodes.integer("to", HALF)))
            .addNode(
                node(
                    "If",
                    "chosen",
                    List.of("c"),
                    branch(
                        "then_branch",
                        node("Mul", "then_branch.k", List.of("half", "k.then_branch")),
                        node("Mul", "then_branch.out", List.of("x", "then_branch.k"))),
                    branch(
                        "else_branch",
                        node("Add", "else_branch.out", List.of("x", "k.else_branch")))))
            .addNode(node("Add", "y", List.of("chosen", "d")))
            .addValueInfo(value("scaled", HALF, 2))
            .addOutput(value("y", HALF, 2))
            .build();
    return ModelProto.newBuilder()
        .setIrVersion(8)
        .addOpsetImport(OperatorSetIdProto.newBuilder().setDomain("").setVersion(13))
        .setGraph(graph)
        .build();
  }

  private static float[] run(ModelProto model, boolean then) throws Exception {
    OrtEnvironment environment = OrtEnvironment.getEnvironment();
    ByteBuffer x = ByteBuffer.allocateDirect(4).order(ByteOrder.nativeOrder());
    x.putShort(Halfs.fromFloat(1.5f)).putShort(Halfs.fromFloat(-0.75f)).flip();
    try (OrtSession session = environment.createSession(model.toByteArray());
        OnnxTensor input =
            OnnxTensor.createTensor(environment, x, new long[] {2}, OnnxJavaType.FLOAT16);
        OnnxTensor condition = OnnxTensor.createTensor(environment, then);
        OrtSession.Result result = session.run(Map.of("x", input, "c", condition))) {
      FloatBuffer y = ((OnnxTensor) result.get(0)).getFloatBuffer();
      return new float[] {y.get(0), y.get(1)};
    }
  }

  @Test
  void itComputesWhatTheModelSays() throws Exception {
    ModelProto wide = WidenedModel.of(model());
    // x = 1.5, -0.75; moved = x (0.25, -2) + 0.5; then x (3 moved), else x + 3; and d = 1, 2.
    assertThat(run(wide, true)).containsExactly(1.5f * 0.875f * 3 + 1, -0.75f * 2 * 3 + 2);
    assertThat(run(wide, false)).containsExactly(1.5f + 3 + 1, -0.75f + 3 + 2);
  }

  @Test
  void nothingIsLeftNarrowButInputs() {
    GraphProto graph = WidenedModel.of(model()).getGraph();
    assertThat(graph.getInput(0)).isEqualTo(value("x", HALF, 2));
    GraphProto rest = graph.toBuilder().removeInput(0).build();
    assertThat(rest.toString())
        .doesNotContain("elem_type: " + HALF)
        .doesNotContain("data_type: " + HALF)
        .doesNotContain("i: " + HALF + "\n");
  }

  @Test
  void brainFloatsAreWidenedExactly() {
    TensorProto.Builder tensor =
        TensorProto.newBuilder().setName("b").setDataType(BRAIN).addDims(3);
    for (float value : new float[] {1.5f, -3e38f, 1e-30f}) {
      tensor.addInt32Data(Halfs.toBFloat16(value) & 0xFFFF);
    }
    ModelProto model =
        ModelProto.newBuilder().setGraph(GraphProto.newBuilder().addInitializer(tensor)).build();
    TensorProto wide = WidenedModel.of(model).getGraph().getInitializer(0);
    assertThat(wide.getDataType()).isEqualTo(TensorProto.DataType.FLOAT_VALUE);
    assertThat(wide.getInt32DataCount()).isZero();
    assertThat(wide.getFloatDataList())
        .containsExactly(
            1.5f,
            Halfs.fromBFloat16(Halfs.toBFloat16(-3e38f)),
            Halfs.fromBFloat16(Halfs.toBFloat16(1e-30f)));
  }

  @Test
  void modelsOfSinglesAreLeftAlone() {
    ModelProto wide = WidenedModel.of(model());
    ModelProto singles =
        wide.toBuilder().setGraph(wide.getGraph().toBuilder().removeInput(0).removeNode(0)).build();
    assertThat(WidenedModel.of(singles)).isSameAs(singles);
  }
}
