package io.pseed.converter.command;

import io.pseed.converter.calibrate.CalibrationInputs;
import io.pseed.converter.inputs.GeneratedInputs;
import io.pseed.converter.inputs.InputSignature;
import io.pseed.converter.inputs.JoinedInputs;
import io.pseed.converter.inputs.TextInputs;
import io.pseed.converter.inputs.UnsupportedModelException;
import io.pseed.converter.source.onnx.OnnxModelSource;
import java.io.IOException;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.function.Consumer;

/**
 * What a model is calibrated with, and the inputs that it means.
 *
 * @param data a path, a word of {@link InputSettings}, or empty for what suits the model
 * @param none whether the model is not run at all
 * @param count inputs at most; empty for the usual number
 */
public record CalibrationSettings(Optional<String> data, boolean none, OptionalInt count) {
  /** Generated inputs behind the shipped texts; they are longer and meet rarer tokens. */
  private static final int BESIDE_TEXTS = 128;

  /** Copies of each text with words replaced, and runs that they may fill up to. */
  private static final int COPIES = 2;

  private static final int MOST_WITH_COPIES = 1024;

  /** Whether the user said what to calibrate with, so that a failure is an error. */
  boolean explicit(InputSettings how) {
    return data.isPresent() || how.namesTokenizer() || count.isPresent() || !how.shapes().isEmpty();
  }

  /**
   * Opens the inputs.
   *
   * @param say takes sentences about what was found
   * @param note takes sentences that belong to the result
   * @throws IOException where data cannot be read or does not fit
   * @throws UnsupportedModelException where no inputs can be made
   */
  CalibrationInputs open(
      OnnxModelSource model, InputSettings how, Consumer<String> say, Consumer<String> note)
      throws IOException, UnsupportedModelException, CommandFailure {
    InputSignature signature = new InputSignature(model.graph());
    if (data.isEmpty()) {
      return usual(model, signature, how, say, note);
    }
    return switch (data.get()) {
      case InputSettings.GENERATED -> generated(model, signature, how);
      case InputSettings.TEXTS ->
          replaced(TextInputs.shipped(signature, how.tokenizer(model, say), most()));
      default -> replaced(how.read(data.get(), model, signature, most(), say));
    };
  }

  /** Of texts, as many copies with words replaced as there is room for. */
  private CalibrationInputs replaced(CalibrationInputs inputs) throws IOException {
    if (!(inputs instanceof TextInputs texts)) {
      return inputs;
    }
    int room = count.orElse(MOST_WITH_COPIES) / texts.size() - 1;
    return texts.withReplacedWords(Math.max(0, Math.min(COPIES, room)));
  }

  private int most() {
    return count.orElse(InputSettings.MOST);
  }

  private CalibrationInputs usual(
      OnnxModelSource model,
      InputSignature signature,
      InputSettings how,
      Consumer<String> say,
      Consumer<String> note)
      throws IOException, UnsupportedModelException, CommandFailure {
    if (how.anyTokenizer(model, signature).isPresent()) {
      try {
        return varied(model, signature, how, say);
      } catch (IOException | LinkageError e) {
        if (how.namesTokenizer()) {
          throw e;
        }
        note.accept(how.uncut(e));
      }
    }
    return generated(model, signature, how);
  }

  /** The shipped texts, and generated inputs behind them: better together than either alone. */
  private CalibrationInputs varied(
      OnnxModelSource model, InputSignature signature, InputSettings how, Consumer<String> say)
      throws IOException, UnsupportedModelException, CommandFailure {
    TextInputs texts = TextInputs.shipped(signature, how.tokenizer(model, say), most());
    int room =
        count.isEmpty() ? BESIDE_TEXTS : Math.min(BESIDE_TEXTS, count.getAsInt() - texts.size());
    return room <= 0
        ? texts
        : new JoinedInputs(texts, new GeneratedInputs(signature, how.shapes(), room));
  }

  private GeneratedInputs generated(
      OnnxModelSource model, InputSignature signature, InputSettings how)
      throws UnsupportedModelException {
    return InputSettings.thatRun(
        model, new GeneratedInputs(signature, how.shapes(), count.orElse(0)));
  }
}
