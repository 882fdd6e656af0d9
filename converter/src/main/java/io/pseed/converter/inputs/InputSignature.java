package io.pseed.converter.inputs;

import ai.onnxruntime.OnnxJavaType;
import io.pseed.converter.onnx.proto.GraphProto;
import io.pseed.converter.onnx.proto.ModelProto;
import io.pseed.converter.onnx.proto.NodeProto;
import io.pseed.converter.onnx.proto.TensorProto;
import io.pseed.converter.onnx.proto.TensorProto.DataType;
import io.pseed.converter.onnx.proto.TensorShapeProto;
import io.pseed.converter.onnx.proto.TypeProto;
import io.pseed.converter.onnx.proto.ValueInfoProto;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Deque;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;

/** What a graph says of the inputs that it takes, and what it does with them. */
public final class InputSignature {
  /** Operators that hand numbers on to a look-up without changing them. */
  private static final Set<String> PASSING =
      Set.of("Cast", "Identity", "Reshape", "Unsqueeze", "Squeeze", "Flatten", "Slice", "Clip");

  private static final Set<String> TOKEN_INPUTS =
      Set.of("input_ids", "attention_mask", "token_type_ids", "position_ids");

  /**
   * An input.
   *
   * @param name in the graph
   * @param type of its elements; {@link OnnxJavaType#UNKNOWN} for what is no tensor of numbers that
   *     the Java binding of ONNX Runtime takes
   * @param shape -1 where a dimension is open
   * @param dimensions names of the dimensions; empty where they have none
   * @param ranked whether the graph says how many dimensions there are
   * @param tableRows rows of the smallest table in which the numbers are looked up; 0: none
   */
  public record Input(
      String name,
      OnnxJavaType type,
      List<Long> shape,
      List<String> dimensions,
      boolean ranked,
      long tableRows) {
    /** Whether the elements are floating-point numbers. */
    public boolean real() {
      return switch (type) {
        case FLOAT, DOUBLE, FLOAT16, BFLOAT16 -> true;
        default -> false;
      };
    }

    /** For sentences: {@code int64 [?, 128]}. */
    public String text() {
      return label(type) + (ranked ? " " + InputSignature.text(shape) : " of any shape");
    }
  }

  private final Map<String, Input> inputs = new LinkedHashMap<>();
  private final Map<String, List<Long>> outputs = new LinkedHashMap<>();
  private final long multiplied;

  /** Reads the signature of a graph, with or without weights' data. */
  public InputSignature(ModelProto model) {
    GraphProto graph = model.getGraph();
    Set<String> weights =
        graph.getInitializerList().stream().map(TensorProto::getName).collect(Collectors.toSet());
    Map<String, List<NodeProto>> readers = new HashMap<>();
    for (NodeProto node : graph.getNodeList()) {
      for (String name : node.getInputList()) {
        readers.computeIfAbsent(name, key -> new ArrayList<>()).add(node);
      }
    }
    Map<String, Long> rows = new HashMap<>();
    for (TensorProto tensor : graph.getInitializerList()) {
      if (tensor.getDimsCount() > 0) {
        rows.put(tensor.getName(), tensor.getDims(0));
      }
    }
    for (ValueInfoProto value : graph.getInputList()) {
      if (!weights.contains(value.getName())) {
        inputs.put(value.getName(), input(value, tableRows(readers, rows, value.getName())));
      }
    }
    for (ValueInfoProto value : graph.getOutputList()) {
      outputs.put(value.getName(), shape(value.getType().getTensorType().getShape()));
    }
    multiplied = multiplied(graph);
  }

  private static Input input(ValueInfoProto value, long tableRows) {
    TypeProto type = value.getType();
    TypeProto.Tensor tensor = type.getTensorType();
    List<String> names = new ArrayList<>();
    for (TensorShapeProto.Dimension dimension : tensor.getShape().getDimList()) {
      names.add(dimension.getDimParam());
    }
    return new Input(
        value.getName(),
        type.hasTensorType()
            ? javaType(DataType.forNumber(tensor.getElemType()))
            : OnnxJavaType.UNKNOWN,
        shape(tensor.getShape()),
        List.copyOf(names),
        tensor.hasShape(),
        tableRows);
  }

  private static List<Long> shape(TensorShapeProto shape) {
    return shape.getDimList().stream()
        .map(d -> d.hasDimValue() && d.getDimValue() >= 0 ? d.getDimValue() : -1L)
        .toList();
  }

