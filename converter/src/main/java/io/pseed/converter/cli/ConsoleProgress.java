package io.pseed.converter.cli;

import io.pseed.converter.ProgressListener;
import java.text.DecimalFormat;
import java.text.DecimalFormatSymbols;
import java.time.temporal.ChronoUnit;
import java.util.Locale;
import java.util.concurrent.atomic.AtomicLong;
import me.tongfei.progressbar.ConsoleProgressBarConsumer;
import me.tongfei.progressbar.ProgressBar;
import me.tongfei.progressbar.ProgressBarBuilder;
import me.tongfei.progressbar.ProgressBarStyle;

/** Progress on stderr: a bar on a terminal, a line every few seconds elsewhere. */
final class ConsoleProgress implements ProgressListener, AutoCloseable {
  private static final long LINE_NANOS = 10_000_000_000L;
  private static final int WIDTH = 78;

  private final Console console;
  private final AtomicLong done = new AtomicLong();
  private final AtomicLong nextLine = new AtomicLong();
  private volatile ProgressBar bar;
  private volatile long total;
  private volatile long start;

  ConsoleProgress(Console console) {
    this.console = console;
  }

  @Override
  public void begin(int tensors, long weights) {
    total = weights;
    start = System.nanoTime();
    nextLine.set(start + LINE_NANOS);
    if (console.terminal()) {
      bar =
          new ProgressBarBuilder()
              .setTaskName("convert")
              .setInitialMax(weights)
              .setUnit(" M", 1_000_000)
              .setStyle(ProgressBarStyle.ASCII)
              .setUpdateIntervalMillis(250)
              .setSpeedUnit(ChronoUnit.SECONDS)
              .showSpeed(new DecimalFormat("0.00", DecimalFormatSymbols.getInstance(Locale.ROOT)))
              .setConsumer(new ConsoleProgressBarConsumer(console.err(), WIDTH))
              .clearDisplayOnFinish()
              .build();
    }
  }

  @Override
  public void done(long weights) {
    long sum = done.addAndGet(weights);
    ProgressBar shown = bar;
    if (shown != null) {
      shown.stepTo(sum);
      return;
    }
    long now = System.nanoTime();
    long due = nextLine.get();
    if (now >= due && nextLine.compareAndSet(due, now + LINE_NANOS)) {
      double seconds = (now - start) / 1e9;
      double left = seconds * (total - sum) / Math.max(1, sum);
      console.say(
          String.format(
              Locale.ROOT,
              "%.0f %% of %s weights, %s, about %s left",
              100.0 * sum / Math.max(1, total),
              Units.count(total),
              Units.rate(sum, seconds),
              Units.time(left)));
    }
  }

  @Override
  public void close() {
    ProgressBar shown = bar;
    if (shown != null) {
      shown.close();
    }
  }
}
