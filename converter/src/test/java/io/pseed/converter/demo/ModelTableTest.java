package io.pseed.converter.demo;

import static org.assertj.core.api.Assertions.assertThat;

import ai.onnxruntime.OnnxTensor;
import ai.onnxruntime.OrtEnvironment;
import java.nio.FloatBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ModelTableTest {
  @TempDir Path folder;

  @Test
  void aLineIsReadWithoutBlanksAndRepetitions() {
    int[] likeliest = {0, 1, 1, 0, 1, 2, 2, 3, 0};
    float[] classes = new float[4 * likeliest.length];
    for (int t = 0; t < likeliest.length; t++) {
      classes[4 * t + likeliest[t]] = 1;
    }
    // Class 3 lies behind the dictionary: the space.
    assertThat(DrawnWords.read(classes, 4, List.of("a", "b"))).isEqualTo("aab ");
  }

  @Test
  void drawnWordsVaryAndRepeat() {
    DrawnWords words = new DrawnWords(50);
    List<String> all = IntStream.range(0, 50).mapToObj(words::text).toList();
    assertThat(all).doesNotHaveDuplicates().anyMatch(w -> w.matches("[0-9]+"));
    assertThat(all).anyMatch(w -> w.matches("[A-Z]+")).anyMatch(w -> w.matches("[a-z]+"));
    assertThat(new DrawnWords(50).text(7)).isEqualTo(all.get(7));
  }

  @Test
  void pagesHaveInkWhereTheirBoxesSay() throws Exception {
    DrawnWords words = new DrawnWords(2);
    DrawnWords.Page page = words.page(OrtEnvironment.getEnvironment(), 1);
    try (OnnxTensor picture = page.picture()) {
      assertThat(page.boxes()).hasSize(5);
      FloatBuffer pixels = picture.getFloatBuffer();
      float[] x = new float[pixels.remaining()];
      pixels.get(x);
      int width = (int) picture.getInfo().getShape()[3];
      double paper = x[0];
      for (int[] box : page.boxes()) {
        double most = 0;
        for (int i = box[0]; i < box[0] + box[2]; i++) {
          most = Math.max(most, Math.abs(x[(box[1] + box[3] / 2) * width + i] - paper));
        }
        assertThat(most).isGreaterThan(1);
      }
      // A map of text that is right finds all; one that sees nothing finds none.
      float[] map = new float[width * width];
      assertThat(DrawnWords.found(FloatBuffer.wrap(map), page.boxes())).isZero();
      for (int[] box : page.boxes()) {
        for (int y = box[1]; y < box[1] + box[3]; y++) {
          Arrays.fill(map, y * width + box[0], y * width + box[0] + box[2], 0.9f);
        }
      }
      assertThat(DrawnWords.found(FloatBuffer.wrap(map), page.boxes())).isEqualTo(5);
    }
  }

  @Test
  void aModelThatIsNotThereIsSkippedWithItsReason() throws Exception {
    ModelTable table =
        new ModelTable(
            folder.resolve("work"),
            Optional.of(folder),
            (model, tokenizer, bytes, target) -> Optional.of("not called"),
            sentence -> {});
    List<ModelTable.Row> rows = table.run(List.of("Silero-VAD-v5"));
    assertThat(rows).hasSize(1);
    assertThat(rows.get(0).trouble()).contains("skipped").contains("silero_vad_v5.onnx");
    assertThat(rows.get(0).reached()).isFalse();
    assertThat(Files.isDirectory(folder.resolve("work"))).isTrue();
  }
}
