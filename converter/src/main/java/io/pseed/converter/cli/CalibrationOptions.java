package io.pseed.converter.cli;

import ai.onnxruntime.OrtEnvironment;
import ai.onnxruntime.OrtException;
import ai.onnxruntime.OrtLoggingLevel;
import ai.onnxruntime.OrtSession;
import io.pseed.converter.calibrate.CalibrationInputs;
import io.pseed.converter.inputs.GeneratedInputs;
import io.pseed.converter.inputs.InputFiles;
import io.pseed.converter.inputs.InputSignature;
import io.pseed.converter.inputs.JoinedInputs;
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

/** What a model is calibrated with: the options, and the inputs that they mean. */
final class CalibrationOptions {
  static final String GENERATED = "generated";
  static final String TEXTS = "texts";

  /** Runs with the user's own data. */
  private static final int MOST = 512;

  /** Generated inputs behind the shipped texts; they are longer and meet rarer tokens. */
  private static final int BESIDE_TEXTS = 128;

  @Option(
      names = "--calibrate",
      paramLabel = "DATA",
      description =
          "Inputs like those the model will meet: bits go where its outputs need them. Texts, one a"
              + " line (.txt); arrays named like the inputs (.npz, .npy, .safetensors); or a folder"
              + " of images. Or a word: 'texts', which ship with pseed, or 'generated', from the"
              + " model's signature. Default: generated, behind the texts where there is a tokenizer.json.")
  String data;

  @Option(
      names = "--no-calibration",
      description = "Do not run the model; spread bits without looking at what it computes.")
  boolean none;

  @Option(
      names = "--tokenizer",
      paramLabel = "FILE",
      description = "The model's tokenizer.json, for texts (default: the one beside the model).")
  Path tokenizer;

  @Option(
      names = "--calibration-inputs",
      paramLabel = "N",
      description =
          "Use at most N inputs, evenly spread over the data (default: 512 of your own; all shipped"
              + " texts and 128 generated ones; 8 to 256 generated ones alone, by the model's"
              + " size).")
  Integer count;

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

  /** A sentence where options contradict each other. */
  Optional<String> trouble(boolean planned) {
    if (none && (data != null || tokenizer != null || count != null)) {
      return Optional.of(
          "--no-calibration leaves nothing to do for --calibrate, --tokenizer and"
              + " --calibration-inputs; leave one of them away");
    }
    if (count != null && (count < 1 || count > 1_000_000)) {
      return Optional.of("--calibration-inputs is " + count + ", expected 1 to 1000000");
    }
    if (planned && data == null && (tokenizer != null || count != null)) {
      return Optional.of(
          "--plan is replayed without calibration; say with --calibrate what it was made with");
    }
    return Optional.empty();
  }

  /** Whether the user said what to calibrate with, so that a failure is an error. */
  boolean explicit() {
    return data != null || tokenizer != null || count != null || !shapes.isEmpty();
  }

  /**
   * Opens the inputs.
   *
   * @param say takes sentences about what was found
   * @param note takes sentences that belong to the result
   * @throws IOException where data cannot be read or does not fit
   * @throws UnsupportedModelException where no inputs can be made
   */
  CalibrationInputs open(OnnxModelSource model, Consumer<String> say, Consumer<String> note)
      throws IOException, UnsupportedModelException, CommandFailure {
    InputSignature signature = new InputSignature(model.graph());
    if (data == null) {
      return usual(model, signature, say, note);
    }
    return switch (data) {
      case GENERATED -> generated(model, signature);
      case TEXTS -> TextInputs.shipped(signature, tokenizer(model, say), most());
      default -> {
        Path file = Path.of(data);
        InputFiles.Kind kind = InputFiles.kind(file);
        yield switch (kind) {
          case ARRAYS -> InputFiles.arrays(file, signature, most());
          case IMAGES -> InputFiles.images(file, signature, shapes, levels, blueFirst, most());
          case TEXTS -> TextInputs.read(file, signature, tokenizer(model, say), most());
        };
      }
    };
  }

  private int most() {
    return count == null ? MOST : count;
  }

  private CalibrationInputs usual(
      OnnxModelSource model, InputSignature signature, Consumer<String> say, Consumer<String> note)
      throws IOException, UnsupportedModelException, CommandFailure {
    if (tokenizer != null) {
      return varied(signature, tokenizer);
    }
    Optional<Path> beside = InputFiles.tokenizerBeside(model.path());
    if (signature.takesTokens() && beside.isPresent()) {
      try {
        return varied(signature, tokenizer(model, say));
      } catch (IOException | LinkageError e) {
        note.accept("inputs are generated instead of cut from texts: " + Failures.sentence(e));
      }
    }
    return generated(model, signature);
  }

  /** The shipped texts, and generated inputs behind them: better together than either alone. */
  private CalibrationInputs varied(InputSignature signature, Path cutter)
      throws IOException, UnsupportedModelException {
    TextInputs texts = TextInputs.shipped(signature, cutter, most());
    int room = count == null ? BESIDE_TEXTS : Math.min(BESIDE_TEXTS, count - texts.size());
    return room <= 0
        ? texts
        : new JoinedInputs(texts, new GeneratedInputs(signature, shapes, room));
  }

  private GeneratedInputs generated(OnnxModelSource model, InputSignature signature)
      throws UnsupportedModelException {
    GeneratedInputs inputs = new GeneratedInputs(signature, shapes, count == null ? 0 : count);
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

  private Path tokenizer(OnnxModelSource model, Consumer<String> say)
      throws IOException, CommandFailure {
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
    say.accept("texts are cut by " + found + ", found beside the model");
    return found;
  }
}
