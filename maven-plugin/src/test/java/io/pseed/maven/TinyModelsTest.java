package io.pseed.maven;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class TinyModelsTest {
  private static final Path FIXTURES = Path.of("src", "it", "models");

  /** {@code -Dpseed.fixtures=write} writes them anew. */
  @Test
  void theFixturesAreWhatTheGeneratorMakes(@TempDir Path dir) throws IOException {
    if ("write".equals(System.getProperty("pseed.fixtures"))) {
      TinyModels.writeAll(FIXTURES);
    }
    TinyModels.writeAll(dir);
    assertThat(names(FIXTURES)).isEqualTo(names(dir)).hasSize(4);
    for (String name : names(dir)) {
      assertThat(FIXTURES.resolve(name)).hasSameBinaryContentAs(dir.resolve(name));
    }
  }

  private static List<String> names(Path folder) throws IOException {
    try (Stream<Path> files = Files.list(folder)) {
      return files.map(file -> file.getFileName().toString()).sorted().toList();
    }
  }
}
