package io.pseed.converter.source.onnx;

import static io.pseed.converter.source.onnx.OnnxBuilders.attribute;
import static io.pseed.converter.source.onnx.OnnxBuilders.call;
import static io.pseed.converter.source.onnx.OnnxBuilders.constant;
import static io.pseed.converter.source.onnx.OnnxBuilders.function;
import static io.pseed.converter.source.onnx.OnnxBuilders.graph;
import static io.pseed.converter.source.onnx.OnnxBuilders.header;
import static io.pseed.converter.source.onnx.OnnxBuilders.ints;
import static io.pseed.converter.source.onnx.OnnxBuilders.model;
import static io.pseed.converter.source.onnx.OnnxBuilders.node;
import static io.pseed.converter.source.onnx.OnnxBuilders.random;
import static io.pseed.converter.source.onnx.OnnxBuilders.raw;
import static io.pseed.converter.source.onnx.OnnxBuilders.tensor;
import static io.pseed.converter.source.onnx.OnnxBuilders.value;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.google.protobuf.ByteString;
import com.google.protobuf.UnknownFieldSet;
import io.pseed.converter.onnx.proto.ModelProto;
import io.pseed.converter.onnx.proto.NodeProto;
import io.pseed.converter.onnx.proto.SparseTensorProto;
import io.pseed.converter.onnx.proto.StringStringEntryProto;
import io.pseed.converter.onnx.proto.TensorProto;
import io.pseed.converter.onnx.proto.TensorProto.DataType;
import io.pseed.converter.source.SourceException;
import io.pseed.converter.source.SourceTensor;
import io.pseed.converter.source.TensorRole;
import io.pseed.format.DType;
import java.io.RandomAccessFile;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;

/** Storage forms, roles, notices and damaged files. */
class OnnxModelSourceTest {
  private static final Path FILE = Path.of("m.onnx");

  private static OnnxModelSource open(TensorProto... tensors) throws Exception {
    return open(model(graph("g").addAllInitializer(List.of(tensors))).build());
  }

  private static OnnxModelSource open(ModelProto model) throws Exception {
    return OnnxModelSource.open(FILE, model.toByteArray(), Optional.empty());
  }

  // ---- storage forms

  /** Every element type, in its typed list, gives the bytes that raw_data would hold. */
  @ParameterizedTest
  @EnumSource(
      mode = EnumSource.Mode.EXCLUDE,
      names = {"UNDEFINED", "STRING", "UINT2", "INT2"})
  void typedLists(DataType type) throws Exception {
    DType dtype = OnnxModels.dtype(type.getNumber()).orElseThrow();
    assertThat(OnnxModels.dataType(dtype)).contains(type.getNumber());
    long[] dims = {3, 1001};
    byte[] data = random(type.getNumber(), Math.toIntExact(dtype.byteSize(3003)));
    ByteBuffer in = ByteBuffer.wrap(data).order(ByteOrder.LITTLE_ENDIAN);
    TensorProto.Builder typed = header("typed", type, dims);
    while (in.hasRemaining()) {
      switch (dtype) {
        case F32, C64 -> {
          // Not every bit pattern of a NaN survives a float list in Java: keep to numbers.
          int at = in.position();
          float number = (in.getShort() & 0xFFFF) / 7f;
          in.getShort();
          in.putFloat(at, number);
          typed.addFloatData(number);
        }
        case F64, C128 -> {
          int at = in.position();
          double number = in.getInt() / 7.0;
          in.getInt();
          in.putDouble(at, number);
          typed.addDoubleData(number);
        }
        case I64 -> typed.addInt64Data(in.getLong());
        case U64 -> typed.addUint64Data(in.getLong());
        case U32 -> typed.addUint64Data(Integer.toUnsignedLong(in.getInt()));
        case I32 -> typed.addInt32Data(in.getInt());
        case I16 -> typed.addInt32Data(in.getShort());
        case U16, F16, BF16 -> typed.addInt32Data(Short.toUnsignedInt(in.getShort()));
        case I8 -> typed.addInt32Data(in.get());
        default -> typed.addInt32Data(Byte.toUnsignedInt(in.get()));
      }
    }
    // One by one: equal weights of a model are stored once.
    OnnxModelSource source = open(typed.build());
    OnnxModelSource second = open(raw("raw", type, data, dims));
    List<SourceTensor> tensors = new ArrayList<>(source.tensors());
    tensors.addAll(second.tensors());
    assertThat(tensors).hasSize(2);
    Random random = new Random(1);
    for (SourceTensor tensor : tensors) {
      assertThat(tensor.dtype()).isEqualTo(dtype);
      assertThat(tensor.shape()).isEqualTo(dims);
      assertThat(tensor.byteSize()).isEqualTo(data.length);
      assertThat(OnnxRuns.bytes(tensor).array()).isEqualTo(data);
      for (int i = 0; i < 50; i++) {
        int from = random.nextInt(data.length);
        ByteBuffer part = ByteBuffer.allocate(random.nextInt(data.length - from + 1));
        tensor.read(from, part);
        assertThat(part.hasRemaining()).isFalse();
        assertThat(part.array()).isEqualTo(Arrays.copyOfRange(data, from, from + part.capacity()));
      }
    }
    OnnxRuns.restored(source);
    OnnxRuns.restored(second);
  }

