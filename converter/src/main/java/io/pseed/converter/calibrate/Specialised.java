package io.pseed.converter.calibrate;

import ai.onnxruntime.OnnxJavaType;
import ai.onnxruntime.OnnxTensor;
import ai.onnxruntime.OnnxValue;
import ai.onnxruntime.OrtEnvironment;
import ai.onnxruntime.OrtException;
import ai.onnxruntime.OrtSession;
import ai.onnxruntime.TensorInfo;
import io.pseed.converter.onnx.proto.GraphProto;
import io.pseed.converter.onnx.proto.ModelProto;
import io.pseed.converter.onnx.proto.NodeProto;
import io.pseed.converter.onnx.proto.TensorProto;
import io.pseed.converter.onnx.proto.ValueInfoProto;
import io.pseed.converter.source.SourceTensor;
import io.pseed.converter.source.onnx.OnnxModelSource;
import io.pseed.format.DType;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * A model made ready for calibration with one kind of inputs: the branches that they take in the
 * place of If nodes, short recurrent layers written out, gradients added, and what meets the
 * weights made outputs. Holds two sessions.
 */
final class Specialised implements AutoCloseable {
  /** Ifs within Ifs. */
  private static final int DEEPEST = 32;

  /** Elements of a constant that decides a derivative: exponents, axes, factors. */
  private static final int MOST_DECIDING = 16;

  private static final String PROBE = "pseed.probe.";
  private static final String CONDITION = "pseed.condition.";

  private final OrtEnvironment environment;
  private final Map<String, long[]> inputShapes = new HashMap<>();
  private final Map<String, Boolean> conditions = new LinkedHashMap<>();
  private final Map<String, long[]> shapes = new HashMap<>();
  private final Set<String> outputs = new LinkedHashSet<>();
  private final Set<String> floats = new LinkedHashSet<>();
  private final Map<String, String> exposed = new LinkedHashMap<>();
  private final Probes.Found found;
  private final Set<String> vectors;
  private final Map<String, Long> kernels;
  private final GradientGraph.Result gradients;
  private final long numbers;
  private final boolean fixed;
  private final OrtSession plain;
  private final OrtSession session;

  /** The outputs of one run as numbers. */
  @SuppressWarnings("ArrayRecordComponent") // Made, read and dropped; nothing compares them.
  record Output(long[] shape, float[] values) {}

  /**
   * Prepares for inputs like these.
   *
   * @param limits where a run is too large for them, nothing is differentiated
   */
  Specialised(
      OrtEnvironment environment,
      OnnxModelSource source,
      Map<String, OnnxTensor> inputs,
      Calibrator.Limits limits)
      throws IOException, OrtException {
    this.environment = environment;
    inputs.forEach((name, value) -> inputShapes.put(name, value.getInfo().getShape()));
    ModelProto inlined = inline(source, inputs);
    look(source, inlined, inputs);
    ModelProto graph = LayerUnroller.unroll(inlined, shapes);
    if (!graph.equals(inlined)) {
      look(source, graph, inputs);
    }
    this.numbers = shapes.keySet().stream().mapToLong(this::count).sum();
    this.found = Probes.find(graph, source.tensors(), shapes);
    Map<String, long[]> real = new HashMap<>();
    Set<String> realOutputs = new LinkedHashSet<>();
    Map<String, float[]> scalars = constants(graph);
    for (String name : floats) {
      real.put(name, shapes.get(name));
    }
    for (String output : outputs) {
      if (floats.contains(output) && limits.differentiates(numbers)) {
        realOutputs.add(output);
      }
    }
    Set<String> wanted = new LinkedHashSet<>();
    for (Probe probe : found.probes()) {
      if (floats.contains(probe.output())) {
        wanted.add(probe.output());
      }
    }
    this.vectors = VectorUses.find(graph, source.tensors(), floats);
    wanted.addAll(vectors);
    this.kernels = kernels(limits.large());
    wanted.addAll(kernels.keySet());
    this.gradients = new GradientGraph(graph, real, scalars).differentiate(wanted, realOutputs);
    kernels.keySet().retainAll(gradients.gradients().keySet());
    this.fixed =
        gradients.fixed()
            || !graph.equals(inlined)
            || graph.getGraph().getNodeList().stream().anyMatch(ConvWindow::dependsOnSize);
    this.plain = SourceSession.open(environment, source, withConditions(inlined), 1);
    try {
      this.session = SourceSession.open(environment, source, expose(gradients.model()), 1);
    } catch (IOException | OrtException | RuntimeException e) {
      plain.close();
      throw e;
    }
  }

