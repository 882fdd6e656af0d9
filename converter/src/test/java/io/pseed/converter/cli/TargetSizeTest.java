package io.pseed.converter.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class TargetSizeTest {
  /**
   * Bytes that the forecast of so small a file may leave unused: scales, and digits in its JSON.
   */
  private static final long SLACK = 1_200;

  @TempDir Path dir;

  @Test
  void theFileFitsAndFillsTheSize() throws IOException {
    for (Path source :
        new Path[] {
          TinyModels.onnx(dir.resolve("tiny.onnx"), 3),
          TinyModels.safetensors(dir.resolve("c.safetensors"), 3, 96)
        }) {
      Path target = dir.resolve("t.pseed");
      long smallest = bytes(source, target, "--bits", "1");
      long largest = bytes(source, target, "--target-size", "1GB");
      assertThat(largest).isGreaterThan(3 * smallest);
      for (int i = 1; i <= 5; i++) {
        long wanted = smallest + smallest / 10 + (largest - smallest) * i / 6;
        long size = bytes(source, target, "--target-size", wanted + "B");
        assertThat(size).isBetween(wanted - SLACK, wanted);
      }
    }
  }

  @Test
  void aSizeThatIsTooSmallNamesTheSmallest() throws IOException {
    Path source = TinyModels.onnx(dir.resolve("tiny.onnx"), 3);
    Outcome refused =
        Outcome.of("convert", source, "--target-size", "1KB", "-q", "--no-calibration");
    assertThat(refused.code()).isEqualTo(1);
    assertThat(dir.resolve("tiny.pseed")).doesNotExist();
    Matcher matcher = Pattern.compile("about .* \\((\\d+) bytes\\)").matcher(refused.sentence());
    assertThat(matcher.find()).isTrue();
    long smallest = Long.parseLong(matcher.group(1));
    assertThat(bytes(source, dir.resolve("t.pseed"), "--target-size", smallest))
        .isLessThanOrEqualTo(smallest);
  }

  private static long bytes(Path source, Path target, Object... options) throws IOException {
    // Calibrated, so small a model has no rates between 8 bits and lossless.
    Object[] command = {"convert", source, "-o", target, "-q", "--no-calibration"};
    Object[] arguments = Arrays.copyOf(command, command.length + options.length);
    System.arraycopy(options, 0, arguments, command.length, options.length);
    Outcome outcome = Outcome.of(arguments);
    assertThat(outcome.code()).as(outcome.err()).isZero();
    return Files.size(target);
  }
}
