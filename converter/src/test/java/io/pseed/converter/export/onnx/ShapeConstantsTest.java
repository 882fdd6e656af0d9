package io.pseed.converter.export.onnx;

import static org.assertj.core.api.Assertions.assertThat;

import ai.onnxruntime.OnnxTensor;
import ai.onnxruntime.OrtEnvironment;
import ai.onnxruntime.OrtException;
import ai.onnxruntime.OrtSession;
import io.pseed.converter.Converter;
import io.pseed.converter.ProgressListener;
import io.pseed.converter.encode.Workers;
import io.pseed.converter.onnx.proto.GraphProto;
import io.pseed.converter.onnx.proto.ModelProto;
import io.pseed.converter.onnx.proto.NodeProto;
import io.pseed.converter.onnx.proto.OperatorSetIdProto;
import io.pseed.converter.onnx.proto.TensorProto;
import io.pseed.converter.onnx.proto.TypeProto;
import io.pseed.converter.onnx.proto.ValueInfoProto;
import io.pseed.converter.plan.Planner;
import io.pseed.converter.source.onnx.OnnxModelSource;
import io.pseed.format.PseedReader;
import io.pseed.onnx.PseedSession;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * A list of sizes that is large enough to leave the graph: ONNX Runtime reads it while it infers
 * shapes, and refused such models where the list stood elsewhere.
 */
@Tag("ort")
class ShapeConstantsTest {
  private static final OrtEnvironment ENV = OrtEnvironment.getEnvironment();
  private static final int PARTS = 200;

  @TempDir Path folder;

  @Test
  void splitIntoManyParts() throws Exception {
    Path original = folder.resolve("model.onnx");
    Files.write(original, model().toByteArray());
    Path pseed = folder.resolve("model.pseed");
    try (OnnxModelSource source = OnnxModelSource.open(original);
        Workers workers = new Workers(1)) {
      assertThat(source.tensors()).as("the list left the graph").hasSize(1);
      new Converter(workers, ProgressListener.NONE)
          .convert(source, new Planner(4, 12, true, true).plan(source), pseed);
    }
    float[] expected = run(ENV.createSession(original.toString()));
    assertThat(expected).hasSize(PARTS).doesNotContain(0);
    assertThat(run(PseedSession.open(pseed))).isEqualTo(expected);
    Path exported = folder.resolve("exported.onnx");
    try (PseedReader reader = PseedReader.open(pseed)) {
      OnnxExporter.export(reader, exported);
      assertThat(run(ENV.createSession(exported.toString()))).isEqualTo(expected);
      OnnxExporter.exportExternal(reader, pseed, exported);
      assertThat(run(ENV.createSession(exported.toString()))).isEqualTo(expected);
    }
  }

  private static ModelProto model() {
    List<String> parts = new ArrayList<>();
    for (int i = 0; i < PARTS; i++) {
      parts.add("part" + i);
    }
    List<String> backwards = new ArrayList<>(parts);
    Collections.reverse(backwards);
    TypeProto row =
        TypeProto.newBuilder()
            .setTensorType(
                TypeProto.Tensor.newBuilder().setElemType(TensorProto.DataType.FLOAT_VALUE))
            .build();
    return ModelProto.newBuilder()
        .setIrVersion(8)
        .addOpsetImport(OperatorSetIdProto.newBuilder().setVersion(17))
        .setGraph(
            GraphProto.newBuilder()
                .setName("split")
                .addInput(ValueInfoProto.newBuilder().setName("x").setType(row))
                .addOutput(ValueInfoProto.newBuilder().setName("y").setType(row))
                .addInitializer(
                    TensorProto.newBuilder()
                        .setName("sizes")
                        .setDataType(TensorProto.DataType.INT64_VALUE)
                        .addDims(PARTS)
                        .addAllInt64Data(Collections.nCopies(PARTS, 1L)))
                .addNode(
                    NodeProto.newBuilder()
                        .setOpType("Split")
                        .setName("split")
                        .addInput("x")
                        .addInput("sizes")
                        .addAllOutput(parts))
                .addNode(Protos.node("join", "Concat", backwards, "y", Protos.number("axis", 0))))
        .build();
  }

  private static float[] run(OrtSession session) throws OrtException {
    float[] x = new float[PARTS];
    for (int i = 0; i < PARTS; i++) {
      x[i] = i + 1;
    }
    try (session;
        OnnxTensor input = OnnxTensor.createTensor(ENV, x);
        OrtSession.Result result = session.run(Map.of("x", input))) {
      return (float[]) result.get(0).getValue();
    }
  }
}