  /** Replaces Ifs from the outside in, by the conditions that a run shows. */
  private ModelProto inline(OnnxModelSource source, Map<String, OnnxTensor> inputs)
      throws IOException, OrtException {
    ModelProto model = WidenedModel.of(source.graph());
    for (int round = 0; round < DEEPEST; round++) {
      Set<String> names = BranchInliner.conditions(model);
      if (names.isEmpty()) {
        break;
      }
      Map<String, Boolean> taken = new LinkedHashMap<>();
      names.forEach(name -> taken.put(name, false));
      try (OrtSession opened =
              SourceSession.open(environment, source, withConditions(model, taken.keySet()), 1);
          OrtSession.Result result = opened.run(inputs)) {
        for (String name : names) {
          OnnxTensor value = (OnnxTensor) result.get(CONDITION + name).orElseThrow();
          taken.put(name, value.getByteBuffer().get(0) != 0);
        }
      }
      conditions.putAll(taken);
      model = BranchInliner.inline(model, taken, round);
    }
    return NodeOrder.sorted(model);
  }

  private ModelProto withConditions(ModelProto model) {
    return withConditions(model, conditions.keySet());
  }

  private static ModelProto withConditions(ModelProto model, Set<String> names) {
    GraphProto.Builder graph = model.getGraph().toBuilder();
    for (String name : names) {
      output(graph, name, CONDITION + name);
    }
    return model.toBuilder().setGraph(graph).build();
  }

  private static void output(GraphProto.Builder graph, String value, String as) {
    graph.addNode(
        NodeProto.newBuilder().setOpType("Identity").setName(as).addInput(value).addOutput(as));
    graph.addOutput(ValueInfoProto.newBuilder().setName(as));
  }

  /** Runs the model once with all values as outputs, and takes their shapes. */
  private void look(OnnxModelSource source, ModelProto model, Map<String, OnnxTensor> inputs)
      throws IOException, OrtException {
    GraphProto.Builder open = model.getGraph().toBuilder();
    outputs.clear();
    model.getGraph().getOutputList().forEach(o -> outputs.add(o.getName()));
    for (NodeProto node : model.getGraph().getNodeList()) {
      for (String name : node.getOutputList()) {
        if (!name.isEmpty() && !outputs.contains(name)) {
          open.addOutput(ValueInfoProto.newBuilder().setName(name));
        }
      }
    }
    for (SourceTensor tensor : source.tensors()) {
      shapes.put(tensor.name(), tensor.shape());
      if (WidenedModel.type(tensor.dtype()) == DType.F32) {
        floats.add(tensor.name());
      }
    }
    for (TensorProto tensor : model.getGraph().getInitializerList()) {
      shapes.put(
          tensor.getName(), tensor.getDimsList().stream().mapToLong(Long::longValue).toArray());
      if (tensor.getDataType() == TensorProto.DataType.FLOAT_VALUE) {
        floats.add(tensor.getName());
      }
    }
    inputs.forEach((name, value) -> note(name, value.getInfo()));
    try (OrtSession opened =
            SourceSession.open(environment, source, model.toBuilder().setGraph(open).build(), 1);
        OrtSession.Result result = opened.run(inputs)) {
      for (Map.Entry<String, OnnxValue> entry : result) {
        if (entry.getValue().getInfo() instanceof TensorInfo info) {
          note(entry.getKey(), info);
        }
      }
    }
  }

  private void note(String name, TensorInfo info) {
    shapes.put(name, info.getShape());
    if (info.type == OnnxJavaType.FLOAT) {
      floats.add(name);
    }
  }

  /** Small constants: those that decide a derivative. */
  private static Map<String, float[]> constants(ModelProto graph) {
    Map<String, float[]> scalars = new HashMap<>();
    for (TensorProto tensor : graph.getGraph().getInitializerList()) {
      constant(tensor.getName(), tensor, scalars);
    }
    for (NodeProto node : graph.getGraph().getNodeList()) {
      if (node.getOpType().equals("Constant") && node.getOutputCount() == 1) {
        GraphNodes.attribute(node, "value")
            .ifPresent(value -> constant(node.getOutput(0), value.getT(), scalars));
      }
    }
    return scalars;
  }

  private static void constant(String name, TensorProto tensor, Map<String, float[]> scalars) {
    // A piece of the file's bytes: its buffer starts elsewhere than at 0.
    ByteBuffer raw =
        tensor.getRawData().asReadOnlyByteBuffer().slice().order(ByteOrder.LITTLE_ENDIAN);
    boolean real = tensor.getDataType() == TensorProto.DataType.FLOAT_VALUE;
    if (!real && tensor.getDataType() != TensorProto.DataType.INT64_VALUE) {
      return;
    }
    int size = real ? Float.BYTES : Long.BYTES;
    int given = real ? tensor.getFloatDataCount() : tensor.getInt64DataCount();
    int n = raw.remaining() >= size ? raw.remaining() / size : given;
    if (n >= 1 && n <= MOST_DECIDING) {
      float[] values = new float[n];
      for (int i = 0; i < n; i++) {
        if (raw.hasRemaining()) {
          values[i] = real ? raw.getFloat() : raw.getLong();
        } else {
          values[i] = real ? tensor.getFloatData(i) : tensor.getInt64Data(i);
        }
      }
      scalars.put(name, values);
    }
  }