  private static OnnxJavaType javaType(DataType type) {
    if (type == null) {
      return OnnxJavaType.UNKNOWN;
    }
    return switch (type) {
      case FLOAT -> OnnxJavaType.FLOAT;
      case DOUBLE -> OnnxJavaType.DOUBLE;
      case FLOAT16 -> OnnxJavaType.FLOAT16;
      case BFLOAT16 -> OnnxJavaType.BFLOAT16;
      case INT8 -> OnnxJavaType.INT8;
      case UINT8 -> OnnxJavaType.UINT8;
      case INT16 -> OnnxJavaType.INT16;
      case INT32 -> OnnxJavaType.INT32;
      case INT64 -> OnnxJavaType.INT64;
      case BOOL -> OnnxJavaType.BOOL;
      default -> OnnxJavaType.UNKNOWN;
    };
  }

  private static long tableRows(
      Map<String, List<NodeProto>> readers, Map<String, Long> firstDims, String input) {
    long smallest = 0;
    Set<String> seen = new HashSet<>();
    Deque<String> queue = new ArrayDeque<>(List.of(input));
    while (!queue.isEmpty()) {
      String value = queue.remove();
      if (!seen.add(value)) {
        continue;
      }
      for (NodeProto node : readers.getOrDefault(value, List.of())) {
        if (node.getOpType().equals("Gather")
            && node.getInputCount() == 2
            && node.getInput(1).equals(value)
            && firstDims.containsKey(node.getInput(0))) {
          long rows = firstDims.get(node.getInput(0));
          smallest = smallest == 0 ? rows : Math.min(smallest, rows);
        } else if (PASSING.contains(node.getOpType()) && node.getInput(0).equals(value)) {
          queue.addAll(node.getOutputList());
        }
      }
    }
    return smallest;
  }

  private static long multiplied(GraphProto graph) {
    Set<String> tables = new HashSet<>();
    for (NodeProto node : graph.getNodeList()) {
      if (node.getOpType().equals("Gather") && node.getInputCount() > 0) {
        tables.add(node.getInput(0));
      }
    }
    double sum = 0;
    for (TensorProto tensor : graph.getInitializerList()) {
      if (!tables.contains(tensor.getName())) {
        double count = 1;
        for (long dim : tensor.getDimsList()) {
          count *= dim;
        }
        sum += count;
      }
    }
    return (long) sum;
  }

  /** The inputs in the graph's order. */
  public List<Input> inputs() {
    return List.copyOf(inputs.values());
  }

  /** An input; null where there is none of that name. */
  Input input(String name) {
    return inputs.get(name);
  }

  /** Names in the graph's order. */
  public Set<String> names() {
    return inputs.keySet();
  }

  /** Shapes of the outputs by name, in the graph's order; -1 where a dimension is open. */
  Map<String, List<Long>> outputs() {
    return outputs;
  }

  /** Elements of the weights that are no tables: about the multiplications of one position. */
  long multiplied() {
    return multiplied;
  }

  /** Whether a tokenizer can fill all inputs. */
  public boolean takesTokens() {
    return inputs.containsKey("input_ids") && TOKEN_INPUTS.containsAll(inputs.keySet());
  }

  /** For sentences: {@code 'input_ids' int64 [?, ?], 'attention_mask' int64 [?, ?]}. */
  public String text() {
    return inputs.values().stream()
        .map(input -> "'" + input.name() + "' " + input.text())
        .collect(Collectors.joining(", "));
  }

  /** For sentences: {@code [1, 3, ?, ?]}. */
  static String text(List<Long> shape) {
    return shape.stream()
        .map(d -> d < 0 ? "?" : String.valueOf(d))
        .collect(Collectors.joining(", ", "[", "]"));
  }

  static String text(long[] shape) {
    return text(Arrays.stream(shape).boxed().toList());
  }

  /** The name that numpy has for a type. */
  static String label(OnnxJavaType type) {
    return switch (type) {
      case FLOAT -> "float32";
      case DOUBLE -> "float64";
      case FLOAT16 -> "float16";
      case BFLOAT16 -> "bfloat16";
      case INT8 -> "int8";
      case UINT8 -> "uint8";
      case INT16 -> "int16";
      case INT32 -> "int32";
      case INT64 -> "int64";
      case BOOL -> "bool";
      case STRING -> "string";
      case UNKNOWN -> "something that is no tensor of numbers";
    };
  }
}
