package io.pseed.converter.source.onnx;

import io.pseed.converter.onnx.proto.AttributeProto;
import io.pseed.converter.onnx.proto.FunctionProto;
import io.pseed.converter.onnx.proto.GraphProto;
import io.pseed.converter.onnx.proto.ModelProto;
import io.pseed.converter.onnx.proto.NodeProto;
import io.pseed.converter.onnx.proto.OperatorSetIdProto;
import io.pseed.converter.onnx.proto.SparseTensorProto;
import io.pseed.converter.onnx.proto.StringStringEntryProto;
import io.pseed.converter.onnx.proto.TensorAnnotation;
import io.pseed.converter.onnx.proto.TensorProto;
import io.pseed.converter.onnx.proto.TensorProto.DataType;
import io.pseed.converter.onnx.proto.ValueInfoProto;
import io.pseed.format.DType;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.HashSet;
import java.util.IdentityHashMap;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * Rewrites a model so that every weight worth a record is an initializer of the main graph that
 * refers to the container, wherever it was before. What the model computes stays the same:
 *
 * <ul>
 *   <li>an initializer of the main graph stays where it is, without its data;
 *   <li>a {@code Constant} node of the main graph becomes an initializer of the same name;
 *   <li>initializers and {@code Constant} nodes of subgraphs (If, Loop, Scan) move to the main
 *       graph under a name that nothing else has; subgraphs see the names of the graphs around
 *       them. Where the weight itself is an output of the subgraph, an {@code Identity} gives it;
 *   <li>in a model-local function, which sees nothing but its inputs, the weight becomes a further
 *       input, and every call passes the initializer.
 * </ul>
 *
 * <p>Names are given once for the whole model, functions included, so that an input added to a
 * function and the initializer behind it have the same name and no scope can shadow it.
 */
final class WeightHoister {
  /** Tensors below this many bytes stay in the graph: a record would cost more than it saves. */
  static final int MIN_BYTES = 1024;

  /** IR version from which on an initializer need not be a graph input. */
  private static final int IR_FREE_INITIALIZERS = 4;

  private static final int MAX_NAMES_IN_NOTICE = 5;

  /** Inputs that calls may get in all: a few thousand calls times weights are much already. */
  private static final long MAX_PASSED_INPUTS = 1 << 22;

  /** One weight, in the order of the initializers. */
  record Weight(String name, DType dtype, List<Long> shape, TensorBytes bytes) {
    Weight named(String other) {
      return new Weight(other, dtype, shape, bytes);
    }
  }

  /** The rewritten model and what was taken out of it. */
  record Result(ModelProto model, List<Weight> weights, List<String> notices) {}

  private final ModelProto model;
  private final TensorReader reader;
  private final int minBytes;
  private final FunctionTable functions;
  private final Map<String, Integer> definitions = new HashMap<>();
  private final Set<String> taken = new HashSet<>();
  private final Map<String, Integer> suffixes = new HashMap<>();
  private final List<Set<String>> functionExtras = new ArrayList<>();

  private final Map<String, Weight> weights = new HashMap<>();
  private final EqualWeights equals = new EqualWeights();
  private final List<TensorProto> hoisted = new ArrayList<>();
  private final List<String> notices = new ArrayList<>();
  private final Map<String, long[]> inlineReasons = new LinkedHashMap<>();
  private final List<String> overridable = new ArrayList<>();
  private int fromSubgraphs;
  private int twins;
  private int fromFunctions;
  private long attributeBytes;
  private int attributeCount;
  private long passedInputs;

  /** Where nodes stand: decides whether weights may leave, and how they get back in. */
  private static final class Context {
    /** Words for messages: empty in the main graph. */
    final String where;

    /** Why weights have to stay; null where they may leave. */
    final String blocked;

    /** Names that this function needs as further inputs; null outside of functions. */
    final Set<String> extras;

    /** Whether the operator sets in force have Identity. */
    final boolean identity;

    Context(String where, String blocked, Set<String> extras, boolean identity) {
      this.where = where;
      this.blocked = blocked;
      this.extras = extras;
      this.identity = identity;
    }

