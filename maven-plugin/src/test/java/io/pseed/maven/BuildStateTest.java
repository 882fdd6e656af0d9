package io.pseed.maven;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class BuildStateTest {
  @TempDir Path dir;

  @Test
  void whatIsUnchangedIsUpToDate() throws Exception {
    Path made = Files.writeString(dir.resolve("m.pseed"), "seeds");
    Path file = dir.resolve("state/convert.json");
    BuildState state = BuildState.read(file);
    assertThat(state.isUpToDate(made, "k")).isFalse();
    state.put(made, "k");
    state.write();
    assertThat(BuildState.read(file).isUpToDate(made, "k")).isTrue();
    assertThat(BuildState.read(file).isUpToDate(made, "other")).isFalse();
    Files.writeString(made, "weeds");
    assertThat(BuildState.read(file).isUpToDate(made, "k")).isFalse();
    Files.delete(made);
    assertThat(BuildState.read(file).isUpToDate(made, "k")).isFalse();
    Files.writeString(file, "{");
    assertThat(BuildState.read(file).entries()).isEmpty();
    try (Stream<Path> left = Files.list(file.getParent())) {
      assertThat(left).containsExactly(file);
    }
  }
}
