package io.pseed.converter.inputs;

import ai.onnxruntime.OnnxJavaType;
import io.pseed.format.Halfs;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/** Elements as ONNX Runtime takes them. */
final class Values {
  private Values() {}

  /** A buffer for so many elements. */
  static ByteBuffer allocate(OnnxJavaType type, long count) {
    return ByteBuffer.allocateDirect(Math.toIntExact(Math.multiplyExact(count, type.size)))
        .order(ByteOrder.nativeOrder());
  }

  /** Elements of a shape. */
  static long count(long[] shape) {
    long count = 1;
    for (long dim : shape) {
      count = Math.multiplyExact(count, dim);
    }
    return count;
  }

  /** Appends a number, rounded to the type. Returns whether it is finite after that. */
  static boolean putReal(ByteBuffer out, OnnxJavaType type, double value) {
    float single = (float) value;
    switch (type) {
      case DOUBLE -> {
        out.putDouble(value);
        return Double.isFinite(value);
      }
      case FLOAT16 -> {
        short half = Halfs.fromFloat(single);
        out.putShort(half);
        return Float.isFinite(Halfs.toFloat(half));
      }
      case BFLOAT16 -> {
        short half = Halfs.toBFloat16(single);
        out.putShort(half);
        return Float.isFinite(Float.intBitsToFloat(half << 16));
      }
      default -> {
        out.putFloat(single);
        return Float.isFinite(single);
      }
    }
  }

  /** Appends a number. Returns whether the type can hold it. */
  static boolean putInteger(ByteBuffer out, OnnxJavaType type, long value) {
    switch (type) {
      case INT64 -> {
        out.putLong(value);
        return true;
      }
      case INT32 -> {
        out.putInt((int) value);
        return value == (int) value;
      }
      case INT16 -> {
        out.putShort((short) value);
        return value == (short) value;
      }
      case INT8 -> {
        out.put((byte) value);
        return value == (byte) value;
      }
      case BOOL -> {
        out.put((byte) value);
        return value == 0 || value == 1;
      }
      default -> {
        out.put((byte) value);
        return value == (value & 0xFF);
      }
    }
  }
}