    Context blocked(String reason) {
      return new Context(where, reason, extras, identity);
    }
  }

  /** One graph or function body while it is rewritten. */
  private static final class Scope {
    final Map<String, Integer> defined = new HashMap<>();
    final Set<String> outputs = new HashSet<>();

    /** Old name to new name, of this scope and those around it. */
    final Map<String, String> renames;

    /** Names whose definition left this scope. */
    final Set<String> moved = new HashSet<>();

    final List<NodeProto> identities = new ArrayList<>();

    /** By identity: two Constant nodes may be equal, and weights are long to hash. */
    final Set<NodeProto> removed = Collections.newSetFromMap(new IdentityHashMap<>());

    Scope(Map<String, String> outer) {
      renames = new HashMap<>(outer);
    }

    void define(String name) {
      if (!name.isEmpty()) {
        defined.merge(name, 1, Integer::sum);
        renames.remove(name);
      }
    }
  }

  /**
   * @param minBytes size from which on a tensor leaves the graph; at least 1, {@link #MIN_BYTES}
   *     but for tests
   */
  WeightHoister(ModelProto model, TensorReader reader, int minBytes) {
    this.model = model;
    this.minBytes = minBytes;
    this.reader = reader;
    this.functions = new FunctionTable(model);
  }

  Result run() throws IOException {
    collectNames();
    for (int i = 0; i < model.getFunctionsCount(); i++) {
      functionExtras.add(new LinkedHashSet<>());
    }
    ModelProto.Builder out = model.toBuilder();
    for (int index : functions.calleesFirst()) {
      out.setFunctions(index, rewriteFunction(index));
    }
    GraphProto graph = rewriteMainGraph();
    boolean legacy = model.getIrVersion() < IR_FREE_INITIALIZERS;
    graph = dropOverriddenInputs(graph, legacy && !weights.isEmpty());
    out.setGraph(graph);
    if (legacy && !weights.isEmpty()) {
      out.setIrVersion(IR_FREE_INITIALIZERS);
      if (out.getOpsetImportCount() == 0) {
        // Models of IR 1 and 2 mean the first operator set without saying so.
        out.addOpsetImport(OperatorSetIdProto.newBuilder().setDomain("").setVersion(1));
      }
      notices.add(
          "ir_version was raised from "
              + model.getIrVersion()
              + " to "
              + IR_FREE_INITIALIZERS
              + ", from which on weights need not be graph inputs");
    }
    addNotices();
    List<Weight> ordered = new ArrayList<>();
    for (TensorProto tensor : graph.getInitializerList()) {
      if (OnnxModels.isPseed(tensor) && weights.containsKey(tensor.getName())) {
        ordered.add(weights.get(tensor.getName()));
      }
    }
    return new Result(out.build(), ordered, List.copyOf(notices));
  }

  // ---- names

  private void collectNames() {
    collectNames(model.getGraph());
    for (FunctionProto function : model.getFunctionsList()) {
      function.getInputList().forEach(this::definition);
      taken.addAll(function.getOutputList());
      collectNames(function.getNodeList());
      for (AttributeProto attribute : function.getAttributeProtoList()) {
        collectNames(attribute);
      }
    }
  }

  private void collectNames(GraphProto graph) {
    Set<String> inputs = new HashSet<>();
    for (ValueInfoProto input : graph.getInputList()) {
      definition(input.getName());
      inputs.add(input.getName());
    }
    for (TensorProto tensor : graph.getInitializerList()) {
      if (!inputs.contains(tensor.getName())) {
        definition(tensor.getName());
      }
    }
    for (SparseTensorProto tensor : graph.getSparseInitializerList()) {
      definition(tensor.getValues().getName());
    }
    for (ValueInfoProto output : graph.getOutputList()) {
      taken.add(output.getName());
    }
    collectNames(graph.getNodeList());
  }

