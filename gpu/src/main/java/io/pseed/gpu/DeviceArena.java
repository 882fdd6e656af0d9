package io.pseed.gpu;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.Map;
import java.util.NavigableMap;
import java.util.TreeMap;

/**
 * Device memory within a limit. It is taken from the driver in large segments when it is first
 * needed and kept, because giving memory back waits for everything that runs on a device. Whoever
 * asks for more than is free waits; who came first is served first.
 */
final class DeviceArena<M> implements AutoCloseable {
  /** Smaller segments are not asked for, unless the limit leaves no more. */
  static final long SEGMENT = 256L << 20;

  private static final long ALIGNMENT = 256;

  /** Where segments come from. */
  interface Source<M> {
    M allocate(long bytes) throws CudaFailure;

    void free(M memory);
  }

  /** A piece of memory in use. */
  static final class Slice<M> {
    private final Segment<M> segment;
    private final long offset;
    private final long length;

    private Slice(Segment<M> segment, long offset, long length) {
      this.segment = segment;
      this.offset = offset;
      this.length = length;
    }

    M memory() {
      return segment.memory;
    }

    long offset() {
      return offset;
    }

    long length() {
      return length;
    }
  }

  private static final class Segment<M> {
    private final M memory;
    private final long size;

    /** Lengths of free pieces by their offset; no two are neighbours. */
    private final NavigableMap<Long, Long> free = new TreeMap<>();

    Segment(M memory, long size) {
      this.memory = memory;
      this.size = size;
      free.put(0L, size);
    }

    boolean unused() {
      return free.size() == 1 && free.firstEntry().getValue() == size;
    }
  }

  private final Source<M> source;
  private final List<Segment<M>> segments = new ArrayList<>();
  private final Deque<Object> queue = new ArrayDeque<>();
  private long limit;
  private long held;
  private long most;
  private boolean closed;

  DeviceArena(Source<M> source, long limit) {
    this.source = source;
    this.limit = limit;
  }

  /** The most bytes that are ever taken from the driver; shrinks where it has less to give. */
  synchronized long limit() {
    return limit;
  }

  /** The most bytes that were held at a time. */
  synchronized long most() {
    return most;
  }

  /**
   * Memory; waits until there is some.
   *
   * @param least bytes that must be
   * @param wanted bytes that would be better
   * @throws CudaFailure where the driver cannot give so much though nothing else is in use
   */
  synchronized Slice<M> take(long least, long wanted) throws CudaFailure, InterruptedException {
    long min = aligned(Math.max(1, least));
    Object ticket = new Object();
    queue.addLast(ticket);
    try {
      while (true) {
        if (closed) {
          throw new CudaFailure("was closed");
        }
        if (min > limit) {
          throw new CudaFailure(
              "has no room: " + min + " bytes are needed, " + limit + " may be used",
              CudaFailure.OUT_OF_MEMORY);
        }
        if (queue.peekFirst() == ticket) {
          long before = limit;
          Slice<M> slice = attempt(min, Math.max(min, Math.min(aligned(wanted), limit)));
          if (slice != null) {
            return slice;
          }
          if (limit < before) {
            continue;
          }
        }
        wait();
      }
    } finally {
      queue.remove(ticket);
      notifyAll();
    }
  }

  private static long aligned(long bytes) {
    return (bytes + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
  }

  private Slice<M> attempt(long least, long wanted) throws CudaFailure {
    Slice<M> slice = cut(wanted, wanted);
    if (slice == null && grow(wanted)) {
      slice = cut(wanted, wanted);
    }
    if (slice == null) {
      freeUnused();
      if (grow(wanted)) {
        slice = cut(wanted, wanted);
      }
    }
    if (slice == null) {
      slice = cut(least, wanted);
    }
    if (slice == null && grow(least)) {
      slice = cut(least, wanted);
    }
    return slice;
  }

  /** The smallest free piece of {@code wanted} bytes, else the largest of {@code least}. */
  private Slice<M> cut(long least, long wanted) {
    Segment<M> where = null;
    long offset = 0;
    long length = 0;
    for (Segment<M> segment : segments) {
      for (Map.Entry<Long, Long> piece : segment.free.entrySet()) {
        long n = piece.getValue();
        boolean better = length == 0 || (length < wanted ? n > length : n >= wanted && n < length);
        if (n >= least && better) {
          where = segment;
          offset = piece.getKey();
          length = n;
        }
      }
    }
    if (where == null) {
      return null;
    }
    long taken = Math.min(length, wanted);
    where.free.remove(offset);
    if (length > taken) {
      where.free.put(offset + taken, length - taken);
    }
    return new Slice<>(where, offset, taken);
  }

  /** Takes a segment of at least {@code bytes} from the driver, if the limit allows. */
  private boolean grow(long bytes) throws CudaFailure {
    long left = limit - held;
    if (left < bytes) {
      return false;
    }
    long size = Math.min(left, Math.max(bytes, SEGMENT)) / ALIGNMENT * ALIGNMENT;
    try {
      segments.add(new Segment<>(source.allocate(size), size));
    } catch (CudaFailure e) {
      if (e.code() != CudaFailure.OUT_OF_MEMORY) {
        throw e;
      }
      // Somebody else uses the device too: what is held must do, or less than was asked for.
      limit = held > 0 ? held : size / 2;
      return false;
    }
    held += size;
    most = Math.max(most, held);
    return true;
  }

  private void freeUnused() {
    for (Segment<M> segment : List.copyOf(segments)) {
      if (segment.unused()) {
        source.free(segment.memory);
        segments.remove(segment);
        held -= segment.size;
      }
    }
  }

  /** Gives memory back, for others to take. */
  synchronized void give(Slice<M> slice) {
    NavigableMap<Long, Long> free = slice.segment.free;
    long offset = slice.offset;
    long length = slice.length;
    Map.Entry<Long, Long> before = free.floorEntry(offset);
    if (before != null && before.getKey() + before.getValue() == offset) {
      free.remove(before.getKey());
      offset = before.getKey();
      length += before.getValue();
    }
    Long after = free.remove(slice.offset + slice.length);
    free.put(offset, length + (after == null ? 0 : after));
    notifyAll();
  }

  /** Frees all segments; nobody may use them any more. */
  @Override
  public synchronized void close() {
    if (!closed) {
      closed = true;
      segments.forEach(segment -> source.free(segment.memory));
      segments.clear();
      held = 0;
      notifyAll();
    }
  }
}
