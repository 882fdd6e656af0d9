package io.pseed.converter.inputs;

import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteOrder;
import java.util.List;

/**
 * An array in a file.
 *
 * @param place file and array, for sentences
 * @param name of the array; empty where the file has none
 * @param element type
 * @param order of an element's bytes
 * @param columnMajor Fortran order: the first index runs fastest
 * @param shape all dimensions at least 0
 * @param data opens the elements' bytes; the stream may be longer
 */
record StoredArray(
    String place,
    String name,
    Element element,
    ByteOrder order,
    boolean columnMajor,
    List<Long> shape,
    Data data) {
  /** Opens a stream at the first element. */
  interface Data {
    InputStream open() throws IOException;
  }

  /** Elements of the whole array. */
  long count() {
    long count = 1;
    for (long dim : shape) {
      count *= dim;
    }
    return count;
  }
}
