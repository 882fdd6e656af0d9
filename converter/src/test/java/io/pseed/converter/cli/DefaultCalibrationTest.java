package io.pseed.converter.cli;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.google.protobuf.ByteString;
import io.pseed.converter.onnx.proto.ModelProto;
import io.pseed.converter.onnx.proto.NodeProto;
import io.pseed.converter.onnx.proto.OperatorSetIdProto;
import io.pseed.converter.onnx.proto.TensorProto.DataType;
import io.pseed.converter.onnx.proto.ValueInfoProto;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What {@code convert} calibrates with when it is told, when it is not, and when it cannot. */
class DefaultCalibrationTest {
  @TempDir Path dir;
  private Path model;
  private Path target;

  @BeforeEach
  void write() throws IOException {
    model = TinyModels.onnx(dir.resolve("tiny.onnx"), 1);
    target = dir.resolve("t.pseed");
  }

  private JsonNode calibration(Object... options) throws IOException {
    Object[] all = new Object[options.length + 6];
    System.arraycopy(new Object[] {"convert", model, "-o", target, "-q", "--json"}, 0, all, 0, 6);
    System.arraycopy(options, 0, all, 6, options.length);
    Outcome outcome = Outcome.of(all);
    assertThat(outcome.code()).as(outcome.err()).isZero();
    return outcome.json();
  }

  @Test
  void inputsAreGeneratedUnlessToldOtherwise() throws IOException {
    JsonNode usual = calibration().get("calibration");
    assertThat(usual.get("done").asBoolean()).isTrue();
    assertThat(usual.get("origin").asText()).isEqualTo("generated");
    assertThat(usual.get("runs").asInt()).isEqualTo(1024);
    byte[] bytes = Files.readAllBytes(target);
    calibration("--calibrate", "generated", "--threads", 1);
    assertThat(target).hasBinaryContent(bytes);
    JsonNode fewer = calibration("--calibration-inputs", 5).get("calibration");
    assertThat(fewer.get("runs").asInt()).isEqualTo(5);
    assertThat(calibration("--input-shape", "input_ids=2x7").get("notices")).isEmpty();

    JsonNode none = calibration("--no-calibration").get("calibration");
    assertThat(none.get("done").asBoolean()).isFalse();
    assertThat(none.get("reason").asText()).isEqualTo("--no-calibration");
    Outcome said = Outcome.of("convert", model, "-o", target);
    assertThat(said.out()).contains("by 1024 inputs generated from the graph's signature");
  }

  @Test
  void checkpointsCannotBeRun() throws IOException {
    model = TinyModels.safetensors(dir.resolve("c.safetensors"), 1, 32);
    JsonNode result = calibration();
    assertThat(result.get("calibration").get("reason").asText()).contains("no graph");
    assertThat(result.get("notices")).isEmpty();
    assertThat(Outcome.of("convert", model, "--calibrate", "generated").sentence())
        .contains("needs an ONNX model", "has only weights");
  }

  @Test
  void aModelThatDoesNotRunIsConvertedAllTheSameAndItSaysSo() throws IOException {
    ModelProto.Builder odd = ModelProto.parseFrom(Files.readAllBytes(model)).toBuilder();
    odd.addOpsetImport(OperatorSetIdProto.newBuilder().setDomain("else").setVersion(1));
    odd.getGraphBuilder()
        .addNode(
            NodeProto.newBuilder()
                .setOpType("Twirl")
                .setDomain("else")
                .setName("twirl")
                .addInput("hidden")
                .addOutput("twirled"))
        .addOutput(ValueInfoProto.newBuilder().setName("twirled"));
    Files.write(model, odd.build().toByteArray());
    JsonNode result = calibration();
    assertThat(result.get("calibration").get("done").asBoolean()).isFalse();
    assertThat(result.get("calibration").get("reason").asText())
        .contains("converted without calibration", "ONNX Runtime does not load", "Twirl")
        .contains("--no-calibration");
    assertThat(result.get("notices").toString()).contains("converted without calibration");
    assertThat(Outcome.of("convert", model, "-o", target).out())
        .contains("spread without calibration", "note: converted without calibration");
    Files.delete(target);
    Outcome asked = Outcome.of("convert", model, "-o", target, "-q", "--calibrate", "generated");
    assertThat(asked.code()).isEqualTo(1);
    assertThat(asked.sentence()).contains("Twirl", "--calibrate");
    assertThat(target).doesNotExist();
  }

