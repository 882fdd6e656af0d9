package io.pseed.converter.demo;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.nio.file.Path;
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
