package io.pseed.converter.inputs;

import io.pseed.converter.calibrate.CalibrationInputs;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** Opens the user's inputs by what they are. */
public final class InputFiles {
  private InputFiles() {}

  /** What a path holds, by its name. */
  public enum Kind {
    ARRAYS,
    IMAGES,
    TEXTS
  }

  /**
   * What a path holds: a folder holds images; what is no file of arrays holds texts.
   *
   * @throws InputException where it seems to be something else
   */
  public static Kind kind(Path path) throws IOException {
    if (!Files.exists(path)) {
      throw new NoSuchFileException(path.toString());
    }
    if (Files.isDirectory(path)) {
      return Kind.IMAGES;
    }
    if (ArrayFiles.handles(path)) {
      return Kind.ARRAYS;
    }
    if (ImageInputs.handles(path)) {
      throw new InputException(path, "is one image; give the folder that it lies in");
    }
    return Kind.TEXTS;
  }

  /** Arrays; see {@link ArrayInputs} for what fits. */
  public static CalibrationInputs arrays(Path file, InputSignature signature, int most)
      throws IOException {
    return ArrayInputs.read(file, signature, most);
  }

  /**
   * Images of a folder.
   *
   * @param told shapes by input name, where the user knows better
   * @param levels null for the default
   */
  public static CalibrationInputs images(
      Path folder,
      InputSignature signature,
      Map<String, long[]> told,
      Levels levels,
      boolean blueFirst,
      int most)
      throws IOException {
    for (String name : told.keySet()) {
      if (signature.input(name) == null) {
        throw new InputException(
            "the model has no input '" + name + "'; its inputs are " + signature.names());
      }
    }
    long[] shape = told.values().stream().findFirst().orElse(null);
    return new ImageInputs(folder, signature, shape, levels, blueFirst, most);
  }

  /**
   * The tokenizer that lies with a model: {@code tokenizer.json} in its folder, {@code
   * NAME-tokenizer.json} beside {@code NAME.onnx}, or {@code tokenizer.json} above a folder {@code
   * onnx}, as in checkpoints of Hugging Face.
   */
  public static Optional<Path> tokenizerBeside(Path model) {
    Path file = model.toAbsolutePath();
    String stem = String.valueOf(file.getFileName()).replaceFirst("\\.onnx$", "");
    Path folder = file.getParent();
    if (folder == null) {
      return Optional.empty();
    }
    boolean inner = String.valueOf(folder.getFileName()).equals("onnx");
    List<Path> places =
        List.of(
            model.resolveSibling(stem + "-tokenizer.json"),
            model.resolveSibling("tokenizer.json"),
            inner
                ? folder.resolveSibling("tokenizer.json")
                : model.resolveSibling("tokenizer.json"));
    return places.stream().filter(Files::isRegularFile).findFirst();
  }

  /** How an 8-bit level becomes the number that a model takes. */
  public enum Levels {
    /** 0 to 1, less the mean and by the deviation of ImageNet's channels. */
    IMAGENET("by ImageNet's mean and deviation"),
    /** 0 to 1. */
    UNIT("0 to 1"),
    /** -1 to 1. */
    SIGNED("-1 to 1"),
    /** 0 to 255. */
    BYTES("0 to 255");

    private static final double[] MEAN = {0.485, 0.456, 0.406};
    private static final double[] DEVIATION = {0.229, 0.224, 0.225};

    private final String text;

    Levels(String text) {
      this.text = text;
    }

    String text() {
      return text;
    }

    double of(double level, int channel) {
      return switch (this) {
        case IMAGENET -> (level / 255 - MEAN[channel]) / DEVIATION[channel];
        case UNIT -> level / 255;
        case SIGNED -> level / 127.5 - 1;
        case BYTES -> level;
      };
    }
  }
}
