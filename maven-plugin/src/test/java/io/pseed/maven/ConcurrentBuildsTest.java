package io.pseed.maven;

import static org.assertj.core.api.Assertions.assertThat;

import io.pseed.converter.verify.WeightCheck;
import io.pseed.format.PseedReader;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.stream.Stream;
import org.apache.maven.model.Plugin;
import org.apache.maven.plugin.MojoExecution;
import org.apache.maven.project.MavenProject;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Several builds of one project at the same time, and the goal as Maven calls it. */
class ConcurrentBuildsTest {
  private static final int BUILDS = 4;
  private static final int ROUNDS = 3;

  @TempDir Path dir;

  private ConvertMojo mojo(boolean cache, String target) {
    ConvertMojo mojo = new ConvertMojo();
    mojo.project = new MavenProject();
    mojo.project.setFile(dir.resolve("pom.xml").toFile());
    mojo.execution = new MojoExecution(new Plugin(), "convert", "default");
    Model model = new Model();
    model.source = "tiny.onnx";
    model.target = target;
    model.calibration = "none";
    model.outputs = List.of("pseed", "onnx");
    mojo.models = List.of(model);
    mojo.buildDirectory = dir.resolve("target").toFile();
    mojo.outputDirectory = dir.resolve("target/resources").toFile();
    mojo.cacheDirectory = dir.resolve("cache").toFile();
    mojo.cache = cache;
    mojo.device = "auto";
    mojo.threads = 1;
    mojo.resources = true;
    return mojo;
  }

  private static List<Path> files(Path folder) throws Exception {
    try (Stream<Path> files = Files.walk(folder)) {
      return files.filter(Files::isRegularFile).sorted().toList();
    }
  }

  @ParameterizedTest
  @ValueSource(booleans = {true, false})
  void doNotDisturbEachOther(boolean cache) throws Exception {
    TinyModels.onnx(dir.resolve("tiny.onnx"), 1);
    ExecutorService threads = Executors.newFixedThreadPool(BUILDS);
    try {
      for (int round = 0; round < ROUNDS; round++) {
        SafeFiles.deleteTree(dir.resolve("target"));
        List<Callable<Void>> builds = new ArrayList<>();
        for (int i = 0; i < BUILDS; i++) {
          ConvertMojo mojo = mojo(cache, "m");
          builds.add(
              () -> {
                mojo.execute();
                return null;
              });
        }
        for (Future<Void> done : threads.invokeAll(builds)) {
          done.get();
        }
        Path result = dir.resolve("target/resources/m.pseed");
        try (PseedReader reader = PseedReader.open(result)) {
          WeightCheck.container(reader);
        }
        assertThat(files(dir.resolve("target/resources")))
            .containsExactly(dir.resolve("target/resources/m.onnx"), result);
        assertThat(dir.resolve("target/pseed/work")).isEmptyDirectory();
      }
    } finally {
      threads.shutdownNow();
    }
  }

  @Test
  void damagedResultsAreMadeAgainAndStaleOnesDeleted() throws Exception {
    TinyModels.onnx(dir.resolve("tiny.onnx"), 1);
    ConvertMojo first = mojo(false, "m");
    first.execute();
    assertThat(first.project.getResources())
        .singleElement()
        .satisfies(
            resource -> {
              assertThat(resource.getDirectory()).isEqualTo(first.outputDirectory.toString());
              assertThat(resource.isFiltering()).isFalse();
            });
    Path result = dir.resolve("target/resources/m.pseed");
    byte[] bytes = Files.readAllBytes(result);
    Files.writeString(result, "damaged");
    mojo(false, "m").execute();
    assertThat(result).hasBinaryContent(bytes);
    // What somebody changed by hand is not ours to delete.
    Path changed = Files.writeString(dir.resolve("target/resources/m.onnx"), "changed");
    ConvertMojo other = mojo(false, "n");
    other.execution = new MojoExecution(null, "default", MojoExecution.Source.LIFECYCLE);
    other.execute();
    assertThat(result).doesNotExist();
    assertThat(changed).hasContent("changed");
    assertThat(dir.resolve("target/resources/n.pseed")).hasBinaryContent(bytes);
  }
}