  @Test
  void smallStringSparseAndOddTensorsStay() throws Exception {
    TensorProto.Builder strings = header("strings", DataType.STRING, 100);
    for (int i = 0; i < 100; i++) {
      strings.addStringData(ByteString.copyFromUtf8("a string of some length " + i));
    }
    ModelProto model =
        model(
                graph("g")
                    .addInitializer(tensor("small", 1, 255))
                    .addInitializer(strings)
                    .addInitializer(tensor("deep", 1, 2, 2, 2, 2, 2, 2, 2, 2, 2))
                    .addInitializer(raw("two", DataType.UINT2, new byte[2000], 8000))
                    .addInitializer(raw("none", DataType.FLOAT, new byte[0], 0, 1L << 62))
                    .addSparseInitializer(
                        SparseTensorProto.newBuilder()
                            .setValues(tensor("sparse", 1, 500))
                            .addDims(10000)))
            .addTrainingInfo(ByteString.copyFromUtf8("\n\0"))
            .build();
    OnnxModelSource source = open(model);
    assertThat(source.tensors()).isEmpty();
    assertThat(source.graph()).isEqualTo(model);
    assertThat(source.notices())
        .hasSize(5)
        .anyMatch(n -> n.contains("they are strings"))
        .anyMatch(n -> n.contains("they have more than 8 dimensions"))
        .anyMatch(n -> n.contains("they have the element type 25 of ONNX"))
        .anyMatch(n -> n.contains("they are sparse"))
        .anyMatch(n -> n.contains("training graphs"));
  }

  @Test
  void unknownFieldsSurvive() throws Exception {
    UnknownFieldSet odd =
        UnknownFieldSet.newBuilder()
            .addField(
                7777,
                UnknownFieldSet.Field.newBuilder()
                    .addLengthDelimited(ByteString.copyFromUtf8("kept"))
                    .build())
            .build();
    ModelProto.Builder model = model(graph("g").setUnknownFields(odd)).setUnknownFields(odd);
    NodeProto node =
        node("MatMul", List.of("x", "w"), List.of("y")).toBuilder().setUnknownFields(odd).build();
    model
        .getGraphBuilder()
        .addInitializer(
            tensor("w", 1, 16, 16).toBuilder()
                .setUnknownFields(odd)
                .setDocString("doc")
                .addMetadataProps(StringStringEntryProto.newBuilder().setKey("k").setValue("v")))
        .addNode(node);
    model.addMetadataProps(StringStringEntryProto.newBuilder().setKey("author").setValue("me"));
    OnnxModelSource source = open(model.build());
    assertThat(source.metadata()).as("what the graph holds").isEmpty();
    assertThat(source.format()).isEqualTo("onnx");
    assertThat(source.path()).isEqualTo(FILE);
    assertThat(OnnxRuns.restored(source)).isEqualTo(model.build());
    assertThat(source.sections().get("onnx.graph"))
        .isEqualTo(open(model.build()).sections().get("onnx.graph"))
        .hasSizeLessThan(1024);
  }

