package io.pseed.converter.demo;

import ai.onnxruntime.OnnxTensor;
import ai.onnxruntime.OrtEnvironment;
import ai.onnxruntime.OrtException;
import ai.onnxruntime.OrtSession;
import java.awt.Color;
import java.awt.Font;
import java.awt.Graphics2D;
import java.awt.RenderingHints;
import java.awt.image.BufferedImage;
import java.nio.FloatBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;

/**
 * Words drawn with the fonts of this machine, for models that read lines or find them on a page:
 * what stands there, and where, is known. No calibration meets them.
 */
final class DrawnWords {
  private static final int HEIGHT = 48;
  private static final int WIDTH = 320;
  private static final int PAGE = 320;
  private static final int LINES = 5;

  /** Of a page; what the models that find text were trained with. */
  private static final double[] MEAN = {0.485, 0.456, 0.406};

  private static final double[] DEVIATION = {0.229, 0.224, 0.225};

  /** What finders of text take for text by default (PaddleOCR's det_db_thresh). */
  private static final double TEXT = 0.3;

  private static final long SEED = 20_261_107;

  /** Neighbouring seeds give numbers that are alike. */
  private static final long SPREAD = 0x9E3779B97F4A7C15L;

  private static final List<String> FONTS = List.of(Font.SANS_SERIF, Font.SERIF, Font.MONOSPACED);

  private final int count;

  DrawnWords(int count) {
    this.count = count;
  }

  int count() {
    return count;
  }

  /** The words of picture {@code index}: small letters, capitals or digits. */
  String text(int index) {
    Random random = new Random((SEED + index) * SPREAD);
    StringBuilder text = new StringBuilder();
    int kind = random.nextInt(4);
    for (int n = 5 + random.nextInt(7); n > 0; n--) {
      text.append(
          (char)
              (kind == 0
                  ? '0' + random.nextInt(10)
                  : (kind == 1 ? 'A' : 'a') + random.nextInt(26)));
    }
    return text.toString();
  }

  /** Picture {@code index} as -1 to 1, colours first. */
  OnnxTensor picture(OrtEnvironment environment, int index) throws OrtException {
    Random random = new Random((SEED - 1 - index) * SPREAD);
    BufferedImage image = new BufferedImage(WIDTH, HEIGHT, BufferedImage.TYPE_INT_RGB);
    Graphics2D g = image.createGraphics();
    g.setRenderingHint(
        RenderingHints.KEY_TEXT_ANTIALIASING, RenderingHints.VALUE_TEXT_ANTIALIAS_ON);
    boolean dark = random.nextInt(3) == 0;
    int paper = dark ? random.nextInt(80) : 180 + random.nextInt(76);
    int ink = dark ? 190 + random.nextInt(66) : random.nextInt(80);
    g.setColor(new Color(paper, paper, paper));
    g.fillRect(0, 0, WIDTH, HEIGHT);
    g.setColor(new Color(ink, ink, ink));
    g.setFont(new Font(FONTS.get(random.nextInt(3)), random.nextInt(2), 24 + random.nextInt(10)));
    g.drawString(text(index), 4 + random.nextInt(8), 33 + random.nextInt(5));
    g.dispose();
    float[] x = new float[3 * HEIGHT * WIDTH];
    for (int i = 0; i < HEIGHT * WIDTH; i++) {
      int pixel = image.getRGB(i % WIDTH, i / WIDTH);
      for (int c = 0; c < 3; c++) {
        double level = (pixel >> (16 - 8 * c)) & 255;
        x[c * HEIGHT * WIDTH + i] = (float) ((level + 3 * random.nextGaussian()) / 127.5 - 1);
      }
    }
    return OnnxTensor.createTensor(
        environment, FloatBuffer.wrap(x), new long[] {1, 3, HEIGHT, WIDTH});
  }

  /**
   * A page of a few words.
   *
   * @param picture as a model takes it, colours first
   * @param boxes x, y, width and height of each word
   */
  record Page(OnnxTensor picture, List<int[]> boxes) {
    Page {
      boxes = List.copyOf(boxes);
    }
  }

