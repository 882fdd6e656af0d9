package io.pseed.converter.cli;

import ai.onnxruntime.OrtEnvironment;
import ai.onnxruntime.OrtException;
import ai.onnxruntime.OrtLoggingLevel;
import ai.onnxruntime.OrtSession;
import io.pseed.converter.calibrate.CalibrationInputs;
import io.pseed.converter.inputs.GeneratedInputs;
import io.pseed.converter.inputs.InputFiles;
import io.pseed.converter.inputs.InputSignature;
import io.pseed.converter.inputs.TextInputs;
import io.pseed.converter.inputs.UnsupportedModelException;
import io.pseed.converter.source.onnx.OnnxModelSource;
import java.io.IOException;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.function.Consumer;
import picocli.CommandLine.Option;

/** How data becomes inputs of a model, whatever it is for; the same for all commands. */
final class InputOptions {
  /** A word for inputs that are made from the model's signature. */
  static final String GENERATED = "generated";

  /** A word for texts that ship. */
  static final String TEXTS = "texts";

  /** Runs with the user's own data. */
  static final int MOST = 512;

  @Option(
      names = "--tokenizer",
      paramLabel = "FILE",
      description = "The model's tokenizer.json, for texts (default: the one beside the model).")
  Path tokenizer;

  @Option(
      names = "--input-shape",
      paramLabel = "NAME=DIMS",
      converter = {Units.NameConverter.class, Units.ShapeConverter.class},
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

  private boolean told;

  /** Whether data is a word for what pseed has, and no path. */
  static boolean isWord(String data) {
    return data.equals(GENERATED) || data.equals(TEXTS);
  }

  /**
   * Opens the user's data.
   *
   * @param data a path
   * @param most inputs that are used
   * @param say takes sentences about what was found
   */
  CalibrationInputs read(
      String data, OnnxModelSource model, InputSignature signature, int most, Consumer<String> say)
      throws IOException, CommandFailure {
    Path file = Path.of(data);
    return switch (InputFiles.kind(file)) {
      case ARRAYS -> InputFiles.arrays(file, signature, most);
      case IMAGES -> InputFiles.images(file, signature, shapes, levels, blueFirst, most);
      case TEXTS -> TextInputs.read(file, signature, tokenizer(model, say), most);
    };
  }

  /** The tokenizer that was named, or lies beside a model that takes tokens. */
  Optional<Path> anyTokenizer(OnnxModelSource model, InputSignature signature) {
    if (tokenizer != null) {
      return Optional.of(tokenizer);
    }
    return signature.takesTokens() ? InputFiles.tokenizerBeside(model.path()) : Optional.empty();
  }

  /** The tokenizer, which must be there; says once where it was found. */
  Path tokenizer(OnnxModelSource model, Consumer<String> say) throws CommandFailure {
    if (tokenizer != null) {
      return tokenizer;
    }
    Path found =
        InputFiles.tokenizerBeside(model.path())
            .orElseThrow(
                () ->
                    new CommandFailure(
                        "texts need the model's tokenizer.json, and there is none beside "
                            + model.path()
                            + "; say with --tokenizer where it is"));
    if (!told) {
      told = true;
      say.accept("texts are cut by " + found + ", found beside the model");
    }
    return found;
  }

  /** Why inputs are generated where texts were expected. */
  static String uncut(Throwable trouble) {
    return "inputs are generated instead of cut from texts: " + Failures.sentence(trouble);
  }

  /** Sizes that the model takes are found by running it. */
  static GeneratedInputs thatRun(OnnxModelSource model, GeneratedInputs inputs)
      throws UnsupportedModelException {
    try (OrtSession.SessionOptions options = new OrtSession.SessionOptions()) {
      options.setSessionLogLevel(OrtLoggingLevel.ORT_LOGGING_LEVEL_FATAL);
      try (OrtSession session =
          OrtEnvironment.getEnvironment().createSession(model.path().toString(), options)) {
        return inputs.thatRun(session);
      }
    } catch (OrtException e) {
      throw new UnsupportedModelException(
          "ONNX Runtime does not load the model (" + e.getMessage() + ")");
    }
  }
}