  @Test
  void dataThatContradictDimensions() {
    assertThatThrownBy(() -> open(raw("w", DataType.FLOAT, new byte[2044], 512)))
        .isInstanceOf(SourceException.class)
        .hasMessage(
            "m.onnx: initializer 'w': found 2044 bytes of data, expected 2048 for F32 [512]");
    assertThatThrownBy(() -> open(raw("w", DataType.FLOAT, new byte[4], -1, -1)))
        .hasMessageContaining("negative");
    assertThatThrownBy(() -> open(raw("w", DataType.FLOAT, new byte[4], 1L << 62)))
        .hasMessageContaining("does not fit 64 bits");
    assertThatThrownBy(() -> open(raw("w", DataType.FLOAT, new byte[4], 1L << 40, 1L << 40)))
        .hasMessageContaining("does not fit 64 bits");
    assertThatThrownBy(() -> open(header("w", DataType.FLOAT, 1L << 40).build()))
        .hasMessageContaining("found 0 bytes of data");
  }

  // ---- roles

  private static TensorRole role(NodeProto... nodes) throws Exception {
    return role(tensor("w", 1, 16, 32), nodes);
  }

  private static TensorRole role(TensorProto w, NodeProto... nodes) throws Exception {
    return open(model(graph("g", nodes).addInitializer(w)).build()).tensors().get(0).role();
  }

  @Test
  void roles() throws Exception {
    NodeProto right = node("MatMul", List.of("x", "w"), List.of("y"));
    NodeProto transpose = node("Transpose", List.of("w"), List.of("t"));
    NodeProto viaT = node("MatMul", List.of("x", "t"), List.of("y"));
    NodeProto gather = node("Gather", List.of("w", "i"), List.of("e"));
    assertThat(role(right)).isEqualTo(TensorRole.MATMUL);
    assertThat(role(node("MatMul", List.of("w", "x"), List.of("y"))))
        .isEqualTo(TensorRole.LINEAR_TRANSPOSED);
    assertThat(role(transpose, viaT)).isEqualTo(TensorRole.LINEAR_TRANSPOSED);
    assertThat(
            role(
                node("Cast", List.of("w"), List.of("c")),
                node("Identity", List.of("c"), List.of("d")),
                node("MatMul", List.of("x", "d"), List.of("y"))))
        .isEqualTo(TensorRole.MATMUL);
    assertThat(role(node("Gemm", List.of("x", "w", "b"), List.of("y"))))
        .isEqualTo(TensorRole.MATMUL);
    assertThat(role(node("Gemm", List.of("x", "w"), List.of("y"), attribute("transB", 1))))
        .isEqualTo(TensorRole.LINEAR_TRANSPOSED);
    assertThat(role(node("Gemm", List.of("x", "z", "w"), List.of("y"))))
        .isEqualTo(TensorRole.OTHER);
    assertThat(role(gather)).isEqualTo(TensorRole.EMBEDDING);
    assertThat(role(node("Gather", List.of("w", "i"), List.of("e"), attribute("axis", 1))))
        .isEqualTo(TensorRole.OTHER);
    // A table that is also the output matrix is planned as the matrix.
    assertThat(role(gather, transpose, viaT)).isEqualTo(TensorRole.LINEAR_TRANSPOSED);
    assertThat(role(node("Add", List.of("x", "w"), List.of("y")))).isEqualTo(TensorRole.OTHER);
    assertThat(role(tensor("w", 1, 512), right)).isEqualTo(TensorRole.OTHER);
    TensorProto kernel = tensor("w", 1, 16, 8, 3, 3);
    assertThat(role(kernel, node("Conv", List.of("x", "w"), List.of("y"))))
        .isEqualTo(TensorRole.CONV);
    assertThat(role(kernel, node("ConvTranspose", List.of("x", "w"), List.of("y"))))
        .isEqualTo(TensorRole.CONV_TRANSPOSE);
    TensorProto recurrent = tensor("w", 1, 1, 32, 16);
    assertThat(role(recurrent, node("LSTM", List.of("x", "r", "w"), List.of("y"))))
        .isEqualTo(TensorRole.LINEAR_TRANSPOSED);
    assertThat(
            role(
                recurrent,
                node("Transpose", List.of("w"), List.of("t"), ints("perm", List.of(0L, 2L, 1L))),
                viaT))
        .isEqualTo(TensorRole.LINEAR_TRANSPOSED);
    assertThat(
            role(
                recurrent,
                node("Transpose", List.of("w"), List.of("t"), ints("perm", List.of(1L, 0L, 2L))),
                viaT))
        .isEqualTo(TensorRole.OTHER);
    assertThat(
            role(
                node("Slice", List.of("w", "from", "to"), List.of("s")),
                node("Concat", List.of("s", "r"), List.of("t")),
                node("Unsqueeze", List.of("t", "axes"), List.of("u")),
                node("LSTM", List.of("x", "u", "v"), List.of("y"))))
        .isEqualTo(TensorRole.LINEAR_TRANSPOSED);
    assertThat(role(call("com.microsoft", "Attention", List.of("x", "w"), List.of("y"))))
        .isEqualTo(TensorRole.MATMUL);
    assertThat(role(call("some.one", "MatMul", List.of("x", "w"), List.of("y"))))
        .isEqualTo(TensorRole.OTHER);
  }

