package io.pseed.converter.inputs;

import java.util.Random;

/**
 * Something like a photograph or a scan, levels 0 to 255: noise whose amplitude falls with its
 * frequency, as in pictures of nature (Field, "Relations between the statistics of natural images
 * and the response properties of cortical cells", 1987), plain and shaded areas with sharp edges,
 * and lines of letters. A flat and wide one is a line of letters alone.
 */
final class GeneratedImage {
  /** Strokes of A to Z and 0 to 9 through the points (x, y) of a grid of 3 x 5. */
  private static final String[] GLYPHS = {
    "0401102124 0222", "000414231202 12211000", "211001031423", "00041423211000",
    "20000424 0212", "200004 0212", "2110010314232212", "0004 2024 0222",
    "1014", "20231403", "0004 2002 0224", "000424",
    "0400122024", "04002420", "10010314232110", "040010211202",
    "10010314232110 1324", "040010211202 1224", "21100112231403", "0020 1014",
    "0003142320", "001420", "0004122420", "0024 2004",
    "001220 1214", "00200424", "10010314232110", "011014",
    "0110210424", "0020122314 1403", "200323 2024", "20000212231403",
    "20010314231202", "002014", "100112031423122110", "04232110011222"
  };

  /** The same of a to z; 5 and 6 lie below the line. */
  private static final String[] SMALL = {
    "02122324040323",
    "000414231202",
    "2212031424",
    "202414031222",
    "032312031424",
    "201114 0222",
    "2212031424 22251605",
    "0004 02122324",
    "1214 1111",
    "222516 2121",
    "0004 220324",
    "1014",
    "0402 021214 122224",
    "0402122324",
    "1203142312",
    "0206 0212231404",
    "2226 2212031424",
    "0402 031222",
    "220203232404",
    "101424 0222",
    "02031424 2224",
    "021422",
    "0204132422",
    "0224 2204",
    "0214 2206",
    "02220424"
  };

  private final int height;
  private final int width;
  private final int channels;
  private final Random random;
  private final double[][] levels;

  /** Draws. The sizes and the state of {@code random} decide everything. */
  GeneratedImage(int channels, int height, int width, Random random) {
    this.height = height;
    this.width = width;
    this.channels = channels;
    this.random = random;
    this.levels = new double[channels][Math.multiplyExact(height, width)];
    boolean strip = width >= 2 * height && height <= 64;
    double[] base = colour(60, 200);
    double contrast = strip ? 6 : 30 + 40 * random.nextDouble();
    double[] light = clouds();
    for (int c = 0; c < channels; c++) {
      double[] tint = clouds();
      for (int i = 0; i < levels[c].length; i++) {
        levels[c][i] = base[c] + contrast * (light[i] + 0.3 * tint[i]);
      }
    }
    if (strip) {
      double letter = height * (0.4 + 0.35 * random.nextDouble());
      double top = (height - letter) * (0.3 + 0.4 * random.nextDouble());
      // Half of the lines end before the picture does.
      double end = random.nextBoolean() ? width : width * (0.3 + 0.7 * random.nextDouble());
      text(top, letter * 0.2, letter, ink(base), end);
    } else {
      areas();
      for (int line = 0; line < 2 + random.nextInt(5); line++) {
        double letter = Math.max(8, height * (0.025 + 0.07 * random.nextDouble()));
        text(
            random.nextDouble() * height * 0.95,
            random.nextDouble() * width * 0.6,
            letter,
            colour(0, 255),
            width);
      }
    }
    for (double[] plane : levels) {
      for (int i = 0; i < plane.length; i++) {
        plane[i] = Math.max(0, Math.min(255, plane[i] + 2 * random.nextGaussian()));
      }
    }
  }

  /** The level of a pixel. */
  double level(int channel, int pixel) {
    return levels[channel][pixel];
  }

  private double[] colour(double low, double high) {
    double[] colour = new double[channels];
    double grey = low + (high - low) * random.nextDouble();
    for (int c = 0; c < channels; c++) {
      colour[c] = grey + 0.25 * (high - low) * (random.nextDouble() - 0.5);
    }
    return colour;
  }

