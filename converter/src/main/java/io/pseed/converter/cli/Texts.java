package io.pseed.converter.cli;

import io.pseed.converter.calibrate.TextInputs;
import io.pseed.converter.onnx.proto.TensorProto;
import io.pseed.converter.onnx.proto.ValueInfoProto;
import io.pseed.converter.source.onnx.OnnxModelSource;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;

/** Files of texts as inputs of a model. */
final class Texts {
  private Texts() {}

  /**
   * Reads texts, one a line.
   *
   * @param option that named the file, for messages
   */
  static TextInputs read(String option, Path file, Path tokenizer, OnnxModelSource model)
      throws IOException, CommandFailure {
    List<String> lines =
        Files.readAllLines(file, StandardCharsets.UTF_8).stream()
            .filter(line -> !line.isBlank())
            .toList();
    if (lines.isEmpty()) {
      throw new CommandFailure(file + ": has no texts; expected one a line");
    }
    Set<String> weights =
        model.graph().getGraph().getInitializerList().stream()
            .map(TensorProto::getName)
            .collect(Collectors.toSet());
    Set<String> names =
        model.graph().getGraph().getInputList().stream()
            .map(ValueInfoProto::getName)
            .filter(name -> !weights.contains(name))
            .collect(Collectors.toSet());
    try {
      return new TextInputs(
          lines.size() + " texts of " + file.getFileName(), names, lines, tokenizer);
    } catch (IllegalArgumentException e) {
      throw new CommandFailure(option + " " + file + ": " + e.getMessage());
    }
  }
}
