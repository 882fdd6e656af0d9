package io.pseed.converter.command;

import io.pseed.converter.report.Report;
import io.pseed.converter.verify.Judgement;
import io.pseed.converter.verify.Quality;
import java.util.Locale;
import java.util.Optional;

/** A judgement as a table of text. */
public final class QualityTable {
  private QualityTable() {}

  /** A row for each output. */
  public static Table of(Judgement judgement, Optional<Report.Bound> bound) {
    Table table =
        new Table(
            "<output",
            "<measure",
            "mean",
            "95 % interval",
            "5 % below",
            "min",
            "relative error",
            "max error",
            "<");
    for (Quality quality : judgement.qualities()) {
      boolean bounded = judgement.bounded().contains(quality);
      boolean good = !bounded || bound.isEmpty() || bound.get().passes(quality);
      table.row(
          quality.output(),
          quality.measure().label(),
          number("%.5f", quality.mean()),
          Double.isNaN(quality.meanLow())
              ? "one input"
              : number("%.5f", quality.meanLow()) + "-" + number("%.5f", quality.meanHigh()),
          number("%.5f", quality.low5()),
          number("%.5f", quality.min()),
          number("%.4f", quality.relative()),
          number("%.3g", quality.maxAbs()),
          good ? "" : "below the bound " + text(bound.get()));
    }
    return table;
  }

  private static String text(Report.Bound bound) {
    String mean = Double.isNaN(bound.minCosine()) ? "" : bound.minCosine() + " of the mean";
    String worst = Double.isNaN(bound.minWorst()) ? "" : bound.minWorst() + " of one input";
    return mean + (mean.isEmpty() || worst.isEmpty() ? "" : ", ") + worst;
  }

  private static String number(String format, double value) {
    return String.format(Locale.ROOT, format, value);
  }
}
