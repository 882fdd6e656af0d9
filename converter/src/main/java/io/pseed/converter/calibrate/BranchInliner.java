package io.pseed.converter.calibrate;

import io.pseed.converter.onnx.proto.AttributeProto;
import io.pseed.converter.onnx.proto.GraphProto;
import io.pseed.converter.onnx.proto.ModelProto;
import io.pseed.converter.onnx.proto.NodeProto;
import io.pseed.converter.onnx.proto.TensorProto;
import io.pseed.converter.onnx.proto.ValueInfoProto;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * Puts the branches that inputs take in the place of If nodes, so that weights and activations of
 * branches can be looked at like those of the main graph. Good for inputs with the same conditions.
 */
final class BranchInliner {
  private BranchInliner() {}

  /** The conditions of the If nodes of the main graph. */
  static Set<String> conditions(ModelProto model) {
    Set<String> names = new LinkedHashSet<>();
    for (NodeProto node : model.getGraph().getNodeList()) {
      if (isIf(node)) {
        names.add(node.getInput(0));
      }
    }
    return names;
  }

  private static boolean isIf(NodeProto node) {
    return node.getOpType().equals("If") && node.getDomain().isEmpty();
  }

  /**
   * The model with the If nodes of its main graph replaced; those inside their branches become ones
   * of the main graph.
   *
   * @param taken by condition, whether it holds
   * @param round makes names unique: another number for each call on one model
   */
  static ModelProto inline(ModelProto model, Map<String, Boolean> taken, int round) {
    GraphProto.Builder graph = model.getGraph().toBuilder().clearNode();
    int count = 0;
    for (NodeProto node : model.getGraph().getNodeList()) {
      if (!isIf(node)) {
        graph.addNode(node);
        continue;
      }
      String branch = taken.get(node.getInput(0)) ? "then_branch" : "else_branch";
      GraphProto body = GraphNodes.attribute(node, branch).orElseThrow().getG();
      String prefix = "pseed.if" + round + "." + count++ + ".";
      Map<String, String> names = new HashMap<>();
      for (TensorProto tensor : body.getInitializerList()) {
        names.put(tensor.getName(), prefix + tensor.getName());
        graph.addInitializer(tensor.toBuilder().setName(prefix + tensor.getName()));
      }
      for (NodeProto inner : body.getNodeList()) {
        for (String output : inner.getOutputList()) {
          if (!output.isEmpty()) {
            names.put(output, prefix + output);
          }
        }
      }
      int number = 0;
      for (NodeProto inner : body.getNodeList()) {
        graph.addNode(renamed(inner, names).setName(prefix + "node" + number++));
      }
      for (int i = 0; i < node.getOutputCount(); i++) {
        String from = body.getOutput(i).getName();
        if (!node.getOutput(i).isEmpty()) {
          graph.addNode(
              NodeProto.newBuilder()
                  .setOpType("Identity")
                  .setName(prefix + "out" + i)
                  .addInput(names.getOrDefault(from, from))
                  .addOutput(node.getOutput(i)));
        }
      }
    }
    return model.toBuilder().setGraph(graph).build();
  }

  private static NodeProto.Builder renamed(NodeProto node, Map<String, String> names) {
    NodeProto.Builder out = node.toBuilder().clearInput().clearOutput().clearAttribute();
    node.getInputList().forEach(name -> out.addInput(names.getOrDefault(name, name)));
    node.getOutputList().forEach(name -> out.addOutput(names.getOrDefault(name, name)));
    for (AttributeProto attribute : node.getAttributeList()) {
      AttributeProto.Builder copy = attribute.toBuilder();
      if (attribute.hasG()) {
        copy.setG(renamed(attribute.getG(), names));
      }
      for (int i = 0; i < attribute.getGraphsCount(); i++) {
        copy.setGraphs(i, renamed(attribute.getGraphs(i), names));
      }
      out.addAttribute(copy);
    }
    return out;
  }

  /** A subgraph sees the renamed values of the branch; its own names are never among them. */
  private static GraphProto renamed(GraphProto graph, Map<String, String> names) {
    List<NodeProto> nodes = new ArrayList<>();
    graph.getNodeList().forEach(node -> nodes.add(renamed(node, names).build()));
    List<ValueInfoProto> outputs = new ArrayList<>();
    for (ValueInfoProto output : graph.getOutputList()) {
      String name = names.getOrDefault(output.getName(), output.getName());
      outputs.add(output.toBuilder().setName(name).build());
    }
    return graph.toBuilder()
        .clearNode()
        .addAllNode(nodes)
        .clearOutput()
        .addAllOutput(outputs)
        .build();
  }
}
