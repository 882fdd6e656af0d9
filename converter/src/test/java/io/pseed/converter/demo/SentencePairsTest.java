package io.pseed.converter.demo;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class SentencePairsTest {
  @TempDir Path dir;

  private Path table(String text) throws IOException {
    return Files.writeString(dir.resolve("pairs.tsv"), text);
  }

  @Test
  void theLastTwoColumnsCountAndWhatCalibrationMetDoesNot() throws IOException {
    Path file = table("w\ta b\tone\n\nw\tc d\ttwo\nw\ta b\tthree\nw\te f\tfour\nw\tg\t\n");
    SentencePairs pairs = SentencePairs.read(file, Set.of("c d"));
    assertThat(pairs.name()).isEqualTo("pairs.tsv");
    assertThat(pairs.queries()).containsExactly("a b", "e f");
    assertThat(pairs.answers()).containsExactly("one", "four");
    Path texts = Files.writeString(dir.resolve("texts.txt"), " c d \n\na b\n");
    assertThat(SentencePairs.texts(texts)).containsExactlyInAnyOrder("c d", "a b");
  }

  @Test
  void tablesThatAreNoneAreRefused() throws IOException {
    Path single = table("a\tb\nonly\n");
    assertThatThrownBy(() -> SentencePairs.read(single, Set.of()))
        .isInstanceOf(DemoException.class)
        .hasMessageContainingAll(single.toString(), "line 2", "one column", "a tabulator");
    Path few = table("a\tb\nc\td\n");
    assertThatThrownBy(() -> SentencePairs.read(few, Set.of("c")))
        .hasMessageContainingAll("1 pairs that calibration did not meet", "at least 2");
    Path binary = Files.write(dir.resolve("b.tsv"), new byte[] {(byte) 0xFF, 9, 1});
    assertThatThrownBy(() -> SentencePairs.read(binary, Set.of())).hasMessageContaining("UTF-8");
    assertThatThrownBy(() -> SentencePairs.texts(binary)).hasMessageContaining("UTF-8");
  }

  @Test
  void ranksAreCountedFromOne() {
    List<float[]> queries = List.of(new float[] {1, 0}, new float[] {0, 1}, new float[] {1, 0});
    List<float[]> answers =
        List.of(new float[] {1, 0}, new float[] {0.6f, 0.8f}, new float[] {0, 1});
    // The first is found first; the second behind the third's answer; the third last.
    assertThat(SentencePairs.meanReciprocalRank(queries, answers))
        .isCloseTo((1 + 1 / 2.0 + 1 / 3.0) / 3, within(1e-12));
  }
}
