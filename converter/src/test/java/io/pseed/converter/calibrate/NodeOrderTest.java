package io.pseed.converter.calibrate;

import static org.assertj.core.api.Assertions.assertThat;

import io.pseed.converter.onnx.proto.AttributeProto;
import io.pseed.converter.onnx.proto.GraphProto;
import io.pseed.converter.onnx.proto.ModelProto;
import io.pseed.converter.onnx.proto.NodeProto;
import io.pseed.converter.onnx.proto.ValueInfoProto;
import java.util.List;
import org.junit.jupiter.api.Test;

/** Nodes behind what they need. */
class NodeOrderTest {
  private static NodeProto node(String output, String... inputs) {
    return NodeProto.newBuilder()
        .setOpType("Sum")
        .addAllInput(List.of(inputs))
        .addOutput(output)
        .build();
  }

  private static List<String> sorted(NodeProto... nodes) {
    ModelProto model =
        ModelProto.newBuilder()
            .setGraph(GraphProto.newBuilder().addAllNode(List.of(nodes)))
            .build();
    return NodeOrder.sorted(model).getGraph().getNodeList().stream()
        .map(node -> node.getOutput(0))
        .toList();
  }

  @Test
  void nodesInOrderKeepIt() {
    ModelProto model =
        ModelProto.newBuilder()
            .setGraph(
                GraphProto.newBuilder()
                    .addNode(node("b", "x"))
                    .addNode(node("a", "x"))
                    .addNode(node("c", "a", "b", "")))
            .build();
    assertThat(NodeOrder.sorted(model)).isSameAs(model);
  }

  @Test
  void castsAtTheEndComeToTheirPlaces() {
    assertThat(
            sorted(node("a", "x.cast"), node("b", "a.cast"), node("a.cast", "a"), node("x.cast")))
        .containsExactly("x.cast", "a", "a.cast", "b");
  }

  @Test
  void whatABranchReadsFromOutsideIsNeeded() {
    GraphProto branch =
        GraphProto.newBuilder()
            .addNode(node("inner", "late"))
            .addOutput(ValueInfoProto.newBuilder().setName("inner"))
            .build();
    NodeProto choice =
        NodeProto.newBuilder()
            .setOpType("If")
            .addInput("c")
            .addOutput("y")
            .addAttribute(
                AttributeProto.newBuilder()
                    .setName("then_branch")
                    .setType(AttributeProto.AttributeType.GRAPH)
                    .setG(branch))
            .build();
    assertThat(sorted(choice, node("late", "x"))).containsExactly("late", "y");
  }

  @Test
  void longChainsInReverse() {
    NodeProto[] nodes = new NodeProto[100_000];
    for (int i = 0; i < nodes.length; i++) {
      int number = nodes.length - i;
      nodes[i] = node("v" + number, "v" + (number - 1));
    }
    List<String> sorted = sorted(nodes);
    assertThat(sorted).hasSize(nodes.length).startsWith("v1", "v2").endsWith("v100000");
  }

  @Test
  void nodesThatNeedOneAnotherDoNotHang() {
    assertThat(sorted(node("a", "b"), node("b", "a"))).containsExactlyInAnyOrder("a", "b");
  }
}
