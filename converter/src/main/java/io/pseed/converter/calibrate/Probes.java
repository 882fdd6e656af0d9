package io.pseed.converter.calibrate;

import io.pseed.converter.onnx.proto.ModelProto;
import io.pseed.converter.onnx.proto.NodeProto;
import io.pseed.converter.source.SourceTensor;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** Finds the uses of weights that calibration can look at, in the main graph. */
final class Probes {
  private Probes() {}

  /** The uses of {@code tensors}, in the graph's order. */
  static List<Probe> find(ModelProto model, List<SourceTensor> tensors) {
    // Values that are a weight as it is, up to a transposition of its two dimensions.
    Map<String, String> weights = new HashMap<>();
    for (SourceTensor tensor : tensors) {
      if (tensor.dtype().isCoded() && tensor.shape().length == 2) {
        weights.put(tensor.name(), tensor.name());
      }
    }
    List<Probe> probes = new ArrayList<>();
    for (NodeProto node : model.getGraph().getNodeList()) {
      if ((!node.getDomain().isEmpty() && !node.getDomain().equals("ai.onnx"))
          || node.getInputCount() == 0
          || node.getOutputCount() == 0) {
        continue;
      }
      String a = node.getInput(0);
      String b = node.getInputCount() > 1 ? node.getInput(1) : "";
      String y = node.getOutput(0);
      switch (node.getOpType()) {
        case "Identity", "Cast", "Transpose" -> {
          if (weights.containsKey(a)) {
            weights.put(y, weights.get(a));
          }
        }
        case "MatMul" -> {
          if (weights.containsKey(b) && !weights.containsKey(a)) {
            probes.add(new Probe(weights.get(b), Probe.Kind.LINEAR, a, y));
          }
        }
        case "Gemm" -> {
          if (weights.containsKey(b)
              && !weights.containsKey(a)
              && GraphNodes.integer(node, "transA", 0) == 0) {
            probes.add(new Probe(weights.get(b), Probe.Kind.LINEAR, a, y));
          }
        }
        case "Gather" -> {
          if (weights.containsKey(a) && GraphNodes.integer(node, "axis", 0) == 0) {
            probes.add(new Probe(weights.get(a), Probe.Kind.LOOKUP, b, y));
          }
        }
        default -> {}
      }
    }
    return probes;
  }
}
