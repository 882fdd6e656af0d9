package io.pseed.converter.verify;

import ai.onnxruntime.NodeInfo;
import ai.onnxruntime.OnnxJavaType;
import ai.onnxruntime.OnnxTensor;
import ai.onnxruntime.OrtEnvironment;
import ai.onnxruntime.OrtException;
import ai.onnxruntime.TensorInfo;
import io.pseed.converter.onnx.proto.GraphProto;
import io.pseed.converter.onnx.proto.ModelProto;
import io.pseed.converter.onnx.proto.NodeProto;
import io.pseed.converter.onnx.proto.TensorProto;
import io.pseed.format.Halfs;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Random;
import java.util.Set;

/**
 * Inputs for a model of which nothing is known but its graph: token numbers that its word table
 * has, masks of ones, plausible sizes, normal noise for the rest. The same number gives the same
 * inputs everywhere.
 *
 * <p>They exercise a model, they are no data: what they say of an error is a hint.
 */
public final class GeneratedInputs {
  private static final long SEED = 0x70736565645F31L;

  /** Rows of known word tables, and the numbers of their first and last special token. */
  private static final Map<Long, int[]> SPECIAL_TOKENS =
      Map.of(
          30522L, new int[] {101, 102},
          28996L, new int[] {101, 102},
          21128L, new int[] {101, 102},
          50265L, new int[] {0, 2},
          250002L, new int[] {0, 2},
          250037L, new int[] {0, 2});

  /** Operators that hand numbers on to a look-up without changing them. */
  private static final Set<String> PASSING =
      Set.of("Cast", "Identity", "Reshape", "Unsqueeze", "Squeeze", "Flatten", "Slice", "Clip");

  private final Map<String, TensorInfo> inputs = new LinkedHashMap<>();
  private final Map<String, Long> tableRows = new HashMap<>();

  /**
   * Inputs for a model.
   *
   * @param signature what the session says of its inputs
   * @param model the graph, with or without weights
   * @throws UnsupportedModelException where an input is no tensor of numbers
   */
  public GeneratedInputs(Map<String, NodeInfo> signature, ModelProto model)
      throws UnsupportedModelException {
    for (Map.Entry<String, NodeInfo> input : signature.entrySet()) {
      if (!(input.getValue().getInfo() instanceof TensorInfo tensor)
          || tensor.type == OnnxJavaType.STRING
          || tensor.type == OnnxJavaType.UNKNOWN) {
        throw new UnsupportedModelException(
            "input '"
                + input.getKey()
                + "' is no tensor of numbers, so no values can be made for it");
      }
      inputs.put(input.getKey(), tensor);
      long rows = rowsLookedUp(model.getGraph(), input.getKey());
      if (rows > 0) {
        tableRows.put(input.getKey(), rows);
      }
    }
  }

  /** A model for which no inputs can be made. */
  public static final class UnsupportedModelException extends Exception {
    private static final long serialVersionUID = 1L;

    UnsupportedModelException(String message) {
      super(message);
    }
  }

  /**
   * The inputs of run number {@code run}; the caller closes them.
   *
   * @param environment of the session that will take them
   */
  public Map<String, OnnxTensor> make(OrtEnvironment environment, int run) throws OrtException {
    Random random = new Random(SEED + run);
    int length = 8 + random.nextInt(41);
    Map<String, Long> named = new HashMap<>();
    Map<String, OnnxTensor> tensors = new LinkedHashMap<>();
    try {
      for (Map.Entry<String, TensorInfo> input : inputs.entrySet()) {
        TensorInfo info = input.getValue();
        long[] shape = shape(info, length, named);
        tensors.put(
            input.getKey(),
            OnnxTensor.createTensor(
                environment, values(input.getKey(), info, shape, random), shape, info.type));
      }
      return tensors;
    } catch (OrtException | RuntimeException e) {
      tensors.values().forEach(OnnxTensor::close);
      throw e;
    }
  }

