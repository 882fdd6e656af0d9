package io.pseed.converter.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * {@code convert --calibrate} on all-MiniLM-L6-v2, with the shortest seeds and a few of the shipped
 * texts.
 */
class CalibratedConversionTest {
  @TempDir static Path dir;

  private static Path model;
  private static Path tokenizer;
  private static Path texts;

  @BeforeAll
  static void unpack() throws IOException {
    model = resource("/all-minilm-l6-v2.onnx");
    tokenizer = resource("/all-minilm-l6-v2-tokenizer.json");
    try (InputStream in =
        CalibratedConversionTest.class.getResourceAsStream(
            "/io/pseed/converter/calibrate/texts.txt")) {
      List<String> lines = new String(in.readAllBytes(), StandardCharsets.UTF_8).lines().toList();
      texts = Files.write(dir.resolve("texts.txt"), lines.subList(0, 12));
    }
  }

  private static Path resource(String name) throws IOException {
    Path file = dir.resolve(name.substring(1));
    try (InputStream in = CalibratedConversionTest.class.getResourceAsStream(name)) {
      Files.copy(in, file);
    }
    return file;
  }

  private static Path convert(String name, Object... options) {
    Path target = dir.resolve(name);
    Object[] all = new Object[options.length + 7];
    System.arraycopy(
        new Object[] {"convert", model, "-o", target, "-q", "--seed-bits", "8"}, 0, all, 0, 7);
    System.arraycopy(options, 0, all, 7, options.length);
    Outcome outcome = Outcome.of(all);
    assertThat(outcome.code()).as(outcome.err()).isZero();
    return target;
  }

  @Test
  void fitsTheSizeWithTheSameBytesOnAnyNumberOfThreads() throws IOException {
    Object[] calibrated = {
      "--calibrate", texts, "--tokenizer", tokenizer, "--target-size", "9MB", "--threads", 1
    };
    Path one = convert("one.pseed", calibrated);
    assertThat(Files.size(one)).isBetween(8_900_000L, 9_000_000L);
    // The tokenizer that lies beside the model is the same.
    Object[] threads = {"--calibrate", texts, "--target-size", "9MB", "--threads", 3};
    assertThat(convert("three.pseed", threads)).hasSameBinaryContentAs(one);
  }
}
