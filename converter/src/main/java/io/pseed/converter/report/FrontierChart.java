package io.pseed.converter.report;

import io.pseed.converter.verify.Quality;
import java.math.BigDecimal;
import java.math.RoundingMode;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/**
 * Cosine by size of the file, both logarithmic: sizes from left to right, cosines upwards by the
 * logarithm of what they lack to 1. Smaller and better is to the left and above.
 */
final class FrontierChart {
  private static final int WIDTH = 960;
  private static final int HEIGHT = 420;
  private static final int LEFT = 88;
  private static final int RIGHT = 24;
  private static final int TOP = 20;
  private static final int BOTTOM = 52;

  /** Smallest loss that has a place; what is nearer to 1 is drawn there. */
  private static final double LEAST_LOSS = 1e-8;

  /** About what a letter takes. */
  private static final double LETTER = 6.8;

  private record Mark(String label, long bytes, double mean, double low, double high, boolean own) {
    static Mark of(String label, long bytes, Quality quality, boolean own) {
      return new Mark(label, bytes, quality.mean(), quality.meanLow(), quality.meanHigh(), own);
    }
  }

  private record Box(double x0, double y0, double x1, double y1) {
    boolean meets(Box other) {
      return x0 < other.x1 && other.x0 < x1 && y0 < other.y1 && other.y0 < y1;
    }
  }

  private final Report report;
  private final List<Mark> marks = new ArrayList<>();
  private final double minX;
  private final double maxX;
  private final double minLoss;
  private final double maxLoss;
  private final Html out = new Html();

  private FrontierChart(Report report) {
    this.report = report;
    Quality own = report.judgement().orElseThrow().worst();
    marks.add(Mark.of("pseed", report.target().bytes(), own, true));
    for (Report.Other other : report.others()) {
      marks.add(Mark.of(other.label(), other.bytes(), other.judgement().worst(), false));
    }
    double smallest = (double) report.source().bytes();
    double largest = (double) report.source().bytes();
    double least = 1;
    double most = LEAST_LOSS;
    for (Mark mark : marks) {
      smallest = Math.min(smallest, (double) mark.bytes);
      largest = Math.max(largest, (double) mark.bytes);
      least = Math.min(least, loss(mark.mean));
      most = Math.max(most, loss(mark.mean));
    }
    for (Report.Attempt attempt : report.tries()) {
      smallest = Math.min(smallest, (double) attempt.bytes());
      least = Math.min(least, loss(attempt.cosine()));
      most = Math.max(most, loss(attempt.cosine()));
    }
    if (report.bound().isPresent() && report.bound().get().minCosine() < 1) {
      least = Math.min(least, loss(report.bound().get().minCosine()));
      most = Math.max(most, loss(report.bound().get().minCosine()));
    }
    minX = smallest / 1.35;
    maxX = largest * 1.15;
    minLoss = least / 2.5;
    maxLoss = Math.min(2, most * 2.5);
  }

  /** The picture; the judgement must be there. */
  static String svg(Report report) {
    return new FrontierChart(report).draw();
  }

  private static double loss(double cosine) {
    return Math.max(LEAST_LOSS, 1 - cosine);
  }

  private double x(long bytes) {
    double share = Math.log(bytes / minX) / Math.log(maxX / minX);
    return LEFT + share * (WIDTH - LEFT - RIGHT);
  }

  private double y(double cosine) {
    double share = Math.log(loss(cosine) / minLoss) / Math.log(maxLoss / minLoss);
    return TOP + share * (HEIGHT - TOP - BOTTOM);
  }

  private String draw() {
    out.raw(
        String.format(
            Locale.ROOT,
            "<svg viewBox=\"0 0 %d %d\" role=\"img\" aria-labelledby=\"frontier-title\">"
                + "<title id=\"frontier-title\">",
            WIDTH,
            HEIGHT));
    out.text(title()).raw("</title>");
    axes();
    curve();
    bound();
    List<Box> taken = new ArrayList<>();
    for (Mark mark : marks) {
      double x = x(mark.bytes);
      double y = y(mark.mean);
      taken.add(new Box(x - 8, y - 8, x + 8, y + 8));
    }
    for (Report.Attempt attempt : report.tries()) {
      if (attempt.bytes() != report.target().bytes()) {
        draw("<circle class=\"try\" cx=\"%.1f\" cy=\"%.1f\" r=\"4\"><title>", attempt);
      }
    }
    marks.forEach(this::mark);
    marks.forEach(mark -> label(mark, taken));
    return out.raw("</svg>").toString();
  }

  private void draw(String shape, Report.Attempt attempt) {
    out.raw(String.format(Locale.ROOT, shape, x(attempt.bytes()), y(attempt.cosine())))
        .text("try: " + Figures.bytes(attempt.bytes()) + ", " + Figures.cosine(attempt.cosine()))
        .raw("</title></circle>");
  }

  private String title() {
    StringBuilder title = new StringBuilder("Mean cosine by file size: ");
    for (Mark mark : marks) {
      title.append(
          mark.label + " " + Figures.bytes(mark.bytes) + " " + Figures.cosine(mark.mean) + "; ");
    }
    return title.append("original " + Figures.bytes(report.source().bytes())).toString();
  }

  private void line(String css, double x0, double y0, double x1, double y1) {
    out.raw(
        String.format(
            Locale.ROOT,
            "<line class=\"%s\" x1=\"%.1f\" y1=\"%.1f\" x2=\"%.1f\" y2=\"%.1f\"/>",
            css,
            x0,
            y0,
            x1,
            y1));
  }

