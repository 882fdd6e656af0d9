package io.pseed.converter.demo;

import ai.onnxruntime.OnnxTensor;
import ai.onnxruntime.OrtEnvironment;
import ai.onnxruntime.OrtException;
import java.awt.Color;
import java.awt.GradientPaint;
import java.awt.Graphics2D;
import java.awt.RenderingHints;
import java.awt.geom.Path2D;
import java.awt.image.BufferedImage;
import java.nio.FloatBuffer;
import java.util.Random;

/**
 * Pictures of one object before something that is none, for models that cut objects out: where it
 * stands is known. No calibration meets them.
 */
final class DrawnObjects {
  private static final long SEED = 20_261_129;

  /** Neighbouring seeds give numbers that are alike. */
  private static final long SPREAD = 0x9E3779B97F4A7C15L;

  private static final int CORNERS = 128;
  private static final int CLUTTER = 40;
  private static final int STRIPES = 12;

  /** A mask says that an object is there. */
  private static final double THERE = 0.5;

  private final int count;
  private final int side;

  /**
   * Pictures to be drawn.
   *
   * @param side of each, in pixels
   */
  DrawnObjects(int count, int side) {
    this.count = count;
    this.side = side;
  }

  int count() {
    return count;
  }

  /**
   * A picture.
   *
   * @param picture [1, 3, side, side], -0.5 to 0.5
   * @param inside which pixels are the object's, row by row
   */
  @SuppressWarnings("ArrayRecordComponent") // Made, read and dropped; nothing compares them.
  record Scene(OnnxTensor picture, boolean[] inside) {}

  /** Picture {@code index}; the caller closes it. */
  Scene scene(OrtEnvironment environment, int index) throws OrtException {
    Random random = new Random((SEED + index) * SPREAD);
    Path2D outline = outline(random);
    boolean bright = random.nextBoolean();
    BufferedImage image = new BufferedImage(side, side, BufferedImage.TYPE_INT_RGB);
    Graphics2D g = smooth(image);
    g.setPaint(shades(random, !bright));
    g.fillRect(0, 0, side, side);
    for (int i = 0; i < CLUTTER; i++) {
      g.setColor(faint(random));
      g.fillOval(at(random), at(random), 1 + at(random) / 4, 1 + at(random) / 4);
    }
    g.setPaint(shades(random, bright));
    g.fill(outline);
    g.setClip(outline);
    for (int i = 0; i < STRIPES; i++) {
      g.setColor(faint(random));
      g.fillRect(0, at(random), side, 1 + at(random) / 32);
    }
    g.dispose();
    BufferedImage mask = new BufferedImage(side, side, BufferedImage.TYPE_INT_RGB);
    Graphics2D m = mask.createGraphics();
    m.setColor(Color.WHITE);
    m.fill(outline);
    m.dispose();
    int pixels = side * side;
    int[] colours = image.getRGB(0, 0, side, side, null, 0, side);
    int[] drawn = mask.getRGB(0, 0, side, side, null, 0, side);
    float[] levels = new float[3 * pixels];
    boolean[] inside = new boolean[pixels];
    for (int i = 0; i < pixels; i++) {
      for (int c = 0; c < 3; c++) {
        levels[c * pixels + i] = (colours[i] >> (16 - 8 * c) & 0xFF) / 256f - 0.5f;
      }
      inside[i] = (drawn[i] & 0xFF) != 0;
    }
    return new Scene(
        OnnxTensor.createTensor(
            environment, FloatBuffer.wrap(levels), new long[] {1, 3, side, side}),
        inside);
  }

  /** What two sets of pixels share of what they cover: 1 where they are the same. */
  static double overlap(FloatBuffer mask, boolean[] inside) {
    long both = 0;
    long any = 0;
    for (int i = 0; i < inside.length; i++) {
      boolean found = mask.get(mask.position() + i) > THERE;
      both += found && inside[i] ? 1 : 0;
      any += found || inside[i] ? 1 : 0;
    }
    return any == 0 ? 1 : (double) both / any;
  }

  private static Graphics2D smooth(BufferedImage image) {
    Graphics2D g = image.createGraphics();
    g.setRenderingHint(RenderingHints.KEY_ANTIALIASING, RenderingHints.VALUE_ANTIALIAS_ON);
    return g;
  }

  private int at(Random random) {
    return random.nextInt(side);
  }

  /** A round thing with bays, of a quarter to a half of the side. */
  private Path2D outline(Random random) {
    double radius = side * (0.16 + 0.1 * random.nextDouble());
    double x = side * (0.35 + 0.3 * random.nextDouble());
    double y = side * (0.35 + 0.3 * random.nextDouble());
    double[] amplitude = new double[6];
    double[] phase = new double[6];
    for (int k = 1; k < 6; k++) {
      amplitude[k] = 0.25 * random.nextDouble() / k;
      phase[k] = 2 * Math.PI * random.nextDouble();
    }
    Path2D path = new Path2D.Double();
    for (int i = 0; i < CORNERS; i++) {
      double angle = 2 * Math.PI * i / CORNERS;
      double r = 1;
      for (int k = 1; k < 6; k++) {
        r += amplitude[k] * Math.cos(k * angle + phase[k]);
      }
      double px = x + radius * r * Math.cos(angle);
      double py = y + radius * r * Math.sin(angle);
      if (i == 0) {
        path.moveTo(px, py);
      } else {
        path.lineTo(px, py);
      }
    }
    path.closePath();
    return path;
  }

  private GradientPaint shades(Random random, boolean bright) {
    return new GradientPaint(0, 0, shade(random, bright), at(random), side, shade(random, bright));
  }

  private static Color shade(Random random, boolean bright) {
    int low = bright ? 150 : 20;
    return new Color(low + random.nextInt(90), low + random.nextInt(90), low + random.nextInt(90));
  }

  private static Color faint(Random random) {
    return new Color(random.nextInt(256), random.nextInt(256), random.nextInt(256), 30);
  }
}
