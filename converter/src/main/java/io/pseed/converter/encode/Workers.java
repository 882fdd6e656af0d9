package io.pseed.converter.encode;

import java.io.IOException;
import java.io.InterruptedIOException;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;

/** The threads of a conversion. Results never depend on their number. */
public final class Workers implements AutoCloseable {
  private final ExecutorService pool;
  private final int threads;

  /** {@code threads} daemon threads, at least one. */
  public Workers(int threads) {
    if (threads < 1) {
      throw new IllegalArgumentException(threads + " threads, expected at least 1");
    }
    this.threads = threads;
    this.pool =
        Executors.newFixedThreadPool(
            threads,
            task -> {
              Thread thread = new Thread(task, "pseed-worker");
              thread.setDaemon(true);
              return thread;
            });
  }

  /** How many there are. */
  public int threads() {
    return threads;
  }

  /** A piece of work. */
  @FunctionalInterface
  public interface Task {
    void run() throws IOException;
  }

  /**
   * Runs all tasks and waits; the first failure, in the order of the list, is thrown and the rest
   * cancelled.
   */
  public void run(List<? extends Task> tasks) throws IOException {
    List<Future<?>> futures = new ArrayList<>();
    for (Task task : tasks) {
      futures.add(
          pool.submit(
              () -> {
                task.run();
                return null;
              }));
    }
    try {
      for (Future<?> future : futures) {
        future.get();
      }
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
      for (Future<?> future : futures) {
        future.cancel(true);
      }
    }
  }

  @Override
  public void close() {
    pool.shutdownNow();
  }
}
