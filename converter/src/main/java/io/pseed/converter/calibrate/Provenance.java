package io.pseed.converter.calibrate;

import ai.onnxruntime.OnnxTensor;
import ai.onnxruntime.OrtEnvironment;
import ai.onnxruntime.OrtException;
import ai.onnxruntime.OrtSession;
import io.pseed.converter.onnx.proto.GraphProto;
import io.pseed.converter.onnx.proto.ModelProto;
import io.pseed.converter.onnx.proto.NodeProto;
import io.pseed.converter.onnx.proto.TensorProto;
import io.pseed.converter.onnx.proto.TypeProto;
import io.pseed.converter.onnx.proto.ValueInfoProto;
import io.pseed.converter.source.SourceTensor;
import io.pseed.format.TensorRecord;
import io.pseed.format.View;
import io.pseed.onnx.OrtRuntime;
import java.nio.IntBuffer;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * Tells which elements of which weights a value consists of, where only operators stand between
 * that move elements: the nodes are run on the elements' numbers in place of the elements.
 */
final class Provenance {
  /** Operators whose outputs are elements of their inputs, and how many of those carry elements. */
  private static final Map<String, Integer> MOVING =
      Map.of(
          "Identity", 1,
          "Cast", 1,
          "Transpose", 1,
          "Reshape", 1,
          "Flatten", 1,
          "Squeeze", 1,
          "Unsqueeze", 1,
          "Slice", 1,
          "Split", 1,
          "Concat", Integer.MAX_VALUE);

  private final ModelProto model;
  private final Map<String, NodeProto> producers = new HashMap<>();
  private final Map<String, SourceTensor> weights = new HashMap<>();
  private final Set<String> constants = new LinkedHashSet<>();
  private final Map<String, Optional<Origin>> known = new HashMap<>();

  /** Where the elements of a value come from. */
  private interface Origin {
    /** The weights, in the order of their numbers. */
    List<SourceTensor> roots();

    /** The number of element {@code i}: those of the first weight come first. */
    long element(int i);
  }

  Provenance(ModelProto model, List<SourceTensor> tensors) {
    this.model = model;
    for (SourceTensor tensor : tensors) {
      if (tensor.dtype().isCoded()) {
        weights.put(tensor.name(), tensor);
      }
    }
    Set<String> external = new LinkedHashSet<>();
    tensors.forEach(tensor -> external.add(tensor.name()));
    for (TensorProto tensor : model.getGraph().getInitializerList()) {
      if (!external.contains(tensor.getName())) {
        constants.add(tensor.getName());
      }
    }
    for (NodeProto node : model.getGraph().getNodeList()) {
      node.getOutputList().forEach(output -> producers.put(output, node));
    }
  }

  /** Whether a value is a weight or made of weights by moving elements. */
  boolean isWeight(String value) {
    return isWeight(value, 0);
  }

  private boolean isWeight(String value, int depth) {
    if (weights.containsKey(value)) {
      return true;
    }
    NodeProto node = producers.get(value);
    if (node == null || depth > 64 || !MOVING.containsKey(node.getOpType())) {
      return false;
    }
    int carriers = Math.min(MOVING.get(node.getOpType()), node.getInputCount());
    return node.getInputList().subList(0, carriers).stream()
        .allMatch(input -> isWeight(input, depth + 1));
  }

  /** The one weight that a value is, up to its type; empty where it is none or rearranged. */
  Optional<SourceTensor> plain(String value) {
    String at = value;
    while (!weights.containsKey(at)) {
      NodeProto node = producers.get(at);
      if (node == null
          || !(node.getOpType().equals("Identity") || node.getOpType().equals("Cast"))) {
        return Optional.empty();
      }
      at = node.getInput(0);
    }
    return Optional.of(weights.get(at));
  }

  /**
   * The weights that make up a matrix of {@code n} rows and {@code m} columns.
   *
   * @param value holds the matrix
   * @param outputMajor element (i, j) is element j n + i of the value; else i m + j
   * @return empty where the matrix mixes weights in another way than by columns
   */
  Optional<List<Probe.Part>> parts(String value, int n, int m, boolean outputMajor)
      throws OrtException {
    Optional<SourceTensor> plain = plain(value);
    if (plain.isPresent()) {
      return Optional.of(
          List.of(new Probe.Part(plain.get().name(), new View(n, m, outputMajor), null, null)));
    }
    if (!known.containsKey(value)) {
      known.put(value, trace(value));
    }
    Optional<Origin> origin = known.get(value);
    if (origin.isEmpty()) {
      return Optional.empty();
    }
    Map<Integer, List<Integer>> byRoot = new LinkedHashMap<>();
    List<SourceTensor> roots = origin.get().roots();
    long[] first = new long[roots.size() + 1];
    for (int r = 0; r < roots.size(); r++) {
      first[r + 1] = first[r] + TensorRecord.elementCount(roots.get(r).shape());
    }
    for (int j = 0; j < m; j++) {
      long element = origin.get().element(outputMajor ? j * n : j);
      int root = 0;
      while (element >= first[root + 1]) {
        root++;
      }
      byRoot.computeIfAbsent(root, key -> new ArrayList<>()).add(j);
    }
    List<Probe.Part> parts = new ArrayList<>();
    for (Map.Entry<Integer, List<Integer>> entry : byRoot.entrySet()) {
      int root = entry.getKey();
      int[] own = entry.getValue().stream().mapToInt(j -> j).toArray();
      long elements = first[root + 1] - first[root];
      int width = (int) (elements / n);
      boolean found = false;
      for (boolean transposed : new boolean[] {true, false}) {
        int[] columns =
            columns(origin.get(), first[root], own, n, m, width, outputMajor, transposed);
        if (!found && elements % n == 0 && columns != null) {
          parts.add(
              new Probe.Part(roots.get(root).name(), new View(n, width, transposed), own, columns));
          found = true;
        }
      }
      if (!found) {
        return Optional.empty();
      }
    }
    return Optional.of(parts);
  }

