package io.pseed.converter.calibrate;

import ai.onnxruntime.OrtException;
import io.pseed.converter.onnx.proto.ModelProto;
import io.pseed.converter.onnx.proto.NodeProto;
import io.pseed.converter.source.SourceTensor;
import io.pseed.format.View;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/** Finds the uses of weights that calibration can look at, in the main graph. */
final class Probes {
  private final Map<String, long[]> shapes;
  private final Provenance provenance;
  private final List<Probe> found = new ArrayList<>();
  private final Set<String> mixed = new LinkedHashSet<>();

  private Probes(ModelProto model, List<SourceTensor> tensors, Map<String, long[]> shapes) {
    this.shapes = shapes;
    this.provenance = new Provenance(model, tensors);
  }

  /**
   * What was found.
   *
   * @param probes in the graph's order
   * @param mixed values that hold weights in an order that no view has
   */
  record Found(List<Probe> probes, Set<String> mixed) {}

  /**
   * The uses of {@code tensors}, in the graph's order.
   *
   * @param shapes of all values in one run, weights included
   */
  static Found find(ModelProto model, List<SourceTensor> tensors, Map<String, long[]> shapes)
      throws OrtException {
    Probes probes = new Probes(model, tensors, shapes);
    for (NodeProto node : model.getGraph().getNodeList()) {
      if (node.getInputCount() > 1 && node.getOutputCount() > 0) {
        probes.look(node);
      }
    }
    return new Found(List.copyOf(probes.found), probes.mixed);
  }

  private void look(NodeProto node) throws OrtException {
    String domain = node.getDomain().equals("ai.onnx") ? "" : node.getDomain();
    String op = node.getOpType();
    String a = node.getInput(0);
    String b = node.getInput(1);
    String y = node.getOutput(0);
    if (domain.equals("com.microsoft")) {
      switch (op) {
        case "FusedMatMul", "FusedGemm", "FusedMatMulActivation", "TransposeMatMul" ->
            product(node, a, b, y);
        case "GemmFastGelu", "Attention", "PackedAttention" -> product(node, a, b, "");
        case "FusedConv" -> convolution(node, a, b, y, Probe.Kind.CONV);
        default -> {}
      }
      return;
    }
    if (!domain.isEmpty()) {
      return;
    }
    switch (op) {
      case "MatMul", "Gemm" -> product(node, a, b, y);
      case "Conv" -> convolution(node, a, b, y, Probe.Kind.CONV);
      case "ConvTranspose" -> convolution(node, a, b, y, Probe.Kind.CONV_TRANSPOSE);
      case "Gather" -> lookup(node, a, b, y);
      case "LSTM", "GRU", "RNN" -> recurrent(node);
      default -> {}
    }
  }

  private static boolean flag(NodeProto node, String name) {
    return GraphNodes.integer(node, name, 0) != 0;
  }

  /** Gemm with a value added, or a product with an activation behind it: y is another then. */
  private void product(NodeProto node, String a, String b, String y) throws OrtException {
    boolean transA = flag(node, "transA");
    boolean transB = flag(node, "transB");
    if (provenance.isWeight(b) && !provenance.isWeight(a)) {
      long[] dims = matrix(b);
      if (dims != null) {
        int n = (int) dims[transB ? 1 : 0];
        int m = (int) dims[transB ? 0 : 1];
        add(use(Probe.Kind.LINEAR, a, y, n, m, transA, false), b, transB);
      }
    } else if (provenance.isWeight(a) && !provenance.isWeight(b)) {
      long[] dims = matrix(a);
      if (dims != null) {
        int n = (int) dims[transA ? 0 : 1];
        int m = (int) dims[transA ? 1 : 0];
        add(use(Probe.Kind.LINEAR, b, y, n, m, !transB, true), a, !transA);
      }
    }
  }

  /** Rows and columns of a value that is one matrix; null where it is none or several. */
  private long[] matrix(String value) {
    long[] shape = shapes.get(value);
    if (shape == null || shape.length < 2) {
      return null;
    }
    for (int d = 0; d < shape.length - 2; d++) {
      if (shape[d] != 1) {
        return null;
      }
    }
    return new long[] {shape[shape.length - 2], shape[shape.length - 1]};
  }

  private static Probe use(
      Probe.Kind kind, String x, String y, int n, int m, boolean turned, boolean outTurned) {
    return new Probe(kind, x, y, n, m, 1, turned, outTurned, null, List.of());
  }

  private void convolution(NodeProto node, String x, String w, String y, Probe.Kind kind)
      throws OrtException {
    long[] weight = shapes.get(w);
    long[] input = shapes.get(x);
    if (!provenance.isWeight(w) || weight == null || input == null || weight.length < 3) {
      return;
    }
    int groups = (int) GraphNodes.integer(node, "group", 1);
    ConvWindow window = ConvWindow.of(node, weight, input);
    int rest = 1;
    for (int d = 1; d < weight.length; d++) {
      rest = Math.toIntExact(rest * weight[d]);
    }
    if (kind == Probe.Kind.CONV) {
      add(
          new Probe(kind, x, y, rest, (int) weight[0], groups, false, false, window, List.of()),
          w,
          true);
    } else if (groups == 1 && GraphNodes.attribute(node, "output_shape").isEmpty()) {
      add(
          new Probe(kind, x, y, (int) weight[0], rest, 1, false, false, window, List.of()),
          w,
          false);
    }
  }

  private void lookup(NodeProto node, String table, String numbers, String y) {
    Optional<SourceTensor> plain = provenance.plain(table);
    if (plain.isEmpty() || provenance.isWeight(numbers)) {
      return;
    }
    long[] shape = plain.get().shape();
    if (shape.length == 2 && GraphNodes.integer(node, "axis", 0) == 0) {
      int m = (int) shape[1];
      View view = new View(m, (int) shape[0], true);
      Probe.Part part = new Probe.Part(plain.get().name(), view, null, null);
      found.add(use(Probe.Kind.LOOKUP, numbers, y, 1, m, false, false).of(List.of(part)));
    }
  }

  /** Layers that were not written out: weights by their inputs' energy, states by the outputs'. */
  private void recurrent(NodeProto node) throws OrtException {
    long[] w = shapes.get(node.getInput(1));
    if (w == null || w.length != 3 || w[0] != 1) {
      return;
    }
    boolean forward = GraphNodes.text(node, "direction", "forward").equals("forward");
    int m = (int) w[1];
    if (provenance.isWeight(node.getInput(1))) {
      add(
          use(Probe.Kind.LINEAR, node.getInput(0), "", (int) w[2], m, false, false),
          node.getInput(1),
          true);
    }
    long[] r = shapes.get(node.getInput(2));
    if (r != null
        && forward
        && !node.getOutput(0).isEmpty()
        && provenance.isWeight(node.getInput(2))) {
      add(
          use(Probe.Kind.LINEAR, node.getOutput(0), "", (int) r[2], m, false, false),
          node.getInput(2),
          true);
    }
  }

  private void add(Probe probe, String matrix, boolean outputMajor) throws OrtException {
    Optional<List<Probe.Part>> parts =
        provenance.parts(matrix, probe.inputs(), probe.outputs(), outputMajor);
    if (parts.isPresent()) {
      found.add(probe.of(parts.get()));
    } else {
      mixed.add(matrix);
    }
  }
}
