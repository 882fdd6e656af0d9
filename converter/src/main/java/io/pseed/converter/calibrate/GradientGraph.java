package io.pseed.converter.calibrate;

import io.pseed.converter.onnx.proto.AttributeProto;
import io.pseed.converter.onnx.proto.GraphProto;
import io.pseed.converter.onnx.proto.ModelProto;
import io.pseed.converter.onnx.proto.NodeProto;
import io.pseed.converter.onnx.proto.OperatorSetIdProto;
import io.pseed.converter.onnx.proto.TensorProto;
import io.pseed.converter.onnx.proto.TypeProto;
import io.pseed.converter.onnx.proto.ValueInfoProto;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * Reverse-mode differentiation of an ONNX graph, as more nodes of the same graph: for a cotangent v
 * of the outputs, fed as further inputs, the gradient of sum(v * output) at chosen values. What
 * ONNX Runtime lacks in its inference builds is made of standard operators, so it runs at the speed
 * of the model and with open dimensions.
 *
 * <p>Only FP32 and the main graph are followed. A value from which an operator without a rule leads
 * to an output has no gradient; {@link Result#gradients} does not list it and {@link
 * Result#missing} names the operators.
 *
 * <p>A broadcast is told from shapes that one run has shown: a dimension of 1 beside a larger one.
 */
final class GradientGraph {
  private static final String PREFIX = "pseed.grad.";

  /**
   * Of probabilities that are outputs; 1 would be the true slope. PP-OCRv4 recognition at an eighth
   * of its size, words drawn: mean cosine 0.89 at 1, 0.966 at 3, 0.988 at 5, 0.981 at 8.
   */
  private static final float TEMPERATURE = 5;

  /** Operators between probabilities and an output that leave them what they are. */
  private static final Set<String> PASSING =
      Set.of(
          "Identity",
          "Cast",
          "Reshape",
          "Flatten",
          "Squeeze",
          "Unsqueeze",
          "Transpose",
          "ReduceMean");

  /**
   * A model with gradients.
   *
   * @param model with further inputs and outputs
   * @param cotangents by output of the original, the input that takes its cotangent
   * @param gradients by value, the output that holds its gradient
   * @param missing operators that have no rule, where one was needed
   * @param fixed whether the rules that were used hold for the shapes of that one run alone
   */
  record Result(
      ModelProto model,
      Map<String, String> cotangents,
      Map<String, String> gradients,
      Set<String> missing,
      boolean fixed) {}

  private final ModelProto model;
  private final Map<String, long[]> shapes;
  private final GraphWriter writer;
  private final int opset;
  private final Map<String, List<String>> parts = new HashMap<>();
  private final Set<String> broken = new HashSet<>();
  private final Set<String> missing = new LinkedHashSet<>();
  private final Map<String, float[]> scalars;
  private final SpatialGradients spatial;
  private final Set<String> ending = new HashSet<>();

  /**
   * A graph to be differentiated.
   *
   * @param shapes of all FP32 values of the graph in one run; values of other types are absent
   * @param scalars small constants, by name: some decide a derivative
   */
  GradientGraph(ModelProto model, Map<String, long[]> shapes, Map<String, float[]> scalars) {
    this.model = model;
    this.shapes = shapes;
    this.scalars = scalars;
    this.writer = new GraphWriter(PREFIX, model);
    this.opset = writer.opset();
    this.spatial = new SpatialGradients(writer, shapes, scalars);
  }

  /** Versions of the standard operators whose rules are known here. */
  static boolean supports(Collection<OperatorSetIdProto> opsets) {
    return opsets.stream()
        .filter(o -> o.getDomain().isEmpty() || o.getDomain().equals("ai.onnx"))
        .allMatch(o -> o.getVersion() >= 9);
  }

  /**
   * Adds the gradients at {@code wanted} of what the {@code outputs} hold.
   *
   * @param outputs FP32 outputs of the graph
   */
  Result differentiate(Collection<String> wanted, Collection<String> outputs) {
    GraphProto graph = model.getGraph();
    // Only what lies between a wanted value and an output needs a gradient.
    Set<String> needed = new HashSet<>(wanted);
    for (NodeProto node : graph.getNodeList()) {
      boolean any = node.getInputList().stream().anyMatch(needed::contains);
      for (String output : node.getOutputList()) {
        if (any && shapes.containsKey(output)) {
          needed.add(output);
        }
      }
    }
    findEnding(outputs);
    Map<String, String> cotangents = new LinkedHashMap<>();
    for (String output : outputs) {
      String input = PREFIX + "of." + output;
      cotangents.put(output, input);
      give(output, input);
    }
    for (int i = graph.getNodeCount() - 1; i >= 0; i--) {
      NodeProto node = graph.getNode(i);
      if (node.getOutputList().stream().anyMatch(needed::contains)
          && node.getInputList().stream().anyMatch(needed::contains)) {
        backward(node, needed);
      }
    }
    Map<String, String> gradients = new LinkedHashMap<>();
    for (String value : wanted) {
      if (!broken.contains(value)) {
        total(value).ifPresent(gradient -> gradients.put(value, gradient));
      }
    }
    GraphProto.Builder out =
        graph.toBuilder().addAllInitializer(writer.constants()).addAllNode(writer.nodes());
    for (Map.Entry<String, String> entry : cotangents.entrySet()) {
      TypeProto.Tensor type =
          TypeProto.Tensor.newBuilder().setElemType(TensorProto.DataType.FLOAT_VALUE).build();
      out.addInput(
          ValueInfoProto.newBuilder()
              .setName(entry.getValue())
              .setType(TypeProto.newBuilder().setTensorType(type)));
    }
    for (String gradient : new LinkedHashSet<>(gradients.values())) {
      out.addOutput(ValueInfoProto.newBuilder().setName(gradient));
    }
    return new Result(
        model.toBuilder().setGraph(out).build(), cotangents, gradients, missing, spatial.fixed());
  }

  /** Values that are outputs already, but for their order or a mean of them. */
  private void findEnding(Collection<String> outputs) {
    ending.addAll(outputs);
    for (int i = model.getGraph().getNodeCount() - 1; i >= 0; i--) {
      NodeProto node = model.getGraph().getNode(i);
      if (PASSING.contains(node.getOpType())
          && node.getOutputCount() == 1
          && ending.contains(node.getOutput(0))) {
        ending.add(node.getInput(0));
      }
    }
  }

  /**
   * Probabilities as they would be, were the model less sure. Where it is sure, the slope is next
   * to nothing, yet errors as large as those of few bits cross what lies between the classes. Not
   * for a single probability: there it took bits from the states of Silero VAD.
   */
  private String softened(NodeProto node, String a) {
    return node(
        node.getOpType(),
        List.of(scaled(a, 1 / TEMPERATURE)),
        node.getAttributeList().toArray(new AttributeProto[0]));
  }

  private void give(String value, String gradient) {
    parts.computeIfAbsent(value, key -> new ArrayList<>()).add(gradient);
  }

  /** The sum of all that was given to a value. */
  private Optional<String> total(String value) {
    List<String> given = parts.get(value);
    if (given == null) {
      return Optional.empty();
    }
    while (given.size() > 1) {
      String a = given.remove(given.size() - 1);
      given.set(given.size() - 1, node("Add", List.of(given.get(given.size() - 1), a)));
    }
    return Optional.of(given.get(0));
  }

  private void backward(NodeProto node, Set<String> needed) {
    if (node.getOpType().equals("Split")
        && node.getOutputList().stream().noneMatch(broken::contains)) {
      split(node);
      return;
    }
    String y = node.getOutput(0);
    boolean incomplete = node.getOutputList().stream().anyMatch(broken::contains);
    for (int i = 1; i < node.getOutputCount(); i++) {
      incomplete |= parts.containsKey(node.getOutput(i));
    }
    Optional<String> g = total(y);
    if (incomplete || (g.isPresent() && !rule(node, g.get(), needed))) {
      if (!incomplete) {
        missing.add(node.getOpType());
      }
      node.getInputList().stream().filter(needed::contains).forEach(broken::add);
    }
  }

  private void split(NodeProto node) {
    if (node.getOutputList().stream().noneMatch(parts::containsKey)) {
      return;
    }
    List<String> all = new ArrayList<>();
    for (String output : node.getOutputList()) {
      all.add(total(output).orElseGet(() -> writer.zerosLike(output)));
    }
    give(
        node.getInput(0),
        node("Concat", all, GraphNodes.integer("axis", GraphNodes.integer(node, "axis", 0))));
  }

  /** Gives gradients to the inputs of a node; false where there is no rule. */
  private boolean rule(NodeProto node, String g, Set<String> needed) {
    if (!node.getDomain().isEmpty() && !node.getDomain().equals("ai.onnx")) {
      return false;
    }
    String y = node.getOutput(0);
    String a = node.getInputCount() > 0 ? node.getInput(0) : "";
    String b = node.getInputCount() > 1 ? node.getInput(1) : "";
    boolean toA = needed.contains(a);
    boolean toB = needed.contains(b);
    switch (node.getOpType()) {
      case "Identity", "Dropout" -> give(a, g);
      case "Reshape", "Squeeze", "Unsqueeze", "Flatten" ->
          give(a, node("Reshape", List.of(g, node("Shape", List.of(a)))));
      case "Add" -> {
        giveReduced(toA, a, y, g);
        giveReduced(toB, b, y, g);
      }
      case "Sub" -> {
        giveReduced(toA, a, y, g);
        if (toB) {
          giveReduced(true, b, y, node("Neg", List.of(g)));
        }
      }
      case "Mul" -> {
        if (toA) {
          giveReduced(true, a, y, node("Mul", List.of(g, b)));
        }
        if (toB) {
          giveReduced(true, b, y, node("Mul", List.of(g, a)));
        }
      }
      case "Div" -> {
        String quotient = node("Div", List.of(g, b));
        giveReduced(toA, a, y, quotient);
        if (toB) {
          giveReduced(true, b, y, node("Neg", List.of(node("Mul", List.of(quotient, y)))));
        }
      }
      case "Neg" -> give(a, node("Neg", List.of(g)));
      case "Sqrt" -> give(a, node("Div", List.of(scaled(g, 0.5f), y)));
      case "Exp" -> give(a, node("Mul", List.of(g, y)));
      case "Log" -> give(a, node("Div", List.of(g, a)));
      case "Reciprocal" ->
          give(a, node("Neg", List.of(node("Mul", List.of(g, node("Mul", List.of(y, y)))))));
      case "Relu" -> give(a, node("Mul", List.of(g, node("Sign", List.of(y)))));
      case "Sigmoid" -> give(a, node("Mul", List.of(g, difference(y, node("Mul", List.of(y, y))))));
      case "Tanh" -> give(a, difference(g, node("Mul", List.of(g, node("Mul", List.of(y, y))))));
      case "Erf" -> {
        String bell = node("Exp", List.of(node("Neg", List.of(node("Mul", List.of(a, a))))));
        give(a, scaled(node("Mul", List.of(g, bell)), (float) (2 / Math.sqrt(Math.PI))));
      }
      case "Pow" -> {
        float[] exponent = scalars.get(b);
        if (exponent == null || exponent.length != 1 || toB) {
          return false;
        }
        float p = exponent[0];
        String power = p == 2 ? a : node("Pow", List.of(a, constant(p - 1)));
        give(a, scaled(node("Mul", List.of(g, power)), p));
      }
      case "Softmax" -> {
        int rank = shapes.get(y).length;
        long axis = GraphNodes.integer(node, "axis", opset < 13 ? 1 : -1);
        int from = (int) (axis < 0 ? axis + rank : axis);
        List<Long> axes = new ArrayList<>();
        for (int d = from; d < (opset < 13 ? rank : from + 1); d++) {
          axes.add((long) d);
        }
        String share = ending.contains(y) ? softened(node, a) : y;
        String inner = sum(node("Mul", List.of(g, share)), axes, true);
        give(a, node("Mul", List.of(share, difference(g, inner))));
      }
      case "ReduceMean", "ReduceSum" -> {
        return reduced(node, a, y, g);
      }
      case "Transpose" -> give(a, transposed(node, g));
      case "MatMul" -> {
        if (shapes.get(a).length < 2 || shapes.get(b).length < 2) {
          return false;
        }
        matmul(a, b, y, g, toA, toB);
      }
      case "Gemm" -> {
        return gemm(node, g, needed);
      }
      case "Concat" -> concat(node, g, needed);
      case "Cast" -> {
        // Both ends are FP32, or there is no way through.
        if (!shapes.containsKey(a)) {
          return false;
        }
        give(a, g);
      }
      case "Abs" -> give(a, node("Mul", List.of(g, node("Sign", List.of(a)))));
      case "Clip" -> give(a, node("Mul", List.of(g, same(a, y))));
      case "LeakyRelu" -> give(a, kinked(a, g, constant(GraphNodes.real(node, "alpha", 0.01f))));
      case "PRelu" -> {
        if (toB) {
          return false;
        }
        give(a, kinked(a, g, b));
      }
      case "HardSigmoid" -> {
        String inside = node("Mul", List.of(above(y, 0), above(node("Neg", List.of(y)), -1)));
        give(a, scaled(node("Mul", List.of(g, inside)), GraphNodes.real(node, "alpha", 0.2f)));
      }
      case "HardSwish" -> {
        String six = scaled(a, 1 / 6f);
        String gate = clipped(node("Add", List.of(six, constant(0.5f))));
        String inside = node("Mul", List.of(above(a, -3), above(node("Neg", List.of(a)), -3)));
        String slope = node("Add", List.of(gate, node("Mul", List.of(six, inside))));
        give(a, node("Mul", List.of(g, slope)));
      }
      case "Expand" -> giveReduced(toA, a, y, g);
      case "Where" -> {
        String c = node.getInput(2);
        String chosen = writer.real(a);
        if (toB) {
          giveReduced(true, b, y, node("Mul", List.of(g, chosen)));
        }
        if (needed.contains(c)) {
          giveReduced(true, c, y, node("Mul", List.of(g, difference(constant(1), chosen))));
        }
      }
      case "LayerNormalization" -> {
        return layerNormalization(node, g, needed);
      }
      case "BatchNormalization" -> {
        if (needed.contains(node.getInput(4))) {
          return false;
        }
        spatial
            .batchNormalization(node, g, needed)
            .forEach((input, gradient) -> give(input, gradient));
      }
      case "Conv", "ConvTranspose" -> {
        if (toB) {
          Optional<String> kernel = spatial.kernel(node, g);
          if (kernel.isEmpty()) {
            return false;
          }
          give(b, kernel.get());
        }
        if (node.getInputCount() > 2 && needed.contains(node.getInput(2))) {
          give(node.getInput(2), spatial.channels(g, shapes.get(y).length));
        }
        if (toA) {
          Optional<String> input = spatial.input(node, g);
          input.ifPresent(gradient -> give(a, gradient));
          return input.isPresent();
        }
      }
      case "AveragePool",
          "MaxPool",
          "GlobalAveragePool",
          "Resize",
          "Upsample",
          "Slice",
          "Gather",
          "Pad" -> {
        if (node.getInputList().stream().skip(1).anyMatch(needed::contains)) {
          return false;
        }
        Optional<String> input = spatial.input(node, g);
        input.ifPresent(gradient -> give(a, gradient));
        return input.isPresent();
      }
      default -> {
        return false;
      }
    }
    return true;
  }

  /** 1 where two values are equal, else 0. */
  private String same(String a, String b) {
    String less = node("Less", List.of(a, b));
    String greater = node("Greater", List.of(a, b));
    return writer.real(node("Not", List.of(node("Or", List.of(less, greater)))));
  }

  /** 1 where a value is greater than the bound, else 0. */
  private String above(String a, float bound) {
    return writer.real(node("Greater", List.of(a, constant(bound))));
  }

  /** Within 0 to 1. */
  private String clipped(String a) {
    return opset < 11
        ? node("Clip", List.of(a), GraphNodes.real("min", 0), GraphNodes.real("max", 1))
        : node("Clip", List.of(a, constant(0), constant(1)));
  }

  /** A slope of 1 above zero and another below. */
  private String kinked(String a, String g, String below) {
    String up = above(a, 0);
    String down = node("Mul", List.of(difference(constant(1), up), below));
    return node("Mul", List.of(g, node("Add", List.of(up, down))));
  }

  private boolean layerNormalization(NodeProto node, String g, Set<String> needed) {
    String x = node.getInput(0);
    int rank = shapes.get(x).length;
    long axis = GraphNodes.integer(node, "axis", -1);
    List<Long> axes = new ArrayList<>();
    for (long d = axis < 0 ? axis + rank : axis; d < rank; d++) {
      axes.add(d);
    }
    String centred = difference(x, writer.mean(x, axes));
    String variance = writer.mean(node("Mul", List.of(centred, centred)), axes);
    String epsilon = constant(GraphNodes.real(node, "epsilon", 1e-5f));
    String deviation = node("Sqrt", List.of(node("Add", List.of(variance, epsilon))));
    String normed = node("Div", List.of(centred, deviation));
    String y = node.getOutput(0);
    giveReduced(
        needed.contains(node.getInput(1)), node.getInput(1), y, node("Mul", List.of(g, normed)));
    if (node.getInputCount() > 2) {
      giveReduced(needed.contains(node.getInput(2)), node.getInput(2), y, g);
    }
    if (!needed.contains(x)) {
      return true;
    }
    String own = node("Mul", List.of(g, node.getInput(1)));
    String along = writer.mean(node("Mul", List.of(own, normed)), axes);
    String rest =
        difference(difference(own, writer.mean(own, axes)), node("Mul", List.of(normed, along)));
    give(x, node("Div", List.of(rest, deviation)));
    return true;
  }

  private void giveReduced(boolean wanted, String input, String output, String g) {
    if (wanted) {
      give(input, reduced(g, shapes.get(output), input));
    }
  }

  /** Undoes a broadcast from the shape of {@code input} to {@code from}. */
  private String reduced(String g, long[] from, String input) {
    long[] to = shapes.get(input);
    List<Long> axes = new ArrayList<>();
    for (int d = 0; d < from.length; d++) {
      int at = d - (from.length - to.length);
      if (at < 0 || (to[at] == 1 && from[d] != 1)) {
        axes.add((long) d);
      }
    }
    if (axes.isEmpty()) {
      return g;
    }
    return node("Reshape", List.of(sum(g, axes, true), node("Shape", List.of(input))));
  }

  private boolean reduced(NodeProto node, String a, String y, String g) {
    if ((node.getOpType().equals("ReduceSum") && opset >= 13)
        || (node.getOpType().equals("ReduceMean") && opset >= 18)) {
      if (node.getInputCount() > 1 && !scalars.containsKey(node.getInput(1))) {
        return false;
      }
    }
    List<Long> axes = axes(node);
    String full = g;
    if (GraphNodes.integer(node, "keepdims", 1) == 0) {
      if (axes.isEmpty()) {
        return false;
      }
      full = keep(a, axes, g);
    }
    String shape = node("Shape", List.of(a));
    String spread = node("Expand", List.of(full, shape));
    if (node.getOpType().equals("ReduceMean")) {
      String share = node("Div", List.of(size(y), size(a)));
      spread = node("Mul", List.of(spread, share));
    }
    give(a, spread);
    return true;
  }

  /** Puts ones where {@code axes} of {@code of} were dropped. */
  private String keep(String of, List<Long> axes, String g) {
    String shape = node("Shape", List.of(of));
    int rank = shapes.get(of).length;
    List<String> dims = new ArrayList<>();
    for (int d = 0; d < rank; d++) {
      boolean dropped = axes.contains((long) d) || axes.contains((long) d - rank);
      dims.add(
          dropped
              ? vector(List.of(1L))
              : node("Gather", List.of(shape, vector(List.of((long) d)))));
    }
    String target = node("Concat", dims, GraphNodes.integer("axis", 0));
    return node("Reshape", List.of(g, target));
  }

  private List<Long> axes(NodeProto node) {
    if (node.getInputCount() > 1) {
      List<Long> axes = new ArrayList<>();
      for (float axis : scalars.get(node.getInput(1))) {
        axes.add((long) axis);
      }
      return axes;
    }
    return GraphNodes.integers(node, "axes");
  }

  private String size(String value) {
    return writer.size(value);
  }

  private String transposed(NodeProto node, String g) {
    List<Long> perm = GraphNodes.integers(node, "perm");
    if (perm.isEmpty()) {
      return node("Transpose", List.of(g));
    }
    Long[] inverse = new Long[perm.size()];
    for (int i = 0; i < inverse.length; i++) {
      inverse[(int) (long) perm.get(i)] = (long) i;
    }
    return node("Transpose", List.of(g), GraphNodes.integers("perm", Arrays.asList(inverse)));
  }

  private void matmul(String a, String b, String y, String g, boolean toA, boolean toB) {
    if (toA) {
      giveReduced(true, a, y, node("MatMul", List.of(g, lastTwoSwapped(b))), b);
    }
    if (toB) {
      giveReduced(true, b, y, node("MatMul", List.of(lastTwoSwapped(a), g)), a);
    }
  }

  /** For batched products: the gradient has the output's batch dimensions. */
  private void giveReduced(boolean wanted, String input, String output, String g, String other) {
    long[] to = shapes.get(input);
    long[] out = shapes.get(output);
    int rank = Math.max(out.length, Math.max(to.length, shapes.get(other).length));
    long[] from = new long[rank];
    Arrays.fill(from, 1);
    System.arraycopy(out, 0, from, rank - out.length, Math.max(0, out.length - 2));
    from[rank - 2] = to[to.length - 2];
    from[rank - 1] = to[to.length - 1];
    if (wanted) {
      give(input, reduced(g, from, input));
    }
  }

  private String lastTwoSwapped(String value) {
    int rank = shapes.get(value).length;
    List<Long> perm = new ArrayList<>();
    for (int d = 0; d < rank; d++) {
      perm.add((long) (d < rank - 2 ? d : 2 * rank - 3 - d));
    }
    return node("Transpose", List.of(value), GraphNodes.integers("perm", perm));
  }

  private boolean gemm(NodeProto node, String g, Set<String> needed) {
    String a = node.getInput(0);
    String b = node.getInput(1);
    boolean transA = GraphNodes.integer(node, "transA", 0) != 0;
    boolean transB = GraphNodes.integer(node, "transB", 0) != 0;
    String scaled = scaled(g, GraphNodes.real(node, "alpha", 1));
    if (needed.contains(a)) {
      give(a, transA ? gemm(b, scaled, transB, true) : gemm(scaled, b, false, !transB));
    }
    if (needed.contains(b)) {
      give(b, transB ? gemm(scaled, a, true, transA) : gemm(a, scaled, !transA, false));
    }
    if (node.getInputCount() > 2 && needed.contains(node.getInput(2))) {
      String c = node.getInput(2);
      String part = scaled(g, GraphNodes.real(node, "beta", 1));
      give(c, reduced(part, shapes.get(node.getOutput(0)), c));
    }
    return true;
  }

  private String gemm(String a, String b, boolean transA, boolean transB) {
    return node(
        "Gemm",
        List.of(a, b),
        GraphNodes.integer("transA", transA ? 1 : 0),
        GraphNodes.integer("transB", transB ? 1 : 0));
  }

  private void concat(NodeProto node, String g, Set<String> needed) {
    long axis = GraphNodes.integer(node, "axis", 0);
    String at = vector(List.of(axis));
    String start = vector(List.of(0L));
    for (String input : node.getInputList()) {
      int rank = shapes.get(input).length;
      long d = axis < 0 ? axis + rank : axis;
      String length = node("Gather", List.of(node("Shape", List.of(input)), vector(List.of(d))));
      String end = node("Add", List.of(start, length));
      if (needed.contains(input)) {
        give(input, node("Slice", List.of(g, start, end, at)));
      }
      start = end;
    }
  }

  private String difference(String a, String b) {
    return writer.difference(a, b);
  }

  private String scaled(String g, float factor) {
    return writer.scaled(g, factor);
  }

  private String sum(String g, List<Long> axes, boolean keep) {
    return writer.sum(g, axes, keep);
  }

  private String constant(float value) {
    return writer.constant(value);
  }

  private String vector(List<Long> values) {
    return writer.vector(values);
  }

  private String node(String op, List<String> inputs, AttributeProto... attributes) {
    return writer.node(op, inputs, attributes);
  }
}