  /** Columns of the view of n x width that the matrix' columns are; null where they are none. */
  private static int[] columns(
      Origin origin,
      long first,
      int[] own,
      int n,
      int m,
      int width,
      boolean outputMajor,
      boolean transposed) {
    int[] columns = new int[own.length];
    for (int c = 0; c < own.length; c++) {
      for (int i = 0; i < n; i++) {
        long element = origin.element(outputMajor ? own[c] * n + i : i * m + own[c]) - first;
        long row = transposed ? element % n : element / width;
        long column = transposed ? element / n : element % width;
        if (i == 0) {
          columns[c] = (int) column;
        }
        if (element < 0 || element >= (long) n * width || row != i || column != columns[c]) {
          return null;
        }
      }
    }
    return columns;
  }

  private Optional<Origin> trace(String value) throws OrtException {
    Map<String, SourceTensor> roots = new LinkedHashMap<>();
    Set<NodeProto> nodes = new LinkedHashSet<>();
    Set<String> needed = new LinkedHashSet<>();
    if (!collect(value, true, roots, nodes, needed) || roots.isEmpty()) {
      return Optional.empty();
    }
    long elements = 0;
    for (SourceTensor root : roots.values()) {
      elements += TensorRecord.elementCount(root.shape());
    }
    if (elements > Integer.MAX_VALUE) {
      return Optional.empty();
    }
    GraphProto.Builder graph = GraphProto.newBuilder().setName("elements");
    for (String name : roots.keySet()) {
      graph.addInput(
          ValueInfoProto.newBuilder()
              .setName(name)
              .setType(
                  TypeProto.newBuilder()
                      .setTensorType(
                          TypeProto.Tensor.newBuilder()
                              .setElemType(TensorProto.DataType.INT32_VALUE))));
    }
    for (TensorProto tensor : model.getGraph().getInitializerList()) {
      if (needed.contains(tensor.getName())) {
        graph.addInitializer(tensor);
      }
    }
    for (NodeProto node : nodes) {
      boolean moves = node.getOpType().equals("Cast") && isWeight(node.getInput(0));
      graph.addNode(moves ? node.toBuilder().setOpType("Identity").clearAttribute().build() : node);
    }
    graph.addOutput(ValueInfoProto.newBuilder().setName(value));
    ModelProto part = model.toBuilder().clearFunctions().setGraph(graph).build();
    OrtEnvironment environment = OrtRuntime.environment();
    Map<String, OnnxTensor> feeds = new LinkedHashMap<>();
    try (OrtSession session = environment.createSession(part.toByteArray())) {
      int next = 0;
      for (SourceTensor root : roots.values()) {
        int[] numbers = new int[(int) TensorRecord.elementCount(root.shape())];
        for (int i = 0; i < numbers.length; i++) {
          numbers[i] = next++;
        }
        feeds.put(
            root.name(),
            OnnxTensor.createTensor(environment, IntBuffer.wrap(numbers), root.shape()));
      }
      try (OrtSession.Result result = session.run(feeds)) {
        IntBuffer found = ((OnnxTensor) result.get(0)).getIntBuffer();
        int[] elementsOf = new int[found.remaining()];
        found.get(elementsOf);
        List<SourceTensor> all = List.copyOf(roots.values());
        return Optional.of(
            new Origin() {
              @Override
              public List<SourceTensor> roots() {
                return all;
              }

              @Override
              public long element(int i) {
                return elementsOf[i];
              }
            });
      }
    } finally {
      feeds.values().forEach(OnnxTensor::close);
    }
  }

  /**
   * Collects what a value is made of, in the order of execution.
   *
   * @param elements whether the value carries elements of weights; else it is a constant that says
   *     how to move them
   */
  private boolean collect(
      String value,
      boolean elements,
      Map<String, SourceTensor> roots,
      Set<NodeProto> nodes,
      Set<String> needed) {
    if (value.isEmpty()) {
      return true;
    }
    if (weights.containsKey(value)) {
      roots.put(value, weights.get(value));
      return elements;
    }
    if (constants.contains(value)) {
      needed.add(value);
      return !elements;
    }
    NodeProto node = producers.get(value);
    if (node == null) {
      return false;
    }
    if (nodes.contains(node)) {
      return true;
    }
    Integer carriers = MOVING.get(node.getOpType());
    if (elements && carriers == null) {
      return false;
    }
    for (int i = 0; i < node.getInputCount(); i++) {
      boolean carries =
          elements ? i < carriers : node.getOpType().equals("Shape") && isWeight(node.getInput(i));
      if (!collect(node.getInput(i), carries, roots, nodes, needed)) {
        return false;
      }
    }
    nodes.add(node);
    return true;
  }
}
