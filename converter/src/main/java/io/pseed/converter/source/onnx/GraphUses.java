package io.pseed.converter.source.onnx;

import io.pseed.converter.onnx.proto.AttributeProto;
import io.pseed.converter.onnx.proto.FunctionProto;
import io.pseed.converter.onnx.proto.GraphProto;
import io.pseed.converter.onnx.proto.ModelProto;
import io.pseed.converter.onnx.proto.NodeProto;
import io.pseed.converter.onnx.proto.SparseTensorProto;
import io.pseed.converter.onnx.proto.TensorProto;
import io.pseed.converter.onnx.proto.ValueInfoProto;
import io.pseed.converter.source.TensorRole;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * Who consumes a value of the main graph, at any depth: in the graph itself, in subgraphs that see
 * it, in functions that get it passed. Gives the role of weights, and whether the model is
 * quantized already.
 */
final class GraphUses {
  /** How far a weight is followed through Transpose, Cast and calls. */
  private static final int MAX_STEPS = 32;

  /** Which role counts where uses differ: as a matrix, as a kernel, as a table. */
  private static final List<TensorRole> PRIORITY =
      List.of(
          TensorRole.MATMUL,
          TensorRole.LINEAR_TRANSPOSED,
          TensorRole.CONV,
          TensorRole.CONV_TRANSPOSE,
          TensorRole.EMBEDDING,
          TensorRole.OTHER);

  private static final Set<String> QUANTIZED =
      Set.of(
          "QuantizeLinear",
          "DequantizeLinear",
          "DynamicQuantizeLinear",
          "MatMulInteger",
          "ConvInteger");

  private static final Set<String> QUANTIZED_MICROSOFT =
      Set.of(
          "MatMulNBits",
          "MatMulBnb4",
          "MatMulFpQ4",
          "MatMulInteger16",
          "MatMulIntegerToFloat",
          "MulInteger",
          "DynamicQuantizeMatMul",
          "DynamicQuantizeLSTM",
          "GatherBlockQuantized",
          "QAttention",
          "QGemm",
          "QEmbedLayerNormalization",
          "QMoE",
          "QuantizeBFP",
          "DequantizeBFP",
          "QuantizeWithOrder",
          "DequantizeWithOrder");

  private record Use(NodeProto node, int input, Scope scope) {}

  private static final class Scope {
    final Scope outer;
    final Map<String, List<Use>> uses = new HashMap<>();

    Scope(Scope outer) {
      this.outer = outer;
    }

    void define(String name) {
      uses.computeIfAbsent(name, n -> new ArrayList<>(1));
    }

    /** Counts for the innermost definition; a name without one is left to the runtime to refuse. */
    void use(String name, Use use) {
      for (Scope scope = this; scope != null; scope = scope.outer) {
        List<Use> found = scope.uses.get(name);
        if (found != null) {
          found.add(use);
          return;
        }
      }
    }

    List<Use> of(String name) {
      for (Scope scope = this; scope != null; scope = scope.outer) {
        List<Use> found = scope.uses.get(name);
        if (found != null) {
          return found;
        }
      }
      return List.of();
    }
  }

  private final ModelProto model;
  private final FunctionTable functions;
  private final Scope main = new Scope(null);
  private final List<Scope> bodies = new ArrayList<>();
  private boolean quantized;

  /** Roles that were found, by rank, by the uses themselves and by step: paths multiply. */
  private final Map<Integer, Map<List<Use>, TensorRole[]>> known = new HashMap<>();

  GraphUses(ModelProto model) {
    this.model = model;
    this.functions = new FunctionTable(model);
    add(model.getGraph(), main);
    for (FunctionProto function : model.getFunctionsList()) {
      Scope scope = new Scope(null);
      bodies.add(scope);
      function.getInputList().forEach(scope::define);
      add(function.getNodeList(), scope);
    }
  }

