package io.pseed.converter.inputs;

import java.awt.image.BufferedImage;

/**
 * Levels 0 to 255 by channel and pixel; the same arithmetic everywhere, which the JDK's scaling
 * does not promise.
 */
final class Raster {
  private final int height;
  private final int width;
  private final float[][] levels;

  Raster(int height, int width, int channels) {
    this.height = height;
    this.width = width;
    this.levels = new float[channels][Math.multiplyExact(height, width)];
  }

  /** The levels of an image on black; one channel is the luma of ITU-R BT.601. */
  static Raster of(BufferedImage image, int channels) {
    Raster raster = new Raster(image.getHeight(), image.getWidth(), channels);
    int[] row = new int[raster.width];
    for (int y = 0; y < raster.height; y++) {
      image.getRGB(0, y, raster.width, 1, row, 0, raster.width);
      for (int x = 0; x < raster.width; x++) {
        double opaque = (row[x] >>> 24) / 255.0;
        double red = (row[x] >> 16 & 0xFF) * opaque;
        double green = (row[x] >> 8 & 0xFF) * opaque;
        double blue = (row[x] & 0xFF) * opaque;
        int at = y * raster.width + x;
        if (channels == 1) {
          raster.levels[0][at] = (float) (0.299 * red + 0.587 * green + 0.114 * blue);
        } else {
          raster.levels[0][at] = (float) red;
          raster.levels[1][at] = (float) green;
          raster.levels[2][at] = (float) blue;
        }
      }
    }
    return raster;
  }

  float level(int channel, int pixel) {
    return levels[channel][pixel];
  }

  /** Scaled by a triangular filter that widens when an image shrinks. */
  Raster scaled(int newHeight, int newWidth) {
    Raster across = new Raster(height, newWidth, levels.length);
    double[][] columns = weights(width, newWidth);
    for (int c = 0; c < levels.length; c++) {
      for (int y = 0; y < height; y++) {
        for (int x = 0; x < newWidth; x++) {
          across.levels[c][y * newWidth + x] = sum(levels[c], y * width, 1, columns[x]);
        }
      }
    }
    Raster out = new Raster(newHeight, newWidth, levels.length);
    double[][] rows = weights(height, newHeight);
    for (int c = 0; c < levels.length; c++) {
      for (int y = 0; y < newHeight; y++) {
        for (int x = 0; x < newWidth; x++) {
          out.levels[c][y * newWidth + x] = sum(across.levels[c], x, newWidth, rows[y]);
        }
      }
    }
    return out;
  }

  /** {@code weights[0]} is the first source line; the others add up to 1. */
  private static float sum(float[] from, int start, int stride, double[] weights) {
    double sum = 0;
    int at = start + ((int) weights[0]) * stride;
    for (int i = 1; i < weights.length; i++) {
      sum += weights[i] * from[at];
      at += stride;
    }
    return (float) sum;
  }

  private static double[][] weights(int from, int to) {
    double ratio = (double) from / to;
    double reach = Math.max(1, ratio);
    double[][] weights = new double[to][];
    for (int i = 0; i < to; i++) {
      double centre = (i + 0.5) * ratio - 0.5;
      int first = Math.max(0, (int) Math.ceil(centre - reach));
      int last = Math.min(from - 1, (int) Math.floor(centre + reach));
      double[] row = new double[last - first + 2];
      double sum = 0;
      for (int j = first; j <= last; j++) {
        row[j - first + 1] = Math.max(0, 1 - Math.abs(j - centre) / reach);
        sum += row[j - first + 1];
      }
      for (int j = 1; j < row.length; j++) {
        row[j] /= sum;
      }
      row[0] = first;
      weights[i] = row;
    }
    return weights;
  }
}
