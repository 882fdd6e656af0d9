package io.pseed.converter.cli;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** {@code --min-cosine} and {@code --report} on models of a few thousand weights. */
class JudgedCommandsTest {
  @TempDir Path dir;

  private Path model;
  private Path target;
  private Path page;

  @BeforeEach
  void make() throws IOException {
    model = TinyModels.onnx(dir.resolve("tiny.onnx"), 5);
    target = dir.resolve("tiny.pseed");
    page = dir.resolve("report.html");
  }

  private List<String> files() throws IOException {
    try (Stream<Path> files = Files.list(dir)) {
      return files.map(file -> file.getFileName().toString()).sorted().toList();
    }
  }

  @Test
  void theSmallestFileThatPassesIsFound() throws IOException {
    long before = 0;
    for (String bound : new String[] {"0.95", "0.99", "0.999"}) {
      Path plan = dir.resolve("plan.json");
      Outcome outcome =
          Outcome.of("convert", model, "--min-cosine", bound, "--json", "--save-plan", plan);
      assertThat(outcome.code()).as(outcome.err()).isZero();
      assertThat(outcome.err()).contains("try 1:", "passes " + bound, "found ");
      JsonNode report = outcome.json().get("report");
      assertThat(report.get("judge").get("bound").get("passed").asBoolean()).isTrue();
      double mean = report.get("outputs").get(0).get("mean").asDouble();
      assertThat(mean).isGreaterThanOrEqualTo(Double.parseDouble(bound));
      // What was smaller and tried missed the bound.
      long bytes = Files.size(target);
      assertThat(outcome.json().get("targetBytes").asLong()).isEqualTo(bytes);
      for (JsonNode tried : report.get("tries")) {
        if (tried.get("bytes").asLong() < bytes) {
          assertThat(tried.get("passed").asBoolean()).isFalse();
        }
      }
      assertThat(report.get("tries").size()).isLessThanOrEqualTo(8);
      assertThat(bytes).isGreaterThan(before);
      before = bytes;
      // verify judges by the same inputs, and the plan is the one of the file.
      Outcome verify = Outcome.of("verify", model, target, "--min-cosine", bound, "--json");
      assertThat(verify.code()).as(verify.out()).isZero();
      assertThat(verify.json().get("outputs").get(0).get("mean").asDouble()).isEqualTo(mean);
      Outcome.of(
          "convert",
          model,
          "--plan",
          plan,
          "--calibrate",
          "generated",
          "-o",
          dir.resolve("again.pseed"),
          "-q");
      assertThat(dir.resolve("again.pseed")).hasSameBinaryContentAs(target);
      assertThat(files()).containsExactly("again.pseed", "plan.json", "tiny.onnx", "tiny.pseed");
    }
  }

  @Test
  void aBoundThatCannotBeMetWritesNothing() throws IOException {
    Outcome outcome =
        Outcome.of("convert", model, "-q", "--no-calibration", "--min-cosine", "0.99999999");
    assertThat(outcome.code()).isEqualTo(1);
    assertThat(outcome.sentence())
        .contains(
            "--min-cosine 0.99999999 is missed even with the most bits", "nothing is written");
    assertThat(files()).containsExactly("tiny.onnx");
    Path checkpoint = TinyModels.safetensors(dir.resolve("c.safetensors"), 1, 64);
    assertThat(Outcome.of("convert", checkpoint, "--min-cosine", "0.9").sentence())
        .contains("holds no graph");
  }

