package io.pseed.maven;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.pseed.converter.Sources;
import io.pseed.converter.command.CommandFailure;
import io.pseed.converter.command.ConversionOutcome;
import io.pseed.converter.command.ConversionTask;
import io.pseed.converter.command.DeviceSetting;
import io.pseed.converter.report.Report;
import io.pseed.converter.source.TensorSource;
import io.pseed.converter.verify.Judgement;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A bound beside a number of bits. */
class BoundTest {
  @TempDir Path dir;
  private Path source;
  private Path target;

  @BeforeEach
  void model() throws Exception {
    source = TinyModels.onnx(dir.resolve("tiny.onnx"), 1);
    target = dir.resolve("tiny.pseed");
  }

  private ConversionOutcome convert(Model model) throws Exception {
    model.calibration = "none";
    try (TensorSource opened = Sources.open(source)) {
      return new ConversionTask(
              opened,
              ModelSettings.of(dir, model).request(1, DeviceSetting.CPU),
              new LogWatcher(text -> {}))
          .run(target);
    }
  }

  private List<String> files() throws Exception {
    try (Stream<Path> files = Files.list(dir)) {
      return files.map(file -> file.getFileName().toString()).sorted().toList();
    }
  }

  @Test
  void isCheckedOnTheFileThatWasAskedFor() throws Exception {
    Model plain = new Model();
    plain.bits = 5.0;
    convert(plain);
    byte[] expected = Files.readAllBytes(target);
    Model bounded = new Model();
    bounded.bits = 5.0;
    bounded.minCosine = 0.9;
    ConversionOutcome outcome = convert(bounded);
    assertThat(target).hasBinaryContent(expected);
    Judgement judgement = outcome.report().flatMap(Report::judgement).orElseThrow();
    assertThat(judgement.worst().mean()).isBetween(0.9, 1.0);
    assertThat(outcome.result().target()).isEqualTo(target);
    assertThat(files()).containsExactly("tiny.onnx", "tiny.pseed");
  }

  @Test
  void missedItLeavesWhatWasThere() throws Exception {
    Files.writeString(target, "older");
    Model model = new Model();
    model.bits = 2.0;
    model.minCosine = 0.9999;
    assertThatThrownBy(() -> convert(model))
        .isInstanceOf(CommandFailure.class)
        .hasMessageContainingAll("<minCosine> 0.9999 is missed", "mean cosine of 0.");
    assertThat(target).hasContent("older");
    assertThat(files()).containsExactly("tiny.onnx", "tiny.pseed");
  }
}
