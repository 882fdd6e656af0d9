package io.pseed.converter.cli;

import io.pseed.converter.command.InputSettings;
import io.pseed.converter.command.Wording;
import io.pseed.converter.inputs.InputFiles;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import picocli.CommandLine.Option;

/** Options that say how data becomes inputs of a model; the same for all commands. */
final class InputOptions {
  @Option(
      names = "--tokenizer",
      paramLabel = "FILE",
      description = "The model's tokenizer.json, for texts (default: the one beside the model).")
  Path tokenizer;

  @Option(
      names = "--input-shape",
      paramLabel = "NAME=DIMS",
      converter = {Converters.Name.class, Converters.Shape.class},
      description =
          "Shape of an input for images and generated inputs, for example x=1x3x48x?; may be"
              + " repeated.")
  Map<String, long[]> shapes = new LinkedHashMap<>();

  @Option(
      names = "--image-levels",
      paramLabel = "RULE",
      description =
          "What the model takes for pixels of images: imagenet (mean and deviation; default for three"
              + " channels), signed (-1 to 1; default for one), unit (0 to 1), bytes (0 to 255).")
  InputFiles.Levels levels;

  @Option(names = "--bgr", description = "The model takes blue first, as OpenCV reads images.")
  boolean blueFirst;

  /** What the options mean. */
  InputSettings settings() {
    return new InputSettings(
        Optional.ofNullable(tokenizer),
        shapes,
        Optional.ofNullable(levels),
        blueFirst,
        Wording.OPTIONS);
  }
}