  @Test
  void rolesThroughFunctionsAndShadowedNames() throws Exception {
    ModelProto.Builder model =
        model(
                graph("g", call("f", "Linear", List.of("x", "w"), List.of("y")))
                    .addInitializer(tensor("w", 1, 16, 16)))
            .addFunctions(
                function(
                    "f",
                    "Linear",
                    List.of("a", "b"),
                    List.of("r"),
                    node("MatMul", List.of("a", "b"), List.of("r"))));
    assertThat(open(model.build()).tensors().get(0).role()).isEqualTo(TensorRole.MATMUL);
    NodeProto shadowing =
        node(
            "If",
            List.of("c"),
            List.of("y"),
            attribute(
                "then_branch",
                graph(
                        "then",
                        node("Relu", List.of("x"), List.of("w")),
                        node("MatMul", List.of("x", "w"), List.of("z")))
                    .addOutput(value("z", 1))
                    .build()));
    assertThat(role(shadowing)).isEqualTo(TensorRole.OTHER);
  }

  // ---- quantized, FP16

  @Test
  void quantizedAtAnyDepth() throws Exception {
    NodeProto deep =
        node(
            "If",
            List.of("c"),
            List.of("y"),
            attribute(
                "then_branch",
                graph("t", call("com.microsoft", "MatMulNBits", List.of("x", "w"), List.of("z")))
                    .build()));
    OnnxModelSource source = open(model(graph("g", deep)).build());
    assertThat(source.quantized()).isTrue();
    assertThat(source.notices()).contains("already quantized: every tensor is kept lossless");
    ModelProto.Builder inFunction =
        model(graph("g"))
            .addFunctions(
                function(
                    "f",
                    "F",
                    List.of("a"),
                    List.of("r"),
                    node("DequantizeLinear", List.of("a", "a"), List.of("r"))));
    assertThat(open(inFunction.build()).quantized()).isTrue();
    for (String op : List.of("QLinearConv", "MatMulInteger", "DynamicQuantizeLinear")) {
      assertThat(open(model(graph("g", node(op, List.of(), List.of()))).build()).quantized())
          .isTrue();
    }
    assertThat(
            open(model(graph("g", call("my.own", "QuantizeLinear", List.of(), List.of()))).build())
                .quantized())
        .isFalse();
  }

