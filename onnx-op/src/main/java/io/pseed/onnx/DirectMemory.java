package io.pseed.onnx;

import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;

/**
 * Direct buffers that are used again: each would otherwise be freed by a garbage collection only.
 * For several threads.
 */
final class DirectMemory {
  /** Most bytes that {@link #take} can be asked for. */
  static final int LARGEST = Integer.MAX_VALUE - 64;

  private static final int SMALLEST = 1 << 16;

  /** Above it capacities are multiples of it, below powers of two. */
  private static final int STEP = 1 << 24;

  private final List<ByteBuffer> free = new ArrayList<>();

  /**
   * A buffer from 0 to its capacity, with whatever in it; null where there is no direct memory.
   *
   * @param bytes that it has at least
   */
  ByteBuffer take(int bytes) {
    synchronized (free) {
      int best = -1;
      for (int i = 0; i < free.size(); i++) {
        int capacity = free.get(i).capacity();
        if (capacity >= bytes && (best < 0 || capacity < free.get(best).capacity())) {
          best = i;
        }
      }
      if (best >= 0) {
        return free.remove(best);
      }
      // One that was too small makes room: the next ones will hardly be smaller again.
      if (!free.isEmpty()) {
        free.remove(0);
      }
    }
    try {
      return ByteBuffer.allocateDirect(capacity(bytes));
    } catch (OutOfMemoryError e) {
      return null;
    }
  }

  /** Gives a buffer back. */
  void give(ByteBuffer buffer) {
    if (buffer != null) {
      synchronized (free) {
        free.add(buffer);
      }
    }
  }

  private static int capacity(int bytes) {
    if (bytes > STEP) {
      return (int) Math.min(LARGEST, ((long) bytes + STEP - 1) / STEP * STEP);
    }
    return Math.max(SMALLEST, Integer.highestOneBit(Math.max(1, bytes - 1)) << 1);
  }
}
