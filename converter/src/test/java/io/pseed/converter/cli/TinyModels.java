package io.pseed.converter.cli;

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
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;

/** Models small enough to be converted in a blink. */
public final class TinyModels {
  private TinyModels() {}

  /** Token numbers, a word table of 200 x 48, a matrix of 48 x 96. */
  public static Path onnx(Path file, long seed) throws IOException {
    GraphProto.Builder graph =
        GraphProto.newBuilder()
            .setName("tiny")
            .addInput(value("input_ids", DataType.INT64, "batch", "sequence"))
            .addOutput(value("hidden", DataType.FLOAT, "batch", "sequence", "width"))
            .addInitializer(floats("table", seed, 200, 48))
            .addInitializer(floats("dense", seed + 1, 48, 96))
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

  /** {@code count} tensors of {@code rows} x 128, and one of integers. */
  public static Path safetensors(Path file, int count, int rows) throws IOException {
    List<SafetensorsWriter.Entry> entries = new ArrayList<>();
    for (int i = 0; i < count; i++) {
      entries.add(SafetensorsWriter.Entry.of("layer." + i + ".weight", DType.F32, rows, 128));
    }
    entries.add(SafetensorsWriter.Entry.of("steps", DType.I64, 3));
    try (SafetensorsWriter writer =
        SafetensorsWriter.create(file, entries, Map.of("format", "pt"))) {
      for (SafetensorsWriter.Entry entry : writer.entries()) {
        writer.write(
            entry.name(),
            entry.dtype() == DType.I64
                ? ByteBuffer.allocate(24)
                : ByteBuffer.wrap(gaussian(entry.name().hashCode(), rows * 128)));
      }
      writer.finish();
    }
    return file;
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
