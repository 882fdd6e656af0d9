package io.pseed.converter.export.onnx;

import io.pseed.converter.onnx.proto.FunctionProto;
import io.pseed.converter.onnx.proto.TensorProto;
import io.pseed.format.TensorEntry;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * Spreads decoding over the steps of ONNX Runtime's optimizer, because all intermediate values of
 * one step stay in memory until it ends: about 40 bytes a weight.
 *
 * <p>A decoder's first operator, a Slice, needs the number 1 as its stride. In the first step that
 * number is a constant; in each later step it comes out of one more link of a chain:
 *
 * <pre>
 *    1.0 ─┐            ┌──────────── Cast ─┐
 *         Reshape ─ Dropout                Mul ─ 1 of the next step
 *   1 ────┘            └ mask ─ Shape ─────┘
 * </pre>
 *
 * <p>The optimizer folds no Dropout, and removes one only when nothing uses its mask. So in the
 * step in which the incoming 1 becomes a constant, the shape of the mask becomes one as well, and
 * the mask is unused; in the next step the Dropout goes, and the outgoing 1 is a constant. When the
 * model runs nothing of the chain is left. An optimizer that sees through it decodes everything in
 * one step, and without an optimizer the chain computes its ones: the weights are always the same.
 *
 * <p>A link is a function, so that a provider that decodes the tensors itself can take it whole,
 * before the optimizer has seen what is inside and gone its ten steps for nothing.
 */
final class LoadSteps {
  private static final String OPERATOR = "LoadStep";

  /** ONNX Runtime takes 10 steps at most; the last ones stay for what it does with the weights. */
  private static final int MOST_STEPS = 8;

  /** Weights that are worth a step of their own: it costs some milliseconds. */
  private static final long STEP_WEIGHTS = 1 << 20;

  private final SharedConstants constants;
  private final Map<String, Integer> stepOf = new HashMap<>();
  private final List<String> ones = new ArrayList<>();

  /**
   * @param tensors those that may be decoded when the model is loaded
   */
  LoadSteps(SharedConstants constants, List<TensorEntry> tensors) {
    this.constants = constants;
    long weights = tensors.stream().mapToLong(TensorEntry::elements).sum();
    int steps = (int) Math.max(1, Math.min(MOST_STEPS, weights / STEP_WEIGHTS));
    long[] load = new long[steps];
    List<TensorEntry> largestFirst = new ArrayList<>(tensors);
    largestFirst.sort(Comparator.comparingLong(TensorEntry::elements).reversed());
    for (TensorEntry tensor : largestFirst) {
      int least = 0;
      for (int i = 1; i < steps; i++) {
        // The first of equals: the largest tensor comes first, while few weights are in memory.
        least = load[i] < load[least] ? i : least;
      }
      load[least] += tensor.elements();
      stepOf.put(tensor.name(), least);
    }
  }

  /** A value [1], equal to 1, that the optimizer knows when the tensor's step has come. */
  String of(TensorEntry tensor) {
    int step = stepOf.get(tensor.name());
    while (ones.size() <= step) {
      ones.add(ones.isEmpty() ? constants.longs("step", 1) : link(ones.size()));
    }
    return ones.get(step);
  }

  private String link(int step) {
    String element = constants.add("step.element", Protos.floats(new long[] {1}, 1f));
    String prefix = "pseed.step" + step;
    return constants.node(
        Protos.node(
                constants.unique(prefix + ".node"),
                OPERATOR,
                List.of(element, ones.get(step - 1)),
                constants.unique(prefix))
            .toBuilder()
            .setDomain(OnnxExporter.DOMAIN)
            .build());
  }

  /** The function that a link calls, without operator sets; empty where there are no links. */
  Optional<FunctionProto> function() {
    if (ones.size() <= 1) {
      return Optional.empty();
    }
    return Optional.of(
        FunctionProto.newBuilder()
            .setName(OPERATOR)
            .setDomain(OnnxExporter.DOMAIN)
            .addAllInput(List.of("element", "one"))
            .addOutput("next")
            .addNode(Protos.node("reshape", "Reshape", List.of("element", "one"), "shaped"))
            .addNode(
                Protos.node("dropout", "Dropout", List.of("shaped"), "kept").toBuilder()
                    .addOutput("mask"))
            .addNode(Protos.node("shape", "Shape", List.of("mask"), "length"))
            .addNode(
                Protos.node(
                    "cast",
                    "Cast",
                    List.of("kept"),
                    "same",
                    Protos.number("to", TensorProto.DataType.INT64.getNumber())))
            .addNode(Protos.node("mul", "Mul", List.of("same", "length"), "next"))
            .build());
  }
}
