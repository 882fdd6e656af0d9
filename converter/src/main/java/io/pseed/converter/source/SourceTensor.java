package io.pseed.converter.source;

import io.pseed.format.DType;
import java.io.IOException;
import java.nio.ByteBuffer;

/** One tensor of a {@link TensorSource}: its description, and random access to its bytes. */
public interface SourceTensor {
  /** Unique in its source, not empty. */
  String name();

  DType dtype();

  /** Dimensions; empty for a scalar. A fresh copy. */
  long[] shape();

  /** What the graph does with it; decides the view (which dimension is the input). */
  TensorRole role();

  /** Bytes of the elements: {@code dtype().byteSize(product of shape())}. */
  long byteSize();

  /**
   * Fills {@code dst} from its position to its limit with the bytes that start at {@code offset} of
   * the elements (row-major, little-endian). Safe to call from several threads.
   *
   * @throws IOException if the source cannot be read or is shorter than it said; the message names
   *     file and tensor
   */
  void read(long offset, ByteBuffer dst) throws IOException;
}
