package io.pseed.maven;

import com.google.protobuf.ByteString;
import io.pseed.converter.export.SafetensorsWriter;
import io.pseed.converter.onnx.proto.GraphProto;
import io.pseed.converter.onnx.proto.ModelProto;
import io.pseed.converter.onnx.proto.NodeProto;
import io.pseed.converter.onnx.proto.OperatorSetIdProto;
import io.pseed.converter.onnx.proto.TensorProto;
import io.pseed.converter.onnx.proto.TensorProto.DataType;
import io.pseed.converter.onnx.proto.TensorShapeProto;
import io.pseed.converter.onnx.proto.TypeProto;
import io.pseed.converter.onnx.proto.ValueInfoProto;
import io.pseed.format.DType;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Random;

/**
 * The fixtures of {@code src/it/models}: models small enough to be converted in a blink, with
 * weights drawn from seeds.
 */
final class TinyModels {
  private static final int WORDS = 128;
  private static final int WIDTH = 48;

  private TinyModels() {}

  /** Writes all fixtures to a folder. */
  static void writeAll(Path folder) throws IOException {
    Files.createDirectories(folder);
    onnx(folder.resolve("tiny.onnx"), 1);
    onnx(folder.resolve("other.onnx"), 2);
    safetensors(folder.resolve("tiny.safetensors"), 3);
    tokens(folder.resolve("tokens.npy"), 4, 24, 8);
  }

  /** Token numbers, a word table of 128 x 48, a matrix of 48 x 96. */
  static Path onnx(Path file, long seed) throws IOException {
    GraphProto.Builder graph =
        GraphProto.newBuilder()
            .setName("tiny")
            .addInput(value("input_ids", DataType.INT64, "batch", "sequence"))
            .addOutput(value("hidden", DataType.FLOAT, "batch", "sequence", "width"))
            .addInitializer(floats("table", seed, WORDS, WIDTH))
            .addInitializer(floats("dense", seed + 100, WIDTH, 96))
            .addNode(node("Gather", "rows", "table", "input_ids"))
            .addNode(node("MatMul", "hidden", "rows", "dense"));
    ModelProto model =
        ModelProto.newBuilder()
            .setIrVersion(8)
            .setProducerName("test")
            .addOpsetImport(OperatorSetIdProto.newBuilder().setDomain("").setVersion(17))
            .setGraph(graph)
            .build();
    return Files.write(file, model.toByteArray());
  }

  /** One matrix of 32 x 128. */
  static Path safetensors(Path file, long seed) throws IOException {
    List<SafetensorsWriter.Entry> entries =
        List.of(SafetensorsWriter.Entry.of("layer.weight", DType.F32, 32, 128));
    try (SafetensorsWriter writer =
        SafetensorsWriter.create(file, entries, Map.of("format", "pt"))) {
      writer.write("layer.weight", ByteBuffer.wrap(gaussian(seed, 32 * 128)));
      writer.finish();
    }
    return file;
  }

  /** Token numbers, as numpy saves them. */
  static Path tokens(Path file, long seed, int runs, int length) throws IOException {
    String header =
        "{'descr': '<i8', 'fortran_order': False, 'shape': (" + runs + ", " + length + "), }";
    // Magic, version and length take 10 bytes; the data begin at a multiple of 64.
    String padded = header + " ".repeat(63 - (10 + header.length()) % 64) + "\n";
    ByteBuffer out =
        ByteBuffer.allocate(10 + padded.length() + 8 * runs * length)
            .order(ByteOrder.LITTLE_ENDIAN);
    out.put((byte) 0x93).put("NUMPY".getBytes(StandardCharsets.US_ASCII)).put((byte) 1);
    out.put((byte) 0).putShort((short) padded.length());
    out.put(padded.getBytes(StandardCharsets.US_ASCII));
    Random random = new Random(seed);
    while (out.hasRemaining()) {
      out.putLong(random.nextInt(WORDS));
    }
    return Files.write(file, out.array());
  }

  private static byte[] gaussian(long seed, int count) {
    Random random = new Random(seed);
    ByteBuffer out = ByteBuffer.allocate(4 * count).order(ByteOrder.LITTLE_ENDIAN);
    for (int i = 0; i < count; i++) {
      out.putFloat((float) random.nextGaussian());
    }
    return out.array();
  }

  private static TensorProto floats(String name, long seed, int rows, int cols) {
    return TensorProto.newBuilder()
        .setName(name)
        .setDataType(DataType.FLOAT.getNumber())
        .addDims(rows)
        .addDims(cols)
        .setRawData(ByteString.copyFrom(gaussian(seed, rows * cols)))
        .build();
  }

  private static NodeProto node(String op, String output, String... inputs) {
    return NodeProto.newBuilder()
        .setOpType(op)
        .setName(op)
        .addAllInput(List.of(inputs))
        .addOutput(output)
        .build();
  }

  private static ValueInfoProto value(String name, DataType type, String... dims) {
    TensorShapeProto.Builder shape = TensorShapeProto.newBuilder();
    for (String dim : dims) {
      shape.addDim(TensorShapeProto.Dimension.newBuilder().setDimParam(dim));
    }
    return ValueInfoProto.newBuilder()
        .setName(name)
        .setType(
            TypeProto.newBuilder()
                .setTensorType(
                    TypeProto.Tensor.newBuilder().setElemType(type.getNumber()).setShape(shape)))
        .build();
  }
}