  private void collectNames(List<NodeProto> nodes) {
    for (NodeProto node : nodes) {
      taken.add(node.getName());
      taken.addAll(node.getInputList());
      node.getOutputList().forEach(this::definition);
      node.getAttributeList().forEach(this::collectNames);
    }
  }

  private void collectNames(AttributeProto attribute) {
    if (attribute.hasG()) {
      collectNames(attribute.getG());
    }
    attribute.getGraphsList().forEach(this::collectNames);
  }

  private void definition(String name) {
    definitions.merge(name, 1, Integer::sum);
    taken.add(name);
  }

  private String unused(String wish) {
    String name = wish;
    while (!taken.add(name)) {
      // Counts on where it stopped: thousands of branches may wish for one name.
      name = wish + "_" + suffixes.merge(wish, 1, Integer::sum);
    }
    return name;
  }

  // ---- graphs

  private GraphProto rewriteMainGraph() throws IOException {
    GraphProto graph = model.getGraph();
    Context context = new Context("", null, null, hasDefaultDomain(model.getOpsetImportList()));
    Scope scope = new Scope(Map.of());
    for (TensorProto tensor : graph.getInitializerList()) {
      scope.define(tensor.getName());
    }
    Set<String> inputs = new HashSet<>();
    for (ValueInfoProto input : graph.getInputList()) {
      inputs.add(input.getName());
      // An input with an initializer is one value with a default.
      if (!scope.defined.containsKey(input.getName())) {
        scope.define(input.getName());
      }
    }
    defineRest(scope, graph);

    GraphProto.Builder out = graph.toBuilder();
    out.clearInitializer();
    for (TensorProto tensor : graph.getInitializerList()) {
      String label = "initializer '" + tensor.getName() + "'";
      if (!mayLeave(tensor, tensor.getName(), label, scope, context)) {
        out.addInitializer(reader.inlined(tensor, label));
        continue;
      }
      boolean fixed =
          !inputs.contains(tensor.getName())
              && !scope.outputs.contains(tensor.getName())
              && graph.getQuantizationAnnotationCount() == 0
              && definitions.get(tensor.getName()) == 1;
      Weight weight = weight(tensor, tensor.getName(), label);
      Weight twin = fixed ? equals.find(weight) : null;
      if (twin != null) {
        twins++;
        scope.renames.put(tensor.getName(), twin.name());
        continue;
      }
      out.addInitializer(record(weight, tensor, fixed));
      if (inputs.contains(tensor.getName())) {
        overridable.add(tensor.getName());
      }
    }
    for (NodeProto node : graph.getNodeList()) {
      TensorProto tensor = constantTensor(node);
      if (tensor == null) {
        continue;
      }
      String name = node.getOutput(0);
      String label = "Constant node with output '" + name + "'";
      if (mayLeave(tensor, name, label, scope, context)) {
        hoisted.add(record(weight(tensor, name, label), tensor, definitions.get(name) == 1));
        scope.removed.add(node);
      }
    }
    out.clearNode();
    rewriteNodes(graph.getNodeList(), scope, context).forEach(out::addNode);
    rewriteSparse(out, "");
    out.addAllInitializer(hoisted);
    return out.build();
  }

