package io.pseed.converter.calibrate;

import io.pseed.converter.onnx.proto.GraphProto;
import io.pseed.converter.onnx.proto.ModelProto;
import io.pseed.converter.onnx.proto.NodeProto;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * Puts nodes behind those that make their inputs. ONNX demands it; ONNX Runtime takes any order,
 * and converters to FP16 write their casts at the end.
 */
final class NodeOrder {
  private final List<NodeProto> nodes;
  private final Map<String, Integer> producers = new HashMap<>();
  private final List<NodeProto> sorted = new ArrayList<>();
  private final boolean[] begun;
  private final boolean[] placed;

  private NodeOrder(GraphProto graph) {
    this.nodes = graph.getNodeList();
    this.begun = new boolean[nodes.size()];
    this.placed = new boolean[nodes.size()];
    for (int i = 0; i < nodes.size(); i++) {
      for (String output : nodes.get(i).getOutputList()) {
        producers.put(output, i);
      }
    }
  }

  /**
   * The model with the nodes of its main graph in order; those that are in order keep theirs. Nodes
   * that need one another stay as they are: ONNX Runtime refuses them.
   */
  static ModelProto sorted(ModelProto model) {
    NodeOrder order = new NodeOrder(model.getGraph());
    for (int i = 0; i < order.nodes.size(); i++) {
      order.place(i);
    }
    return order.sorted.equals(order.nodes)
        ? model
        : model.toBuilder()
            .setGraph(model.getGraph().toBuilder().clearNode().addAllNode(order.sorted))
            .build();
  }

  /** Places a node and, before it, all that it needs; without recursion, for graphs are deep. */
  private void place(int node) {
    Deque<Integer> open = new ArrayDeque<>(List.of(node));
    while (!open.isEmpty()) {
      int at = open.peek();
      if (!begun[at]) {
        begun[at] = true;
        List<Integer> needed = needed(at);
        for (int i = needed.size() - 1; i >= 0; i--) {
          open.push(needed.get(i));
        }
      } else {
        open.pop();
        if (!placed[at]) {
          placed[at] = true;
          sorted.add(nodes.get(at));
        }
      }
    }
  }

  /** Nodes that make what a node needs and were not begun, in the order of its inputs. */
  private List<Integer> needed(int node) {
    Set<String> names = new LinkedHashSet<>();
    GraphNodes.uses(nodes.get(node), names);
    List<Integer> needed = new ArrayList<>();
    for (String name : names) {
      Integer producer = producers.get(name);
      if (producer != null && !begun[producer]) {
        needed.add(producer);
      }
    }
    return needed;
  }
}