  private double[] ink(double[] paper) {
    double grey = 0;
    for (double level : paper) {
      grey += level / channels;
    }
    return grey > 128 ? colour(0, 70) : colour(185, 255);
  }

  /** Noise of deviation about 1, of half the amplitude at twice the frequency. */
  private double[] clouds() {
    double[] sum = new double[height * width];
    double amplitude = 1.4;
    for (int cell = Math.max(height, width); cell >= 2; cell = (cell + 1) / 2) {
      int rows = height / cell + 2;
      int columns = width / cell + 2;
      double[] grid = new double[rows * columns];
      for (int i = 0; i < grid.length; i++) {
        grid[i] = random.nextGaussian();
      }
      for (int y = 0; y < height; y++) {
        int row = y / cell;
        double fy = (double) (y % cell) / cell;
        for (int x = 0; x < width; x++) {
          int at = row * columns + x / cell;
          double fx = (double) (x % cell) / cell;
          double top = grid[at] + fx * (grid[at + 1] - grid[at]);
          double bottom = grid[at + columns] + fx * (grid[at + columns + 1] - grid[at + columns]);
          sum[y * width + x] += amplitude * (top + fy * (bottom - top));
        }
      }
      amplitude /= 2;
      if (cell == 2) {
        break;
      }
    }
    return sum;
  }

  /** Rectangles and ellipses, shaded or plain, some of which let what is below shine through. */
  private void areas() {
    for (int n = 4 + random.nextInt(9); n > 0; n--) {
      int h = 2 + random.nextInt(Math.max(1, height / 2));
      int w = 2 + random.nextInt(Math.max(1, width / 2));
      int top = random.nextInt(height) - h / 2;
      int left = random.nextInt(width) - w / 2;
      boolean round = random.nextInt(3) == 0;
      double cover = random.nextInt(3) == 0 ? 0.5 : 1;
      double shade = 60 * (random.nextDouble() - 0.5);
      double[] colour = colour(0, 255);
      for (int y = Math.max(0, top); y < Math.min(height, top + h); y++) {
        double v = 2 * (y - top + 0.5) / h - 1;
        for (int x = Math.max(0, left); x < Math.min(width, left + w); x++) {
          double u = 2 * (x - left + 0.5) / w - 1;
          if (!round || u * u + v * v <= 1) {
            for (int c = 0; c < channels; c++) {
              double old = levels[c][y * width + x];
              levels[c][y * width + x] = old + cover * (colour[c] + shade * v - old);
            }
          }
        }
      }
    }
  }

  /**
   * A line of words as far as it fits: of capitals, of small letters, of digits, of characters of
   * many strokes; in a hand of its own, thick or thin, upright or leaning, with corners or round.
   */
  private void text(double top, double left, double letter, double[] ink, double right) {
    double down = letter * (0.07 + 0.13 * random.nextDouble());
    double across = down * (0.45 + 0.6 * random.nextDouble());
    double wide = letter * (0.4 + 0.3 * random.nextDouble());
    double step = wide * (1.3 + 0.3 * random.nextDouble());
    double lean = random.nextInt(3) == 0 ? 0.3 * random.nextDouble() : 0;
    boolean round = random.nextInt(3) > 0;
    boolean many = random.nextInt(4) == 0;
    double x = left;
    while (x + letter < right) {
      int kind = many ? 4 : random.nextInt(4);
      for (int n = 1 + random.nextInt(9); n >= 0 && x + (many ? letter : wide) < right; n--) {
        if (kind == 4) {
          double[][] strokes = cluster();
          for (double[] points : strokes) {
            line(points, x, top, letter * 0.95 / 4, letter / 4, 0, across, across, ink);
          }
          x += letter * 1.1;
          continue;
        }
        String glyph =
            switch (kind) {
              case 0 -> GLYPHS[random.nextInt(26)];
              case 1 -> GLYPHS[26 + random.nextInt(10)];
              default -> SMALL[random.nextInt(26)];
            };
        for (String strokes : glyph.split(" ", -1)) {
          double[] points = strokes.chars().mapToDouble(c -> c - '0').toArray();
          if (round && points.length > 4) {
            points = rounded(rounded(points));
          }
          line(points, x, top, wide / 2, letter / 4, lean, down, across, ink);
        }
        x += step;
      }
      x += step;
    }
  }

