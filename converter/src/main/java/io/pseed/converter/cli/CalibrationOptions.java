package io.pseed.converter.cli;

import io.pseed.converter.command.CalibrationSettings;
import java.util.Optional;
import java.util.OptionalInt;
import picocli.CommandLine.Option;

/** Options that say what a model is calibrated with. */
final class CalibrationOptions {
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
              + " texts and 128 generated ones; 8 to 1024 generated ones alone, by the model's"
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

  /** What the options mean. */
  CalibrationSettings settings() {
    return new CalibrationSettings(
        Optional.ofNullable(data),
        none,
        count == null ? OptionalInt.empty() : OptionalInt.of(count));
  }
}
