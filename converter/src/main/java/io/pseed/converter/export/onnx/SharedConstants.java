package io.pseed.converter.export.onnx;

import com.google.protobuf.ByteString;
import io.pseed.codec.trellis.TrellisCode;
import io.pseed.converter.onnx.proto.NodeProto;
import io.pseed.converter.onnx.proto.TensorProto;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * Constants that the decoders of a model's tensors share: code tables, Hadamard matrices, filters,
 * shapes, each once however many tensors use it. Names never collide with those of the model.
 */
final class SharedConstants {
  private final Set<String> taken;
  private final Map<ByteString, String> byContent = new HashMap<>();
  private final Map<String, String> doubles = new HashMap<>();
  private final List<TensorProto> initializers = new ArrayList<>();
  private final List<NodeProto> nodes = new ArrayList<>();
  private long bytes;

  /**
   * @param taken names of the model's values and nodes
   */
  SharedConstants(Set<String> taken) {
    this.taken = new HashSet<>(taken);
  }

  /** A name that nothing has yet: {@code wanted}, or with a number behind it. */
  String unique(String wanted) {
    String name = wanted;
    for (int i = 1; !taken.add(name); i++) {
      name = wanted + "_" + i;
    }
    return name;
  }

  /** The name of an initializer with this content, which has no name yet. */
  String add(String hint, TensorProto content) {
    return byContent.computeIfAbsent(
        content.toByteString(),
        key -> {
          String name = unique("pseed." + hint);
          own(content.toBuilder().setName(name).build());
          return name;
        });
  }

  /** An initializer that no other tensor shares. */
  String addOwn(String hint, TensorProto content) {
    String name = unique("pseed." + hint);
    own(content.toBuilder().setName(name).build());
    return name;
  }

  private void own(TensorProto initializer) {
    initializers.add(initializer);
    bytes += initializer.getSerializedSize() + 8L;
  }

  String longs(String hint, long... values) {
    return add(hint, Protos.longs(values));
  }

  /** A node in the model's own graph. */
  String node(NodeProto node) {
    nodes.add(node);
    bytes += node.getSerializedSize() + 8L;
    return node.getOutput(0);
  }

  /** The codes of all states as floats. */
  String codeTable(TrellisCode code, int law, int kappa) {
    String hint = "codes." + code.bits() + (law == 0 ? "" : ".disk" + kappa);
    short[] codes = code.copyOfCodes();
    float[] values = new float[codes.length];
    for (int i = 0; i < codes.length; i++) {
      values[i] = codes[i];
    }
    return add(hint, Protos.floats(new long[] {values.length}, values));
  }

  /** The Hadamard matrix of 2^log2 rows, in the given shape. */
  String hadamard(int log2, long... shape) {
    int n = 1 << log2;
    float[] values = new float[n * n];
    for (int i = 0; i < n; i++) {
      for (int j = 0; j < n; j++) {
        values[i * n + j] = (Integer.bitCount(i & j) & 1) == 0 ? 1 : -1;
      }
    }
    return add("hadamard." + n, Protos.floats(shape, values));
  }

  /** A float constant as double, made when the model is loaded. */
  String asDouble(String constant) {
    return doubles.computeIfAbsent(
        constant,
        key -> {
          String output = unique(key + ".double");
          return node(
              Protos.node(
                  unique(key + ".to_double"),
                  "Cast",
                  List.of(key),
                  output,
                  Protos.number("to", TensorProto.DataType.DOUBLE.getNumber())));
        });
  }

  List<TensorProto> initializers() {
    return initializers;
  }

  List<NodeProto> nodes() {
    return nodes;
  }

  /** What these constants and nodes take in the model, at most. */
  long bytes() {
    return bytes;
  }
}
