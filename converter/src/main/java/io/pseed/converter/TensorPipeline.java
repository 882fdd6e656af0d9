package io.pseed.converter;

import io.pseed.converter.encode.EncodedTensor;
import java.io.IOException;
import java.io.InterruptedIOException;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.HashMap;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;

/**
 * Encodes tensors ahead of their turn, several at a time, for a device that one tensor does not
 * keep busy. They are taken in order. What is in work and what waits to be taken stays within a
 * bound; the tensor whose turn it is is always let in.
 */
final class TensorPipeline implements Turns {
  /** The bytes that a tensor takes while it is encoded, by its index. */
  interface Cost {
    long of(int index);
  }

  private final Encoder encoder;
  private final Cost cost;
  private final long limit;
  private final int most;
  private final ExecutorService threads;
  private final Map<Integer, CompletableFuture<EncodedTensor>> futures = new HashMap<>();

  /** Bytes that are accounted for each tensor in {@link #futures}. */
  private final Map<Integer, Long> held = new HashMap<>();

  private final Deque<Integer> waiting = new ArrayDeque<>();
  private long total;
  private int inWork;
  private boolean closed;

  /**
   * A pipeline.
   *
   * @param first the first tensor, by index
   * @param end behind the last
   * @param atOnce tensors in work at a time, at most
   * @param limit bytes of tensors in work and waiting, at most
   */
  TensorPipeline(int first, int end, int atOnce, long limit, Cost cost, Encoder encoder) {
    this.encoder = encoder;
    this.cost = cost;
    this.limit = limit;
    this.most = atOnce;
    for (int i = first; i < end; i++) {
      waiting.addLast(i);
    }
    this.threads =
        Executors.newCachedThreadPool(
            task -> {
              Thread thread = new Thread(task, "pseed-tensor");
              thread.setDaemon(true);
              return thread;
            });
  }

  @Override
  public EncodedTensor take(int index) throws IOException {
    CompletableFuture<EncodedTensor> future;
    synchronized (this) {
      if (!futures.containsKey(index)) {
        waiting.remove(index);
        start(index);
      }
      future = futures.get(index);
      fill();
    }
    try {
      return future.get();
    } catch (ExecutionException e) {
      if (e.getCause() instanceof IOException io) {
        throw io;
      }
      if (e.getCause() instanceof Error error) {
        throw error;
      }
      throw (RuntimeException) e.getCause();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw (IOException) new InterruptedIOException("interrupted").initCause(e);
    } finally {
      taken(index);
    }
  }

  private synchronized void taken(int index) {
    futures.remove(index);
    total -= held.remove(index);
    fill();
  }

  private synchronized void fill() {
    while (!closed && !waiting.isEmpty() && inWork < most) {
      if (total + cost.of(waiting.peekFirst()) > limit) {
        return;
      }
      start(waiting.removeFirst());
    }
  }

  private synchronized void start(int index) {
    CompletableFuture<EncodedTensor> future = new CompletableFuture<>();
    futures.put(index, future);
    held.put(index, cost.of(index));
    total += held.get(index);
    inWork++;
    threads.execute(
        () -> {
          try {
            EncodedTensor encoded = encoder.encode(index);
            ended(index, encoded.record().length());
            future.complete(encoded);
          } catch (Throwable e) {
            ended(index, 0);
            future.completeExceptionally(e);
          }
        });
  }

  /** A tensor that only waits to be taken holds its record and nothing more. */
  private synchronized void ended(int index, long bytes) {
    inWork--;
    Long before = held.get(index);
    if (before == null) {
      // Nobody waits for it any more.
      return;
    }
    held.put(index, Math.min(before, bytes));
    total += held.get(index) - before;
    fill();
  }

  @Override
  public void close() {
    synchronized (this) {
      closed = true;
    }
    threads.shutdownNow();
  }
}
