package io.pseed.converter.bench;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/**
 * A page as a picture (SVG): size from left to right, fidelity upwards, both logarithmic; each
 * model a chart of its own.
 */
public final class PagePlot {
  private static final int WIDTH = 860;
  private static final int HEIGHT = 380;
  private static final int LEFT = 84;
  private static final int RIGHT = 24;
  private static final int TOP = 44;
  private static final int BOTTOM = 48;

  /** What is as the original is drawn here: a logarithm has no place for it. */
  private static final double LEAST_LOSS = 1e-7;

  private static final double MOST_LOSS = 1;

  private static final int LETTER = 7;
  private static final int LINE = 13;

  private record Box(double x0, double y0, double x1, double y1) {
    boolean meets(Box other) {
      return x0 < other.x1 && other.x0 < x1 && y0 < other.y1 && other.y0 < y1;
    }
  }

  private final StringBuilder out = new StringBuilder();

  private PagePlot() {}

  /** The picture. */
  public static String svg(List<PerformancePage.Page> pages) {
    PagePlot plot = new PagePlot();
    int height = HEIGHT * pages.size();
    plot.line(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%d\" height=\"%d\" viewBox=\"0 0 %d %d\""
            + " font-family=\"sans-serif\" font-size=\"12\">",
        WIDTH, height, WIDTH, height);
    plot.line("<rect width=\"%d\" height=\"%d\" fill=\"#ffffff\"/>", WIDTH, height);
    for (int i = 0; i < pages.size(); i++) {
      plot.line("<g transform=\"translate(0 %d)\">", i * HEIGHT);
      plot.chart(pages.get(i));
      plot.line("</g>");
    }
    plot.line("</svg>");
    return plot.out.toString();
  }

  private void line(String format, Object... values) {
    out.append(String.format(Locale.ROOT, format, values)).append('\n');
  }

  private void chart(PerformancePage.Page page) {
    List<PerformancePage.Form> forms = new ArrayList<>(page.forms());
    // The same file in another way stands at the same place.
    forms.removeIf(form -> form.what().endsWith("op library"));
    double smallest = forms.stream().mapToDouble(form -> (double) form.bytes()).min().orElseThrow();
    double largest = forms.stream().mapToDouble(form -> (double) form.bytes()).max().orElseThrow();
    double minX = smallest / 1.4;
    double maxX = largest * 1.6;
    line(
        "<text x=\"%d\" y=\"24\" font-size=\"15\" font-weight=\"bold\">%s</text>",
        LEFT, escaped(page.model()));
    for (double loss = LEAST_LOSS; loss <= MOST_LOSS * 1.01; loss *= 10) {
      double y = y(loss);
      line(
          "<line x1=\"%d\" x2=\"%d\" y1=\"%.1f\" y2=\"%.1f\" stroke=\"#dddddd\"/>",
          LEFT, WIDTH - RIGHT, y, y);
      String label = loss < 2 * LEAST_LOSS ? "equal" : String.format(Locale.ROOT, "%.7f", 1 - loss);
      line(
          "<text x=\"%d\" y=\"%.1f\" text-anchor=\"end\">%s</text>",
          LEFT - 8, y + 4, label.replaceAll("(\\.\\d*?)0+$", "$1").replaceAll("\\.$", ""));
    }
    for (double decade = 1e3; decade < maxX; decade *= 10) {
      for (int step : new int[] {1, 2, 5}) {
        double bytes = decade * step;
        if (bytes >= minX && bytes <= maxX) {
          double x = x(bytes, minX, maxX);
          line(
              "<line x1=\"%.1f\" x2=\"%.1f\" y1=\"%d\" y2=\"%d\" stroke=\"#eeeeee\"/>",
              x, x, TOP, HEIGHT - BOTTOM);
          line(
              "<text x=\"%.1f\" y=\"%d\" text-anchor=\"middle\">%s MB</text>",
              x,
              HEIGHT - BOTTOM + 18,
              String.format(Locale.ROOT, "%.2f", bytes / 1e6)
                  .replaceAll("(\\.\\d*?)0+$", "$1")
                  .replaceAll("\\.$", ""));
        }
      }
    }
    line(
        "<text x=\"%d\" y=\"%d\" text-anchor=\"middle\">size of all that is shipped</text>",
        (LEFT + WIDTH) / 2, HEIGHT - 10);
    line(
        "<text transform=\"translate(16 %d) rotate(-90)\" text-anchor=\"middle\">mean cosine to"
            + " FP32</text>",
        (TOP + HEIGHT - BOTTOM) / 2);
    List<Box> taken = new ArrayList<>();
    for (PerformancePage.Form form : forms) {
      double x = x((double) form.bytes(), minX, maxX);
      double y = y(1 - form.mean());
      taken.add(new Box(x - 6, y - 6, x + 6, y + 6));
    }
    for (PerformancePage.Form form : forms) {
      mark(form, x((double) form.bytes(), minX, maxX), y(1 - form.mean()), taken);
    }
  }

  private void mark(PerformancePage.Form form, double x, double y, List<Box> taken) {
    boolean own = form.what().startsWith("pseed");
    line(
        "<circle cx=\"%.1f\" cy=\"%.1f\" r=\"5\" fill=\"%s\"/>", x, y, own ? "#c0392b" : "#34495e");
    double width = LETTER * form.what().length();
    double[][] places = {
      {x + 9, y + 4},
      {x - 9 - width, y + 4},
      {x - width / 2, y - 10},
      {x - width / 2, y + 20},
      {x + 9, y - 12},
      {x + 9, y + 20},
      {x - 9 - width, y + 20}
    };
    double[] place = places[0];
    for (double[] candidate : places) {
      Box box =
          new Box(candidate[0], candidate[1] - LINE + 2, candidate[0] + width, candidate[1] + 3);
      boolean inside = box.x0 > LEFT && box.x1 < WIDTH - RIGHT && box.y0 > TOP - 10;
      if (inside && taken.stream().noneMatch(box::meets)) {
        place = candidate;
        taken.add(box);
        break;
      }
    }
    line(
        "<text x=\"%.1f\" y=\"%.1f\" fill=\"%s\">%s</text>",
        place[0], place[1], own ? "#c0392b" : "#34495e", escaped(form.what()));
  }

  private static double x(double bytes, double minX, double maxX) {
    return LEFT + (WIDTH - LEFT - RIGHT) * Math.log(bytes / minX) / Math.log(maxX / minX);
  }

  private static double y(double loss) {
    double bounded = Math.max(LEAST_LOSS, Math.min(MOST_LOSS, loss));
    double share = Math.log(bounded / LEAST_LOSS) / Math.log(MOST_LOSS / LEAST_LOSS);
    return TOP + (HEIGHT - TOP - BOTTOM) * share;
  }

  private static String escaped(String text) {
    return text.replace("&", "&amp;").replace("<", "&lt;");
  }
}
