package io.pseed.converter.bench;

import static org.assertj.core.api.Assertions.assertThat;

import ai.onnxruntime.OnnxTensor;
import ai.onnxruntime.OrtEnvironment;
import ai.onnxruntime.OrtException;
import ai.onnxruntime.OrtSession;
import io.pseed.converter.source.onnx.OnnxModelSource;
import io.pseed.converter.verify.Baselines;
import io.pseed.converter.verify.RoundToNearest;
import java.io.ByteArrayInputStream;
import java.nio.FloatBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import javax.xml.parsers.DocumentBuilderFactory;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.w3c.dom.Document;
import org.w3c.dom.Element;
import org.w3c.dom.NodeList;

/** The forms that a page makes itself, and its picture. */
class PerformancePageTest {
  private static final OrtEnvironment ENV = OrtEnvironment.getEnvironment();
  private static final int SIZE = 64;

  @TempDir Path folder;

  /** The file whose loading is timed has the weights that were judged. */
  @Test
  void theFileOfHalvesAnswersAsTheRoundedModel() throws Exception {
    Path original = folder.resolve("model.onnx");
    MatMulModel.write(original, SIZE);
    Path half = folder.resolve("half.onnx");
    try (OnnxModelSource source = OnnxModelSource.open(original)) {
      HalfModel.write(source, half);
      assertThat(Files.size(half)).isBetween(2L * SIZE * SIZE, 2L * SIZE * SIZE + 1000);
      float[] rounded = run(new Baselines(source).open(RoundToNearest.FP16));
      assertThat(run(ENV.createSession(half.toString()))).isEqualTo(rounded);
      assertThat(run(ENV.createSession(original.toString()))).isNotEqualTo(rounded);
    }
  }

  private static float[] run(OrtSession session) throws OrtException {
    Random random = new Random(3);
    float[] x = new float[SIZE];
    for (int i = 0; i < SIZE; i++) {
      x[i] = (float) random.nextGaussian();
    }
    try (session;
        OnnxTensor input = OnnxTensor.createTensor(ENV, FloatBuffer.wrap(x), new long[] {1, SIZE});
        OrtSession.Result result = session.run(Map.of("x", input))) {
      return ((float[][]) result.get(0).getValue())[0];
    }
  }

  @Test
  void zstdGivesTheFileBack() throws Exception {
    Path file = folder.resolve("file");
    Files.write(file, new byte[100_000]);
    ZstdFile.Result found = ZstdFile.measure(file, folder);
    assertThat(found.bytes()).isBetween(1L, 1000L);
    assertThat(folder.toFile().list()).as("nothing is left").containsExactly("file");
  }

  @Test
  void smallerStandsFurtherLeftAndBetterFurtherUp() throws Exception {
    PerformancePage.Page page =
        new PerformancePage.Page(
            "a <model>",
            1000,
            "",
            List.of(
                form("FP32", 8_000_000, 1),
                form("int8", 2_000_000, 0.999),
                form("pseed", 1_000_000, 0.9)));
    Document picture =
        DocumentBuilderFactory.newInstance()
            .newDocumentBuilder()
            .parse(
                new ByteArrayInputStream(
                    PagePlot.svg(List.of(page, page)).getBytes(StandardCharsets.UTF_8)));
    NodeList circles = picture.getElementsByTagName("circle");
    assertThat(circles.getLength()).isEqualTo(6);
    double[] x = new double[3];
    double[] y = new double[3];
    for (int i = 0; i < 3; i++) {
      x[i] = Double.parseDouble(((Element) circles.item(i)).getAttribute("cx"));
      y[i] = Double.parseDouble(((Element) circles.item(i)).getAttribute("cy"));
    }
    assertThat(x[0]).isGreaterThan(x[1]);
    assertThat(x[1]).isGreaterThan(x[2]);
    assertThat(y[0]).isLessThan(y[1]);
    assertThat(y[1]).isLessThan(y[2]);
  }

  private static PerformancePage.Form form(String what, long bytes, double cosine) {
    return new PerformancePage.Form(
        what, bytes, cosine, cosine, Optional.empty(), Double.NaN, Double.NaN);
  }
}