  /** Open dimensions: 1 for the batch, a sensible length elsewhere; equal names get equal sizes. */
  private static long[] shape(TensorInfo info, int length, Map<String, Long> named) {
    long[] shape = info.getShape();
    String[] names = info.getDimensionNames();
    for (int d = 0; d < shape.length; d++) {
      if (shape[d] >= 0) {
        continue;
      }
      String name = names != null && d < names.length && names[d] != null ? names[d] : "";
      long size = open(info, d, shape.length, name.toLowerCase(Locale.ROOT), length);
      shape[d] = name.isEmpty() ? size : named.computeIfAbsent(name, key -> size);
    }
    return shape;
  }

  private static long open(TensorInfo info, int d, int rank, String name, int length) {
    boolean real = isReal(info.type);
    if (name.contains("batch") || d == 0 && rank > 1) {
      return 1;
    }
    if (name.contains("past")) {
      return 0;
    }
    if (real && rank == 4) {
      return d == 1 ? 3 : 224;
    }
    if (real && (name.contains("sample") || name.contains("audio") || rank == 2)) {
      return 512;
    }
    return length;
  }

  private static boolean isReal(OnnxJavaType type) {
    return switch (type) {
      case FLOAT, DOUBLE, FLOAT16, BFLOAT16 -> true;
      default -> false;
    };
  }

  private ByteBuffer values(String name, TensorInfo info, long[] shape, Random random) {
    int count = 1;
    for (long dim : shape) {
      count = Math.toIntExact(count * dim);
    }
    ByteBuffer out =
        ByteBuffer.allocateDirect(Math.multiplyExact(count, info.type.size))
            .order(ByteOrder.nativeOrder());
    int width = shape.length == 0 ? 1 : (int) Math.max(1, shape[shape.length - 1]);
    for (int i = 0; i < count; i++) {
      if (isReal(info.type)) {
        putReal(out, info.type, random.nextGaussian());
      } else {
        putInteger(out, info.type, integer(name, info.type, i % width, width, random));
      }
    }
    return out.flip();
  }

  private long integer(String name, OnnxJavaType type, int at, int width, Random random) {
    String lower = name.toLowerCase(Locale.ROOT);
    if (type == OnnxJavaType.BOOL || lower.contains("mask")) {
      return 1;
    }
    if (lower.contains("token_type") || lower.contains("segment")) {
      return 0;
    }
    if (lower.contains("position")) {
      return at;
    }
    if (lower.equals("sr") || lower.contains("sample_rate")) {
      return 16_000;
    }
    long rows = tableRows.getOrDefault(name, 0L);
    if (rows == 0) {
      return 1;
    }
    int[] special = SPECIAL_TOKENS.get(rows);
    if (special != null && at == 0) {
      return special[0];
    }
    if (special != null && at == width - 1) {
      return special[1];
    }
    // Vocabularies are sorted by frequency: the logarithm of a word's number is about uniform.
    // Numbers below belong to special tokens and single letters.
    long first = rows > 10_000 ? 1_000 : 0;
    double u = random.nextDouble();
    return Math.min(rows - 1, first + (long) StrictMath.pow(rows - first, u) - (u == 0 ? 1 : 0));
  }

  private static void putReal(ByteBuffer out, OnnxJavaType type, double value) {
    switch (type) {
      case DOUBLE -> out.putDouble(value);
      case FLOAT16 -> out.putShort(Halfs.fromFloat((float) value));
      case BFLOAT16 -> out.putShort(Halfs.toBFloat16((float) value));
      default -> out.putFloat((float) value);
    }
  }

  private static void putInteger(ByteBuffer out, OnnxJavaType type, long value) {
    switch (type.size) {
      case 8 -> out.putLong(value);
      case 4 -> out.putInt((int) value);
      case 2 -> out.putShort((short) value);
      default -> out.put((byte) Math.min(value, 127));
    }
  }

  /** Rows of the smallest table that an input is looked up in; 0 where there is none. */
  private static long rowsLookedUp(GraphProto graph, String input) {
    Map<String, List<NodeProto>> readers = new HashMap<>();
    for (NodeProto node : graph.getNodeList()) {
      for (String name : node.getInputList()) {
        readers.computeIfAbsent(name, key -> new ArrayList<>()).add(node);
      }
    }
    Map<String, Long> firstDims = new HashMap<>();
    for (TensorProto tensor : graph.getInitializerList()) {
      if (tensor.getDimsCount() > 0) {
        firstDims.put(tensor.getName(), tensor.getDims(0));
      }
    }
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
}
