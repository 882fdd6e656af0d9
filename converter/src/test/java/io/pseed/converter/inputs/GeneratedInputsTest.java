package io.pseed.converter.inputs;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import ai.onnxruntime.OnnxTensor;
import ai.onnxruntime.OrtEnvironment;
import ai.onnxruntime.OrtSession;
import io.pseed.converter.calibrate.CalibrationInputs;
import io.pseed.converter.onnx.proto.ModelProto;
import io.pseed.converter.onnx.proto.TensorProto.DataType;
import java.io.InputStream;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class GeneratedInputsTest {
  private static final OrtEnvironment ORT = OrtEnvironment.getEnvironment();

  private static GeneratedInputs of(InputSignature signature, int size) throws Exception {
    return new GeneratedInputs(signature, Map.of(), size);
  }

  private static long[] longs(Map<String, OnnxTensor> made, String name) {
    long[] values = new long[made.get(name).getLongBuffer().remaining()];
    made.get(name).getLongBuffer().get(values);
    return values;
  }

  private static float[] floats(Map<String, OnnxTensor> made, String name) {
    float[] values = new float[made.get(name).getFloatBuffer().remaining()];
    made.get(name).getFloatBuffer().get(values);
    return values;
  }

  @Test
  void tokensFallLikeWordsAndStayWithinTheTable() throws Exception {
    InputSignature bert =
        new Signatures()
            .input("input_ids", DataType.INT64, -1, -1)
            .input("attention_mask", DataType.INT64, -1, -1)
            .input("token_type_ids", DataType.INT64, -1, -1)
            .table("input_ids", 30522)
            .table("token_type_ids", 2)
            .signature();
    CalibrationInputs inputs = of(bert, 200);
    assertThat(inputs.generated()).isTrue();
    assertThat(inputs.description()).contains("200 inputs generated");
    Set<Integer> lengths = new HashSet<>();
    Map<Long, Integer> counts = new HashMap<>();
    int all = 0;
    for (int i = 0; i < inputs.size(); i++) {
      Map<String, OnnxTensor> made = inputs.make(ORT, i);
      long[] ids = longs(made, "input_ids");
      assertThat(ids[0]).isEqualTo(101);
      assertThat(ids[ids.length - 1]).isEqualTo(102);
      assertThat(longs(made, "attention_mask")).hasSameSizeAs(ids).containsOnly(1);
      long[] types = longs(made, "token_type_ids");
      assertThat(types[0]).isZero();
      assertThat(types[types.length - 1]).isEqualTo(i % 8 == 7 ? 1 : 0);
      lengths.add(ids.length);
      for (long id : ids) {
        assertThat(id).isBetween(0L, 30521L);
        counts.merge(id, 1, Integer::sum);
        all++;
      }
      made.values().forEach(OnnxTensor::close);
    }
    assertThat(lengths).hasSizeGreaterThan(20);
    // The most frequent word, and a long tail: more than a third of all are different.
    assertThat(counts.get(1996L)).isGreaterThan(all / 100);
    assertThat(counts).hasSizeGreaterThan(all / 3);
  }

  @Test
  void aFixedLengthIsMaskedBehindTheText() throws Exception {
    InputSignature fixed =
        new Signatures()
            .input("input_ids", DataType.INT64, 1, 64)
            .input("attention_mask", DataType.INT64, 1, 64)
            .table("input_ids", 50265)
            .signature();
    Map<String, OnnxTensor> made = of(fixed, 1).make(ORT, 0);
    long[] ids = longs(made, "input_ids");
    long[] mask = longs(made, "attention_mask");
    assertThat(mask[0]).isEqualTo(1);
    assertThat(mask[63]).isZero();
    for (int i = 0; i < 64; i++) {
      assertThat(ids[i] == 1).isEqualTo(mask[i] == 0);
    }
    made.values().forEach(OnnxTensor::close);
  }

  @Test
  void theSameNumberGivesTheSameInputsAndJudgingGetsOthers() throws Exception {
    InputSignature picture = new Signatures().input("x", DataType.FLOAT, 1, 3, 40, 64).signature();
    float[] first = floats(of(picture, 3).make(ORT, 1), "x");
    assertThat(floats(of(picture, 9).make(ORT, 1), "x")).isEqualTo(first);
    assertThat(floats(of(picture, 9).make(ORT, 2), "x")).isNotEqualTo(first);
    CalibrationInputs.Split split = of(picture, 3).split(5);
    assertThat(split.judging().size()).isEqualTo(5);
    assertThat(split.judging().generated()).isTrue();
    assertThat(floats(split.judging().make(ORT, 1), "x")).isNotEqualTo(first);
    assertThat(floats(split.calibration().make(ORT, 1), "x")).isEqualTo(first);
  }

  /** In pictures neighbours are alike, at any distance more than further ones. */
  @Test
  void picturesHaveANaturalSpectrum() {
    double near = 0;
    double far = 0;
    double energy = 0;
    for (int n = 0; n < 8; n++) {
      GeneratedImage image = new GeneratedImage(3, 128, 160, new Random(n));
      double mean = 0;
      for (int i = 0; i < 128 * 160; i++) {
        assertThat(image.level(1, i)).isBetween(0.0, 255.0);
        mean += image.level(1, i) / (128 * 160);
      }
      for (int y = 0; y < 128; y++) {
        for (int x = 0; x < 160 - 32; x++) {
          double here = image.level(1, y * 160 + x);
          near += Math.pow(here - image.level(1, y * 160 + x + 1), 2);
          far += Math.pow(here - image.level(1, y * 160 + x + 32), 2);
          energy += Math.pow(here - mean, 2);
        }
      }
    }
    assertThat(near).isLessThan(0.35 * energy);
    assertThat(far).isGreaterThan(2.5 * near);
  }

  @Test
  void soundsAreLoudAndSoftAndFallWithTheFrequency() {
    double steps = 0;
    double energy = 0;
    int quiet = 0;
    for (int n = 0; n < 8; n++) {
      double[] sound = GeneratedSound.of(16_000, 16_000, new Random(n));
      for (int i = 1; i < sound.length; i++) {
        assertThat(sound[i]).isBetween(-1.0, 1.0);
        steps += Math.pow(sound[i] - sound[i - 1], 2);
        energy += sound[i] * sound[i];
        quiet += Math.abs(sound[i]) < 0.02 ? 1 : 0;
      }
    }
    assertThat(steps).isLessThan(energy); // White noise has twice its energy.
    assertThat(quiet).isBetween(8 * 1_000, 8 * 15_000);
  }

  @Test
  void statesAreWhatTheModelGaveBefore() throws Exception {
    ModelProto model =
        new Signatures()
            .input("x", DataType.FLOAT, -1, -1)
            .input("state", DataType.FLOAT, 2, -1, 4)
            .output("y", DataType.FLOAT, -1, -1)
            .output("stateN", DataType.FLOAT, -1, -1, -1)
            .node("Identity", "y", "x")
            .node("Cos", "stateN", "state")
            .model();
    InputSignature signature = new InputSignature(model);
    try (OrtSession session = ORT.createSession(model.toByteArray())) {
      GeneratedInputs inputs = of(signature, 18).thatRun(session);
      float expected = 0;
      for (int i = 0; i < 18; i++) {
        Map<String, OnnxTensor> made = inputs.make(ORT, i);
        expected = i % 16 == 0 ? 0 : (float) Math.cos(expected);
        assertThat(floats(made, "state")[0])
            .isCloseTo(expected, org.assertj.core.data.Offset.offset(1e-5f));
        assertThat(made.get("state").getInfo().getShape()).containsExactly(2, 1, 4);
        assertThat(made.get("x").getInfo().getShape()).containsExactly(1, 512);
        made.values().forEach(OnnxTensor::close);
      }
    }
  }

  @ParameterizedTest
  @CsvSource({
    "ch_PP-OCRv3_det_infer, 320, 480",
    "ch_PP-OCRv3_rec_infer, 48, 320",
    "ch_ppocr_mobile_v2.0_cls_infer, 224, 224"
  })
  void theOriginalDecidesTheSize(String name, long height, long width) throws Exception {
    byte[] bytes;
    try (InputStream in =
        GeneratedInputsTest.class.getResourceAsStream("/models/" + name + ".onnx")) {
      bytes = in.readAllBytes();
    }
    try (OrtSession session = ORT.createSession(bytes)) {
      InputSignature signature = new InputSignature(ModelProto.parseFrom(bytes));
      GeneratedInputs inputs = of(signature, 2).thatRun(session);
      Map<String, OnnxTensor> made = inputs.make(ORT, 1);
      assertThat(made.get("x").getInfo().getShape()).containsExactly(1, 3, height, width);
      made.values().forEach(OnnxTensor::close);
    }
  }

  @Test
  void modelsWithoutPlausibleInputsAreRefused() throws Exception {
    InputSignature words = new Signatures().input("s", DataType.STRING, -1).signature();
    assertThatThrownBy(() -> of(words, 1))
        .isInstanceOf(UnsupportedModelException.class)
        .hasMessageContaining("'s' is no tensor of numbers");
    InputSignature x = new Signatures().input("x", DataType.FLOAT, 1, 2).signature();
    assertThatThrownBy(() -> new GeneratedInputs(x, Map.of("y", new long[] {1}), 1))
        .hasMessageContainingAll("no input 'y'", "[x]");
  }

  @Test
  void largeModelsGetFewerInputs() throws Exception {
    assertThat(of(new Signatures().input("x", DataType.FLOAT, 1, 8).signature(), 0).size())
        .isEqualTo(1024);
    InputSignature large =
        new Signatures()
            .input("x", DataType.FLOAT, 1, 3, 1024, 1024)
            .table("unused", 1)
            .weight("w", 4096, 4096)
            .signature();
    assertThat(of(large, 0).size()).isEqualTo(8);
  }
}
