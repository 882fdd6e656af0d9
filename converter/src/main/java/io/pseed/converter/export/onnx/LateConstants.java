package io.pseed.converter.export.onnx;

import io.pseed.converter.onnx.proto.FunctionProto;
import io.pseed.converter.onnx.proto.TensorProto;
import java.util.List;
import java.util.Optional;

/**
 * Keeps records out of sight while ONNX Runtime infers types. From 1.23 on it copies every constant
 * that a node of a function takes, each time it infers, which is some ten times while a session is
 * created: as much time as decoding. What is no constant yet is not copied:
 *
 * <pre>
 *   record ─┐
 *          Concat ─ SeedDecode
 *   Nothing ┘
 * </pre>
 *
 * <p>Nothing is a function that gives no bytes. A provider that decodes records itself takes it
 * whole, so the record never becomes a constant of SeedDecode; without one it is opened before
 * anything is folded, and is a constant like all others.
 *
 * <p>Records outside of the model are not copied, and need none of this.
 */
final class LateConstants {
  private static final String OPERATOR = "Nothing";

  /** Smaller ones are copied faster than a node is inferred. */
  private static final long SMALLEST = 4096;

  private final SharedConstants constants;
  private String nothing;

  LateConstants(SharedConstants constants) {
    this.constants = constants;
  }

  /**
   * A value equal to a constant, but none.
   *
   * @param constant bytes ({@code uint8}) of one dimension
   */
  String of(String constant, long length) {
    if (length < SMALLEST) {
      return constant;
    }
    if (nothing == null) {
      nothing =
          constants.node(
              Protos.node(
                      constants.unique("pseed.nothing.node"),
                      OPERATOR,
                      List.of(),
                      constants.unique("pseed.nothing"))
                  .toBuilder()
                  .setDomain(OnnxExporter.DOMAIN)
                  .build());
    }
    String late = constants.unique(constant + ".late");
    return constants.node(
        Protos.node(
            constants.unique(late + ".concat"),
            "Concat",
            List.of(constant, nothing),
            late,
            Protos.number("axis", 0)));
  }

  /** The function that gives no bytes, without operator sets; empty where nothing uses it. */
  Optional<FunctionProto> function() {
    if (nothing == null) {
      return Optional.empty();
    }
    return Optional.of(
        FunctionProto.newBuilder()
            .setName(OPERATOR)
            .setDomain(OnnxExporter.DOMAIN)
            .addOutput("nothing")
            .addNode(
                Protos.node(
                    "constant",
                    "Constant",
                    List.of(),
                    "nothing",
                    Protos.tensor(
                        "value",
                        Protos.tensor(
                            TensorProto.DataType.UINT8, new long[] {0}, Protos.buffer(0)))))
            .build());
  }
}
