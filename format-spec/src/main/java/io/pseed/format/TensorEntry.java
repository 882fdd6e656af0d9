package io.pseed.format;

import com.fasterxml.jackson.databind.node.ObjectNode;

/**
 * A tensor as the header lists it.
 *
 * @param name unique in its file
 * @param dtype element type
 * @param shape dimensions
 * @param offset where its record starts in the file
 * @param length bytes of its record
 * @param stats what the encoder said of it, informative; null where it said nothing
 */
@SuppressWarnings(
    "ArrayRecordComponent") // The header is read once and its arrays are not handed out for change.
public record TensorEntry(
    String name, DType dtype, long[] shape, long offset, long length, ObjectNode stats) {
  /** Number of elements. */
  public long elements() {
    return TensorRecord.elementCount(shape);
  }

  /** Bytes of the decoded elements. */
  public long decodedBytes() {
    return dtype.byteSize(elements());
  }
}
