package io.pseed.converter.export.onnx;

import static org.assertj.core.api.Assertions.assertThat;

import ai.onnxruntime.OnnxTensor;
import ai.onnxruntime.OrtEnvironment;
import ai.onnxruntime.OrtException;
import ai.onnxruntime.OrtSession;
import ai.onnxruntime.OrtSession.SessionOptions;
import io.pseed.converter.Converter;
import io.pseed.converter.ProgressListener;
import io.pseed.converter.Sources;
import io.pseed.converter.encode.Workers;
import io.pseed.converter.inputs.GeneratedInputs;
import io.pseed.converter.inputs.InputSignature;
import io.pseed.converter.onnx.proto.ModelProto;
import io.pseed.converter.onnx.proto.NodeProto;
import io.pseed.converter.plan.Planner;
import io.pseed.converter.source.onnx.OnnxModelSource;
import io.pseed.format.PseedReader;
import io.pseed.onnx.PseedOpLibrary;
import io.pseed.onnx.PseedSession;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.TreeMap;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The Java decoder, the standard operators and the op library give real models equal outputs. */
@Tag("ort")
class HostsAgreeTest {
  private static final OrtEnvironment ENV = OrtEnvironment.getEnvironment();

  @TempDir Path folder;

  @ParameterizedTest
  @ValueSource(
      strings = {
        "/all-minilm-l6-v2.onnx",
        "/models/ch_PP-OCRv3_rec_infer.onnx",
        "/models/ch_PP-OCRv4_det_infer.onnx"
      })
  void onRealModels(String resource) throws Exception {
    Path original = folder.resolve("original.onnx");
    try (InputStream in = HostsAgreeTest.class.getResourceAsStream(resource)) {
      Files.copy(Objects.requireNonNull(in, resource), original);
    }
    Path pseed = folder.resolve("model.pseed");
    Path exported = folder.resolve("exported.onnx");
    try (OnnxModelSource source = (OnnxModelSource) Sources.open(original);
        Workers workers = new Workers(2)) {
      new Converter(workers, ProgressListener.NONE)
          .convert(source, new Planner(3, 8, false, false).plan(source), pseed);
      try (PseedReader reader = PseedReader.open(pseed)) {
        assertThat(OnnxExporter.export(reader, exported).seeded()).isPositive();
      }
      Map<String, OnnxTensor> inputs =
          new GeneratedInputs(new InputSignature(source.graph()), Map.of(), 1).make(ENV, 0);
      List<byte[]> java;
      try (OrtSession session = PseedSession.open(pseed)) {
        java = outputs(session, inputs);
      }
      try (SessionOptions options = new SessionOptions();
          OrtSession session = ENV.createSession(exported.toString(), options)) {
        assertThat(outputs(session, inputs)).containsExactlyElementsOf(java);
      }
      if (PseedOpLibrary.isAvailable()) {
        try (SessionOptions options = new SessionOptions()) {
          PseedOpLibrary.register(options);
          Path inside = folder.resolve("inside.onnx");
          options.addConfigEntry("pseed.optimized_model_filepath", inside.toString());
          try (OrtSession session = ENV.createSession(exported.toString(), options)) {
            assertThat(outputs(session, inputs)).containsExactlyElementsOf(java);
          }
          if (!ENV.getVersion().startsWith("1.20.")) {
            assertThat(operators(inside))
                .as("what the optimizer made of the graph, and of the original's")
                .isEqualTo(operators(optimized(original)));
          }
        }
      } else {
        System.out.println(
            "SKIPPED: the op library on real models, because "
                + PseedOpLibrary.unavailable().orElseThrow());
      }
      inputs.values().forEach(OnnxTensor::close);
    }
  }

  private Path optimized(Path model) throws OrtException {
    Path optimized = folder.resolve("optimized.onnx");
    try (SessionOptions options = new SessionOptions()) {
      options.setOptimizedModelFilePath(optimized.toString());
      ENV.createSession(model.toString(), options).close();
    }
    return optimized;
  }

  /** How many nodes there are of each operator. */
  private static Map<String, Long> operators(Path model) throws IOException {
    return ModelProto.parseFrom(Files.readAllBytes(model)).getGraph().getNodeList().stream()
        .collect(Collectors.groupingBy(NodeProto::getOpType, TreeMap::new, Collectors.counting()));
  }

  private static List<byte[]> outputs(OrtSession session, Map<String, OnnxTensor> inputs)
      throws OrtException {
    List<byte[]> outputs = new ArrayList<>();
    try (OrtSession.Result result = session.run(inputs)) {
      for (String name : session.getOutputNames()) {
        ByteBuffer data = ((OnnxTensor) result.get(name).orElseThrow()).getByteBuffer();
        byte[] bytes = new byte[data.remaining()];
        data.get(bytes);
        outputs.add(bytes);
      }
    }
    return outputs;
  }
}