  private void add(GraphProto graph, Scope scope) {
    for (ValueInfoProto input : graph.getInputList()) {
      scope.define(input.getName());
    }
    for (TensorProto tensor : graph.getInitializerList()) {
      scope.define(tensor.getName());
    }
    for (SparseTensorProto tensor : graph.getSparseInitializerList()) {
      scope.define(tensor.getValues().getName());
    }
    add(graph.getNodeList(), scope);
  }

  private void add(List<NodeProto> nodes, Scope scope) {
    for (NodeProto node : nodes) {
      node.getOutputList().forEach(scope::define);
    }
    for (NodeProto node : nodes) {
      quantized |= isQuantized(node);
      for (int i = 0; i < node.getInputCount(); i++) {
        if (!node.getInput(i).isEmpty()) {
          scope.use(node.getInput(i), new Use(node, i, scope));
        }
      }
      for (AttributeProto attribute : node.getAttributeList()) {
        if (attribute.hasG()) {
          add(attribute.getG(), new Scope(scope));
        }
        for (GraphProto graph : attribute.getGraphsList()) {
          add(graph, new Scope(scope));
        }
      }
    }
  }

  private static boolean isQuantized(NodeProto node) {
    String op = node.getOpType();
    boolean microsoft = node.getDomain().equals("com.microsoft");
    return (microsoft || FunctionTable.domain(node.getDomain()).isEmpty())
        && (QUANTIZED.contains(op)
            || op.startsWith("QLinear")
            || (microsoft && (QUANTIZED_MICROSOFT.contains(op) || op.startsWith("QOrdered"))));
  }

  /** Whether a node of the model quantizes, or computes with quantized values. */
  boolean quantized() {
    return quantized;
  }

  /** The role of an initializer of the main graph with so many dimensions. */
  TensorRole role(String name, int rank) {
    return rank < 2 ? TensorRole.OTHER : role(main.of(name), rank, 0);
  }

  /** The most telling role of all uses. */
  private TensorRole role(List<Use> uses, int rank, int step) {
    if (step >= MAX_STEPS || uses.isEmpty()) {
      return TensorRole.OTHER;
    }
    TensorRole[] roles =
        known
            .computeIfAbsent(rank, r -> new IdentityHashMap<>())
            .computeIfAbsent(uses, u -> new TensorRole[MAX_STEPS]);
    if (roles[step] == null) {
      TensorRole best = TensorRole.OTHER;
      for (Use use : uses) {
        TensorRole role = role(use, rank, step);
        if (PRIORITY.indexOf(role) < PRIORITY.indexOf(best)) {
          best = role;
        }
      }
      roles[step] = best;
    }
    return roles[step];
  }

