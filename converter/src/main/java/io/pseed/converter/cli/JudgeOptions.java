package io.pseed.converter.cli;

import io.pseed.converter.command.JudgeSettings;
import java.nio.file.Path;
import java.util.Optional;
import picocli.CommandLine.Option;

/** Options that say who judges; the same for all commands that judge. */
final class JudgeOptions {
  @Option(
      names = "--judge",
      paramLabel = "DATA",
      description =
          "Inputs that judge outputs, of any kind that convert --calibrate takes; calibration must"
              + " not have met them. Default: texts that ship with pseed and that no calibration"
              + " meets, where there is a tokenizer.json, else generated inputs. The result says"
              + " which.")
  String data;

  @Option(
      names = "--report",
      paramLabel = "FILE",
      description =
          "Write a page for a browser: sizes, errors and outputs, beside FP16, int8 and int4 of the"
              + " same model. With --json, the same content is under 'report'.")
  Path report;

  /** What the options mean. */
  JudgeSettings settings() {
    return new JudgeSettings(Optional.ofNullable(data), Optional.ofNullable(report));
  }
}
