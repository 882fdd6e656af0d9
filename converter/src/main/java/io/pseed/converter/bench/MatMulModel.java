package io.pseed.converter.bench;

import com.google.protobuf.ByteString;
import io.pseed.converter.onnx.proto.GraphProto;
import io.pseed.converter.onnx.proto.ModelProto;
import io.pseed.converter.onnx.proto.NodeProto;
import io.pseed.converter.onnx.proto.OperatorSetIdProto;
import io.pseed.converter.onnx.proto.TensorProto;
import io.pseed.converter.onnx.proto.TensorShapeProto;
import io.pseed.converter.onnx.proto.TypeProto;
import io.pseed.converter.onnx.proto.ValueInfoProto;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Random;

/** One MatMul with Gaussian weights: a model whose run is nothing but its weights. */
public final class MatMulModel {
  private static final long SEED = 1;

  private MatMulModel() {}

  /** Writes y [rows, size] = x [rows, size] * w [size, size]; rows are open. */
  public static void write(Path file, int size) throws IOException {
    Random random = new Random(SEED);
    ByteBuffer weights =
        ByteBuffer.allocate(Math.multiplyExact(4 * size, size)).order(ByteOrder.LITTLE_ENDIAN);
    while (weights.hasRemaining()) {
      weights.putFloat((float) (random.nextGaussian() / Math.sqrt(size)));
    }
    ModelProto model =
        ModelProto.newBuilder()
            .setIrVersion(8)
            .addOpsetImport(OperatorSetIdProto.newBuilder().setDomain("").setVersion(17))
            .setGraph(
                GraphProto.newBuilder()
                    .setName("matmul")
                    .addInput(value("x", size))
                    .addOutput(value("y", size))
                    .addInitializer(
                        TensorProto.newBuilder()
                            .setName("w")
                            .setDataType(TensorProto.DataType.FLOAT_VALUE)
                            .addDims(size)
                            .addDims(size)
                            .setRawData(ByteString.copyFrom(weights.flip())))
                    .addNode(
                        NodeProto.newBuilder()
                            .setName("product")
                            .setOpType("MatMul")
                            .addInput("x")
                            .addInput("w")
                            .addOutput("y")))
            .build();
    Files.write(file, model.toByteArray());
  }

  private static ValueInfoProto value(String name, int size) {
    return ValueInfoProto.newBuilder()
        .setName(name)
        .setType(
            TypeProto.newBuilder()
                .setTensorType(
                    TypeProto.Tensor.newBuilder()
                        .setElemType(TensorProto.DataType.FLOAT_VALUE)
                        .setShape(
                            TensorShapeProto.newBuilder()
                                .addDim(TensorShapeProto.Dimension.newBuilder().setDimParam("rows"))
                                .addDim(
                                    TensorShapeProto.Dimension.newBuilder().setDimValue(size)))))
        .build();
  }
}
