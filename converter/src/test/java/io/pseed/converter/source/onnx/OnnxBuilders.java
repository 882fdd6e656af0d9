package io.pseed.converter.source.onnx;

import com.google.protobuf.ByteString;
import io.pseed.converter.onnx.proto.AttributeProto;
import io.pseed.converter.onnx.proto.AttributeProto.AttributeType;
import io.pseed.converter.onnx.proto.FunctionProto;
import io.pseed.converter.onnx.proto.GraphProto;
import io.pseed.converter.onnx.proto.ModelProto;
import io.pseed.converter.onnx.proto.NodeProto;
import io.pseed.converter.onnx.proto.OperatorSetIdProto;
import io.pseed.converter.onnx.proto.StringStringEntryProto;
import io.pseed.converter.onnx.proto.TensorProto;
import io.pseed.converter.onnx.proto.TensorProto.DataType;
import io.pseed.converter.onnx.proto.TensorShapeProto;
import io.pseed.converter.onnx.proto.TypeProto;
import io.pseed.converter.onnx.proto.ValueInfoProto;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Random;

/** Small words to write models with. */
final class OnnxBuilders {
  private OnnxBuilders() {}

  static byte[] floats(long seed, int count) {
    Random random = new Random(seed);
    ByteBuffer out = ByteBuffer.allocate(4 * count).order(ByteOrder.LITTLE_ENDIAN);
    for (int i = 0; i < count; i++) {
      out.putFloat((float) random.nextGaussian());
    }
    return out.array();
  }

  static byte[] random(long seed, int bytes) {
    byte[] out = new byte[bytes];
    new Random(seed).nextBytes(out);
    return out;
  }

  /** FP32 in raw_data, of values that depend on {@code seed}. */
  static TensorProto tensor(String name, long seed, long... dims) {
    int count = 1;
    for (long dim : dims) {
      count *= (int) dim;
    }
    return raw(name, DataType.FLOAT, floats(seed, count), dims);
  }

  static TensorProto raw(String name, DataType type, byte[] data, long... dims) {
    return header(name, type, dims).setRawData(ByteString.copyFrom(data)).build();
  }

  static TensorProto.Builder header(String name, DataType type, long... dims) {
    TensorProto.Builder out = TensorProto.newBuilder().setName(name).setDataType(type.getNumber());
    for (long dim : dims) {
      out.addDims(dim);
    }
    return out;
  }

  static TensorProto external(String name, DataType type, List<String> entries, long... dims) {
    TensorProto.Builder out =
        header(name, type, dims).setDataLocation(TensorProto.DataLocation.EXTERNAL);
    for (int i = 0; i < entries.size(); i += 2) {
      out.addExternalData(
          StringStringEntryProto.newBuilder().setKey(entries.get(i)).setValue(entries.get(i + 1)));
    }
    return out.build();
  }

  static NodeProto node(
      String op, List<String> inputs, List<String> outputs, AttributeProto... attributes) {
    return NodeProto.newBuilder()
        .setOpType(op)
        .setName(op + "_" + String.join("_", outputs))
        .addAllInput(inputs)
        .addAllOutput(outputs)
        .addAllAttribute(List.of(attributes))
        .build();
  }

  static NodeProto call(String domain, String op, List<String> inputs, List<String> outputs) {
    return node(op, inputs, outputs).toBuilder().setDomain(domain).build();
  }

  static NodeProto constant(String output, TensorProto value) {
    return node("Constant", List.of(), List.of(output), attribute("value", value));
  }

  static AttributeProto attribute(String name, TensorProto value) {
    return AttributeProto.newBuilder()
        .setName(name)
        .setType(AttributeType.TENSOR)
        .setT(value)
        .build();
  }

  static AttributeProto attribute(String name, GraphProto value) {
    return AttributeProto.newBuilder()
        .setName(name)
        .setType(AttributeType.GRAPH)
        .setG(value)
        .build();
  }

  static AttributeProto attribute(String name, long value) {
    return AttributeProto.newBuilder().setName(name).setType(AttributeType.INT).setI(value).build();
  }

  static AttributeProto attribute(String name, String value) {
    return AttributeProto.newBuilder()
        .setName(name)
        .setType(AttributeType.STRING)
        .setS(ByteString.copyFrom(value, StandardCharsets.UTF_8))
        .build();
  }

  static AttributeProto ints(String name, List<Long> values) {
    return AttributeProto.newBuilder()
        .setName(name)
        .setType(AttributeType.INTS)
        .addAllInts(values)
        .build();
  }

  static ValueInfoProto value(String name, DataType type, long... dims) {
    TensorShapeProto.Builder shape = TensorShapeProto.newBuilder();
    for (long dim : dims) {
      shape.addDim(TensorShapeProto.Dimension.newBuilder().setDimValue(dim));
    }
    return ValueInfoProto.newBuilder()
        .setName(name)
        .setType(
            TypeProto.newBuilder()
                .setTensorType(
                    TypeProto.Tensor.newBuilder().setElemType(type.getNumber()).setShape(shape)))
        .build();
  }

  static ValueInfoProto value(String name, long... dims) {
    return value(name, DataType.FLOAT, dims);
  }

  static GraphProto.Builder graph(String name, NodeProto... nodes) {
    return GraphProto.newBuilder().setName(name).addAllNode(List.of(nodes));
  }

  static OperatorSetIdProto opset(String domain, long version) {
    return OperatorSetIdProto.newBuilder().setDomain(domain).setVersion(version).build();
  }

  static FunctionProto.Builder function(
      String domain, String name, List<String> inputs, List<String> outputs, NodeProto... nodes) {
    return FunctionProto.newBuilder()
        .setDomain(domain)
        .setName(name)
        .addAllInput(inputs)
        .addAllOutput(outputs)
        .addAllNode(List.of(nodes))
        .addOpsetImport(opset("", 17))
        .addOpsetImport(opset(domain, 1));
  }

  static ModelProto.Builder model(GraphProto.Builder graph) {
    return ModelProto.newBuilder()
        .setIrVersion(8)
        .setProducerName("test")
        .addOpsetImport(opset("", 17))
        .setGraph(graph);
  }
}
