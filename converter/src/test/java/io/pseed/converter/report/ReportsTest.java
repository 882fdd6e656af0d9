package io.pseed.converter.report;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import io.pseed.converter.calibrate.CalibrationInputs.Origin;
import io.pseed.converter.verify.Judgement;
import io.pseed.converter.verify.Quality;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;

class ReportsTest {
  private static final String HOSTILE = "</title></svg><script>alert(1)</script>\" onload='x\u202E";

  private static Judgement judgement(double mean, boolean generated) {
    return new Judgement(
        "texts of " + HOSTILE,
        40,
        generated ? Origin.GENERATED : Origin.GIVEN,
        List.of(
            new Quality(
                "out " + HOSTILE,
                Quality.Measure.COSINE,
                40,
                mean,
                mean - 0.002,
                mean + (1 - mean) / 3,
                mean - 0.01,
                mean - 0.05,
                0.4,
                0.1)));
  }

  static Report report(int tensors, boolean judged) {
    return report(tensors, judged, 0.9999999);
  }

  private static Report report(int tensors, boolean judged, double fp16) {
    List<Report.Tensor> list = new ArrayList<>();
    long bytes = 0;
    for (int i = 0; i < tensors; i++) {
      boolean raw = i % 5 == 4;
      long size = 64 + (raw ? 512 : 90_000L * (1 + i % 7));
      bytes += size;
      list.add(
          new Report.Tensor(
              "encoder.layer." + i / 5 + "." + (i == 0 ? HOSTILE : "dense." + i % 5),
              i == 1 ? "/encoder/layer.7/" + HOSTILE : "",
              "F32",
              List.of(384L, 384L * (1 + i % 7)),
              raw ? "raw" : "trellis",
              raw ? "" : "384 × 384, 2–5 bits by columns, L 12, rotated 128 × 1",
              i % 9 == 0 && !raw,
              size,
              raw ? 128 : 147_456L,
              1.5 + i % 7,
              raw ? Double.POSITIVE_INFINITY : 14 + i % 11,
              raw ? Double.NaN : 1.0 / tensors,
              raw ? "fewer than 4096 elements" : "bits where calibration says so"));
    }
    Report.Bound bound = new Report.Bound(0.99, Double.NaN);
    return new Report(
        "convert",
        new Report.Source(HOSTILE + ".onnx", "onnx", 8 * bytes + 40_000),
        new Report.Target(HOSTILE, bytes + 40_000, 147_456L * tensors, "ab12", "pseed 1", 40_000),
        null,
        list,
        judged ? Optional.of(judgement(0.9912, tensors < 10)) : Optional.empty(),
        judged ? "" : "because " + HOSTILE,
        judged ? Optional.of(bound) : Optional.empty(),
        judged
            ? List.of(
                new Report.Other("FP16", "nearest", 4 * bytes, judgement(fp16, false)),
                new Report.Other("int8 RTN", "scales", 2 * bytes, judgement(0.9991, false)),
                new Report.Other("int4 RTN", "groups", 9 * bytes / 8, judgement(0.93, false)))
            : List.of(),
        judged
            ? List.of(
                new Report.Attempt(bytes / 2, 0.95, false), new Report.Attempt(bytes, 0.9912, true))
            : List.of(),
        judged
            ? new Report.Curve(
                "Expected.",
                List.of(
                    new Report.Point(bytes / 2, 0.95),
                    new Report.Point(bytes, 0.991),
                    new Report.Point(2 * bytes, 0.9991)))
            : Report.Curve.NONE,
        Map.of("encoding", 3.5),
        List.of("note " + HOSTILE));
  }

  @Test
  void namesCannotBecomeMarkup() {
    for (boolean judged : new boolean[] {true, false}) {
      String page = ReportHtml.of(report(30, judged));
      assertThat(page)
          .startsWith(ReportHtml.START)
          .contains("&lt;script&gt;alert(1)&lt;/script&gt;");
      // Its own script is the only one, and no attribute was opened.
      assertThat(page.split("<script", -1)).hasSize(2);
      assertThat(page).doesNotContain("onload='").doesNotContain("\u202E");
    }
  }

  @Test
  void nothingIsFetched() {
    String page = ReportHtml.of(report(30, true));
    assertThat(page)
        .contains("default-src 'none'")
        .doesNotContain("http://", "https://", "src=", "<link", "@import", "url(//");
  }

