package io.pseed.converter.report;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;

/**
 * Tensors as tiles of a size that is that of their records, coloured by bits a weight (Bruls,
 * Huizing and van Wijk, "Squarified treemaps", 2000). What is too small to be seen is one tile.
 */
final class SizeMap {
  private static final double WIDTH = 960;
  private static final double HEIGHT = 300;

  /** Tiles that are drawn one by one. */
  private static final int MOST = 2_000;

  /** Share of the file that can be seen: a tile of about five by five. */
  private static final double SEEN = 1e-4;

  private static final double LETTER = 7.1;

  /** Upper ends of the classes of bits a weight; class 0 is lossless. */
  private static final double[] CLASSES = {2.5, 3.5, 4.5, 5.5, 7};

  private record Tile(String name, long bytes, int colour, String said) {}

  private SizeMap() {}

  static String svg(Report report) {
    List<Report.Tensor> sorted = new ArrayList<>(report.tensors());
    sorted.sort(Comparator.comparingLong(Report.Tensor::bytes).reversed());
    List<Tile> tiles = new ArrayList<>();
    long rest = 0;
    long restWeights = 0;
    int count = 0;
    double total = (double) report.target().bytes();
    for (Report.Tensor tensor : sorted) {
      if (tiles.size() < MOST && tensor.bytes() > total * SEEN) {
        tiles.add(
            new Tile(
                place(tensor),
                tensor.bytes(),
                colour(tensor),
                tensor.name()
                    + ": "
                    + Figures.bytes(tensor.bytes())
                    + ", "
                    + Figures.percent(tensor.bytes() / total)
                    + " of the file, "
                    + (tensor.lossless()
                        ? "lossless"
                        : Figures.fixed(tensor.bitsPerWeight(), 2) + " bits a weight")));
      } else {
        rest += tensor.bytes();
        restWeights += tensor.weights();
        count++;
      }
    }
    if (rest > 0) {
      tiles.add(
          new Tile(
              count + " smaller tensors",
              rest,
              colour(8.0 * rest / Math.max(1, restWeights)),
              count + " smaller tensors: " + Figures.bytes(rest)));
    }
    if (report.target().graphBytes() > 0) {
      tiles.add(
          new Tile(
              "graph and header",
              report.target().graphBytes(),
              0,
              "graph, header and padding: " + Figures.bytes(report.target().graphBytes())));
    }
    tiles.sort(Comparator.comparingLong(Tile::bytes).reversed());
    Html out = new Html();
    out.raw(
        String.format(
            Locale.ROOT,
            "<svg viewBox=\"0 0 %.0f %.0f\" role=\"img\" aria-label=\"Sizes of all tensors; the table"
                + " below has the same figures\">",
            WIDTH,
            HEIGHT));
    lay(tiles, out);
    return out.raw("</svg>").toString();
  }

  /** Where a tensor stands, without the words that many have in common. */
  private static String place(Report.Tensor tensor) {
    String reader = tensor.reader();
    return reader.isEmpty()
        ? tensor.name().replaceFirst("\\.weight$", "")
        : reader.lastIndexOf('/') > 0 ? reader.substring(0, reader.lastIndexOf('/')) : reader;
  }

  private static int colour(Report.Tensor tensor) {
    return tensor.lossless() ? 0 : colour(tensor.bitsPerWeight());
  }

  private static int colour(double bitsPerWeight) {
    int at = 0;
    while (at < CLASSES.length && bitsPerWeight > CLASSES[at]) {
      at++;
    }
    return at + 1;
  }

  /** What a class means. */
  static String legend(int colour) {
    return switch (colour) {
      case 0 -> "lossless, graph";
      case 1 -> "up to 2.5 bits a weight";
      case 6 -> "more than 7";
      default ->
          Figures.fixed(CLASSES[colour - 2], 1) + " to " + Figures.fixed(CLASSES[colour - 1], 1);
    };
  }

  private static void lay(List<Tile> tiles, Html out) {
    double sum = (double) tiles.stream().mapToLong(Tile::bytes).sum();
    double x = 0;
    double y = 0;
    double w = WIDTH;
    double h = HEIGHT;
    double scale = WIDTH * HEIGHT / sum;
    int from = 0;
    while (from < tiles.size()) {
      boolean tall = w >= h;
      double side = tall ? h : w;
      int to = from + 1;
      double area = tiles.get(from).bytes * scale;
      while (to < tiles.size()) {
        double more = area + tiles.get(to).bytes * scale;
        if (worst(tiles, from, to + 1, more, scale, side)
            > worst(tiles, from, to, area, scale, side)) {
          break;
        }
        area = more;
        to++;
      }
      double thickness = area / side;
      double at = 0;
      for (int i = from; i < to; i++) {
        double length = tiles.get(i).bytes * scale / thickness;
        if (tall) {
          draw(tiles.get(i), x, y + at, thickness, length, out);
        } else {
          draw(tiles.get(i), x + at, y, length, thickness, out);
        }
        at += length;
      }
      if (tall) {
        x += thickness;
        w -= thickness;
      } else {
        y += thickness;
        h -= thickness;
      }
      from = to;
    }
  }

  /** The largest ratio of sides in a row of tiles. */
  private static double worst(
      List<Tile> tiles, int from, int to, double area, double scale, double side) {
    double thickness = area / side;
    double largest = tiles.get(from).bytes * scale / thickness;
    double smallest = tiles.get(to - 1).bytes * scale / thickness;
    return Math.max(largest / thickness, thickness / smallest);
  }

  private static void draw(Tile tile, double x, double y, double w, double h, Html out) {
    out.raw(
        String.format(
            Locale.ROOT,
            "<g><title>%s</title><rect class=\"tile f%d\" x=\"%.1f\" y=\"%.1f\" width=\"%.1f\""
                + " height=\"%.1f\"/>",
            Html.escape(tile.said),
            tile.colour,
            x,
            y,
            w,
            h));
    int letters = (int) ((w - 12) / LETTER);
    if (h >= 20 && letters >= 6) {
      text(tile, x + 6, y + 15, ending(tile.name, letters), out);
      String size = Figures.bytes(tile.bytes);
      if (h >= 38 && size.length() <= letters) {
        text(tile, x + 6, y + 31, size, out);
      }
    }
    out.raw("</g>");
  }

  private static void text(Tile tile, double x, double y, String text, Html out) {
    out.raw(
            String.format(
                Locale.ROOT, "<text class=\"x%d\" x=\"%.1f\" y=\"%.1f\">", tile.colour, x, y))
        .text(text)
        .raw("</text>");
  }

  /** The end of a name tells most. */
  private static String ending(String name, int letters) {
    int length = name.codePointCount(0, name.length());
    return length <= letters
        ? name
        : "…" + name.substring(name.offsetByCodePoints(0, length - letters + 1));
  }
}
