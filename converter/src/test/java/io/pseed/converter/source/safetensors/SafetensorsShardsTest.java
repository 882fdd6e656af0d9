package io.pseed.converter.source.safetensors;

import static io.pseed.converter.source.safetensors.RawFiles.tensor;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.abort;

import io.pseed.converter.source.SourceException;
import io.pseed.converter.source.SourceTensor;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class SafetensorsShardsTest {
  private static final String SHARD_1 = "model-00001-of-00002.safetensors";
  private static final String SHARD_2 = "model-00002-of-00002.safetensors";

  @TempDir Path root;
  private Path folder;
  private Path index;

  @BeforeEach
  void twoShards() throws Exception {
    folder = Files.createDirectory(root.resolve("checkpoint"));
    shard(SHARD_1, "{\"__metadata__\":{\"format\":\"pt\"}," + ab() + "}", 6);
    shard(
        SHARD_2,
        "{\"__metadata__\":{\"format\":\"pt\",\"x\":\"2\"}," + tensor("c", "U8", "[1]", 0, 1) + "}",
        1);
    index =
        index(
            "{\"metadata\":{\"total_size\":7,\"note\":\"n\",\"deep\":{\"a\":[1]}},\"weight_map\":{"
                + "\"c\":\""
                + SHARD_2
                + "\",\"b\":\""
                + SHARD_1
                + "\",\"a\":\""
                + SHARD_1
                + "\"},\"more\":[{}]}");
  }

  private static String ab() {
    return tensor("b", "U8", "[4]", 0, 4) + "," + tensor("a", "U8", "[2]", 4, 6);
  }

  @Test
  void readsAllShards() throws Exception {
    try (SafetensorsSource source = SafetensorsSource.open(index)) {
      assertThat(source.path()).isEqualTo(index);
      assertThat(source.files())
          .containsExactly(index, folder.resolve(SHARD_1), folder.resolve(SHARD_2));
      assertThat(source.tensors()).extracting(SourceTensor::name).containsExactly("b", "a", "c");
      assertThat(SafetensorsSourceTest.all(source.tensors().get(1))).containsExactly(4, 5);
      assertThat(SafetensorsSourceTest.all(source.tensors().get(2))).containsExactly(0);
      assertThat(source.metadata())
          .hasSize(3)
          .containsEntry("note", "n")
          .containsEntry("format", "pt")
          .containsEntry("x", "2");
      assertThat(source.notices()).isEmpty();
      assertThat(source.sections()).isEmpty();
    }
  }

  @Test
  void takesTheFolder() throws Exception {
    try (SafetensorsSource source = SafetensorsSource.open(folder)) {
      assertThat(source.path()).isEqualTo(index);
      assertThat(source.tensors()).hasSize(3);
    }
    Files.delete(index);
    Files.delete(folder.resolve(SHARD_2));
    try (SafetensorsSource source = SafetensorsSource.open(folder)) {
      assertThat(source.path()).isEqualTo(folder.resolve(SHARD_1));
    }
  }

  @Test
  void asksWhichOneOfTheFolder() throws Exception {
    Files.copy(index, folder.resolve("model.fp16.safetensors.index.json"));
    refused(
        folder,
        "several indexes",
        "'model.fp16.safetensors.index.json', 'model.safetensors.index.json'");

    Files.delete(index);
    Files.delete(folder.resolve("model.fp16.safetensors.index.json"));
    refused(folder, "several *.safetensors files", "'" + SHARD_1 + "', '" + SHARD_2 + "'");
  }

  @Test
  void tellsOfFilesLeftOutAndOfMetadataThatDiffers() throws Exception {
    shard("consolidated.safetensors", "{}", 0);
    shard(
        SHARD_2,
        "{\"__metadata__\":{\"note\":\"other\"}," + tensor("c", "U8", "[1]", 0, 1) + "}",
        1);

    try (SafetensorsSource source = SafetensorsSource.open(folder)) {
      assertThat(source.metadata()).containsEntry("note", "n");
      assertThat(source.notices()).hasSize(2);
      assertThat(source.notices().get(0)).contains("differ in the metadata of 'note'");
      assertThat(source.notices().get(1)).contains("left out", "'consolidated.safetensors'");
    }
  }

  @Test
  void refusesTensorMissingInItsShard() throws Exception {
    index(map("a", SHARD_1, "b", SHARD_1, "c", SHARD_2, "d", SHARD_2));
    refused(index, "tensor 'd' is in shard '" + SHARD_2 + "', but it is in no shard");

    index(map("a", SHARD_1, "b", SHARD_2, "c", SHARD_2));
    refused(index, "tensor 'b' is in shard '" + SHARD_2 + "', but it is in shard '" + SHARD_1);
  }

  @Test
  void refusesTensorMissingInTheIndex() throws Exception {
    index(map("a", SHARD_1, "c", SHARD_2));
    refused(index, "tensor 'b' of shard '" + SHARD_1 + "' is missing in weight_map");
  }

  @Test
  void refusesTensorInTwoShards() throws Exception {
    shard(
        SHARD_2,
        "{" + tensor("c", "U8", "[1]", 0, 1) + "," + tensor("a", "U8", "[1]", 1, 2) + "}",
        2);
    refused(index, "tensor 'a' is in shard '" + SHARD_1 + "' and again in shard '" + SHARD_2 + "'");
  }

  @Test
  void refusesMissingShard() throws Exception {
    Files.delete(folder.resolve(SHARD_2));
    refused(index, "shard '" + SHARD_2 + "' is missing");
  }

  @Test
  void aBadShardIsNamed() throws Exception {
    shard(SHARD_2, "{" + tensor("c", "U8", "[2]", 0, 1) + "}", 1);
    assertThatThrownBy(() -> SafetensorsSource.open(index))
        .isInstanceOf(SourceException.class)
        .hasMessageStartingWith(folder.resolve(SHARD_2) + ": tensor 'c': data_offsets");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "../outside.safetensors",
        "/outside.safetensors",
        "sub/inside.safetensors",
        "./" + SHARD_1,
        "..\\\\outside.safetensors",
        "C:\\\\outside.safetensors",
        "C:outside.safetensors",
        "\\\\\\\\host\\\\share\\\\outside.safetensors",
        "file:outside.safetensors",
        "*.safetensors",
        "a|b.safetensors",
        "nul\\u0000.safetensors",
        "line\\n.safetensors"
      })
  void refusesShardsElsewhere(String shard) throws Exception {
    RawFiles.write(root.resolve("outside.safetensors"), "{}", 0);
    index(map("a", shard));
    refused(index, "weight_map of tensor 'a' names shard", "expected the plain name of a file");
  }

  @ParameterizedTest
  @ValueSource(strings = {"", ".", "..", "pytorch_model.bin", "...safetensors"})
  void refusesShardsOfAnotherKind(String shard) throws Exception {
    index(map("a", shard));
    refused(index, "names shard '" + shard + "', expected a file name that ends with .safetensors");
  }

  @Test
  void refusesLinksOutOfTheFolder() throws Exception {
    Files.move(folder.resolve(SHARD_2), root.resolve("elsewhere"));
    link(folder.resolve(SHARD_2), root.resolve("elsewhere"));
    refused(index, "'" + SHARD_2 + "' is a symbolic link out of its folder");
    refused(folder, "'" + SHARD_2 + "' is a symbolic link out of its folder");

    Files.move(root.resolve("elsewhere"), folder.resolve("renamed.bin"));
    Files.delete(folder.resolve(SHARD_2));
    link(folder.resolve(SHARD_2), Path.of("renamed.bin"));
    try (SafetensorsSource source = SafetensorsSource.open(folder)) {
      assertThat(source.tensors()).hasSize(3);
    }
  }

  @Test
  void takesTheLinksOfTheHubCache() throws Exception {
    Path blobs = Files.createDirectories(root.resolve("models--x/blobs"));
    Path snapshot = Files.createDirectories(root.resolve("models--x/snapshots/0123abcd"));
    for (Path file : new Path[] {folder.resolve(SHARD_1), folder.resolve(SHARD_2), index}) {
      Path blob = blobs.resolve("hash-" + file.getFileName());
      Files.move(file, blob);
      link(
          snapshot.resolve(file.getFileName()), Path.of("../../blobs").resolve(blob.getFileName()));
    }

    try (SafetensorsSource source = SafetensorsSource.open(snapshot)) {
      assertThat(source.tensors()).hasSize(3);
    }
  }

  @Test
  void refusesDamagedIndexes() throws Exception {
    index("[]");
    refused(index, "index is no JSON object");
    index("{\"metadata\":{}}");
    refused(index, "weight_map is missing or empty");
    index("{\"weight_map\":{}}");
    refused(index, "weight_map is missing or empty");
    index("{\"weight_map\":[]}");
    refused(index, "weight_map is no object");
    index("{\"weight_map\":{\"a\":1}}");
    refused(index, "weight_map of tensor 'a' is no string");
    index("{\"weight_map\":{\"a\":\"x.safetensors\",\"a\":\"y.safetensors\"}}");
    refused(index, "Duplicate field 'a'");
    index("{\"metadata\":3,\"weight_map\":{}}");
    refused(index, "metadata is no object");
    index("{\"weight_map\":{}} x");
    refused(index, "index is not strict JSON");
    index("{\"x\":" + "[".repeat(1000) + "]".repeat(1000) + "}");
    refused(index, "index is not strict JSON", "nesting depth");
    Files.write(index, new byte[] {'{', '"', (byte) 0xff, '"'});
    refused(index, "index is not UTF-8: byte 0xff at file offset 2");
  }

  private static void refused(Path opened, String... expected) {
    assertThatThrownBy(() -> SafetensorsSource.open(opened))
        .isInstanceOf(SourceException.class)
        .hasMessageStartingWith(opened.toString())
        .hasMessageContainingAll(expected);
  }

  private static void link(Path link, Path to) {
    try {
      Files.createSymbolicLink(link, to);
    } catch (IOException | UnsupportedOperationException e) {
      abort("symbolic links cannot be made here: " + e);
    }
  }

  private void shard(String name, String header, int dataBytes) throws IOException {
    RawFiles.write(folder.resolve(name), header, dataBytes);
  }

  private Path index(String json) throws IOException {
    return Files.writeString(folder.resolve("model.safetensors.index.json"), json);
  }

  private static String map(String... tensorsAndShards) {
    StringBuilder json = new StringBuilder("{\"weight_map\":{");
    for (int i = 0; i < tensorsAndShards.length; i += 2) {
      json.append(i == 0 ? "" : ",")
          .append('"')
          .append(tensorsAndShards[i])
          .append("\":\"")
          .append(tensorsAndShards[i + 1])
          .append('"');
    }
    return json.append("}}").toString();
  }
}
