package io.pseed.converter.verify;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * Finds the smallest file whose judged mean cosine reaches a bound, with few encodes. A knob says
 * how many bits are spent. What a setting loses is predicted up to a factor and a power: the factor
 * is learnt from the first try, the power from any two, so that the search is a secant over the
 * logarithms. A prediction that is of no use costs tries, never the result: then it bisects.
 */
public final class CosineSearch {
  /** Tries that a search takes at most. */
  public static final int MOST_TRIES = 8;

  /** Share of a file's bytes that is not worth another try. */
  private static final double GOOD_ENOUGH = 0.01;

  /** Share of the allowed loss that is aimed at, for a prediction errs to both sides. */
  private static final double AIM = 0.97;

  /** Powers of the prediction below this, or above its inverse, are not believed. */
  private static final double LEAST_SLOPE = 0.15;

  /** Loss of a file that is as good as equal. */
  private static final double NO_LOSS = 1e-9;

  private CosineSearch() {}

  /** The ways of making a file that are searched. */
  public interface Files {
    /** The knob of the fewest bits. */
    double lowest();

    /** The knob of the most bits. */
    double highest();

    /** What is lost, up to a factor; falls as the knob rises. */
    double predicted(double knob);

    /** Bytes that the file is forecast to take; grows with the knob. */
    long bytes(double knob);

    /** Makes the file and has it judged. */
    Try encode(double knob) throws IOException;
  }

  /**
   * A file that was made.
   *
   * @param knob what it was made with
   * @param bytes of the file
   * @param cosine the judged mean
   */
  public record Try(double knob, long bytes, double cosine) {
    double loss() {
      return Math.max(NO_LOSS, 1 - cosine);
    }
  }

  /**
   * What a search did.
   *
   * @param tries all files, in order
   * @param found the smallest that passed; empty where even the most bits missed the bound
   */
  public record Result(List<Try> tries, Optional<Try> found) {}

  /**
   * Searches.
   *
   * @param bound smallest mean cosine that passes
   */
  public static Result smallest(Files files, double bound) throws IOException {
    List<Try> tries = new ArrayList<>();
    Try missed = null;
    Try passed = null;
    while (tries.size() < MOST_TRIES && !done(files, missed, passed, bound)) {
      double knob =
          passed == null && tries.size() == MOST_TRIES - 1
              ? files.highest()
              : next(files, tries, missed, passed, bound);
      Try made = files.encode(knob);
      tries.add(made);
      if (made.cosine() >= bound) {
        passed = passed == null || made.bytes() <= passed.bytes() ? made : passed;
      } else if (missed == null || made.knob() > missed.knob()) {
        missed = made;
      }
      if (passed != null && missed != null && missed.knob() >= passed.knob()) {
        // Not monotone there: what is smaller may pass or miss by chance; keep what passed.
        break;
      }
    }
    return new Result(List.copyOf(tries), Optional.ofNullable(passed));
  }

  private static boolean done(Files files, Try missed, Try passed, double bound) {
    if (passed == null) {
      return missed != null && missed.knob() >= files.highest();
    }
    if (passed.knob() <= files.lowest()) {
      return true;
    }
    double least = missed == null ? files.lowest() : missed.knob();
    double worth = passed.bytes() * (1 - GOOD_ENOUGH);
    if (files.bytes(least) >= worth) {
      return true;
    }
    // What passed with little to spare cannot be much smaller, if the prediction's slope is right.
    double factor = passed.loss() / files.predicted(passed.knob());
    double knob = solve(files, least, passed.knob(), (1 - bound) / factor);
    return files.bytes(knob) >= worth;
  }

  private static double next(Files files, List<Try> tries, Try missed, Try passed, double bound) {
    double low = missed == null ? files.lowest() : missed.knob();
    double high = passed == null ? files.highest() : passed.knob();
    // Who missed again and again aims lower, so that the next try passes.
    double aim = passed == null && tries.size() > 2 ? 0.8 * AIM : AIM;
    double allowed = Math.max(NO_LOSS, aim * (1 - bound));
    if (tries.isEmpty()) {
      return solve(files, low, high, allowed);
    }
    Try near = passed == null ? missed : passed;
    Try far = missed != null && passed != null ? missed : beforeTheLast(tries);
    double slope = 1;
    if (far != null) {
      slope =
          Math.log(near.loss() / far.loss())
              / Math.log(files.predicted(near.knob()) / files.predicted(far.knob()));
    }
    if (!(slope > LEAST_SLOPE && slope < 1 / LEAST_SLOPE)) {
      return (low + high) / 2;
    }
    double loss = files.predicted(near.knob()) * Math.exp(Math.log(allowed / near.loss()) / slope);
    double knob = solve(files, low, high, loss);
    if (missed != null && passed == null && knob <= low) {
      return high;
    }
    if (missed != null && passed != null) {
      // Each try takes away a tenth of what is open at least.
      double margin = (high - low) / 10;
      return Math.max(low + margin, Math.min(high - margin, knob));
    }
    return knob;
  }

  /** The try before the last; null where there is none. */
  private static Try beforeTheLast(List<Try> tries) {
    return tries.size() < 2 ? null : tries.get(tries.size() - 2);
  }

  /** The knob whose predicted loss is {@code loss}, or the nearer end. */
  private static double solve(Files files, double low, double high, double loss) {
    double a = low;
    double b = high;
    if (files.predicted(a) <= loss) {
      return a;
    }
    if (files.predicted(b) >= loss) {
      return b;
    }
    for (int step = 0; step < 30; step++) {
      double middle = (a + b) / 2;
      if (files.predicted(middle) > loss) {
        a = middle;
      } else {
        b = middle;
      }
    }
    return b;
  }
}
