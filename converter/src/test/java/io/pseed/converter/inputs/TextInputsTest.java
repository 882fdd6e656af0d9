package io.pseed.converter.inputs;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import ai.onnxruntime.OnnxTensor;
import ai.onnxruntime.OrtEnvironment;
import io.pseed.converter.calibrate.CalibrationInputs;
import io.pseed.converter.calibrate.CalibrationInputs.Origin;
import io.pseed.converter.onnx.proto.TensorProto.DataType;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class TextInputsTest {
  @TempDir static Path dir;
  private static Path tokenizer;

  @BeforeAll
  static void unpack() throws IOException {
    tokenizer = dir.resolve("tokenizer.json");
    try (InputStream in =
        TextInputsTest.class.getResourceAsStream("/all-minilm-l6-v2-tokenizer.json")) {
      Files.copy(in, tokenizer);
    }
  }

  private static Signatures bert(int rows) {
    return new Signatures()
        .input("input_ids", DataType.INT64, -1, -1)
        .input("attention_mask", DataType.INT64, -1, -1)
        .input("token_type_ids", DataType.INT64, -1, -1)
        .table("input_ids", rows);
  }

  private static Path texts(String... lines) throws IOException {
    return Files.write(dir.resolve("texts.txt"), List.of(lines));
  }

  private static long[] longs(OnnxTensor tensor) {
    long[] values = new long[tensor.getLongBuffer().remaining()];
    tensor.getLongBuffer().get(values);
    return values;
  }

  @Test
  void linesBecomeTokens() throws Exception {
    InputSignature signature = bert(30522).signature();
    CalibrationInputs inputs =
        TextInputs.read(texts("", "hello", "  the sea ", "hello"), signature, tokenizer, 9);
    assertThat(inputs.size()).isEqualTo(2);
    assertThat(inputs.description()).isEqualTo("2 texts of " + dir.resolve("texts.txt"));
    assertThat(inputs.origin()).isEqualTo(Origin.GIVEN);
    Map<String, OnnxTensor> made = inputs.make(OrtEnvironment.getEnvironment(), 1);
    assertThat(longs(made.get("input_ids"))).containsExactly(101, 1996, 2712, 102);
    assertThat(longs(made.get("attention_mask"))).containsExactly(1, 1, 1, 1);
    assertThat(longs(made.get("token_type_ids"))).containsOnly(0);
    made.values().forEach(OnnxTensor::close);
  }

  @Test
  void aFixedLengthIsPadded() throws Exception {
    InputSignature fixed =
        new Signatures()
            .input("input_ids", DataType.INT32, 1, 6)
            .input("attention_mask", DataType.FLOAT, 1, 6)
            .signature();
    CalibrationInputs inputs = TextInputs.read(texts("the sea"), fixed, tokenizer, 9);
    Map<String, OnnxTensor> made = inputs.make(OrtEnvironment.getEnvironment(), 0);
    assertThat(made.get("input_ids").getIntBuffer().get(3)).isEqualTo(102);
    assertThat(made.get("input_ids").getIntBuffer().get(4)).isZero();
    assertThat(made.get("attention_mask").getFloatBuffer().get(3)).isEqualTo(1);
    assertThat(made.get("attention_mask").getFloatBuffer().get(4)).isZero();
    made.values().forEach(OnnxTensor::close);
  }

  @Test
  void shippedTextsAreJudgedWithOthers() throws Exception {
    CalibrationInputs shipped = TextInputs.shipped(bert(30522).signature(), tokenizer, 1000);
    assertThat(shipped.origin()).isEqualTo(Origin.SHIPPED);
    assertThat(shipped.size()).isGreaterThan(200);
    CalibrationInputs.Split split = shipped.split(1000);
    assertThat(split.calibration().size()).isEqualTo(shipped.size());
    assertThat(split.judging().size()).isGreaterThanOrEqualTo(40);
    assertThat(split.judging().description()).contains("held out");
    assertThat(resource("held-out.txt")).doesNotContainAnyElementsOf(resource("texts.txt"));
  }

  private static List<String> resource(String name) throws IOException {
    try (InputStream in =
        TextInputsTest.class.getResourceAsStream("/io/pseed/converter/calibrate/" + name)) {
      return new String(in.readAllBytes(), StandardCharsets.UTF_8).lines().toList();
    }
  }

  @Test
  void whatDoesNotFitIsRefused() throws Exception {
    InputSignature signature = bert(30522).signature();
    Path blank = texts("", "  ");
    assertThatThrownBy(() -> TextInputs.read(blank, signature, tokenizer, 9))
        .hasMessageContainingAll(blank.toString(), "has no texts", "one a line");
    Path binary = Files.write(dir.resolve("binary.txt"), new byte[] {(byte) 0xFF, 0, 1});
    assertThatThrownBy(() -> TextInputs.read(binary, signature, tokenizer, 9))
        .hasMessageContainingAll(binary.toString(), "UTF-8");
    Path good = Files.write(dir.resolve("good.txt"), List.of("the sea"));
    Path none = dir.resolve("none.json");
    assertThatThrownBy(() -> TextInputs.read(good, signature, none, 9))
        .hasMessageContainingAll(none.toString(), "no such file");
    Path broken = Files.writeString(dir.resolve("broken.json"), "{}");
    assertThatThrownBy(() -> TextInputs.read(good, signature, broken, 9))
        .hasMessageContainingAll(broken.toString(), "no tokenizer.json that can be read");
    assertThatThrownBy(() -> TextInputs.read(good, bert(200).signature(), tokenizer, 9))
        .hasMessageContainingAll(
            tokenizer.toString(), "'the' as token 1996", "0 to 199", "belongs to the model");
    InputSignature other = bert(30522).input("pixels", DataType.FLOAT, 1, 3, 8, 8).signature();
    assertThatThrownBy(() -> TextInputs.read(good, other, tokenizer, 9))
        .hasMessageContainingAll("'pixels' float32 [1, 3, 8, 8]", ".npz");
    InputSignature pairs = new Signatures().input("input_ids", DataType.INT64, 2, -1).signature();
    assertThatThrownBy(() -> TextInputs.read(good, pairs, tokenizer, 9))
        .hasMessageContaining("int64 [2, ?]");
  }
}
