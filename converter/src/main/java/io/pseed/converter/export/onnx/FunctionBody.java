package io.pseed.converter.export.onnx;

import io.pseed.converter.onnx.proto.AttributeProto;
import io.pseed.converter.onnx.proto.FunctionProto;
import io.pseed.converter.onnx.proto.NodeProto;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * One call of a model-local function and the function itself, written side by side: every constant
 * becomes an input and every number that is no structure an attribute, so that tensors of the same
 * structure share one function.
 */
final class FunctionBody {
  private final Map<String, String> inputs = new LinkedHashMap<>();
  private final Map<String, AttributeProto> attributes = new LinkedHashMap<>();
  private final List<NodeProto> nodes = new ArrayList<>();

  /**
   * Makes {@code actual} of the calling graph known in the body.
   *
   * @return the name in the body
   */
  String input(String formal, String actual) {
    String before = inputs.putIfAbsent(formal, actual);
    if (before != null && !before.equals(actual)) {
      throw new IllegalStateException("input " + formal + " is " + before + " and " + actual);
    }
    return formal;
  }

  /** Gives the call an attribute, whether or not the body reads it. */
  void attribute(AttributeProto attribute) {
    attributes.put(attribute.getName(), attribute);
  }

  /** Gives the call an attribute and a node of the body the reference to it. */
  AttributeProto forward(String name, AttributeProto ofCall) {
    attribute(ofCall);
    return Protos.ref(name, ofCall.getType(), ofCall.getName());
  }

  /**
   * Appends a node.
   *
   * @return its output
   */
  String node(String op, List<String> arguments, AttributeProto... attributesOfNode) {
    String output = "v" + nodes.size();
    nodes.add(Protos.node("n" + nodes.size(), op, arguments, output, attributesOfNode));
    return output;
  }

  /** Appends a node with inputs only. */
  String node(String op, String... arguments) {
    return node(op, Arrays.asList(arguments));
  }

  /** The function, without name, domain and operator sets; its output is the last node's. */
  FunctionProto function() {
    return FunctionProto.newBuilder()
        .addAllInput(inputs.keySet())
        .addOutput("v" + (nodes.size() - 1))
        .addAllAttribute(attributes.keySet())
        .addAllNode(nodes)
        .build();
  }

  /** The call of {@link #function()} under that name. */
  NodeProto call(String nodeName, String domain, String op, String output) {
    return NodeProto.newBuilder()
        .setName(nodeName)
        .setDomain(domain)
        .setOpType(op)
        .addAllInput(inputs.values())
        .addOutput(output)
        .addAllAttribute(attributes.values())
        .build();
  }
}
