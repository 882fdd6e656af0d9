package io.pseed.converter.cli;

import java.nio.file.Path;
import picocli.CommandLine;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;

/** Options that say who judges; the same for all commands that judge. */
final class JudgeOptions {
  @Option(
      names = "--judge",
      paramLabel = "TEXTS",
      description =
          "Texts, one a line, that judge; calibration must not have seen them. Needs --tokenizer."
              + " Without them inputs are generated, and the result says so.")
  Path texts;

  @Option(
      names = "--report",
      paramLabel = "FILE",
      description =
          "Write a page for a browser: sizes, errors and outputs, beside FP16, int8 and int4 of the"
              + " same model. With --json, the same content is under 'report'.")
  Path report;

  /** Finds what cannot be meant. */
  void check(CommandLine command, Path tokenizer) {
    if (texts != null && tokenizer == null) {
      throw new ParameterException(
          command, "--judge needs --tokenizer, the model's tokenizer.json");
    }
  }
}