  /**
   * Weights that only convolutions use, as they are and on many numbers; positions of the outputs.
   */
  private Map<String, Long> kernels(long large) {
    Map<String, Long> found = new LinkedHashMap<>();
    Set<String> others = new HashSet<>();
    for (Probe probe : this.found.probes()) {
      for (Probe.Part part : probe.parts()) {
        if (probe.kind() == Probe.Kind.CONV
            && probe.groups() == 1
            && part.own() == null
            && floats.contains(part.weight())
            && count(probe.input()) + count(probe.output()) > large) {
          found.merge(part.weight(), count(probe.output()) / probe.outputs(), Long::sum);
        } else {
          others.add(part.weight());
        }
      }
    }
    found.keySet().removeAll(others);
    return found;
  }

  /** Adds outputs for what meets the weights. */
  private ModelProto expose(ModelProto model) {
    GraphProto.Builder graph = model.getGraph().toBuilder();
    for (Probe probe : found.probes()) {
      if (!isKernel(probe) && !exposed.containsKey(probe.input())) {
        String name = PROBE + exposed.size();
        exposed.put(probe.input(), name);
        output(graph, probe.input(), name);
      }
    }
    return model.toBuilder().setGraph(graph).build();
  }

  List<Probe> probes() {
    return found.probes();
  }

  Set<String> mixed() {
    return found.mixed();
  }

  /** Vectors of weights whose gradients are outputs, by name, in the order of the source. */
  Map<String, String> vectors() {
    return gradientsOf(vectors);
  }

  /** Kernels of convolutions whose gradients are outputs, by name. */
  Map<String, String> kernels() {
    return gradientsOf(kernels.keySet());
  }

  private Map<String, String> gradientsOf(Set<String> weights) {
    Map<String, String> found = new LinkedHashMap<>();
    for (String weight : weights) {
      if (gradients.gradients().containsKey(weight)) {
        found.put(weight, gradients.gradients().get(weight));
      }
    }
    return found;
  }

  /** How many positions the gradient of one of {@link #kernels} sums. */
  long positions(String kernel) {
    return kernels.get(kernel);
  }

  /** Numbers of all values of a run, the gradients left out. */
  long numbers() {
    return numbers;
  }

  GradientGraph.Result gradients() {
    return gradients;
  }

  /** Whether every input of the same signature is one of these, whatever its shape and values. */
  boolean general() {
    return !fixed && conditions.isEmpty();
  }

  /**
   * The real outputs that inputs give, by name.
   *
   * @return null where the inputs are of another kind
   */
  Map<String, Output> run(Map<String, OnnxTensor> inputs) throws OrtException {
    if (fixed) {
      for (Map.Entry<String, OnnxTensor> input : inputs.entrySet()) {
        if (!Arrays.equals(
            input.getValue().getInfo().getShape(), inputShapes.get(input.getKey()))) {
          return null;
        }
      }
    }
    try (OrtSession.Result result = plain.run(inputs)) {
      for (Map.Entry<String, Boolean> condition : conditions.entrySet()) {
        OnnxTensor value = (OnnxTensor) result.get(CONDITION + condition.getKey()).orElseThrow();
        if ((value.getByteBuffer().get(0) != 0) != condition.getValue()) {
          return null;
        }
      }
      Map<String, Output> out = new LinkedHashMap<>();
      for (String name : gradients.cotangents().keySet()) {
        OnnxTensor value = (OnnxTensor) result.get(name).orElseThrow();
        out.put(name, new Output(value.getInfo().getShape(), Calibrator.floats(value)));
      }
      return out;
    } catch (OrtException e) {
      if (conditions.isEmpty()) {
        throw e;
      }
      // Sizes that go with another branch do not fit into this one.
      return null;
    }
  }

  /** The session with gradients; thread-safe. */
  OrtSession session() {
    return session;
  }

  /** The output that has what meets a weight. */
  String exposed(String value) {
    return exposed.get(value);
  }

  /**
   * Probes in groups whose activations and gradients have at most so many numbers together; those
   * of {@link #kernels} are in none. At least one group.
   */
  List<List<Probe>> groups(long numbers, int passes) {
    List<List<Probe>> groups = new ArrayList<>();
    List<Probe> group = new ArrayList<>();
    long size = 0;
    for (Probe probe : found.probes()) {
      if (isKernel(probe)) {
        continue;
      }
      long own = count(probe.input());
      if (gradients.gradients().containsKey(probe.output())) {
        own += passes * count(probe.output());
      }
      if (size + own > numbers && !group.isEmpty()) {
        groups.add(group);
        group = new ArrayList<>();
        size = 0;
      }
      group.add(probe);
      size += own;
    }
    if (!group.isEmpty() || groups.isEmpty()) {
      groups.add(group);
    }
    return groups;
  }

  private boolean isKernel(Probe probe) {
    return kernels.containsKey(probe.parts().get(0).weight());
  }

  private long count(String value) {
    return Arrays.stream(shapes.getOrDefault(value, new long[0])).reduce(1, (a, b) -> a * b);
  }

  @Override
  public void close() throws OrtException {
    try {
      plain.close();
    } finally {
      session.close();
    }
  }
}