  @Test
  void theReportStandsBesideTheFile() throws IOException {
    Outcome outcome =
        Outcome.of("convert", model, "--no-calibration", "--bits", "5", "--json", "--report", page);
    assertThat(outcome.code()).as(outcome.err()).isZero();
    assertThat(page)
        .content(StandardCharsets.UTF_8)
        .contains("Judged on generated inputs", "int4 RTN", "tiny.onnx", "table", "6 dB a bit");
    JsonNode report = outcome.json().get("report");
    assertThat(report.get("judge").get("generated").asBoolean()).isTrue();
    assertThat(report.get("judge").get("runs").asInt()).isEqualTo(32);
    JsonNode others = report.get("others");
    assertThat(others).hasSize(3);
    // Graph as in the file; table 200 x 48 by rows, dense 48 x 96 by columns.
    long graph = others.get(0).get("bytes").asLong() - 2 * (200 * 48 + 48 * 96);
    assertThat(graph).isBetween(100L, 1000L);
    assertThat(others.get(1).get("bytes").asLong())
        .isEqualTo(graph + 200 * (48 + 4) + 96 * (48 + 4));
    assertThat(others.get(2).get("bytes").asLong()).isEqualTo(graph + (200 + 96) * (24 + 2 * 2));
    double[] means = new double[3];
    for (int i = 0; i < 3; i++) {
      means[i] = others.get(i).get("outputs").get(0).get("mean").asDouble();
    }
    assertThat(means[0]).isGreaterThan(0.999999);
    assertThat(means[1]).isBetween(0.9995, means[0]);
    assertThat(means[2]).isBetween(0.98, means[1]);
    assertThat(report.get("tensors").get(0).get("why").asText()).contains("asked for");
    assertThat(report.get("curve").get("points").size()).isGreaterThan(5);
    assertThat(files()).containsExactly("report.html", "tiny.onnx", "tiny.pseed");
  }

  @Test
  void aReportDoesNotChangeTheFile() throws IOException {
    Outcome.of("convert", model, "-q");
    byte[] bytes = Files.readAllBytes(target);
    assertThat(Outcome.of("convert", model, "-q", "--report", page).code()).isZero();
    assertThat(target).hasBinaryContent(bytes);
    // An older report is replaced, anything else is not.
    assertThat(Outcome.of("convert", model, "-q", "--report", page).code()).isZero();
    assertThat(Outcome.of("convert", model, "--report", model).sentence()).contains("is a model");
    Path other = Files.writeString(dir.resolve("notes.txt"), "precious");
    assertThat(Outcome.of("convert", model, "--report", other).sentence())
        .contains("exists and is no report");
    assertThat(other).hasContent("precious");
  }

  @Test
  void whatCannotBeJudgedIsReportedSo() throws IOException {
    Path checkpoint = TinyModels.safetensors(dir.resolve("c.safetensors"), 2, 64);
    Outcome outcome = Outcome.of("convert", checkpoint, "--json", "--report", page);
    assertThat(outcome.code()).as(outcome.err()).isZero();
    assertThat(outcome.json().get("report").get("notJudged").asText()).contains("no graph");
    assertThat(page).content().contains("Outputs were not judged");
    Outcome verify =
        Outcome.of("verify", checkpoint, dir.resolve("c.pseed"), "--report", page, "--json");
    assertThat(verify.code()).as(verify.err()).isZero();
    assertThat(verify.json().get("report").get("command").asText()).isEqualTo("verify");
  }

  @Test
  void verifyReportsAndBounds() throws IOException {
    Outcome.of("convert", model, "--bits", "3", "-q");
    Outcome missed =
        Outcome.of("verify", model, target, "--min-cosine", "0.9999", "--report", page, "--json");
    assertThat(missed.code()).isEqualTo(1);
    assertThat(missed.json().get("passed").asBoolean()).isFalse();
    assertThat(missed.json().get("report").get("others")).hasSize(3);
    assertThat(page).content().contains("<b>Failed</b>", "a mean cosine of at least 0.9999");
    assertThat(Outcome.of("verify", model, target, "--min-worst", "0.9999").code()).isEqualTo(1);
    assertThat(Outcome.of("verify", model, target, "--min-cosine", "0.5").code()).isZero();
    assertThat(Outcome.of("verify", model, target, "--judge", model).code()).isEqualTo(1);
    for (Object[] wrong :
        new Object[][] {
          {"verify", target, "--report", page},
          {"verify", model, target, "--weights-only", "--report", page},
          {"convert", model, "--min-cosine", "0.9", "--bits", "4"},
          {"convert", model, "--min-cosine", "1"},
          {"convert", model, "--calibrate", "t", "--tokenizer", "j", "--judge", "t"}
        }) {
      assertThat(Outcome.of(wrong).code()).as(Arrays.toString(wrong)).isEqualTo(2);
    }
  }
}