  @Test
  void elementsAreClosed() {
    String page = ReportHtml.of(report(30, true));
    for (String tag :
        List.of("table", "tr", "td", "th", "svg", "g", "text", "ul", "li", "dl", "figure", "p")) {
      assertThat(page.split("<" + tag + "[ >]", -1).length)
          .as(tag)
          .isEqualTo(page.split("</" + tag + ">", -1).length);
    }
  }

  @Test
  void theSameReportGivesTheSamePage() {
    assertThat(ReportHtml.of(report(30, true))).isEqualTo(ReportHtml.of(report(30, true)));
  }

  @Test
  void fewAndManyTensorsGetAPage() throws IOException {
    for (int tensors : new int[] {0, 1, 3, 3000}) {
      String page = ReportHtml.of(report(tensors, tensors > 0));
      assertThat(page.split("<td class=\"t why\"", -1)).hasSize(tensors + 1);
      assertThat(page.length()).isLessThan(4_000_000);
      if (Boolean.getBoolean("pseed.keepReports")) {
        Files.writeString(Path.of("target", "report-" + tensors + ".html"), page);
      }
    }
  }

  @Test
  void itSaysWhoJudged() {
    assertThat(ReportHtml.of(report(3, true)))
        .contains("Judged on generated inputs", "40 inputs were made", "a hint")
        .doesNotContain("cannot judge this model");
    assertThat(ReportHtml.of(report(30, true)))
        .contains("Judged on real inputs", "40 inputs, texts of", "0.98920 – 0.99413");
    assertThat(ReportHtml.of(report(30, false))).contains("Outputs were not judged: because");
  }

  @Test
  void inputsOnWhichEvenHalfFloatsFailAreNoJudges() {
    assertThat(ReportHtml.of(report(3, true, 0.84)))
        .contains("These inputs cannot judge this model");
  }

  @Test
  void jsonHasTheSameContent() throws IOException {
    JsonNode root = new JsonMapper().readTree(ReportJson.of(report(30, true)).toString());
    assertThat(root.get("pseedReport").asInt()).isEqualTo(1);
    assertThat(root.get("judge").get("generated").asBoolean()).isFalse();
    assertThat(root.get("judge").get("runs").asInt()).isEqualTo(40);
    assertThat(root.get("judge").get("bound").get("passed").asBoolean()).isTrue();
    assertThat(root.get("outputs").get(0).get("mean").asDouble()).isEqualTo(0.9912);
    assertThat(root.get("others")).hasSize(3);
    assertThat(root.get("tries").get(0).get("passed").asBoolean()).isFalse();
    assertThat(root.get("curve").get("points")).hasSize(3);
    assertThat(root.get("tensors")).hasSize(30);
    assertThat(root.get("tensors").get(4).get("snrDb").isNull()).isTrue();
    assertThat(root.get("tensors").get(4).get("why").asText()).contains("fewer than");
    JsonNode bare = ReportJson.of(report(3, false));
    assertThat(bare.get("judge").isNull()).isTrue();
    assertThat(bare.get("notJudged").asText()).startsWith("because");
  }

  @Test
  void layersAreWhatNamesHaveInCommon() {
    assertThat(Layers.name("encoder.layer.3.output.dense.weight")).isEqualTo("encoder.layer.3");
    assertThat(Layers.name("/model/layers.11/mlp/MatMul")).isEqualTo("/model/layers.11");
    assertThat(Layers.name("embeddings.word.weight")).isEqualTo("embeddings");
    assertThat(Layers.name("onnx::MatMul_1234")).isEqualTo("onnx::MatMul (not named)");
    assertThat(Layers.name("fc1.weight")).isEqualTo("fc1");
    assertThat(Layers.name("dense")).isEqualTo("dense");
  }

  @Test
  void cosinesAreNotRoundedUpToOne() {
    assertThat(Figures.cosine(0.9999999)).isEqualTo("0.99999990");
    assertThat(Figures.cosine(0.99123456)).isEqualTo("0.99123");
    assertThat(Figures.cosine(0.9999999999)).isEqualTo("0.99999999");
    assertThat(Figures.cosine(1)).isEqualTo("1.00000");
    assertThat(Figures.percent(0.1234)).isEqualTo("12.3 %");
    assertThat(Figures.percent(0.00001)).isEqualTo("< 0.01 %");
  }
}
