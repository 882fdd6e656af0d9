package io.pseed.converter.inputs;

import ai.onnxruntime.OnnxTensor;
import ai.onnxruntime.OrtEnvironment;
import ai.onnxruntime.OrtException;
import io.pseed.converter.calibrate.CalibrationInputs;
import io.pseed.converter.inputs.InputFiles.Levels;
import io.pseed.converter.inputs.InputSignature.Input;
import java.awt.image.BufferedImage;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.stream.Stream;
import javax.imageio.ImageIO;
import javax.imageio.ImageReader;
import javax.imageio.stream.ImageInputStream;

/**
 * Images of a folder, one a run, in the order of their names, scaled to the input's size. Where the
 * model leaves sizes open, an image keeps its aspect: with one side given, the other follows; with
 * none, the longer side has at most {@value #LONGEST} pixels. Open sizes are multiples of 32.
 */
final class ImageInputs implements CalibrationInputs {
  private static final int LONGEST = 640;

  /** Widest and narrowest side that follows from a given one. */
  private static final int WIDEST = 1280;

  private static final int STEP = 32;

  /** Most pixels of a file, however small it is packed. */
  private static final long MOST_PIXELS = 100_000_000L;

  private static final List<String> SUFFIXES = List.of(".png", ".jpg", ".jpeg", ".bmp", ".gif");

  private final List<Path> files;
  private final Input input;
  private final boolean channelsLast;
  private final int channels;
  private final long[] shape;
  private final Levels levels;
  private final boolean blueFirst;
  private final String description;

  /**
   * Looks at the heads of all images.
   *
   * @param told shape of the input where the user knows better, -1 for open dimensions; null: as
   *     the model says
   * @param levels null for the default
   * @param blueFirst channels in the order blue, green, red
   * @param most images that are used, evenly spread over the folder
   * @throws InputException where the model takes no image, or a file is none
   */
  ImageInputs(
      Path folder,
      InputSignature signature,
      long[] told,
      Levels levels,
      boolean blueFirst,
      int most)
      throws IOException {
    if (signature.inputs().size() != 1) {
      throw new InputException(
          folder,
          "images can fill one input, but the model has "
              + signature.inputs().size()
              + " ("
              + signature.text()
              + "); give them as .npz");
    }
    input = signature.inputs().get(0);
    shape = told != null ? told : input.shape().stream().mapToLong(d -> d).toArray();
    boolean planes = shape.length == 4 && (shape[1] == 1 || shape[1] == 3);
    channelsLast = !planes && shape.length == 4 && (shape[3] == 1 || shape[3] == 3);
    if (levels == Levels.IMAGENET && (channelsLast ? shape[3] : planes ? shape[1] : 3) != 3) {
      throw new InputException(
          "--image-levels imagenet is for three channels, but the model's input is "
              + input.text()
              + "; use signed, unit or bytes");
    }
    if (shape.length != 4 || (!planes && !channelsLast) || shape[0] > 1) {
      throw new InputException(
          folder,
          "the model's input '"
              + input.name()
              + "' is "
              + InputSignature.label(input.type())
              + " "
              + InputSignature.text(shape)
              + ", expected [1, 3, height, width] or [1, height, width, 3] (or 1 channel) for"
              + " images; say what it takes with --input-shape, or give its inputs as .npz");
    }
    channels = (int) shape[channelsLast ? 3 : 1];
    Levels usual = !input.real() ? Levels.BYTES : channels == 3 ? Levels.IMAGENET : Levels.SIGNED;
    this.levels = levels == null ? usual : levels;
    this.blueFirst = blueFirst;
    List<Path> all = list(folder);
    int size = Math.min(most, all.size());
    files = new ArrayList<>();
    for (int i = 0; i < size; i++) {
      files.add(all.get((int) ((long) i * all.size() / size)));
    }
    for (Path file : files) {
      read(file, false);
    }
    description =
        String.format(
            "%s%d image%s of %s, levels %s%s",
            size < all.size() ? size + " of the " : "",
            all.size(),
            all.size() == 1 ? "" : "s",
            folder,
            this.levels.text(),
            channels == 1 ? "" : blueFirst ? ", blue first" : ", red first");
  }