  private GraphProto rewriteSubgraph(GraphProto graph, Map<String, String> outer, Context context)
      throws IOException {
    Scope scope = new Scope(outer);
    for (ValueInfoProto input : graph.getInputList()) {
      scope.define(input.getName());
    }
    for (TensorProto tensor : graph.getInitializerList()) {
      scope.define(tensor.getName());
    }
    defineRest(scope, graph);

    GraphProto.Builder out = graph.toBuilder().clearInitializer().clearNode();
    for (TensorProto tensor : graph.getInitializerList()) {
      String label =
          "initializer '"
              + tensor.getName()
              + "' of subgraph '"
              + graph.getName()
              + "'"
              + context.where;
      if (!hoist(tensor, tensor.getName(), label, scope, context)) {
        out.addInitializer(reader.inlined(tensor, label));
      }
    }
    for (NodeProto node : graph.getNodeList()) {
      TensorProto tensor = constantTensor(node);
      if (tensor != null) {
        String label =
            "Constant node with output '"
                + node.getOutput(0)
                + "' of subgraph '"
                + graph.getName()
                + "'"
                + context.where;
        if (hoist(tensor, node.getOutput(0), label, scope, context)) {
          scope.removed.add(node);
        }
      }
    }
    rewriteNodes(graph.getNodeList(), scope, context).forEach(out::addNode);
    rewriteSparse(out, " of subgraph '" + graph.getName() + "'" + context.where);
    for (int i = 0; i < out.getOutputCount(); i++) {
      // Hands on a value of a graph around this one that has another name now.
      String renamed = scope.renames.get(out.getOutput(i).getName());
      if (renamed != null && !scope.moved.contains(out.getOutput(i).getName())) {
        out.setOutput(i, out.getOutput(i).toBuilder().setName(renamed));
      }
    }
    List<ValueInfoProto> values = values(graph.getValueInfoList(), scope);
    out.clearValueInfo().addAllValueInfo(values);
    for (int i = 0; i < graph.getQuantizationAnnotationCount(); i++) {
      out.setQuantizationAnnotation(i, rename(graph.getQuantizationAnnotation(i), scope));
    }
    return out.build();
  }

  private FunctionProto rewriteFunction(int index) throws IOException {
    FunctionProto function = model.getFunctions(index);
    String name = function.getDomain() + ":" + function.getName();
    String blocked = functions.blocked(index);
    Context context =
        new Context(
            " of function '" + name + "'",
            blocked,
            functionExtras.get(index),
            hasDefaultDomain(function.getOpsetImportList()));
    Scope scope = new Scope(Map.of());
    function.getInputList().forEach(scope::define);
    scope.outputs.addAll(function.getOutputList());
    defineNodes(scope, function.getNodeList());

    FunctionProto.Builder out = function.toBuilder().clearNode();
    for (NodeProto node : function.getNodeList()) {
      TensorProto tensor = constantTensor(node);
      if (tensor != null) {
        String label =
            "Constant node with output '" + node.getOutput(0) + "' of function '" + name + "'";
        if (hoist(tensor, node.getOutput(0), label, scope, context)) {
          scope.removed.add(node);
        }
      }
    }
    rewriteNodes(function.getNodeList(), scope, context).forEach(out::addNode);
    for (int i = 0; i < function.getAttributeProtoCount(); i++) {
      out.setAttributeProto(
          i,
          rewriteAttribute(
              function.getAttributeProto(i),
              scope,
              context.blocked("they are the default of an attribute of a function")));
    }
    List<ValueInfoProto> values = values(function.getValueInfoList(), scope);
    out.clearValueInfo().addAllValueInfo(values);
    out.addAllInput(context.extras);
    return out.build();
  }

  private static void defineRest(Scope scope, GraphProto graph) {
    for (SparseTensorProto tensor : graph.getSparseInitializerList()) {
      scope.define(tensor.getValues().getName());
    }
    defineNodes(scope, graph.getNodeList());
    for (ValueInfoProto output : graph.getOutputList()) {
      scope.outputs.add(output.getName());
    }
  }

  private static void defineNodes(Scope scope, List<NodeProto> nodes) {
    for (NodeProto node : nodes) {
      node.getOutputList().forEach(scope::define);
    }
  }

  private static boolean hasDefaultDomain(List<OperatorSetIdProto> opsets) {
    // Models of IR 1 and 2 have no list at all and mean the default domain.
    return opsets.isEmpty()
        || opsets.stream().anyMatch(opset -> FunctionTable.domain(opset.getDomain()).isEmpty());
  }

  private List<ValueInfoProto> values(List<ValueInfoProto> values, Scope scope) {
    List<ValueInfoProto> out = new ArrayList<>();
    for (ValueInfoProto value : values) {
      String renamed = scope.renames.get(value.getName());
      if (scope.moved.contains(value.getName())) {
        if (scope.outputs.contains(value.getName())) {
          out.add(value);
        }
      } else {
        out.add(renamed == null ? value : value.toBuilder().setName(renamed).build());
      }
    }
    return out;
  }