  @Test
  void weightsThatAreNotFiniteStayAsTheyAre() throws IOException {
    for (float odd : new float[] {Float.NaN, Float.POSITIVE_INFINITY}) {
      ModelProto.Builder broken = ModelProto.parseFrom(Files.readAllBytes(model)).toBuilder();
      byte[] dense = broken.getGraph().getInitializer(1).getRawData().toByteArray();
      ByteBuffer.wrap(dense).order(ByteOrder.LITTLE_ENDIAN).putFloat(4 * 100, odd);
      broken.getGraphBuilder().getInitializerBuilder(1).setRawData(ByteString.copyFrom(dense));
      Files.write(model, broken.build().toByteArray());
      JsonNode result = calibration();
      assertThat(result.get("notices").toString()).contains("'dense'").contains("not finite");
      JsonNode tensor = Outcome.of("inspect", target, "--json").json().get("tensors").get(1);
      assertThat(tensor.get("name").asText()).isEqualTo("dense");
      assertThat(tensor.get("codec").asText()).isEqualTo("raw");
      assertThat(tensor.get("reason").asText()).contains("1 elements are NaN, infinite");
    }
  }

  @Test
  void inputsThatNobodyCanMakeAreNamed() throws IOException {
    ModelProto.Builder odd = ModelProto.parseFrom(Files.readAllBytes(model)).toBuilder();
    odd.getGraphBuilder()
        .getInputBuilder(0)
        .getTypeBuilder()
        .getTensorTypeBuilder()
        .setElemType(DataType.STRING.getNumber());
    Files.write(model, odd.build().toByteArray());
    assertThat(calibration().get("calibration").get("reason").asText())
        .contains("'input_ids' is no tensor of numbers");
  }

  @Test
  void dataThatIsAskedForMustFit() throws IOException {
    Path texts = Files.writeString(dir.resolve("texts.txt"), "the sea\n");
    assertThat(Outcome.of("convert", model, "-q", "--calibrate", texts).sentence())
        .contains("tokenizer.json", "none beside", "--tokenizer");
    assertThat(Outcome.of("convert", model, "-q", "--calibrate", "texts").sentence())
        .contains("--tokenizer");
    Path images = Files.createDirectory(dir.resolve("images"));
    assertThat(Outcome.of("convert", model, "-q", "--calibrate", images).sentence())
        .contains("'input_ids' is int64 [?, ?]", "for images");
    Path npy = Files.writeString(dir.resolve("x.npy"), "no array");
    assertThat(Outcome.of("convert", model, "-q", "--calibrate", npy).sentence())
        .contains("x.npy: is no .npy array");
    assertThat(Outcome.of("convert", model, "-q", "--calibrate", dir.resolve("no.npz")).sentence())
        .endsWith("no.npz: no such file or folder");
    assertThat(Outcome.of("convert", model, "-q", "--input-shape", "nix=2x5").sentence())
        .contains("no input 'nix'");
    // A tokenizer that lies there but does not belong to the model is named, not used.
    Files.writeString(dir.resolve("tokenizer.json"), "{}");
    JsonNode result = calibration();
    assertThat(result.get("calibration").get("origin").asText()).isEqualTo("generated");
    assertThat(result.get("notices").toString())
        .contains("inputs are generated instead of cut from texts", "no tokenizer.json");
    assertThat(dir.resolve("tiny.pseed")).doesNotExist();
  }
}