  private TensorRole role(Use use, int rank, int step) {
    NodeProto node = use.node();
    int input = use.input();
    int callee = functions.find(node);
    if (callee >= 0) {
      FunctionProto function = model.getFunctions(callee);
      return input < function.getInputCount()
          ? role(bodies.get(callee).of(function.getInput(input)), rank, step + 1)
          : TensorRole.OTHER;
    }
    String domain = FunctionTable.domain(node.getDomain());
    if (!domain.isEmpty() && !domain.equals("com.microsoft")) {
      return TensorRole.OTHER;
    }
    return switch (node.getOpType()) {
      case "MatMul" -> operand(input, false, false);
      case "Gemm", "FusedGemm", "FusedMatMul", "TransposeMatMul", "FusedMatMulActivation" ->
          operand(input, flag(node, "transA"), flag(node, "transB"));
      case "GemmFastGelu",
          "Attention",
          "PackedAttention",
          "LongformerAttention",
          "DecoderMaskedSelfAttention",
          "MatMulInteger",
          "MatMulIntegerToFloat",
          "DynamicQuantizeMatMul",
          "QAttention" ->
          input == 1 ? TensorRole.MATMUL : TensorRole.OTHER;
      case "QLinearMatMul" -> input == 3 ? TensorRole.MATMUL : TensorRole.OTHER;
      case "Conv", "FusedConv", "NhwcFusedConv", "ConvInteger" ->
          input == 1 && rank > 2 ? TensorRole.CONV : TensorRole.OTHER;
      case "QLinearConv" -> input == 3 && rank > 2 ? TensorRole.CONV : TensorRole.OTHER;
      case "ConvTranspose", "ConvTransposeWithDynamicPads" ->
          input == 1 && rank > 2 ? TensorRole.CONV_TRANSPOSE : TensorRole.OTHER;
      case "LSTM", "GRU", "RNN" ->
          input == 1 || input == 2 ? TensorRole.LINEAR_TRANSPOSED : TensorRole.OTHER;
      case "Gather" -> {
        long axis = number(node, "axis", 0);
        yield input == 0 && (axis == 0 || axis == -rank) ? TensorRole.EMBEDDING : TensorRole.OTHER;
      }
      case "EmbedLayerNormalization" ->
          input >= 2 && input <= 4 ? TensorRole.EMBEDDING : TensorRole.OTHER;
      case "Identity", "Cast", "DequantizeLinear" ->
          input == 0 && node.getOutputCount() > 0
              ? role(use.scope().of(node.getOutput(0)), rank, step + 1)
              : TensorRole.OTHER;
      // Exporters cut the gates of an LSTM apart and put them together in another order.
      case "Slice", "Unsqueeze" -> input == 0 ? asMatrix(node, use, rank, step) : TensorRole.OTHER;
      case "Concat" -> asMatrix(node, use, rank, step);
      case "Transpose" ->
          swapsLastTwo(node, rank) && node.getOutputCount() > 0
              ? transposed(role(use.scope().of(node.getOutput(0)), rank, step + 1))
              : TensorRole.OTHER;
      default -> TensorRole.OTHER;
    };
  }

  /** The role of the output where it keeps the order of input and output dimension; else other. */
  private TensorRole asMatrix(NodeProto node, Use use, int rank, int step) {
    if (node.getOutputCount() == 0) {
      return TensorRole.OTHER;
    }
    TensorRole role = role(use.scope().of(node.getOutput(0)), rank, step + 1);
    return role == TensorRole.MATMUL || role == TensorRole.LINEAR_TRANSPOSED
        ? role
        : TensorRole.OTHER;
  }

  /** y = x W has W as [input, output]; y = W x, a weight on the left, as [output, input]. */
  private static TensorRole operand(int input, boolean transA, boolean transB) {
    return switch (input) {
      case 0 -> transA ? TensorRole.MATMUL : TensorRole.LINEAR_TRANSPOSED;
      case 1 -> transB ? TensorRole.LINEAR_TRANSPOSED : TensorRole.MATMUL;
      default -> TensorRole.OTHER;
    };
  }

  private static TensorRole transposed(TensorRole role) {
    return switch (role) {
      case MATMUL -> TensorRole.LINEAR_TRANSPOSED;
      case LINEAR_TRANSPOSED -> TensorRole.MATMUL;
      default -> TensorRole.OTHER;
    };
  }

  private static boolean swapsLastTwo(NodeProto node, int rank) {
    List<Long> perm = List.of();
    for (AttributeProto attribute : node.getAttributeList()) {
      if (attribute.getName().equals("perm")) {
        perm = attribute.getIntsList();
      }
    }
    if (perm.isEmpty()) {
      return rank == 2;
    }
    if (perm.size() != rank) {
      return false;
    }
    for (int i = 0; i < rank; i++) {
      int expected = i < rank - 2 ? i : 2 * rank - 3 - i;
      if (perm.get(i) != expected) {
        return false;
      }
    }
    return true;
  }

  private static boolean flag(NodeProto node, String name) {
    return number(node, name, 0) != 0;
  }

  private static long number(NodeProto node, String name, long absent) {
    for (AttributeProto attribute : node.getAttributeList()) {
      if (attribute.getName().equals(name)) {
        return attribute.getI();
      }
    }
    return absent;
  }
}
