package io.pseed.onnx;

import java.nio.ByteBuffer;

/**
 * The decoder in native code: {@code pseed_core.h} through the Java Native Interface. {@link
 * JniLibrary} says whether it is there. Both buffers are direct; the virtual machine collects its
 * heap as it likes meanwhile.
 */
final class DecodeLibrary {
  private DecodeLibrary() {}

  /** The instruction set that decodes, a number of {@code pseed_core.h}. */
  static native int instructionSet();

  /**
   * Decodes a record, and compares its checksums.
   *
   * @param record direct; its first {@code size} bytes are the record, whatever its position.
   *     Nobody changes them meanwhile: native code reads some of them twice
   * @param maxTensorBytes limit on the decoded bytes
   * @param out direct, and not read-only; its first {@code outBytes} bytes take the elements, which
   *     are as many
   * @param threads at most so many; small tensors take fewer
   * @return null, or the label of a kind and a sentence: {@code corrupt: record: ...}
   */
  static native String decode(
      ByteBuffer record, int size, long maxTensorBytes, ByteBuffer out, int outBytes, int threads);

  /**
   * Memory beside Java's own limit of direct memory, with whatever in it.
   *
   * @return a buffer to be given to {@link #free} once; null where there is no memory
   */
  static native ByteBuffer allocate(int bytes);

  /**
   * Frees what {@link #allocate} gave; nothing may be read through the buffer or copies of it
   * afterwards.
   */
  static native void free(ByteBuffer buffer);
}
