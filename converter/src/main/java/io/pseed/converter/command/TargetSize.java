package io.pseed.converter.command;

import io.pseed.converter.SizeForecast;
import io.pseed.converter.plan.Plan;
import java.util.Optional;
import java.util.function.DoubleFunction;

/** Finds the most bits a weight with which a file fits into a size. Converts nothing. */
final class TargetSize {
  /** Rates are tried in hundredths of a bit. */
  private static final int STEPS_PER_BIT = 100;

  private static final int MIN = STEPS_PER_BIT;
  private static final int MAX = 8 * STEPS_PER_BIT;

  /** A rate and its plan. */
  record Found(double bits, Plan plan) {}

  private final SizeForecast forecast;
  private final DoubleFunction<Plan> planOfRate;

  TargetSize(SizeForecast forecast, DoubleFunction<Plan> planOfRate) {
    this.forecast = forecast;
    this.planOfRate = planOfRate;
  }

  /** The largest rate whose forecast is at most {@code bytes}; empty where not even 1 bit fits. */
  Optional<Found> largest(long bytes) {
    int low = MIN - 1;
    int high = MAX;
    while (low < high) {
      int middle = (low + high + 1) / 2;
      if (bytesAt(middle) <= bytes) {
        low = middle;
      } else {
        high = middle - 1;
      }
    }
    return low < MIN ? Optional.empty() : Optional.of(new Found(rate(low), plan(low)));
  }

  /** Bytes at 1 bit a weight. */
  long smallest() {
    return bytesAt(MIN);
  }

  private long bytesAt(int step) {
    return forecast.bytes(plan(step));
  }

  private Plan plan(int step) {
    return planOfRate.apply(rate(step));
  }

  private static double rate(int step) {
    return (double) step / STEPS_PER_BIT;
  }
}
