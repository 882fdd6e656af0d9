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
import java.util.List;
import java.util.Map;
import java.util.Random;

/**
 * Words drawn with the fonts of this machine, for models that read lines: what stands there is
 * known. No calibration meets them.
 */
final class DrawnWords {
  private static final int HEIGHT = 48;
  private static final int WIDTH = 320;
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