  private static TensorAnnotation rename(TensorAnnotation annotation, Scope scope) {
    TensorAnnotation.Builder out = annotation.toBuilder();
    out.setTensorName(scope.renames.getOrDefault(out.getTensorName(), out.getTensorName()));
    for (int i = 0; i < out.getQuantParameterTensorNamesCount(); i++) {
      StringStringEntryProto entry = out.getQuantParameterTensorNames(i);
      String renamed = scope.renames.get(entry.getValue());
      if (renamed != null) {
        out.setQuantParameterTensorNames(i, entry.toBuilder().setValue(renamed));
      }
    }
    return out.build();
  }

  private void rewriteSparse(GraphProto.Builder graph, String where) throws IOException {
    for (int i = 0; i < graph.getSparseInitializerCount(); i++) {
      SparseTensorProto tensor = graph.getSparseInitializer(i);
      String label = "sparse initializer '" + tensor.getValues().getName() + "'" + where;
      graph.setSparseInitializer(i, inlined(tensor, label));
      note("are sparse", tensor.getSerializedSize());
    }
  }

  private SparseTensorProto inlined(SparseTensorProto tensor, String label) throws IOException {
    SparseTensorProto.Builder out = tensor.toBuilder();
    if (tensor.hasValues()) {
      out.setValues(reader.inlined(tensor.getValues(), label));
    }
    if (tensor.hasIndices()) {
      out.setIndices(reader.inlined(tensor.getIndices(), label + " (indices)"));
    }
    return out.build();
  }

  // ---- weights

  /** The tensor that a Constant node gives, or null: no Constant node, or not of numbers. */
  private TensorProto constantTensor(NodeProto node) {
    if (!isConstant(node)
        || node.getOutputCount() != 1
        || node.getOutput(0).isEmpty()
        || node.getAttributeCount() != 1) {
      return null;
    }
    AttributeProto attribute = node.getAttribute(0);
    if (attribute.hasRefAttrName() && !attribute.getRefAttrName().isEmpty()) {
      return null;
    }
    return switch (attribute.getName()) {
      case "value" -> attribute.hasT() ? attribute.getT() : null;
      case "value_floats" ->
          TensorProto.newBuilder()
              .setDataType(DataType.FLOAT_VALUE)
              .addDims(attribute.getFloatsCount())
              .addAllFloatData(attribute.getFloatsList())
              .build();
      case "value_ints" ->
          TensorProto.newBuilder()
              .setDataType(DataType.INT64_VALUE)
              .addDims(attribute.getIntsCount())
              .addAllInt64Data(attribute.getIntsList())
              .build();
      default -> null;
    };
  }

  private boolean isConstant(NodeProto node) {
    return node.getOpType().equals("Constant")
        && FunctionTable.domain(node.getDomain()).isEmpty()
        && functions.find(node) < 0;
  }

  /** Whether the tensor is worth a record and can have one; notes why not. */
  private boolean mayLeave(
      TensorProto tensor, String name, String label, Scope scope, Context context)
      throws IOException {
    TensorReader.Inspection found = reader.inspect(tensor, label);
    if (found.bytes() == null) {
      note(found.reason(), tensor.getSerializedSize());
      return false;
    }
    if (found.size() < minBytes) {
      return false;
    }
    String reason = found.reason();
    if (reason == null && name.isEmpty()) {
      reason = "have no name";
    }
    if (reason == null && scope.defined.getOrDefault(name, 0) != 1) {
      reason = "share their name with another value of the same graph";
    }
    if (reason == null && context.blocked != null) {
      reason = context.blocked;
    }
    if (reason != null) {
      note(reason, found.size());
      return false;
    }
    return true;
  }

  private Weight weight(TensorProto tensor, String name, String label) throws IOException {
    TensorReader.Inspection found = reader.inspect(tensor, label);
    found.bytes().take();
    return new Weight(name, found.dtype(), List.copyOf(tensor.getDimsList()), found.bytes());
  }

