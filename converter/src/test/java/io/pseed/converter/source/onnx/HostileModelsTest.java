package io.pseed.converter.source.onnx;

import static io.pseed.converter.source.onnx.OnnxBuilders.call;
import static io.pseed.converter.source.onnx.OnnxBuilders.constant;
import static io.pseed.converter.source.onnx.OnnxBuilders.external;
import static io.pseed.converter.source.onnx.OnnxBuilders.function;
import static io.pseed.converter.source.onnx.OnnxBuilders.graph;
import static io.pseed.converter.source.onnx.OnnxBuilders.header;
import static io.pseed.converter.source.onnx.OnnxBuilders.model;
import static io.pseed.converter.source.onnx.OnnxBuilders.node;
import static io.pseed.converter.source.onnx.OnnxBuilders.opset;
import static io.pseed.converter.source.onnx.OnnxBuilders.tensor;
import static io.pseed.converter.source.onnx.OnnxBuilders.value;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.google.protobuf.ByteString;
import com.google.protobuf.CodedOutputStream;
import io.pseed.converter.onnx.proto.GraphProto;
import io.pseed.converter.onnx.proto.ModelProto;
import io.pseed.converter.onnx.proto.TensorProto.DataType;
import io.pseed.converter.source.SourceException;
import io.pseed.converter.source.SourceTensor;
import io.pseed.converter.source.TensorRole;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.condition.DisabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;

/**
 * Models that are built to cost much, or to be read as something else than they were checked as.
 * The time limits are watchdogs: what they stop would run for years, or until memory is gone.
 */