  /** All FP16 values are found to be such, and their neighbours in FP32 are not. */
  @Test
  void exactlyFp16() {
    for (int half = 0; half < 1 << 16; half++) {
      int sign = (half & 0x8000) << 16;
      int exponent = (half >> 10) & 31;
      int fraction = half & 1023;
      int bits;
      if (exponent == 31) {
        bits = sign | 0x7F80_0000 | fraction << 13;
      } else {
        float value =
            exponent == 0
                ? Math.scalb((float) fraction, -24)
                : Math.scalb(1024f + fraction, exponent - 25);
        bits = sign | Float.floatToRawIntBits(value);
      }
      assertThat(OnnxModelSource.isFp16(bits)).as("%04x", half).isTrue();
      assertThat(OnnxModelSource.isFp16(bits + 1)).as("%04x above", half).isFalse();
    }
    assertThat(OnnxModelSource.isFp16(Float.floatToRawIntBits(65536f))).isFalse();
    assertThat(OnnxModelSource.isFp16(Float.floatToRawIntBits(0x1p-25f))).isFalse();
    assertThat(OnnxModelSource.isFp16(Float.floatToRawIntBits(65504f))).isTrue();
  }

  @Test
  void noticesWeightsThatAreAllFp16() throws Exception {
    byte[] halves = new byte[4 * 40000];
    ByteBuffer out = ByteBuffer.wrap(halves).order(ByteOrder.LITTLE_ENDIAN);
    for (int i = 0; i < 40000; i++) {
      out.putFloat((i % 2048) / 1024f);
    }
    TensorProto exact = raw("exact", DataType.FLOAT, halves, 200, 200);
    OnnxModelSource all = open(exact);
    assertThat(all.fp16ExactWeights()).isEqualTo(40000);
    assertThat(all.notices()).anyMatch(n -> n.startsWith("all 40000 FP32 weights are exactly"));
    OnnxModelSource some = open(exact, tensor("other", 1, 16, 16));
    assertThat(some.fp16ExactWeights()).isEqualTo(40000);
    assertThat(OnnxModelSource.isExactlyFp16(some.tensors().get(1))).isFalse();
    assertThat(some.notices()).isEmpty();
  }

  // ---- files that are something else

  static Stream<Arguments> filesOfAnotherKind() {
    return Stream.of(
        Arguments.of("", "an empty file"),
        Arguments.of("PK\u0003\u0004\u0014\0\0\0", "a zip archive"),
        Arguments.of("GGUF\u0003\0\0\0", "a GGUF file"),
        Arguments.of("just a few words", "a text file"),
        Arguments.of("version https://git-lfs.github.com/spec/v1", "a Git LFS pointer"),
        Arguments.of("\u0089PSD\r\n\u001a\n\u0001", "a .pseed file"),
        Arguments.of("\u0089HDF\r\n\u001a\n", "an HDF5 file"),
        Arguments.of("\u001c\0\0\0TFL3", "a TensorFlow Lite model"),
        Arguments.of(" \0\0\0ORTM", "a model in ONNX Runtime's own"),
        Arguments.of("\u001f\u008b\u0008", "a gzip file"),
        Arguments.of("\u0080\u0002}q", "a Python pickle"),
        Arguments.of("\u0002\0\0\0\0\0\0\0{}", "a safetensors checkpoint"),
        Arguments.of("\u00ff\u00fe\u00fd", "no protobuf message of ONNX"),
        Arguments.of("\u0008\u0008", "ir_version and graph"));
  }

  @ParameterizedTest
  @MethodSource
  void filesOfAnotherKind(String content, String words) {
    byte[] bytes = content.getBytes(StandardCharsets.ISO_8859_1);
    assertThatThrownBy(() -> OnnxModelSource.open(FILE, bytes, Optional.empty()))
        .isInstanceOf(SourceException.class)
        .hasMessageContaining("m.onnx: is not an ONNX model")
        .hasMessageContaining(words);
  }

  @Test
  void nestingHasABound() {
    ModelProto.Builder model = model(graph("0"));
    var graph = graph("leaf").build();
    for (int i = 0; i < 60; i++) {
      graph = graph("g", node("If", List.of(), List.of(), attribute("then_branch", graph))).build();
    }
    byte[] bytes = model.setGraph(graph).build().toByteArray();
    assertThatThrownBy(() -> OnnxModelSource.open(FILE, bytes, Optional.empty()))
        .isInstanceOf(SourceException.class)
        .hasMessageContaining("is not an ONNX model");
  }