  /**
   * Takes the weight out and gives the initializer that refers to it.
   *
   * @param everywhere whether its name means the weight in all graphs, so that equal ones may be
   *     replaced by it
   */
  private TensorProto record(Weight weight, TensorProto tensor, boolean everywhere)
      throws IOException {
    weights.put(weight.name(), weight);
    if (everywhere) {
      equals.add(weight);
    }
    return OnnxModels.asPseed(tensor, weight.name());
  }

  /** Moves a weight of a subgraph or function to the main graph, if it may leave. */
  private boolean hoist(TensorProto tensor, String name, String label, Scope scope, Context context)
      throws IOException {
    if (!mayLeave(tensor, name, label, scope, context)) {
      return false;
    }
    boolean output = scope.outputs.contains(name);
    if (output && !context.identity) {
      note(
          "are outputs of a subgraph or function without the default operator set",
          tensor.getSerializedSize());
      return false;
    }
    boolean keepsName = !output && context.extras == null && definitions.get(name) == 1;
    Weight weight = weight(tensor, name, label);
    Weight twin = context.extras == null ? equals.find(weight) : null;
    String global;
    if (twin != null) {
      twins++;
      global = twin.name();
    } else {
      global = keepsName ? name : unused(name);
      hoisted.add(record(weight.named(global), tensor, true));
    }
    scope.moved.add(name);
    scope.renames.put(name, global);
    if (output) {
      scope.identities.add(
          NodeProto.newBuilder()
              .addInput(global)
              .addOutput(name)
              .setName(unused(global + "_identity"))
              .setOpType("Identity")
              .build());
    }
    if (context.extras == null) {
      fromSubgraphs++;
    } else {
      fromFunctions++;
      context.extras.add(global);
    }
    return true;
  }

  // ---- nodes

  private List<NodeProto> rewriteNodes(List<NodeProto> nodes, Scope scope, Context context)
      throws IOException {
    List<NodeProto> out = new ArrayList<>(scope.identities);
    for (NodeProto node : nodes) {
      if (!scope.removed.contains(node)) {
        out.add(rewriteNode(node, scope, context));
      }
    }
    return out;
  }

  private NodeProto rewriteNode(NodeProto node, Scope scope, Context context) throws IOException {
    NodeProto.Builder out = node.toBuilder();
    for (int i = 0; i < node.getInputCount(); i++) {
      String renamed = scope.renames.get(node.getInput(i));
      if (renamed != null) {
        out.setInput(i, renamed);
      }
    }
    int callee = functions.find(node);
    Context inner = callee < 0 ? context : context.blocked(FunctionTable.IN_CALL_ATTRIBUTE);
    boolean constant = isConstant(node);
    for (int i = 0; i < node.getAttributeCount(); i++) {
      AttributeProto attribute = rewriteAttribute(node.getAttribute(i), scope, inner);
      out.setAttribute(i, attribute);
      if (!constant) {
        noteAttribute(attribute);
      }
    }
    if (callee >= 0) {
      Set<String> extras = functionExtras.get(callee);
      if (!extras.isEmpty()) {
        int declared = model.getFunctions(callee).getInputCount();
        passedInputs += declared + (long) extras.size();
        if (passedInputs > MAX_PASSED_INPUTS) {
          FunctionProto function = model.getFunctions(callee);
          throw reader.trouble(
              "function '" + function.getDomain() + ":" + function.getName() + "'",
              "has "
                  + extras.size()
                  + " weights, which with those of other functions would make "
                  + passedInputs
                  + " inputs of calls; expected at most "
                  + MAX_PASSED_INPUTS);
        }
        while (out.getInputCount() < declared) {
          out.addInput("");
        }
        out.addAllInput(extras);
        if (context.extras != null) {
          context.extras.addAll(extras);
        }
      }
    }
    return out.build();
  }