  /** Page {@code index}: words on lines of their own, each at another place and of another size. */
  Page page(OrtEnvironment environment, int index) throws OrtException {
    Random random = new Random((SEED / 2 - index) * SPREAD);
    BufferedImage image = new BufferedImage(PAGE, PAGE, BufferedImage.TYPE_INT_RGB);
    Graphics2D g = image.createGraphics();
    g.setRenderingHint(
        RenderingHints.KEY_TEXT_ANTIALIASING, RenderingHints.VALUE_TEXT_ANTIALIAS_ON);
    boolean dark = random.nextInt(3) == 0;
    int paper = dark ? random.nextInt(80) : 180 + random.nextInt(76);
    int ink = dark ? 190 + random.nextInt(66) : random.nextInt(80);
    g.setColor(new Color(paper, paper, paper));
    g.fillRect(0, 0, PAGE, PAGE);
    g.setColor(new Color(ink, ink, ink));
    List<int[]> boxes = new ArrayList<>();
    int line = PAGE / LINES;
    for (int i = 0; i < LINES; i++) {
      String text = text(index * LINES + i);
      Font font =
          new Font(FONTS.get(random.nextInt(3)), random.nextInt(2), 14 + random.nextInt(14));
      g.setFont(font);
      int width = g.getFontMetrics().stringWidth(text);
      int x = 8 + random.nextInt(Math.max(1, PAGE - 16 - width));
      int y = line * i + line / 2 + font.getSize() / 2 - 4 + random.nextInt(8);
      g.drawString(text, x, y);
      // Letters without what hangs below the line.
      boxes.add(new int[] {x, y - font.getSize() * 2 / 3, width, font.getSize() * 2 / 3});
    }
    g.dispose();
    float[] x = new float[3 * PAGE * PAGE];
    for (int i = 0; i < PAGE * PAGE; i++) {
      int pixel = image.getRGB(i % PAGE, i / PAGE);
      for (int c = 0; c < 3; c++) {
        double level = ((pixel >> (16 - 8 * c)) & 255) + 3 * random.nextGaussian();
        x[c * PAGE * PAGE + i] = (float) ((level / 255 - MEAN[c]) / DEVIATION[c]);
      }
    }
    return new Page(
        OnnxTensor.createTensor(environment, FloatBuffer.wrap(x), new long[] {1, 3, PAGE, PAGE}),
        boxes);
  }

  /**
   * How many words a map of text has found: those along whose middle at least three quarters count
   * as text.
   *
   * @param map likelihood of text at each pixel of a page
   */
  static int found(FloatBuffer map, List<int[]> boxes) {
    int found = 0;
    for (int[] box : boxes) {
      int y = box[1] + box[3] / 2;
      int inside = 0;
      for (int x = box[0]; x < box[0] + box[2]; x++) {
        inside += map.get(y * PAGE + x) > TEXT ? 1 : 0;
      }
      found += 4 * inside >= 3 * box[2] ? 1 : 0;
    }
    return found;
  }

  /**
   * Reads the classes of a line: the likeliest at each place, repetitions once, blanks (0) never.
   *
   * @param dictionary one character a line; class 1 is the first
   */
  static String read(float[] classes, int width, List<String> dictionary) {
    StringBuilder text = new StringBuilder();
    int before = 0;
    for (int t = 0; t < classes.length / width; t++) {
      int best = 0;
      for (int c = 1; c < width; c++) {
        best = classes[t * width + c] > classes[t * width + best] ? c : best;
      }
      if (best != before && best > 0) {
        text.append(best <= dictionary.size() ? dictionary.get(best - 1) : " ");
      }
      before = best;
    }
    return text.toString();
  }

  /** What a session reads on a picture. */
  static String read(OrtSession session, OnnxTensor picture, List<String> dictionary)
      throws OrtException {
    String name = session.getInputNames().iterator().next();
    try (OrtSession.Result result = session.run(Map.of(name, picture))) {
      OnnxTensor classes = (OnnxTensor) result.get(0);
      FloatBuffer buffer = classes.getFloatBuffer();
      float[] all = new float[buffer.remaining()];
      buffer.get(all);
      long[] shape = classes.getInfo().getShape();
      return read(all, (int) shape[shape.length - 1], dictionary);
    }
  }
}
