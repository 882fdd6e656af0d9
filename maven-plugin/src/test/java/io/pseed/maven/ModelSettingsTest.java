package io.pseed.maven;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.pseed.converter.command.ConversionRequest;
import io.pseed.converter.command.DeviceSetting;
import io.pseed.converter.command.Setting;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.function.Consumer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ModelSettingsTest {
  @TempDir Path dir;

  private ModelSettings of(Consumer<Model> change) throws ConfigurationException {
    Model model = new Model();
    change.accept(model);
    return ModelSettings.of(dir, model);
  }

  private void refused(Consumer<Model> change, String... words) {
    assertThatThrownBy(() -> of(change))
        .isInstanceOf(ConfigurationException.class)
        .hasMessageContainingAll(words);
  }

  @Test
  void everyWrongParameterNamesItsTag() {
    refused(m -> m.bits = 9.0, "<bits> is 9.0", "1 to 8");
    refused(m -> m.bits = Double.NaN, "<bits>");
    refused(m -> m.targetSize = "8 potatoes", "<targetSize>", "8 potatoes");
    refused(m -> m.minCosine = 1.0, "<minCosine> is 1.0");
    refused(m -> m.minWorst = 0.0, "<minWorst>");
    refused(m -> m.seedBits = 21, "<seedBits> is 21", "8 to 20");
    refused(m -> m.calibration = "nowhere.txt", "<calibration> nowhere.txt does not exist");
    refused(m -> m.calibrationInputs = 0, "<calibrationInputs>");
    refused(m -> m.tokenizer = "nowhere.json", "<tokenizer> nowhere.json");
    refused(m -> m.inputShapes = List.of("1x3"), "<inputShapes>", "name=1x3x48x?");
    refused(m -> m.inputShapes = List.of("x=1y3"), "<inputShapes>", "1y3");
    refused(m -> m.imageLevels = "loud", "<imageLevels> is loud", "imagenet");
    refused(m -> m.judge = "nowhere.npz", "<judge> nowhere.npz");
    refused(m -> m.plan = "nowhere.json", "<plan> nowhere.json");
    refused(m -> m.outputs = List.of("tflite"), "<outputs> has tflite");
    refused(m -> m.external = true, "<external>", "<outputs>");
    refused(
        m -> {
          m.bits = 4.0;
          m.targetSize = "1MB";
        },
        "<bits> and <targetSize> exclude each other");
  }

  @Test
  void becomeAConversion() throws Exception {
    ConversionRequest plain = of(m -> {}).request(3, DeviceSetting.CPU);
    assertThat(plain.bits()).isEmpty();
    assertThat(plain.seedBits()).isEqualTo(ConversionRequest.USUAL_SEED_BITS);
    assertThat(plain.layerSeeds()).isTrue();
    assertThat(plain.calibrate().none()).isFalse();
    assertThat(plain.threads()).isEqualTo(3);
    assertThat(of(m -> m.outputs = List.of()).outputs()).containsExactly("pseed");
    Files.createDirectory(dir.resolve("images"));
    ModelSettings settings =
        of(
            m -> {
              m.targetSize = "7.5 MiB";
              m.minCosine = 0.99;
              m.calibration = "images";
              m.judge = "texts";
              m.outputs = List.of("ONNX", "pseed");
            });
    ConversionRequest request = settings.request(1, DeviceSetting.CPU);
    assertThat(request.targetSize()).hasValue(7_864_320);
    assertThat(request.minCosine()).hasValue(0.99);
    assertThat(request.calibrate().data()).hasValue(dir.resolve("images").toString());
    assertThat(request.judge().data()).hasValue("texts");
    assertThat(settings.outputs()).containsExactly("onnx", "pseed");
    assertThat(of(m -> m.calibration = "none").request(1, DeviceSetting.CPU).calibrate().none())
        .isTrue();
  }

  @Test
  void aModelsOwnParametersComeFirst() {
    Model common = new Model();
    common.bits = 4.0;
    common.minCosine = 0.9;
    common.outputs = List.of("onnx");
    Model own = new Model();
    own.targetSize = "1MB";
    Model both = own.over(common);
    assertThat(both.targetSize).isEqualTo("1MB");
    assertThat(both.bits).isNull();
    assertThat(both.minCosine).isEqualTo(0.9);
    assertThat(both.outputs).containsExactly("onnx");
    assertThat(new Model().over(common).bits).isEqualTo(4.0);
  }

  @Test
  void sentencesCallSettingsByTags() {
    for (Setting setting : Setting.values()) {
      assertThat(MavenWording.INSTANCE.of(setting)).matches("<(\\w+)>(none</\\1>)?");
    }
  }
}