  private AttributeProto rewriteAttribute(AttributeProto attribute, Scope scope, Context context)
      throws IOException {
    AttributeProto.Builder out = attribute.toBuilder();
    String label = "attribute '" + attribute.getName() + "'" + context.where;
    if (attribute.hasG()) {
      out.setG(rewriteSubgraph(attribute.getG(), scope.renames, context));
    }
    for (int i = 0; i < attribute.getGraphsCount(); i++) {
      out.setGraphs(i, rewriteSubgraph(attribute.getGraphs(i), scope.renames, context));
    }
    if (attribute.hasT()) {
      out.setT(reader.inlined(attribute.getT(), label));
    }
    for (int i = 0; i < attribute.getTensorsCount(); i++) {
      out.setTensors(i, reader.inlined(attribute.getTensors(i), label));
    }
    if (attribute.hasSparseTensor()) {
      out.setSparseTensor(inlined(attribute.getSparseTensor(), label));
    }
    for (int i = 0; i < attribute.getSparseTensorsCount(); i++) {
      out.setSparseTensors(i, inlined(attribute.getSparseTensors(i), label));
    }
    return out.build();
  }

  // ---- graph inputs and notices

  private GraphProto dropOverriddenInputs(GraphProto graph, boolean all) {
    Set<String> drop = new HashSet<>(overridable);
    if (all) {
      // Runtimes treat the initializers of such a model as constants; as inputs with a default in
      // a newer IR they would become variable.
      for (TensorProto tensor : graph.getInitializerList()) {
        drop.add(tensor.getName());
      }
    }
    if (drop.isEmpty()) {
      return graph;
    }
    GraphProto.Builder out = graph.toBuilder().clearInput();
    for (ValueInfoProto input : graph.getInputList()) {
      if (!drop.contains(input.getName())) {
        out.addInput(input);
      }
    }
    return out.build();
  }

  private void note(String reason, long bytes) {
    if (bytes >= minBytes) {
      long[] sum = inlineReasons.computeIfAbsent(reason, r -> new long[2]);
      sum[0]++;
      sum[1] += bytes;
    }
  }

  private void noteAttribute(AttributeProto attribute) {
    long bytes = 4L * attribute.getFloatsCount() + 8L * attribute.getIntsCount();
    if (attribute.hasT()) {
      bytes += attribute.getT().getSerializedSize();
    }
    for (TensorProto tensor : attribute.getTensorsList()) {
      bytes += tensor.getSerializedSize();
    }
    if (attribute.hasSparseTensor()) {
      bytes += attribute.getSparseTensor().getSerializedSize();
    }
    for (SparseTensorProto tensor : attribute.getSparseTensorsList()) {
      bytes += tensor.getSerializedSize();
    }
    if (bytes >= minBytes) {
      attributeBytes += bytes;
      attributeCount++;
    }
  }

  private void addNotices() {
    if (fromSubgraphs > 0) {
      notices.add(
          fromSubgraphs + " weights of subgraphs (If, Loop, Scan) were moved to the main graph");
    }
    if (twins > 0) {
      notices.add(twins + " weights are equal to others and are stored once");
    }
    if (fromFunctions > 0) {
      notices.add(
          fromFunctions
              + " weights of model-local functions were moved to the main graph and are passed to"
              + " these functions as further inputs");
    }
    if (!overridable.isEmpty()) {
      notices.add(
          overridable.size()
              + " weights were graph inputs with a default and cannot be overridden any more: "
              + String.join(
                  ", ", overridable.subList(0, Math.min(MAX_NAMES_IN_NOTICE, overridable.size())))
              + (overridable.size() > MAX_NAMES_IN_NOTICE ? ", ..." : ""));
    }
    inlineReasons.forEach(
        (reason, sum) ->
            notices.add(
                sum[0]
                    + " tensors of "
                    + sum[1]
                    + " bytes stay in the graph as they are, because they "
                    + reason));
    if (attributeCount > 0) {
      notices.add(
          attributeCount
              + " attributes of operators hold "
              + attributeBytes
              + " bytes that stay in the graph as they are");
    }
    if (model.getTrainingInfoCount() > 0) {
      notices.add(
          "the training graphs of the model are kept as they are, their weights included; files"
              + " that they refer to are not carried along");
    }
  }
}