  /** Damaged bytes are refused or read, but never end in another kind of exception. */
  @Test
  void damagedModels() throws Exception {
    NodeProto branch =
        node(
            "If",
            List.of("c"),
            List.of("i"),
            attribute(
                "then_branch",
                graph(
                        "t",
                        constant("k", tensor("", 1, 4, 4)),
                        call("f", "F", List.of("k"), List.of("o")))
                    .addInitializer(tensor("w", 2, 4, 4))
                    .addOutput(value("k", 4, 4))
                    .build()));
    byte[] good =
        model(
                graph("g", branch, node("MatMul", List.of("x", "w"), List.of("y")))
                    .addInput(value("w", 4, 4))
                    .addInitializer(tensor("w", 1, 4, 4)))
            .addFunctions(
                function(
                    "f",
                    "F",
                    List.of("a"),
                    List.of("r"),
                    constant("w", tensor("", 3, 4, 4)),
                    node("MatMul", List.of("a", "w"), List.of("r"))))
            .build()
            .toByteArray();
    Random random = new Random(3);
    int refused = 0;
    for (int i = 0; i < Integer.getInteger("pseed.test.damaged", 20000); i++) {
      byte[] bad = good.clone();
      for (int flips = random.nextInt(4); flips >= 0; flips--) {
        bad[random.nextInt(bad.length)] = (byte) random.nextInt(256);
      }
      int length = random.nextInt(4) == 0 ? random.nextInt(bad.length) : bad.length;
      try {
        OnnxModelSource source = OnnxModelSource.openTakingAll(FILE, Arrays.copyOf(bad, length));
        OnnxRuns.restored(source);
        source.notices();
      } catch (SourceException e) {
        refused++;
      }
    }
    assertThat(refused).isPositive();
  }

  // ---- files on disk

  @Test
  void foldersMissingAndLargeFiles(@TempDir Path folder) throws Exception {
    assertThatThrownBy(() -> OnnxModelSource.open(folder))
        .isInstanceOf(SourceException.class)
        .hasMessageContaining("is a folder");
    assertThatThrownBy(() -> OnnxModelSource.open(folder.resolve("none.onnx")))
        .isInstanceOf(SourceException.class)
        .hasMessageContaining("does not exist");
    Path large = folder.resolve("large.onnx");
    try (RandomAccessFile file = new RandomAccessFile(large.toFile(), "rw")) {
      file.setLength((1L << 31) + 5);
    }
    assertThatThrownBy(() -> OnnxModelSource.open(large))
        .isInstanceOf(SourceException.class)
        .hasMessageContaining("has 2147483653 bytes, but an ONNX file is at most 2 GiB");
    Files.delete(large);
  }

  // ---- restore

  @Test
  void restoreRefusesWhatDoesNotFit() throws Exception {
    byte[] section = open(tensor("w", 1, 16, 16)).sections().get(OnnxModels.GRAPH_SECTION);
    assertThatThrownBy(() -> OnnxModels.restore(FILE, section, n -> ByteBuffer.allocate(1000)))
        .isInstanceOf(SourceException.class)
        .hasMessage("m.onnx: tensor 'w': found 1000 bytes of data, expected 1024");
    ModelProto model = OnnxModels.parse(FILE, section);
    TensorProto w = OnnxModels.pseedInitializers(model).get(0);
    ModelProto.Builder twice = model.toBuilder();
    twice.getGraphBuilder().addInitializer(w);
    assertThatThrownBy(
            () ->
                OnnxModels.restore(
                    FILE, twice.build().toByteArray(), n -> ByteBuffer.allocate(1024)))
        .hasMessageContaining("two initializers are named 'w'");
    ModelProto.Builder huge = model.toBuilder();
    huge.getGraphBuilder().setInitializer(0, w.toBuilder().clearDims().addDims(1L << 30));
    assertThatThrownBy(
            () -> OnnxModels.restore(FILE, huge.build().toByteArray(), n -> ByteBuffer.allocate(0)))
        .hasMessageContaining("would exceed 2 GiB");
  }
}
