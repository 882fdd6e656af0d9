package io.pseed.maven;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.zip.ZipEntry;
import java.util.zip.ZipOutputStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ModelFilesTest {
  @TempDir Path dir;

  private ModelFiles files(Path artifact) {
    return new ModelFiles(dir, dir.resolve("target"), coordinates -> artifact);
  }

  private Path write(String name) throws IOException {
    Path file = dir.resolve(name);
    Files.createDirectories(file.getParent());
    return Files.writeString(file, name);
  }

  private Path jar(String... entries) throws IOException {
    Path jar = dir.resolve("a.jar");
    try (OutputStream out = Files.newOutputStream(jar);
        ZipOutputStream zip = new ZipOutputStream(out)) {
      for (String entry : entries) {
        zip.putNextEntry(new ZipEntry(entry));
        zip.write(entry.getBytes(StandardCharsets.UTF_8));
      }
    }
    return jar;
  }

  private static List<String> names(List<ModelFiles.Found> found) {
    return found.stream().map(ModelFiles.Found::name).toList();
  }

  @Test
  void findsFilesAndPatterns() throws Exception {
    Path a = write("models/a.onnx");
    write("models/sub/b.onnx");
    write("models/sub/b.txt");
    write("target/classes/c.onnx");
    ModelFiles files = files(dir);
    assertThat(files.find("models/a.onnx")).containsExactly(new ModelFiles.Found(a, "a.onnx"));
    assertThat(files.find(a.toString())).containsExactly(new ModelFiles.Found(a, "a.onnx"));
    assertThat(names(files.find("models/*.onnx"))).containsExactly("a.onnx");
    assertThat(names(files.find("models/**/*.onnx"))).containsExactly("a.onnx", "sub/b.onnx");
    assertThat(names(files.find("**/*.onnx")))
        .containsExactly("models/a.onnx", "models/sub/b.onnx");
    assertThat(names(files.find("models"))).containsExactly("models");
  }

  @Test
  void whatIsNotThereNamesTheTag() throws IOException {
    write("models/a.onnx");
    for (String source : new String[] {"models/b.onnx", "models/*.bin", "nowhere/*.onnx"}) {
      assertThatThrownBy(() -> files(dir).find(source))
          .isInstanceOf(ConfigurationException.class)
          .hasMessageStartingWith("<source> " + source)
          .hasMessageContaining(dir.toString());
    }
  }

  @Test
  void unpacksAnEntryWithWhatBelongsToIt() throws Exception {
    Path jar =
        jar(
            "m/model.onnx",
            "m/model.onnx.data",
            "m/tokenizer.json",
            "m/other.onnx",
            "model.onnx",
            "m/sub/model.txt");
    ModelFiles.Found found = files(jar).find("g:a:1!/m/model.onnx").get(0);
    assertThat(found.name()).isEqualTo("model.onnx");
    assertThat(found.file()).hasContent("m/model.onnx").startsWith(dir.resolve("target"));
    assertThat(found.file().getParent())
        .isDirectoryContaining("glob:**model.onnx.data")
        .isDirectoryContaining("glob:**tokenizer.json")
        .isDirectoryNotContaining("glob:**other.onnx");
    assertThat(names(files(jar).find("g:a:1!/m/*.onnx")))
        .containsExactly("model.onnx", "other.onnx");
    // A file that was changed is unpacked again.
    Files.writeString(found.file(), "m/model.0nnx");
    assertThat(files(jar).find("g:a:1!/m/model.onnx").get(0).file()).hasContent("m/model.onnx");
    assertThatThrownBy(() -> files(jar).find("g:a:1!/m/none.onnx"))
        .hasMessageStartingWith("<source> g:a:1!/m/none.onnx matches nothing");
  }

  @Test
  void withoutAnEntryItIsTheArtifactItself() throws Exception {
    Path artifact = write("a-1-small.pseed");
    assertThat(files(artifact).find("g:a:pseed:small:1!/"))
        .containsExactly(new ModelFiles.Found(artifact, "a-1-small.pseed"));
  }

  @Test
  void entriesStayInTheirFolder() throws IOException {
    Path jar = jar("../../evil.onnx");
    assertThatThrownBy(() -> files(jar).find("g:a:1!/**/*.onnx"))
        .isInstanceOf(ConfigurationException.class)
        .hasMessageContaining("leaves it");
    assertThatThrownBy(() -> files(write("no.jar")).find("g:a:1!/m.onnx"))
        .hasMessageContaining("is no jar");
  }

  @Test
  void aModuleThatIsNotPackagedIsAFolder() throws Exception {
    write("classes/m/model.onnx");
    assertThat(names(files(dir.resolve("classes")).find("g:a!/m/*.onnx")))
        .containsExactly("model.onnx");
  }

  @Test
  void stemsKeepOtherSuffixes() {
    assertThat(ModelFiles.stem("a.onnx")).isEqualTo("a");
    assertThat(ModelFiles.stem("a.safetensors.index.json")).isEqualTo("a");
    assertThat(ModelFiles.stem("a.v1.pseed")).isEqualTo("a.v1");
    assertThat(ModelFiles.stem("a.v1")).isEqualTo("a.v1");
  }
}
