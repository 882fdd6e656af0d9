package io.pseed.converter.command;

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
import io.pseed.onnx.OrtRuntime;
import java.io.IOException;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.function.Consumer;

/** How data becomes inputs of a model, whatever it is for; the same for all commands. */
public final class InputSettings {
  /** A word for inputs that are made from the model's signature. */
  public static final String GENERATED = "generated";

  /** A word for texts that ship. */
  public static final String TEXTS = "texts";

  /** Runs with the user's own data. */
  static final int MOST = 512;

  private final Optional<Path> tokenizer;
  private final Map<String, long[]> shapes;
  private final Optional<InputFiles.Levels> levels;
  private final boolean blueFirst;
  private final Wording wording;
  private boolean told;

  /**
   * Settings.
   *
   * @param tokenizer the model's tokenizer; empty: the one beside the model
   * @param shapes shapes of inputs by name, -1 for open dimensions
   * @param levels what the model takes for pixels; empty for the default
   * @param blueFirst whether the model takes blue before red
   * @param wording what sentences call settings
   */
  public InputSettings(
      Optional<Path> tokenizer,
      Map<String, long[]> shapes,
      Optional<InputFiles.Levels> levels,
      boolean blueFirst,
      Wording wording) {
    this.tokenizer = tokenizer;
    this.shapes = new LinkedHashMap<>(shapes);
    this.levels = levels;
    this.blueFirst = blueFirst;
    this.wording = wording;
  }

  /** Whether data is a word for what pseed has, and no path. */
  public static boolean isWord(String data) {
    return data.equals(GENERATED) || data.equals(TEXTS);
  }

  /** What sentences call settings. */
  public Wording wording() {
    return wording;
  }

  /** Whether the user named a tokenizer. */
  boolean namesTokenizer() {
    return tokenizer.isPresent();
  }

  /** Shapes that the user gave. */
  Map<String, long[]> shapes() {
    return shapes;
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
      case IMAGES ->
          InputFiles.images(file, signature, shapes, levels.orElse(null), blueFirst, most);
      case TEXTS -> TextInputs.read(file, signature, tokenizer(model, say), most);
    };
  }

  /** The tokenizer that was named, or lies beside a model that takes tokens. */
  Optional<Path> anyTokenizer(OnnxModelSource model, InputSignature signature) {
    if (tokenizer.isPresent()) {
      return tokenizer;
    }
    return signature.takesTokens() ? InputFiles.tokenizerBeside(model.path()) : Optional.empty();
  }

  /** The tokenizer, which must be there; says once where it was found. */
  Path tokenizer(OnnxModelSource model, Consumer<String> say) throws CommandFailure {
    if (tokenizer.isPresent()) {
      return tokenizer.get();
    }
    Path found =
        InputFiles.tokenizerBeside(model.path())
            .orElseThrow(
                () ->
                    new CommandFailure(
                        "texts need the model's tokenizer.json, and there is none beside "
                            + model.path()
                            + "; say with "
                            + wording.of(Setting.TOKENIZER)
                            + " where it is"));
    if (!told) {
      told = true;
      say.accept("texts are cut by " + found + ", found beside the model");
    }
    return found;
  }

  /** Why inputs are generated where texts were expected. */
  String uncut(Throwable trouble) {
    return "inputs are generated instead of cut from texts: " + Failures.sentence(trouble, wording);
  }

  /** Sizes that the model takes are found by running it. */
  static GeneratedInputs thatRun(OnnxModelSource model, GeneratedInputs inputs)
      throws UnsupportedModelException {
    try (OrtSession.SessionOptions options = new OrtSession.SessionOptions()) {
      options.setSessionLogLevel(OrtLoggingLevel.ORT_LOGGING_LEVEL_FATAL);
      try (OrtSession session =
          OrtRuntime.environment().createSession(model.path().toString(), options)) {
        return inputs.thatRun(session);
      }
    } catch (OrtException e) {
      throw new UnsupportedModelException(
          "ONNX Runtime does not load the model (" + e.getMessage() + ")");
    }
  }
}
