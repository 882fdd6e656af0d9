package io.pseed.converter.cli;

import io.pseed.converter.calibrate.CalibrationInputs;
import io.pseed.converter.inputs.GeneratedInputs;
import io.pseed.converter.inputs.InputSignature;
import io.pseed.converter.inputs.JoinedInputs;
import io.pseed.converter.inputs.TextInputs;
import io.pseed.converter.inputs.UnsupportedModelException;
import io.pseed.converter.source.onnx.OnnxModelSource;
import java.io.IOException;
import java.util.Optional;
import java.util.function.Consumer;
import picocli.CommandLine.Option;

/** What a model is calibrated with: the options, and the inputs that they mean. */
final class CalibrationOptions {
  /** Generated inputs behind the shipped texts; they are longer and meet rarer tokens. */
  private static final int BESIDE_TEXTS = 128;

  /** Copies of each text with words replaced, and runs that they may fill up to. */
  private static final int COPIES = 2;

  private static final int MOST_WITH_COPIES = 1024;

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
      names = "--calibration-inputs",
      paramLabel = "N",
      description =
          "Use at most N inputs, evenly spread over the data (default: 512 of your own, and of texts"
              + " up to two copies with half of the words replaced, 1024 runs in all; all shipped"
              + " texts and 128 generated ones; 8 to 256 generated ones alone, by the model's"
              + " size).")
  Integer count;

  /**
   * A sentence where options contradict each other.
   *
   * @param planned whether a plan is replayed
   * @param judges whether the command judges, so that a tokenizer is of use without calibration
   */
  Optional<String> trouble(InputOptions how, boolean planned, boolean judges) {
    boolean idle = count != null || (how.tokenizer != null && !judges);
    if (none && (data != null || idle)) {
      return Optional.of(
          "--no-calibration leaves nothing to do for --calibrate, --tokenizer and"
              + " --calibration-inputs; leave one of them away");
    }
    if (count != null && (count < 1 || count > 1_000_000)) {
      return Optional.of("--calibration-inputs is " + count + ", expected 1 to 1000000");
    }
    if (planned && data == null && idle) {
      return Optional.of(
          "--plan is replayed without calibration; say with --calibrate what it was made with");
    }
    return Optional.empty();
  }

  /** Whether the user said what to calibrate with, so that a failure is an error. */
  boolean explicit(InputOptions how) {
    return data != null || how.tokenizer != null || count != null || !how.shapes.isEmpty();
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
      OnnxModelSource model, InputOptions how, Consumer<String> say, Consumer<String> note)
      throws IOException, UnsupportedModelException, CommandFailure {
    InputSignature signature = new InputSignature(model.graph());
    if (data == null) {
      return usual(model, signature, how, say, note);
    }
    return switch (data) {
      case InputOptions.GENERATED -> generated(model, signature, how);
      case InputOptions.TEXTS ->
          replaced(TextInputs.shipped(signature, how.tokenizer(model, say), most()));
      default -> replaced(how.read(data, model, signature, most(), say));
    };
  }

  /** Of texts, as many copies with words replaced as there is room for. */
  private CalibrationInputs replaced(CalibrationInputs inputs) throws IOException {
    if (!(inputs instanceof TextInputs texts)) {
      return inputs;
    }
    int room = (count == null ? MOST_WITH_COPIES : count) / texts.size() - 1;
    return texts.withReplacedWords(Math.max(0, Math.min(COPIES, room)));
  }

  private int most() {
    return count == null ? InputOptions.MOST : count;
  }

  private CalibrationInputs usual(
      OnnxModelSource model,
      InputSignature signature,
      InputOptions how,
      Consumer<String> say,
      Consumer<String> note)
      throws IOException, UnsupportedModelException, CommandFailure {
    if (how.anyTokenizer(model, signature).isPresent()) {
      try {
        return varied(model, signature, how, say);
      } catch (IOException | LinkageError e) {
        if (how.tokenizer != null) {
          throw e;
        }
        note.accept(InputOptions.uncut(e));
      }
    }
    return generated(model, signature, how);
  }

  /** The shipped texts, and generated inputs behind them: better together than either alone. */
  private CalibrationInputs varied(
      OnnxModelSource model, InputSignature signature, InputOptions how, Consumer<String> say)
      throws IOException, UnsupportedModelException, CommandFailure {
    TextInputs texts = TextInputs.shipped(signature, how.tokenizer(model, say), most());
    int room = count == null ? BESIDE_TEXTS : Math.min(BESIDE_TEXTS, count - texts.size());
    return room <= 0
        ? texts
        : new JoinedInputs(texts, new GeneratedInputs(signature, how.shapes, room));
  }

  private GeneratedInputs generated(
      OnnxModelSource model, InputSignature signature, InputOptions how)
      throws UnsupportedModelException {
    return InputOptions.thatRun(
        model, new GeneratedInputs(signature, how.shapes, count == null ? 0 : count));
  }
}
