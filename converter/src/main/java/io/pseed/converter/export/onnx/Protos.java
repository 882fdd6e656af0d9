package io.pseed.converter.export.onnx;

import com.google.protobuf.ByteString;
import com.google.protobuf.UnsafeByteOperations;
import io.pseed.converter.onnx.proto.AttributeProto;
import io.pseed.converter.onnx.proto.NodeProto;
import io.pseed.converter.onnx.proto.TensorProto;
import io.pseed.format.DType;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Arrays;
import java.util.List;

/** Short forms of the ONNX messages that the exporter makes. */
final class Protos {
  private Protos() {}

  static TensorProto floats(long[] dims, float... values) {
    ByteBuffer bytes = buffer(4 * values.length);
    bytes.asFloatBuffer().put(values);
    return tensor(TensorProto.DataType.FLOAT, dims, bytes);
  }

  static TensorProto longs(long... values) {
    ByteBuffer bytes = buffer(8 * values.length);
    bytes.asLongBuffer().put(values);
    return tensor(TensorProto.DataType.INT64, new long[] {values.length}, bytes);
  }

  static TensorProto ints(long[] dims, int... values) {
    ByteBuffer bytes = buffer(4 * values.length);
    bytes.asIntBuffer().put(values);
    return tensor(TensorProto.DataType.INT32, dims, bytes);
  }

  static TensorProto shorts(TensorProto.DataType type, long[] dims, short... values) {
    ByteBuffer bytes = buffer(2 * values.length);
    bytes.asShortBuffer().put(values);
    return tensor(type, dims, bytes);
  }

  /** A tensor without name; {@code raw} is not copied. */
  static TensorProto tensor(TensorProto.DataType type, long[] dims, ByteBuffer raw) {
    return TensorProto.newBuilder()
        .addAllDims(Arrays.stream(dims).boxed().toList())
        .setDataType(type.getNumber())
        .setRawData(bytes(raw))
        .build();
  }

  static ByteString bytes(ByteBuffer raw) {
    return UnsafeByteOperations.unsafeWrap(raw);
  }

  static ByteBuffer buffer(int size) {
    return ByteBuffer.allocate(size).order(ByteOrder.LITTLE_ENDIAN);
  }

  static AttributeProto number(String name, long value) {
    return attribute(name, AttributeProto.AttributeType.INT).setI(value).build();
  }

  static AttributeProto numbers(String name, long... values) {
    return attribute(name, AttributeProto.AttributeType.INTS)
        .addAllInts(Arrays.stream(values).boxed().toList())
        .build();
  }

  static AttributeProto text(String name, String value) {
    return attribute(name, AttributeProto.AttributeType.STRING)
        .setS(ByteString.copyFromUtf8(value))
        .build();
  }

  static AttributeProto tensor(String name, TensorProto value) {
    return attribute(name, AttributeProto.AttributeType.TENSOR).setT(value).build();
  }

  /** In a function: the value of the calling node's attribute {@code source}. */
  static AttributeProto ref(String name, AttributeProto.AttributeType type, String source) {
    return attribute(name, type).setRefAttrName(source).build();
  }

  private static AttributeProto.Builder attribute(String name, AttributeProto.AttributeType type) {
    return AttributeProto.newBuilder().setName(name).setType(type);
  }

  static NodeProto node(
      String name, String op, List<String> inputs, String output, AttributeProto... attributes) {
    return NodeProto.newBuilder()
        .setName(name)
        .setOpType(op)
        .addAllInput(inputs)
        .addOutput(output)
        .addAllAttribute(List.of(attributes))
        .build();
  }

  static TensorProto.DataType type(DType dtype) {
    return switch (dtype) {
      case F32 -> TensorProto.DataType.FLOAT;
      case F16 -> TensorProto.DataType.FLOAT16;
      case BF16 -> TensorProto.DataType.BFLOAT16;
      case F64 -> TensorProto.DataType.DOUBLE;
      case I8 -> TensorProto.DataType.INT8;
      case U8 -> TensorProto.DataType.UINT8;
      case I16 -> TensorProto.DataType.INT16;
      case U16 -> TensorProto.DataType.UINT16;
      case I32 -> TensorProto.DataType.INT32;
      case U32 -> TensorProto.DataType.UINT32;
      case I64 -> TensorProto.DataType.INT64;
      case U64 -> TensorProto.DataType.UINT64;
      case BOOL -> TensorProto.DataType.BOOL;
      case F8_E4M3 -> TensorProto.DataType.FLOAT8E4M3FN;
      case F8_E4M3FNUZ -> TensorProto.DataType.FLOAT8E4M3FNUZ;
      case F8_E5M2 -> TensorProto.DataType.FLOAT8E5M2;
      case F8_E5M2FNUZ -> TensorProto.DataType.FLOAT8E5M2FNUZ;
      case F8_E8M0 -> TensorProto.DataType.FLOAT8E8M0;
      case F4 -> TensorProto.DataType.FLOAT4E2M1;
      case I4 -> TensorProto.DataType.INT4;
      case U4 -> TensorProto.DataType.UINT4;
      case C64 -> TensorProto.DataType.COMPLEX64;
      case C128 -> TensorProto.DataType.COMPLEX128;
      case F6_E2M3, F6_E3M2 -> TensorProto.DataType.UNDEFINED;
    };
  }
}