  private void write(String css, double x, double y, String anchor, String text) {
    out.raw(
            String.format(
                Locale.ROOT,
                "<text class=\"%s\" x=\"%.1f\" y=\"%.1f\" text-anchor=\"%s\">",
                css,
                x,
                y,
                anchor))
        .text(text)
        .raw("</text>");
  }

  private void axes() {
    double bottom = HEIGHT - BOTTOM;
    double right = WIDTH - RIGHT;
    for (double loss : ticks(minLoss, Math.min(1, maxLoss))) {
      double y = y(1 - loss);
      line("grid", LEFT, y, right, y);
      write("tick", LEFT - 8, y + 4, "end", plain(1 - loss));
    }
    for (double bytes : ticks(minX, maxX)) {
      double x = x(Math.round(bytes));
      line("grid", x, TOP, x, bottom);
      write("tick", x, bottom + 18, "middle", size(bytes));
    }
    line("axis", LEFT, bottom, right, bottom);
    line("axis", LEFT, TOP, LEFT, bottom);
    double original = x(report.source().bytes());
    line("axis", original, TOP, original, bottom);
    write("tick", original - 6, TOP + 12, "end", "original");
    write("tick", right, HEIGHT - 8, "end", "file size, logarithmic");
    write("tick", LEFT, HEIGHT - 8, "start", "mean cosine, upwards by the logarithm of 1 − cosine");
  }

  /** 1, 2, 5 times powers of ten; powers of ten alone where those are many. */
  private static List<Double> ticks(double low, double high) {
    List<Double> all = new ArrayList<>();
    List<Double> tens = new ArrayList<>();
    for (int power = (int) Math.floor(Math.log10(low)); power <= Math.log10(high); power++) {
      for (int digit : new int[] {1, 2, 5}) {
        double tick = new BigDecimal(digit).scaleByPowerOfTen(power).doubleValue();
        if (tick >= low && tick <= high) {
          all.add(tick);
          if (digit == 1) {
            tens.add(tick);
          }
        }
      }
    }
    return all.size() <= 10 || tens.size() < 3 ? all : tens;
  }

  private static String plain(double cosine) {
    return new BigDecimal(cosine)
        .setScale(9, RoundingMode.HALF_EVEN)
        .stripTrailingZeros()
        .toPlainString();
  }

  private static String size(double bytes) {
    return Figures.bytes(Math.round(bytes)).replace(".00", "").replace(".0", "");
  }

  private void curve() {
    if (report.curve().points().size() < 2) {
      return;
    }
    out.raw(
        String.format(
            Locale.ROOT,
            "<clipPath id=\"frontier-clip\"><rect x=\"%d\" y=\"%d\" width=\"%d\" height=\"%d\"/>"
                + "</clipPath><polyline class=\"curve\" clip-path=\"url(#frontier-clip)\" points=\"",
            LEFT,
            TOP,
            WIDTH - LEFT - RIGHT,
            HEIGHT - TOP - BOTTOM));
    for (Report.Point point : report.curve().points()) {
      out.raw(String.format(Locale.ROOT, "%.1f,%.1f ", x(point.bytes()), y(point.cosine())));
    }
    out.raw("\"/>");
  }

  private void bound() {
    if (report.bound().isEmpty() || Double.isNaN(report.bound().get().minCosine())) {
      return;
    }
    double bound = report.bound().get().minCosine();
    line("bound", LEFT, y(bound), WIDTH - RIGHT, y(bound));
    write("boundtext", WIDTH - RIGHT - 4, y(bound) - 5, "end", "asked for: " + plain(bound));
  }

  private void mark(Mark mark) {
    double x = x(mark.bytes);
    double y = y(mark.mean);
    String own = mark.own ? "own " : "";
    if (!Double.isNaN(mark.low)) {
      double low = Math.min(y(mark.low), HEIGHT - BOTTOM);
      double high = Math.max(y(mark.high), TOP);
      line(own + "whisker", x, low, x, high);
      line(own + "whisker", x - 4, low, x + 4, low);
      line(own + "whisker", x - 4, high, x + 4, high);
    }
    if (mark.own) {
      out.raw(
          String.format(
              Locale.ROOT, "<circle class=\"chosen\" cx=\"%.1f\" cy=\"%.1f\" r=\"6.5\"/>", x, y));
    } else {
      out.raw(
          String.format(
              Locale.ROOT,
              "<rect class=\"other\" x=\"%.1f\" y=\"%.1f\" width=\"10\" height=\"10\"/>",
              x - 5,
              y - 5));
    }
  }

  /** Beside, above or below the mark, where nothing stands yet. */
  private void label(Mark mark, List<Box> taken) {
    String text = mark.label + " · " + Figures.bytes(mark.bytes);
    double width = text.length() * LETTER * (mark.own ? 1.2 : 1);
    double x = x(mark.bytes);
    double y = y(mark.mean);
    double[][] places = {
      {x + 14, y + 4},
      {x - 14 - width, y + 4},
      {x - width / 2, y - 16},
      {x - width / 2, y + 26},
      {x + 10, y - 14},
      {x - 10 - width, y + 24}
    };
    double[] best = places[0];
    for (double[] place : places) {
      Box box = new Box(place[0], place[1] - 12, place[0] + width, place[1] + 4);
      boolean inside =
          box.x0 >= LEFT + 4
              && box.x1 <= WIDTH - RIGHT
              && box.y0 >= TOP
              && box.y1 <= HEIGHT - BOTTOM;
      if (inside && taken.stream().noneMatch(box::meets)) {
        best = place;
        break;
      }
    }
    taken.add(new Box(best[0], best[1] - 12, best[0] + width, best[1] + 4));
    write("pointname" + (mark.own ? " own" : ""), best[0], best[1], "start", text);
  }
}
