package io.pseed.converter.cli;

import io.pseed.converter.command.ConversionWatcher;
import io.pseed.converter.command.ProgressLines;
import java.text.DecimalFormat;
import java.text.DecimalFormatSymbols;
import java.time.temporal.ChronoUnit;
import java.util.Locale;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicReference;
import me.tongfei.progressbar.ConsoleProgressBarConsumer;
import me.tongfei.progressbar.ProgressBar;
import me.tongfei.progressbar.ProgressBarBuilder;
import me.tongfei.progressbar.ProgressBarStyle;

/** Progress on stderr: a bar on a terminal, a line every few seconds elsewhere. */
final class ConsoleProgress implements ConversionWatcher.Progress {
  private static final int WIDTH = 78;

  private final Console console;
  private final boolean quiet;
  private final ProgressLines lines;
  private final AtomicLong done = new AtomicLong();
  private final AtomicReference<ProgressBar> bar = new AtomicReference<>();
  private volatile long total;

  ConsoleProgress(Console console, boolean quiet) {
    this.console = console;
    this.quiet = quiet;
    this.lines = new ProgressLines(console::say);
  }

  @Override
  public void begin(int tensors, long weights) {
    total = weights;
    lines.begin(tensors, weights);
    if (console.terminal() && !quiet) {
      bar.set(
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
              .build());
    }
  }

  @Override
  public void done(long weights) {
    if (quiet) {
      return;
    }
    ProgressBar shown = bar.get();
    if (!console.terminal()) {
      lines.done(weights);
    } else if (shown != null) {
      long sum = done.addAndGet(weights);
      shown.stepTo(sum);
      if (sum >= total) {
        takeAway();
      }
    }
  }

  /** Done at the end of the work, so that what is said next stands alone. */
  private void takeAway() {
    ProgressBar shown = bar.getAndSet(null);
    if (shown != null) {
      shown.close();
    }
  }

  @Override
  public void close() {
    takeAway();
    console.onInterrupt("");
  }
}
