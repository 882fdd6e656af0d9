package io.pseed.converter.calibrate;

import io.pseed.converter.onnx.proto.ModelProto;
import io.pseed.converter.onnx.proto.NodeProto;
import io.pseed.converter.onnx.proto.TensorProto;
import io.pseed.converter.source.SourceTensor;
import io.pseed.format.DType;
import io.pseed.format.TensorRecord;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * Finds vectors of weights, biases and factors above all, of which the outputs' gradient can be
 * taken directly: all their uses are in operators that have a rule for it.
 */
final class VectorUses {
  /** Smaller vectors are not worth a record with scales and seeds. */
  private static final int SMALLEST = 256;

  /** Larger ones are coded like matrices. */
  static final int LARGEST = 1 << 15;

  /** Operators whose first input's elements come out again. */
  private static final Set<String> MOVING =
      Set.of("Identity", "Cast", "Reshape", "Flatten", "Squeeze", "Unsqueeze", "Transpose");

  private static final Set<String> ARITHMETIC = Set.of("Add", "Sub", "Mul", "Div");

  private VectorUses() {}

  /** Whether a tensor is one: all its elements lie along one dimension. */
  static boolean isVector(SourceTensor tensor) {
    long elements = TensorRecord.elementCount(tensor.shape());
    for (long dim : tensor.shape()) {
      if (dim == elements && dim > 1) {
        return true;
      }
    }
    return false;
  }

  /**
   * Their names.
   *
   * @param floats values that are FP32
   */
  static Set<String> find(ModelProto model, List<SourceTensor> tensors, Set<String> floats) {
    Map<String, Set<String>> carried = new HashMap<>();
    Set<String> found = new LinkedHashSet<>();
    Set<String> constant = new HashSet<>();
    for (SourceTensor tensor : tensors) {
      long elements = TensorRecord.elementCount(tensor.shape());
      constant.add(tensor.name());
      if (WidenedModel.type(tensor.dtype()) == DType.F32
          && isVector(tensor)
          && elements >= SMALLEST
          && elements < LARGEST) {
        found.add(tensor.name());
        carried.put(tensor.name(), Set.of(tensor.name()));
      }
    }
    for (TensorProto tensor : model.getGraph().getInitializerList()) {
      constant.add(tensor.getName());
    }
    int opset = new GraphWriter("", model).opset();
    for (NodeProto node : model.getGraph().getNodeList()) {
      boolean all = node.getInputList().stream().allMatch(i -> i.isEmpty() || constant.contains(i));
      for (int i = 0; i < node.getInputCount(); i++) {
        Set<String> roots = carried.get(node.getInput(i));
        if (roots == null) {
          continue;
        }
        boolean known = floats.contains(node.getOutput(0)) && hasRule(node, i, opset);
        if (!known) {
          found.removeAll(roots);
        } else if (all) {
          // What is made of weights alone must be of use itself.
          carried.computeIfAbsent(node.getOutput(0), key -> new LinkedHashSet<>()).addAll(roots);
        }
      }
      if (all) {
        constant.addAll(node.getOutputList());
      }
    }
    return found;
  }

  private static boolean hasRule(NodeProto node, int input, int opset) {
    if (!node.getDomain().isEmpty() && !node.getDomain().equals("ai.onnx")) {
      return false;
    }
    String op = node.getOpType();
    return switch (op) {
      case "Conv", "ConvTranspose", "Gemm" -> input == 2;
      case "LayerNormalization" -> input > 0;
      // Not the variances: they are divided by, so that small ones take no error.
      case "BatchNormalization" -> input > 0 && input < 4;
      case "Concat" -> true;
      case "Slice" -> input == 0 && opset >= 11;
      default -> ARITHMETIC.contains(op) || (MOVING.contains(op) && input == 0);
    };
  }
}
