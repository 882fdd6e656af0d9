package io.pseed.samples.ocr;

import ai.onnxruntime.OnnxTensor;
import ai.onnxruntime.OrtEnvironment;
import ai.onnxruntime.OrtException;
import ai.onnxruntime.OrtSession;
import io.pseed.onnx.PseedSession;
import java.awt.Graphics2D;
import java.awt.Rectangle;
import java.awt.RenderingHints;
import java.awt.image.BufferedImage;
import java.nio.FloatBuffer;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.Deque;
import java.util.List;
import java.util.Map;
import javax.imageio.ImageIO;

/**
 * Reads the lines of text in a picture: {@code Ocr [FILE.png]}; without a file, of one it draws.
 */
public final class Ocr implements AutoCloseable {
  private static final float[] IMAGENET_MEAN = {0.485f, 0.456f, 0.406f};
  private static final float[] IMAGENET_DEVIATION = {0.229f, 0.224f, 0.225f};
  private static final float[] HALF = {0.5f, 0.5f, 0.5f};

  /** The detector takes sides that are multiples of this. */
  private static final int GRID = 32;

  /** The reader takes lines of this height. */
  private static final int LINE_HEIGHT = 48;

  /** Pixels that the detector is surer of than this are text. */
  private static final float TEXT = 0.3f;

  /** Smaller spots are no line. */
  private static final int SMALLEST = 5;

  /** The detector marks the core of a line; so much more of its area goes with it. */
  private static final double AROUND = 1.6;

  private final OrtSession detector;
  private final OrtSession reader;
  private final List<String> characters;

  Ocr(OrtSession detector, OrtSession reader) throws OrtException {
    this.detector = detector;
    this.reader = reader;
    this.characters =
        reader.getMetadata().getCustomMetadataValue("character").orElseThrow().lines().toList();
  }

  public static void main(String[] args) throws Exception {
    BufferedImage picture =
        args.length > 0 ? ImageIO.read(Path.of(args[0]).toFile()) : Receipt.draw();
    try (Ocr ocr =
        new Ocr(
            PseedSession.open(Ocr.class, "/detect.pseed"),
            PseedSession.open(Ocr.class, "/read.pseed"))) {
      ocr.lines(picture).forEach(System.out::println);
    }
  }

  /** What stands in the picture, from top to bottom. */
  List<String> lines(BufferedImage picture) throws OrtException {
    List<String> lines = new ArrayList<>();
    for (Rectangle place : places(picture)) {
      lines.add(read(picture.getSubimage(place.x, place.y, place.width, place.height)));
    }
    return lines;
  }

  /** Where lines of text are: spots of the detector's map, in this picture's pixels. */
  private List<Rectangle> places(BufferedImage picture) throws OrtException {
    int width = (picture.getWidth() + GRID - 1) / GRID * GRID;
    int height = (picture.getHeight() + GRID - 1) / GRID * GRID;
    float[] map =
        run(detector, scaled(picture, width, height), IMAGENET_MEAN, IMAGENET_DEVIATION).values;
    Rectangle all = new Rectangle(picture.getWidth(), picture.getHeight());
    List<Rectangle> places = new ArrayList<>();
    for (int i = 0; i < map.length; i++) {
      if (map[i] > TEXT) {
        Rectangle spot = spot(map, width, i);
        if (Math.min(spot.width, spot.height) >= SMALLEST) {
          int more = (int) (AROUND * spot.width * spot.height / (2 * (spot.width + spot.height)));
          spot.grow(more, more);
          double x = (double) picture.getWidth() / width;
          double y = (double) picture.getHeight() / height;
          places.add(
              new Rectangle(
                      (int) (spot.x * x),
                      (int) (spot.y * y),
                      (int) (spot.width * x),
                      (int) (spot.height * y))
                  .intersection(all));
        }
      }
    }
    places.sort(Comparator.comparingInt((Rectangle r) -> r.y).thenComparingInt(r -> r.x));
    return places;
  }

  /** The box around the connected pixels of text at {@code start}, which are wiped out. */
  private static Rectangle spot(float[] map, int width, int start) {
    Rectangle box = new Rectangle(start % width, start / width, 1, 1);
    Deque<Integer> open = new ArrayDeque<>(List.of(start));
    map[start] = 0;
    while (!open.isEmpty()) {
      int at = open.pop();
      box.add(new Rectangle(at % width, at / width, 1, 1));
      for (int next : new int[] {at - 1, at + 1, at - width, at + width}) {
        boolean sameRow = next / width == at / width;
        boolean inside = next >= 0 && next < map.length;
        if (inside && (sameRow || Math.abs(next - at) == width) && map[next] > TEXT) {
          map[next] = 0;
          open.push(next);
        }
      }
    }
    return box;
  }

  /** The likeliest character at each place; repetitions count once, blanks (class 0) never. */
  private String read(BufferedImage line) throws OrtException {
    int width = Math.max(1, line.getWidth() * LINE_HEIGHT / line.getHeight());
    Output output = run(reader, scaled(line, width, LINE_HEIGHT), HALF, HALF);
    int classes = (int) output.shape[2];
    StringBuilder text = new StringBuilder();
    int before = 0;
    for (int at = 0; at < output.values.length; at += classes) {
      int best = 0;
      for (int c = 1; c < classes; c++) {
        best = output.values[at + c] > output.values[at + best] ? c : best;
      }
      if (best != before && best > 0) {
        text.append(best <= characters.size() ? characters.get(best - 1) : " ");
      }
      before = best;
    }
    return text.toString().strip();
  }

  private static BufferedImage scaled(BufferedImage picture, int width, int height) {
    BufferedImage scaled = new BufferedImage(width, height, BufferedImage.TYPE_INT_RGB);
    Graphics2D g = scaled.createGraphics();
    g.setRenderingHint(
        RenderingHints.KEY_INTERPOLATION, RenderingHints.VALUE_INTERPOLATION_BILINEAR);
    g.drawImage(picture, 0, 0, width, height, null);
    g.dispose();
    return scaled;
  }

  private record Output(float[] values, long[] shape) {}

  /** PP-OCR takes [1, 3, height, width], blue before red. */
  private static Output run(
      OrtSession session, BufferedImage picture, float[] mean, float[] deviation)
      throws OrtException {
    int width = picture.getWidth();
    int pixels = width * picture.getHeight();
    float[] input = new float[3 * pixels];
    for (int i = 0; i < pixels; i++) {
      int rgb = picture.getRGB(i % width, i / width);
      for (int c = 0; c < 3; c++) {
        input[c * pixels + i] = (((rgb >> (8 * c)) & 255) / 255f - mean[c]) / deviation[c];
      }
    }
    String name = session.getInputNames().iterator().next();
    try (OnnxTensor tensor =
            OnnxTensor.createTensor(
                OrtEnvironment.getEnvironment(),
                FloatBuffer.wrap(input),
                new long[] {1, 3, picture.getHeight(), width});
        OrtSession.Result result = session.run(Map.of(name, tensor))) {
      OnnxTensor output = (OnnxTensor) result.get(0);
      float[] values = new float[output.getFloatBuffer().remaining()];
      output.getFloatBuffer().get(values);
      return new Output(values, output.getInfo().getShape());
    }
  }

  @Override
  public void close() throws OrtException {
    detector.close();
    reader.close();
  }
}
