package io.pseed.converter.verify;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import ai.onnxruntime.OnnxTensor;
import ai.onnxruntime.OrtEnvironment;
import ai.onnxruntime.OrtException;
import ai.onnxruntime.OrtSession;
import com.google.protobuf.ByteString;
import io.pseed.converter.calibrate.CalibrationInputs;
import io.pseed.converter.inputs.UnsupportedModelException;
import io.pseed.converter.onnx.proto.GraphProto;
import io.pseed.converter.onnx.proto.ModelProto;
import io.pseed.converter.onnx.proto.NodeProto;
import io.pseed.converter.onnx.proto.OperatorSetIdProto;
import io.pseed.converter.onnx.proto.TensorProto;
import io.pseed.converter.onnx.proto.TensorProto.DataType;
import io.pseed.converter.onnx.proto.TensorShapeProto;
import io.pseed.converter.onnx.proto.TypeProto;
import io.pseed.converter.onnx.proto.ValueInfoProto;
import io.pseed.converter.verify.Quality.Measure;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.FloatBuffer;
import java.nio.LongBuffer;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** Models that add a constant to their input: every figure can be told beforehand. */
@Tag("ort")
class JudgeTest {
  private static final int WIDTH = 32;

  /** Two runs of two positions; the mask hides the second position of the second run. */
  private static final CalibrationInputs INPUTS =
      new CalibrationInputs() {
        @Override
        public String description() {
          return "two inputs by hand";
        }

        @Override
        public Origin origin() {
          return Origin.GIVEN;
        }

        @Override
        public int size() {
          return 2;
        }

        @Override
        public Map<String, OnnxTensor> make(OrtEnvironment environment, int index)
            throws OrtException {
          float[] values = new float[2 * WIDTH];
          values[0] = 1;
          values[WIDTH] = index == 0 ? 1 : 100;
          return Map.of(
              "x",
              OnnxTensor.createTensor(
                  environment, FloatBuffer.wrap(values), new long[] {1, 2, WIDTH}),
              "attention_mask",
              OnnxTensor.createTensor(
                  environment, LongBuffer.wrap(new long[] {1, 1 - index}), new long[] {1, 2}));
        }
      };

  /** Adds {@code offset} to element 1 of each position; hands the mask through. */
  private static OrtSession session(float offset) throws OrtException {
    ByteBuffer raw = ByteBuffer.allocate(4 * WIDTH).order(ByteOrder.LITTLE_ENDIAN);
    raw.putFloat(4, offset);
    GraphProto graph =
        GraphProto.newBuilder()
            .setName("adds")
            .addInput(value("x", DataType.FLOAT, 1, 2, WIDTH))
            .addInput(value("attention_mask", DataType.INT64, 1, 2))
            .addOutput(value("y", DataType.FLOAT, 1, 2, WIDTH))
            .addOutput(value("mask", DataType.INT64, 1, 2))
            .addInitializer(
                TensorProto.newBuilder()
                    .setName("offset")
                    .setDataType(DataType.FLOAT.getNumber())
                    .addDims(WIDTH)
                    .setRawData(ByteString.copyFrom(raw.array())))
            .addNode(node("Add", "y", "x", "offset"))
            .addNode(node("Identity", "mask", "attention_mask"))
            .build();
    byte[] model =
        ModelProto.newBuilder()
            .setIrVersion(8)
            .addOpsetImport(OperatorSetIdProto.newBuilder().setVersion(17))
            .setGraph(graph)
            .build()
            .toByteArray();
    return OrtEnvironment.getEnvironment().createSession(model);
  }

  private static NodeProto node(String op, String output, String... inputs) {
    return NodeProto.newBuilder()
        .setOpType(op)
        .setName(op)
        .addAllInput(List.of(inputs))
        .addOutput(output)
        .build();
  }

  private static ValueInfoProto value(String name, DataType type, long... dims) {
    TensorShapeProto.Builder shape = TensorShapeProto.newBuilder();
    for (long dim : dims) {
      shape.addDim(TensorShapeProto.Dimension.newBuilder().setDimValue(dim));
    }
    return ValueInfoProto.newBuilder()
        .setName(name)
        .setType(
            TypeProto.newBuilder()
                .setTensorType(
                    TypeProto.Tensor.newBuilder().setElemType(type.getNumber()).setShape(shape)))
        .build();
  }

  private static Judgement judged(float offset)
      throws IOException, OrtException, UnsupportedModelException {
    try (OrtSession original = session(0);
        OrtSession other = session(offset)) {
      return new Judge(original, INPUTS).judge(other);
    }
  }

  @Test
  void figuresAreThoseOfTheDefinition()
      throws IOException, OrtException, UnsupportedModelException {
    Judgement judgement = judged(1);
    assertThat(judgement.qualities()).hasSize(3);
    Quality embedding = judgement.qualities().get(0);
    assertThat(embedding.measure()).isEqualTo(Measure.EMBEDDING);
    // Run 0: (2, 0) against (2, 2). Run 1, one position: (1, 0) against (1, 1).
    assertThat(embedding.mean()).isCloseTo(Math.sqrt(0.5), within(1e-12));
    assertThat(embedding.min()).isCloseTo(Math.sqrt(0.5), within(1e-12));
    Quality output = judgement.qualities().get(1);
    assertThat(output.measure()).isEqualTo(Measure.COSINE);
    double second = 10001 / Math.sqrt(10001.0 * 10003);
    assertThat(output.mean()).isCloseTo((Math.sqrt(0.5) + second) / 2, within(1e-12));
    assertThat(output.min()).isCloseTo(Math.sqrt(0.5), within(1e-12));
    assertThat(output.maxAbs()).isEqualTo(1);
    // Four errors of 1; squares 1 + 1 + 1 + 10000.
    assertThat(output.relative()).isCloseTo(Math.sqrt(4.0 / 10003), within(1e-12));
    assertThat(judgement.qualities().get(2).measure()).isEqualTo(Measure.EQUAL);
    assertThat(judgement.qualities().get(2).mean()).isEqualTo(1);
  }

  @Test
  void boundsHoldForTheEmbeddingAndNotForWholeNumbers()
      throws IOException, OrtException, UnsupportedModelException {
    Judgement judgement = judged(1);
    assertThat(judgement.bounded()).containsExactly(judgement.qualities().get(0));
    assertThat(judgement.worst().measure()).isEqualTo(Measure.EMBEDDING);
    assertThat(judgement.judges()).isEqualTo("2 inputs, two inputs by hand");
  }

  @Test
  void anEqualModelIsEqual() throws IOException, OrtException, UnsupportedModelException {
    for (Quality quality : judged(0).qualities()) {
      assertThat(quality.mean()).isEqualTo(1);
      assertThat(quality.relative()).isZero();
      assertThat(quality.meanLow()).isEqualTo(1);
    }
  }

  @Test
  void whatIsNotFiniteIsFoundOut() throws IOException, OrtException, UnsupportedModelException {
    Quality output = judged(Float.NaN).qualities().get(1);
    assertThat(output.mean()).isZero();
    assertThat(output.maxAbs()).isInfinite();
  }
}