  /** Strokes in a square of 5 x 5 as in characters of Chinese: beams, posts, a box, sweeps. */
  private double[][] cluster() {
    double[][] strokes = new double[3 + random.nextInt(6)][];
    for (int i = 0; i < strokes.length; i++) {
      int a = random.nextInt(5);
      int b = random.nextInt(3);
      int c = b + 1 + random.nextInt(4 - b);
      strokes[i] =
          switch (random.nextInt(6)) {
            case 0, 1 -> new double[] {b, a, c, a};
            case 2, 3 -> new double[] {a, b, a, c};
            case 4 -> new double[] {b, b, c, b, c, c, b, c, b, b};
            default -> new double[] {a, b, a > 2 ? a - 2 : a + 2, c};
          };
    }
    return strokes;
  }

  /** Cuts corners (Chaikin, "An algorithm for high-speed curve generation", 1974). */
  private static double[] rounded(double[] points) {
    int n = points.length / 2;
    double[] out = new double[4 * n];
    out[0] = points[0];
    out[1] = points[1];
    int at = 2;
    for (int i = 0; i + 1 < n; i++) {
      for (int d = 0; d < 2; d++) {
        out[at + d] = 0.75 * points[2 * i + d] + 0.25 * points[2 * i + 2 + d];
        out[at + 2 + d] = 0.25 * points[2 * i + d] + 0.75 * points[2 * i + 2 + d];
      }
      at += 4;
    }
    out[at] = points[2 * n - 2];
    out[at + 1] = points[2 * n - 1];
    return out;
  }

  /** A pen that is wide where it goes down and narrow where it goes across, or the reverse. */
  private void line(
      double[] points,
      double x,
      double y,
      double unitX,
      double unitY,
      double lean,
      double down,
      double across,
      double[] ink) {
    for (int i = 0; i + 3 < points.length; i += 2) {
      double dx = Math.abs(points[i + 2] - points[i]) * unitX;
      double dy = Math.abs(points[i + 3] - points[i + 1]) * unitY;
      double pen = dx + dy > 0 ? (down * dy + across * dx) / (dx + dy) : down * 1.3;
      stroke(
          x + unitX * points[i] + lean * unitY * (4 - points[i + 1]),
          y + unitY * points[i + 1],
          x + unitX * points[i + 2] + lean * unitY * (4 - points[i + 3]),
          y + unitY * points[i + 3],
          pen,
          ink);
    }
  }

  private void stroke(double x0, double y0, double x1, double y1, double pen, double[] ink) {
    double dx = x1 - x0;
    double dy = y1 - y0;
    double square = dx * dx + dy * dy;
    int bottom = (int) Math.min(height - 1, Math.max(y0, y1) + pen + 1);
    int right = (int) Math.min(width - 1, Math.max(x0, x1) + pen + 1);
    for (int y = (int) Math.max(0, Math.min(y0, y1) - pen); y <= bottom; y++) {
      for (int x = (int) Math.max(0, Math.min(x0, x1) - pen); x <= right; x++) {
        double along =
            square == 0 ? 0 : Math.max(0, Math.min(1, ((x - x0) * dx + (y - y0) * dy) / square));
        double ex = x - x0 - along * dx;
        double ey = y - y0 - along * dy;
        double cover = Math.max(0, Math.min(1, pen / 2 + 0.5 - Math.sqrt(ex * ex + ey * ey)));
        for (int c = 0; c < channels; c++) {
          double old = levels[c][y * width + x];
          levels[c][y * width + x] = old + cover * (ink[c] - old);
        }
      }
    }
  }
}
