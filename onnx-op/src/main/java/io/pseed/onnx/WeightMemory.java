package io.pseed.onnx;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;

/**
 * Memory for a model's decoded weights. ONNX Runtime copies them while it makes a session; a
 * garbage collection, which alone frees direct buffers of Java, may come much later, or never. For
 * several threads.
 */
final class WeightMemory implements AutoCloseable {
  private final boolean owned;
  private final Queue<ByteBuffer> blocks = new ConcurrentLinkedQueue<>();

  private WeightMemory(boolean owned) {
    this.owned = owned;
  }

  /**
   * Memory that {@link #close} frees where native code can do so, else a collection. No buffer may
   * be used after it was closed.
   */
  static WeightMemory untilClosed(RecordDecoder decoder) {
    return new WeightMemory(decoder.isNative());
  }

  /** Memory that lives as long as somebody has its buffers. */
  static WeightMemory collected() {
    return new WeightMemory(false);
  }

  /**
   * A direct little-endian buffer from 0 to its size, with whatever in it.
   *
   * @throws OutOfMemoryError where there is no memory
   */
  ByteBuffer allocate(int bytes) {
    if (!owned) {
      return ByteBuffer.allocateDirect(bytes).order(ByteOrder.LITTLE_ENDIAN);
    }
    ByteBuffer block = DecodeLibrary.allocate(bytes);
    if (block == null) {
      throw new OutOfMemoryError("no native memory");
    }
    blocks.add(block);
    return block.order(ByteOrder.LITTLE_ENDIAN);
  }

  @Override
  public void close() {
    for (ByteBuffer block = blocks.poll(); block != null; block = blocks.poll()) {
      DecodeLibrary.free(block);
    }
  }
}
