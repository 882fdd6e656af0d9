package io.pseed.onnx;

import ai.onnxruntime.OnnxJavaType;
import io.pseed.format.DType;
import java.util.Optional;

/** Element types as ONNX Runtime's Java binding has them. */
public final class JavaTypes {
  private JavaTypes() {}

  /** The type with which the binding makes a tensor; empty where it has none. */
  public static Optional<OnnxJavaType> of(DType dtype) {
    return Optional.ofNullable(
        switch (dtype) {
          case F32 -> OnnxJavaType.FLOAT;
          case F64 -> OnnxJavaType.DOUBLE;
          case F16 -> OnnxJavaType.FLOAT16;
          case BF16 -> OnnxJavaType.BFLOAT16;
          case I8 -> OnnxJavaType.INT8;
          case U8 -> OnnxJavaType.UINT8;
          case I16 -> OnnxJavaType.INT16;
          case I32 -> OnnxJavaType.INT32;
          case I64 -> OnnxJavaType.INT64;
          case BOOL -> OnnxJavaType.BOOL;
          default -> null;
        });
  }
}
