package io.pseed.vectors;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.function.Consumer;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** Every file that a fuzzer starts from, and every finding, through the target that read it. */
class FuzzTargetsTest {
  private static void replay(String suffix, List<String> folders, Consumer<byte[]> target)
      throws IOException {
    int count = 0;
    for (String folder : folders) {
      try (Stream<Path> files = Files.list(Path.of(folder))) {
        for (Path file : files.filter(f -> f.toString().endsWith(suffix)).sorted().toList()) {
          target.accept(Files.readAllBytes(file));
          count++;
        }
      }
    }
    assertThat(count).isGreaterThan(100);
  }

  @Test
  void containers() throws IOException {
    replay(
        ".pseed",
        List.of("testdata/valid", "testdata/invalid"),
        ContainerFuzzer::fuzzerTestOneInput);
  }

  @Test
  void records() throws IOException {
    List<String> folders = List.of("testdata/valid", "testdata/invalid");
    replay(".rec", folders, RawFuzzer::fuzzerTestOneInput);
    replay(".rec", folders, PoincareFuzzer::fuzzerTestOneInput);
    replay(".rec", folders, TrellisFuzzer::fuzzerTestOneInput);
  }
}