  /** Whether a name is that of an image. */
  static boolean handles(Path file) {
    return SUFFIXES.stream().anyMatch(file.toString().toLowerCase(Locale.ROOT)::endsWith);
  }

  private static List<Path> list(Path folder) throws IOException {
    try (Stream<Path> entries = Files.list(folder)) {
      List<Path> images =
          entries.filter(ImageInputs::handles).filter(Files::isRegularFile).sorted().toList();
      if (images.isEmpty()) {
        throw new InputException(
            folder, "has no images; expected files that end in " + String.join(", ", SUFFIXES));
      }
      return images;
    }
  }

  /** Decodes an image; or only looks whether it seems to be one, and gives null. */
  private static BufferedImage read(Path file, boolean decode) throws IOException {
    try (ImageInputStream in = ImageIO.createImageInputStream(file.toFile())) {
      Iterator<ImageReader> readers = ImageIO.getImageReaders(in);
      if (!readers.hasNext()) {
        throw new InputException(
            file, "is no image that can be read; expected png, jpg, bmp or gif");
      }
      ImageReader reader = readers.next();
      try {
        reader.setInput(in, true, true);
        long pixels = (long) reader.getWidth(0) * reader.getHeight(0);
        if (pixels > MOST_PIXELS) {
          throw new InputException(
              file, "has " + pixels + " pixels, expected at most " + MOST_PIXELS);
        }
        return decode ? reader.read(0) : null;
      } finally {
        reader.dispose();
      }
    } catch (InputException e) {
      throw e;
    } catch (IOException | RuntimeException e) {
      throw new InputException(file, "the image cannot be decoded: " + e.getMessage(), e);
    }
  }

  @Override
  public String description() {
    return description;
  }

  @Override
  public Origin origin() {
    return Origin.GIVEN;
  }

  @Override
  public int size() {
    return files.size();
  }

  @Override
  public Map<String, OnnxTensor> make(OrtEnvironment environment, int index)
      throws IOException, OrtException {
    BufferedImage image = read(files.get(index), true);
    long openHeight = shape[channelsLast ? 1 : 2];
    long openWidth = shape[channelsLast ? 2 : 3];
    int[] size = size(image.getWidth(), image.getHeight(), openHeight, openWidth);
    Raster raster = Raster.of(image, channels).scaled(size[0], size[1]);
    int plane = size[0] * size[1];
    ByteBuffer values = Values.allocate(input.type(), (long) channels * plane);
    for (int i = 0; i < channels * plane; i++) {
      int channel = channelsLast ? i % channels : i / plane;
      int pixel = channelsLast ? i / channels : i % plane;
      int colour = blueFirst ? channels - 1 - channel : channel;
      // Mean and deviation go with the place of a channel, as in the models that take blue first.
      double value = levels.of(raster.level(colour, pixel), channel);
      if (input.real()) {
        Values.putReal(values, input.type(), value);
      } else {
        Values.putInteger(values, input.type(), Math.round(value));
      }
    }
    long[] made =
        channelsLast
            ? new long[] {1, size[0], size[1], channels}
            : new long[] {1, channels, size[0], size[1]};
    return Map.of(
        input.name(), OnnxTensor.createTensor(environment, values.flip(), made, input.type()));
  }

  /** Height and width for an image, where -1 leaves them open. */
  static int[] size(int width, int height, long wantedHeight, long wantedWidth) {
    double h = wantedHeight;
    double w = wantedWidth;
    if (h >= 0 && w >= 0) {
      return new int[] {(int) h, (int) w};
    }
    if (h >= 0) {
      return new int[] {(int) h, steps(h * width / height, WIDEST)};
    }
    if (w >= 0) {
      return new int[] {steps(w * height / width, WIDEST), (int) w};
    }
    double scale = Math.min(1, (double) LONGEST / Math.max(width, height));
    return new int[] {steps(height * scale, LONGEST), steps(width * scale, LONGEST)};
  }

  private static int steps(double side, int largest) {
    return (int) Math.max(STEP, Math.min(largest, Math.round(side / STEP) * STEP));
  }
}
