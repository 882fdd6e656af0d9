package io.pseed.maven;

import static org.assertj.core.api.Assertions.assertThat;

import io.pseed.converter.Sources;
import io.pseed.converter.source.TensorSource;
import java.lang.reflect.Field;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class FingerprintTest {
  /** What a conversion's bytes do not depend on. */
  private static final Set<String> NOT_OF_THE_FILE =
      Set.of("source", "target", "minWorst", "outputs", "external", "classifier");

  private static final Map<String, Object> VALUES =
      Map.ofEntries(
          Map.entry("bits", 3.5),
          Map.entry("targetSize", "8MB"),
          Map.entry("minCosine", 0.99),
          Map.entry("seedBits", 13),
          Map.entry("layerSeeds", false),
          Map.entry("calibration", "generated"),
          Map.entry("calibrationInputs", 7),
          Map.entry("tokenizer", "t.json"),
          Map.entry("inputShapes", List.of("x=1x2")),
          Map.entry("imageLevels", "unit"),
          Map.entry("bgr", true),
          Map.entry("judge", "generated"),
          Map.entry("plan", "plan.json"));

  @TempDir Path dir;
  private Path source;

  @BeforeEach
  void files() throws Exception {
    source = TinyModels.onnx(dir.resolve("tiny.onnx"), 1);
    Files.writeString(dir.resolve("t.json"), "{}");
    Files.writeString(dir.resolve("plan.json"), "{}");
  }

  private String of(Path file, Model model) throws Exception {
    try (TensorSource opened = Sources.open(file)) {
      return Fingerprint.of(opened, model, ModelSettings.of(dir, model));
    }
  }

  @Test
  void everyParameterThatDecidesBytesCounts() throws Exception {
    String plain = of(source, new Model());
    assertThat(of(source, new Model())).isEqualTo(plain);
    for (Field field : Model.class.getDeclaredFields()) {
      if (field.isSynthetic() || NOT_OF_THE_FILE.contains(field.getName())) {
        continue;
      }
      Model model = new Model();
      assertThat(VALUES).containsKey(field.getName());
      field.set(model, VALUES.get(field.getName()));
      assertThat(of(source, model)).as(field.getName()).isNotEqualTo(plain);
    }
    Model other = new Model();
    other.target = "x";
    other.minWorst = 0.5;
    other.outputs = List.of("pseed", "onnx");
    other.external = true;
    other.classifier = "c";
    assertThat(of(source, other)).isEqualTo(plain);
  }

  @Test
  void contentsCountAndPlacesDoNot() throws Exception {
    String plain = of(source, new Model());
    Path elsewhere = Files.createDirectory(dir.resolve("sub")).resolve("tiny.onnx");
    assertThat(of(TinyModels.onnx(elsewhere, 1), new Model())).isEqualTo(plain);
    assertThat(of(TinyModels.onnx(elsewhere, 2), new Model())).isNotEqualTo(plain);
    // The name stands in the file.
    assertThat(of(TinyModels.onnx(dir.resolve("b.onnx"), 1), new Model())).isNotEqualTo(plain);
  }

  @Test
  void calibrationDataAndTheTokenizerBesideAreRead() throws Exception {
    String plain = of(source, new Model());
    Path texts = Files.writeString(dir.resolve("texts.txt"), "one\n");
    Model model = new Model();
    model.calibration = "texts.txt";
    String one = of(source, model);
    Files.writeString(texts, "two\n");
    assertThat(of(source, model)).isNotEqualTo(one).isNotEqualTo(plain);
    Files.writeString(texts, "one\n");
    assertThat(of(source, model)).isEqualTo(one);
    Path images = Files.createDirectory(dir.resolve("images"));
    Files.writeString(images.resolve("a.png"), "a");
    model.calibration = "images";
    String image = of(source, model);
    Files.move(images.resolve("a.png"), images.resolve("b.png"));
    assertThat(of(source, model)).isNotEqualTo(image);
    Files.writeString(dir.resolve("tokenizer.json"), "{}");
    assertThat(of(source, new Model())).isNotEqualTo(plain);
  }
}
