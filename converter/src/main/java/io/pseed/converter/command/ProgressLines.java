package io.pseed.converter.command;

import java.util.Locale;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Consumer;

/** Progress as a sentence every few seconds, for logs. */
public final class ProgressLines implements ConversionWatcher.Progress {
  private static final long LINE_NANOS = 10_000_000_000L;

  private final Consumer<String> say;
  private final AtomicLong done = new AtomicLong();
  private final AtomicLong nextLine = new AtomicLong();
  private volatile long total;
  private volatile long start;

  /** Progress that is told to {@code say}. */
  public ProgressLines(Consumer<String> say) {
    this.say = say;
  }

  @Override
  public void begin(int tensors, long weights) {
    total = weights;
    start = System.nanoTime();
    nextLine.set(start + LINE_NANOS);
  }

  @Override
  public void done(long weights) {
    long sum = done.addAndGet(weights);
    long now = System.nanoTime();
    long due = nextLine.get();
    if (now >= due && nextLine.compareAndSet(due, now + LINE_NANOS)) {
      double seconds = (now - start) / 1e9;
      double left = seconds * (total - sum) / Math.max(1, sum);
      say.accept(
          String.format(
              Locale.ROOT,
              "%.0f %% of %s weights, %s, about %s left",
              100.0 * sum / Math.max(1, total),
              Units.count(total),
              Units.rate((double) sum, seconds),
              Units.time(left)));
    }
  }

  @Override
  public void close() {}
}
