package io.pseed.converter.source.onnx;

import io.pseed.converter.onnx.proto.AttributeProto;
import io.pseed.converter.onnx.proto.FunctionProto;
import io.pseed.converter.onnx.proto.GraphProto;
import io.pseed.converter.onnx.proto.ModelProto;
import io.pseed.converter.onnx.proto.NodeProto;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;

/** The model-local functions of a model, who calls whom, and which of them may get new inputs. */
final class FunctionTable {
  static final String IN_CALL_ATTRIBUTE =
      "stand in a graph that is passed to a model-local function as an attribute";

  private static final Set<String> RESERVED =
      Set.of(
          "",
          "ai.onnx.ml",
          "ai.onnx.training",
          "ai.onnx.preview",
          "ai.onnx.preview.training",
          "com.microsoft");

  private final Map<List<String>, Integer> byKey = new HashMap<>();
  private final List<Set<Integer>> callees = new ArrayList<>();
  private final List<Integer> order = new ArrayList<>();
  private final String[] blocked;
  private final boolean[] called;
  private final List<FunctionProto> functions;

  FunctionTable(ModelProto model) {
    functions = model.getFunctionsList();
    blocked = new String[functions.size()];
    called = new boolean[functions.size()];
    for (int i = 0; i < functions.size(); i++) {
      FunctionProto function = functions.get(i);
      callees.add(new TreeSet<>());
      Integer other =
          byKey.putIfAbsent(
              List.of(domain(function.getDomain()), function.getName(), function.getOverload()), i);
      if (other != null) {
        block(i, "stand in a function that is defined twice");
        block(other, "stand in a function that is defined twice");
      }
      if (RESERVED.contains(domain(function.getDomain()))
          || function.getDomain().startsWith("com.microsoft.")) {
        block(i, "stand in a function for which a runtime may have an operator of its own");
      }
    }
    Set<Integer> fromMain = new TreeSet<>();
    collect(model.getGraph(), fromMain, false);
    for (int i = 0; i < functions.size(); i++) {
      FunctionProto function = functions.get(i);
      for (NodeProto node : function.getNodeList()) {
        collect(node, callees.get(i), false);
      }
      for (AttributeProto attribute : function.getAttributeProtoList()) {
        collect(attribute, callees.get(i), true);
      }
    }
    blockUncalled(fromMain);
    sort();
    spread();
  }

  /** The two names of the default domain made one. */
  static String domain(String domain) {
    return domain.equals("ai.onnx") ? "" : domain;
  }

  /** Index of the function that the node calls, or -1. */
  int find(NodeProto node) {
    if (byKey.isEmpty()) {
      return -1;
    }
    return byKey.getOrDefault(
        List.of(domain(node.getDomain()), node.getOpType(), node.getOverload()), -1);
  }

  /**
   * Why the function has to keep its weights, as the end of "because they ..."; null if it need
   * not.
   */
  String blocked(int index) {
    return blocked[index];
  }

  /** All functions, each after those it calls. */
  List<Integer> calleesFirst() {
    return order;
  }

  private void block(int index, String reason) {
    if (blocked[index] == null) {
      blocked[index] = reason;
    }
  }

  private void collect(GraphProto graph, Set<Integer> found, boolean inCallAttribute) {
    for (NodeProto node : graph.getNodeList()) {
      collect(node, found, inCallAttribute);
    }
  }

  private void collect(NodeProto node, Set<Integer> found, boolean inCallAttribute) {
    int callee = find(node);
    if (callee >= 0) {
      found.add(callee);
      if (inCallAttribute) {
        block(callee, "stand in a function that is called within a graph passed as an attribute");
      }
      if (node.getInputCount() > functions.get(callee).getInputCount()) {
        block(callee, "stand in a function that is called with more inputs than it has");
      }
    }
    for (AttributeProto attribute : node.getAttributeList()) {
      collect(attribute, found, inCallAttribute || callee >= 0);
    }
  }

  private void collect(AttributeProto attribute, Set<Integer> found, boolean inCallAttribute) {
    if (attribute.hasG()) {
      collect(attribute.getG(), found, inCallAttribute);
    }
    for (GraphProto graph : attribute.getGraphsList()) {
      collect(graph, found, inCallAttribute);
    }
  }

  private void blockUncalled(Set<Integer> fromMain) {
    Deque<Integer> open = new ArrayDeque<>(fromMain);
    while (!open.isEmpty()) {
      int index = open.pop();
      if (!called[index]) {
        called[index] = true;
        open.addAll(callees.get(index));
      }
    }
    for (int i = 0; i < called.length; i++) {
      if (!called[i]) {
        block(i, "stand in a function that is never called");
      }
    }
  }

  /** Callees first; functions that call themselves, however indirectly, come last. */
  private void sort() {
    int[] waiting = new int[functions.size()];
    List<List<Integer>> callers = new ArrayList<>();
    for (int i = 0; i < functions.size(); i++) {
      callers.add(new ArrayList<>());
    }
    Deque<Integer> ready = new ArrayDeque<>();
    for (int i = 0; i < functions.size(); i++) {
      waiting[i] = callees.get(i).size();
      for (int callee : callees.get(i)) {
        callers.get(callee).add(i);
      }
      if (waiting[i] == 0) {
        ready.add(i);
      }
    }
    while (!ready.isEmpty()) {
      int index = ready.remove();
      order.add(index);
      for (int caller : callers.get(index)) {
        if (--waiting[caller] == 0) {
          ready.add(caller);
        }
      }
    }
    for (int i = 0; i < waiting.length; i++) {
      if (waiting[i] > 0) {
        block(i, "stand in a function that leads back to itself");
        order.add(i);
      }
    }
  }

  /**
   * A function that must not get inputs cannot pass any on to those it calls. One that is never
   * called may get them all the same.
   */
  private void spread() {
    for (int i = order.size() - 1; i >= 0; i--) {
      spreadFrom(order.get(i));
    }
  }

  private void spreadFrom(int start) {
    if (blocked[start] == null || !called[start]) {
      return;
    }
    Deque<Integer> open = new ArrayDeque<>();
    open.add(start);
    while (!open.isEmpty()) {
      for (int callee : callees.get(open.remove())) {
        if (blocked[callee] == null) {
          blocked[callee] = "stand in a function that is called by one that cannot pass them on";
          open.add(callee);
        }
      }
    }
  }
}
