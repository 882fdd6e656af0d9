package io.pseed.converter;

import io.pseed.converter.encode.EncodedTensor;
import java.io.IOException;

/** Tensors are written one after another; when each of them is encoded is decided here. */
interface Turns extends AutoCloseable {
  /** A way to encode a tensor by its index. */
  interface Encoder {
    EncodedTensor encode(int index) throws IOException;
  }

  /** The tensor whose turn it is, encoded. Indexes are asked for in order. */
  EncodedTensor take(int index) throws IOException;

  @Override
  void close();
}