@Timeout(value = 60, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
class HostileModelsTest {
  private static final Path FILE = Path.of("m.onnx");

  @TempDir Path folder;

  private static OnnxModelSource open(byte[] bytes) throws IOException {
    return OnnxModelSource.open(FILE, bytes, Optional.empty());
  }

  private static void assertRefused(byte[] bytes, String... words) {
    assertThatThrownBy(() -> open(bytes))
        .isInstanceOf(SourceException.class)
        .hasMessageStartingWith("m.onnx: ")
        .satisfies(e -> assertThat(e.getMessage()).contains(words));
  }

  /** 40 nodes that take their input twice: 2^40 ways from the weight to the output. */
  @Test
  void pathsThatMultiplyAreWalkedOnce() throws Exception {
    GraphProto.Builder graph = graph("g").addInitializer(tensor("v0", 1, 16, 16));
    for (int i = 0; i < 20; i++) {
      graph.addNode(node("Concat", List.of("v" + i, "v" + i), List.of("v" + (i + 1))));
    }
    for (int i = 20; i < 30; i++) {
      List<String> inputs = new ArrayList<>();
      for (int k = 0; k < 20; k++) {
        inputs.add("v" + i);
      }
      graph.addNode(node("Concat", inputs, List.of("v" + (i + 1))));
    }
    graph.addNode(node("MatMul", List.of("x", "v30"), List.of("y")));
    graph.addInput(value("x", 1, 16)).addOutput(value("y", 1, 16));
    try (OnnxModelSource source = open(model(graph).build().toByteArray())) {
      assertThat(source.tensors().get(0).role()).isEqualTo(TensorRole.MATMUL);
    }
  }

  /** Each function calls the next one twice, as entities of an XML bomb do. */
  @Test
  void callsThatMultiplyAreWalkedOnce() throws Exception {
    ModelProto.Builder model =
        model(
            graph("g", call("f", "F0", List.of("w"), List.of("y")))
                .addInitializer(tensor("w", 1, 16, 16))
                .addOutput(value("y", 16, 16)));
    model.addOpsetImport(opset("f", 1));
    for (int i = 0; i < 60; i++) {
      model.addFunctions(
          function(
              "f",
              "F" + i,
              List.of("a"),
              List.of("b"),
              i < 59
                  ? call("f", "F" + (i + 1), List.of("a"), List.of("t"))
                  : node("Identity", List.of("a"), List.of("t")),
              i < 59
                  ? call("f", "F" + (i + 1), List.of("a"), List.of("b"))
                  : node("Add", List.of("a", "t"), List.of("b"))));
    }
    try (OnnxModelSource source = open(model.build().toByteArray())) {
      assertThat(source.tensors()).hasSize(1);
    }
  }

  /** Every call of a function gets all its weights as inputs: calls times weights strings. */
  @Test
  void weightsOfFunctionsTimesCallsHaveABound() {
    GraphProto.Builder graph = graph("g").addInput(value("x", 2));
    for (int i = 0; i < 20_000; i++) {
      graph.addNode(call("f", "F", List.of("x"), List.of("y" + i)));
    }
    var body = function("f", "F", List.of("a"), List.of("b"));
    for (int i = 0; i < 1000; i++) {
      body.addNode(constant("c" + i, tensor("", 1, 16, 16)));
    }
    body.addNode(node("Identity", List.of("a"), List.of("b")));
    byte[] bytes =
        model(graph).addFunctions(body).addOpsetImport(opset("f", 1)).build().toByteArray();
    assertRefused(bytes, "function 'f:F'", "1000 weights", "expected at most");
  }

  @Test
  void aLongChainOfNodesIsNoDeepOne() throws Exception {
    GraphProto.Builder graph = graph("g").addInitializer(tensor("v0", 1, 16, 16));
    for (int i = 0; i < 100_000; i++) {
      graph.addNode(node("Identity", List.of("v" + i), List.of("v" + (i + 1))));
    }
    graph.addOutput(value("v100000", 16, 16));
    try (OnnxModelSource source = open(model(graph).build().toByteArray())) {
      assertThat(source.tensors()).hasSize(1);
    }
  }

  /** Unknown groups in one another, as in CVE-2024-7254 of protobuf. */
  @Test
  void unknownGroupsAreNotFollowedDown() throws Exception {
    byte[] good = model(graph("g").addOutput(value("y", 1))).build().toByteArray();
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    bytes.writeBytes(good);
    for (int i = 0; i < 200_000; i++) {
      bytes.write(((99 << 3) & 0x7F) | 0x80 | 3);
      bytes.write((99 << 3) >> 7);
    }
    assertRefused(bytes.toByteArray(), "is not an ONNX model");
  }

  /** Lengths of packed fields and of bytes that reach beyond the file. */
  @Test
  void lengthsAreComparedWithTheFileBeforeTheyAreAllocated() throws Exception {
    for (int field : new int[] {4, 5, 7, 9, 10, 11}) {
      for (long length : new long[] {1000, 1 << 30, Integer.MAX_VALUE, 0xFFFF_FFFFL, -1L}) {
        ByteArrayOutputStream content = new ByteArrayOutputStream();
        CodedOutputStream out = CodedOutputStream.newInstance(content);
        out.writeUInt32NoTag((field << 3) | 2);
        out.writeUInt64NoTag(length);
        out.flush();
        ByteString tensor = ByteString.copyFrom(content.toByteArray());
        byte[] graph = message(5, tensor).toByteArray();
        byte[] bytes =
            message(7, ByteString.copyFrom(graph))
                .concat(ByteString.copyFrom(new byte[] {8, 8}))
                .toByteArray();
        long before = Allocations.here();
        assertRefused(bytes, "is not an ONNX model");
        assertThat(Allocations.here() - before)
            .as("bytes allocated for field %d of %d bytes", field, length)
            .isLessThan(64 << 20);
      }
    }
  }

  private static ByteString message(int field, ByteString content) throws IOException {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    CodedOutputStream out = CodedOutputStream.newInstance(bytes);
    out.writeBytes(field, content);
    out.flush();
    return ByteString.copyFrom(bytes.toByteArray());
  }

  /** Dimensions without data: a kilobyte that asks for a terabyte. */
  @Test
  void dimensionsWithoutDataAllocateNothing() {
    byte[] bytes =
        model(graph("g").addInitializer(header("w", DataType.FLOAT, 1 << 20, 1 << 18)))
            .build()
            .toByteArray();
    long before = Allocations.here();
    assertRefused(bytes, "initializer 'w'", "found 0 bytes of data, expected 1099511627776");
    assertThat(Allocations.here() - before).isLessThan(64 << 20);
  }

  /** Many tensors over the same bytes, which safetensors calls its JSON attack. */
  @Test
  void tensorsThatShareTheirBytesHaveABound() throws Exception {
    Path data = folder.resolve("m.data");
    try (FileChannel channel =
        FileChannel.open(data, StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE)) {
      channel.write(ByteBuffer.wrap(new byte[] {1}), (1 << 20) - 1);
    }
    GraphProto.Builder graph = graph("g");
    for (int i = 0; i < 2000; i++) {
      graph.addInitializer(
          external("w" + i, DataType.FLOAT, List.of("location", "m.data"), 1 << 18));
    }
    Path model = Files.write(folder.resolve("m.onnx"), model(graph).build().toByteArray());
    assertThatThrownBy(() -> OnnxModelSource.open(model))
        .isInstanceOf(SourceException.class)
        .hasMessageContaining("m.onnx: initializer 'w1024'")
        .hasMessageContaining("'m.data', which has 1048576 bytes")
        .hasMessageContaining("tied weights");
  }

  @Test
  @DisabledOnOs(OS.WINDOWS)
  void aFileThatIsSwappedForALinkIsRead() throws Exception {
    Path data = Files.write(folder.resolve("m.data"), OnnxBuilders.random(1, 4096));
    Path other = Files.write(folder.resolve("other"), OnnxBuilders.random(2, 4096));
    byte[] before = Files.readAllBytes(data);
    byte[] bytes =
        model(
                graph("g")
                    .addInitializer(
                        external("w", DataType.FLOAT, List.of("location", "m.data"), 1024)))
            .build()
            .toByteArray();
    Path model = Files.write(folder.resolve("m.onnx"), bytes);
    try (OnnxModelSource source = OnnxModelSource.open(model)) {
      Files.delete(data);
      Files.createSymbolicLink(data, other);
      assertThat(OnnxRuns.bytes(source.tensors().get(0)).array())
          .as("the bytes of the file that was checked")
          .isEqualTo(before);
    }
  }

  /** A large model is mapped; what it lost meanwhile is an error and not a crash. */
  @Test
  @DisabledOnOs(OS.WINDOWS)
  void aMappedModelThatShrinksAfterwards() throws Exception {
    Path model = folder.resolve("large.onnx");
    byte[] bytes =
        model(
                graph("g", node("MatMul", List.of("x", "w"), List.of("y")))
                    .addInitializer(tensor("w", 1, 1 << 12, 1 << 12))
                    .addInput(value("x", 1, 1 << 12))
                    .addOutput(value("y", 1, 1 << 12)))
            .build()
            .toByteArray();
    Files.write(model, bytes);
    try (OnnxModelSource source = OnnxModelSource.open(model)) {
      SourceTensor tensor = source.tensors().get(0);
      try (FileChannel channel = FileChannel.open(model, StandardOpenOption.WRITE)) {
        channel.truncate(1 << 20);
      }
      assertThatThrownBy(() -> tensor.read(32 << 20, ByteBuffer.allocate(1 << 16)))
          .isInstanceOf(SourceException.class)
          .hasMessageContaining("large.onnx: tensor 'w'")
          .hasMessageContaining("changed");
    }
  }

  @Test
  void graphsWithinGraphsHaveABound() {
    assertRefused(nested(39_999), "is not an ONNX model");
  }

  /** Graph, node, attribute, graph, ..., written from the inside. */
  private static byte[] nested(int depth) {
    byte[] out = new byte[20 * depth];
    int at = out.length;
    int[] fields = {6, 5, 1};
    for (int i = 0; i < depth; i++) {
      int length = out.length - at;
      int tag = (fields[i % 3] << 3) | 2;
      int width = 1;
      for (int rest = length; rest > 0x7F; rest >>>= 7) {
        width++;
      }
      at -= width;
      for (int k = 0; k < width; k++) {
        out[at + k] = (byte) (((length >>> (7 * k)) & 0x7F) | (k < width - 1 ? 0x80 : 0));
      }
      out[--at] = (byte) tag;
    }
    ByteString graph = ByteString.copyFrom(out, at, out.length - at);
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    CodedOutputStream stream = CodedOutputStream.newInstance(bytes);
    try {
      stream.writeInt64(1, 8);
      stream.writeBytes(7, graph);
      stream.flush();
    } catch (IOException e) {
      throw new AssertionError(e);
    }
    return bytes.toByteArray();
  }
}
