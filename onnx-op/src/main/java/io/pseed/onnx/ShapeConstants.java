package io.pseed.onnx;

import io.pseed.format.DType;
import io.pseed.format.TensorEntry;

/**
 * Lists of integers that ONNX Runtime may read while it infers shapes: axes, sizes of parts,
 * numbers of repetitions. At that time only what stands in the model itself has values; a model
 * with such a list elsewhere is refused ("Cannot parse data from external tensors").
 */
public final class ShapeConstants {
  /** A list of 8,192 sizes; no model is known with as many. */
  private static final long LARGEST = 1 << 16;

  private ShapeConstants() {}

  /** Whether the tensor's elements belong into the model. */
  public static boolean mayBe(TensorEntry tensor) {
    boolean integers = tensor.dtype() == DType.I64 || tensor.dtype() == DType.I32;
    return integers && tensor.shape().length <= 1 && tensor.decodedBytes() <= LARGEST;
  }
}
