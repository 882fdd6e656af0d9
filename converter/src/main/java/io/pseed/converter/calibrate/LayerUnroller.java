package io.pseed.converter.calibrate;

import io.pseed.converter.onnx.proto.GraphProto;
import io.pseed.converter.onnx.proto.ModelProto;
import io.pseed.converter.onnx.proto.NodeProto;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/**
 * Writes short LSTM layers out as products and gates, step by step, so that their weights meet
 * their vectors in matrix products and the layer can be differentiated (backpropagation through
 * time). Hochreiter and Schmidhuber, "Long short-term memory" (1997), in the form of ONNX: gates in
 * the order input, output, forget, cell; no peepholes.
 */
final class LayerUnroller {
  /** Longest sequence that is written out. */
  private static final int LONGEST = 64;

  private final GraphWriter writer;
  private final Map<String, long[]> shapes;
  private boolean any;

  private LayerUnroller(GraphWriter writer, Map<String, long[]> shapes) {
    this.writer = writer;
    this.shapes = shapes;
  }

  /**
   * The model without LSTM layers, or itself where there are none that can be written out.
   *
   * @param shapes of all values in one run; the result holds for sequences of that length
   */
  static ModelProto unroll(ModelProto model, Map<String, long[]> shapes) {
    LayerUnroller unroller = new LayerUnroller(new GraphWriter("pseed.layer.", model), shapes);
    for (NodeProto node : model.getGraph().getNodeList()) {
      if (unroller.simple(node)) {
        unroller.lstm(node);
        unroller.any = true;
      } else {
        unroller.writer.nodes().add(node);
      }
    }
    if (!unroller.any) {
      return model;
    }
    GraphProto.Builder graph =
        model.getGraph().toBuilder()
            .clearNode()
            .addAllNode(unroller.writer.nodes())
            .addAllInitializer(unroller.writer.constants());
    return model.toBuilder().setGraph(graph).build();
  }

  private static String input(NodeProto node, int i) {
    return i < node.getInputCount() ? node.getInput(i) : "";
  }

  private boolean simple(NodeProto node) {
    if (!node.getOpType().equals("LSTM") || !node.getDomain().isEmpty()) {
      return false;
    }
    long[] x = shapes.get(node.getInput(0));
    long[] r = shapes.get(node.getInput(2));
    return x != null
        && r != null
        && x.length == 3
        && x[0] >= 1
        && x[0] <= LONGEST
        && input(node, 4).isEmpty()
        && input(node, 7).isEmpty()
        && GraphNodes.attribute(node, "activations").isEmpty()
        && GraphNodes.attribute(node, "clip").isEmpty()
        && GraphNodes.integer(node, "input_forget", 0) == 0
        && GraphNodes.integer(node, "layout", 0) == 0;
  }

  private String slice(String value, int axis, long from, long to) {
    return writer.slice(value, axis, from, to);
  }

  private String reshaped(String value, Long... dims) {
    return writer.reshape(value, writer.vector(List.of(dims)));
  }

  private String transposed(String value) {
    return writer.node("Transpose", List.of(value), GraphNodes.integers("perm", List.of(1L, 0L)));
  }

  private String concat(List<String> values, int axis) {
    return values.size() == 1
        ? values.get(0)
        : writer.node("Concat", values, GraphNodes.integer("axis", axis));
  }

  private void lstm(NodeProto node) {
    long[] x = shapes.get(node.getInput(0));
    long[] r = shapes.get(node.getInput(2));
    int steps = (int) x[0];
    int directions = (int) r[0];
    long hidden = r[2];
    String direction = GraphNodes.text(node, "direction", "forward");
    List<String> sequences = new ArrayList<>();
    List<String> lastStates = new ArrayList<>();
    List<String> lastCells = new ArrayList<>();
    for (int d = 0; d < directions; d++) {
      boolean backward = direction.equals("reverse") || d == 1;
      String w = transposed(reshaped(slice(node.getInput(1), 0, d, d + 1), 4 * hidden, x[2]));
      String back = transposed(reshaped(slice(node.getInput(2), 0, d, d + 1), 4 * hidden, hidden));
      String all = writer.node("MatMul", List.of(node.getInput(0), w));
      if (!input(node, 3).isEmpty()) {
        String bias = reshaped(slice(input(node, 3), 0, d, d + 1), 8 * hidden);
        all =
            writer.add(
                all,
                writer.add(slice(bias, 0, 0, 4 * hidden), slice(bias, 0, 4 * hidden, 8 * hidden)));
      }
      String state = initial(node, 5, d, hidden);
      String cell = initial(node, 6, d, hidden);
      String[] states = new String[steps];
      for (int i = 0; i < steps; i++) {
        int t = backward ? steps - 1 - i : i;
        String z = reshaped(slice(all, 0, t, t + 1), -1L, 4 * hidden);
        if (!state.isEmpty()) {
          z = writer.add(z, writer.node("MatMul", List.of(state, back)));
        }
        String in = writer.node("Sigmoid", List.of(slice(z, 1, 0, hidden)));
        String out = writer.node("Sigmoid", List.of(slice(z, 1, hidden, 2 * hidden)));
        String keep = writer.node("Sigmoid", List.of(slice(z, 1, 2 * hidden, 3 * hidden)));
        String fresh = writer.node("Tanh", List.of(slice(z, 1, 3 * hidden, 4 * hidden)));
        String added = writer.mul(in, fresh);
        cell = cell.isEmpty() ? added : writer.add(writer.mul(keep, cell), added);
        state = writer.mul(out, writer.node("Tanh", List.of(cell)));
        states[t] = state;
      }
      List<String> placed = new ArrayList<>();
      for (String each : states) {
        placed.add(reshaped(each, 1L, 1L, -1L, hidden));
      }
      sequences.add(concat(placed, 0));
      lastStates.add(reshaped(state, 1L, -1L, hidden));
      lastCells.add(reshaped(cell, 1L, -1L, hidden));
    }
    output(node, 0, concat(sequences, 1));
    output(node, 1, concat(lastStates, 0));
    output(node, 2, concat(lastCells, 0));
  }

  private String initial(NodeProto node, int at, int direction, long hidden) {
    return input(node, at).isEmpty()
        ? ""
        : reshaped(slice(input(node, at), 0, direction, direction + 1), -1L, hidden);
  }

  private void output(NodeProto node, int i, String value) {
    if (i < node.getOutputCount() && !node.getOutput(i).isEmpty()) {
      writer.named("Identity", List.of(value), node.getOutput(i));
    }
  }
}
