package io.pseed.converter.source.onnx;

import static io.pseed.converter.source.onnx.OnnxBuilders.attribute;
import static io.pseed.converter.source.onnx.OnnxBuilders.constant;
import static io.pseed.converter.source.onnx.OnnxBuilders.external;
import static io.pseed.converter.source.onnx.OnnxBuilders.graph;
import static io.pseed.converter.source.onnx.OnnxBuilders.model;
import static io.pseed.converter.source.onnx.OnnxBuilders.node;
import static io.pseed.converter.source.onnx.OnnxBuilders.random;
import static io.pseed.converter.source.onnx.OnnxBuilders.value;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.pseed.converter.onnx.proto.GraphProto;
import io.pseed.converter.onnx.proto.TensorProto;
import io.pseed.converter.onnx.proto.TensorProto.DataType;
import io.pseed.converter.source.SourceException;
import io.pseed.converter.source.SourceTensor;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** External data: read lazily from the file beside the model, and nowhere else. */
class ExternalDataTest {
  private static final byte[] DATA = random(1, 4096);

  @TempDir Path temp;
  private Path folder;
  private Path model;

  @BeforeEach
  void files() throws IOException {
    folder = Files.createDirectories(temp.resolve("home/model"));
    model = folder.resolve("m.onnx");
    Files.write(folder.resolve("m.data"), DATA);
    Files.write(temp.resolve("home/secret"), DATA);
  }

  private void write(TensorProto... tensors) throws IOException {
    Files.write(
        model,
        model(
                graph("g", node("MatMul", List.of("x", "w"), List.of("y")))
                    .addInput(value("x", 1, 16))
                    .addOutput(value("y", 1, 16))
                    .addAllInitializer(List.of(tensors)))
            .build()
            .toByteArray());
  }

  private static TensorProto at(String... entries) {
    return external("w", DataType.FLOAT, List.of(entries), 16, 16);
  }

  private void assertRefused(String... words) {
    assertThatThrownBy(() -> OnnxModelSource.open(model))
        .isInstanceOf(SourceException.class)
        .hasMessageContaining("m.onnx")
        .satisfies(e -> assertThat(e.getMessage()).contains(words));
  }

  @Test
  void readsRangesOfTheFile() throws Exception {
    write(
        at("location", "m.data", "offset", "512", "length", "1024"),
        external("v", DataType.INT8, List.of("location", "./m.data", "offset", "4"), 64, 32));
    try (OnnxModelSource source = OnnxModelSource.open(model)) {
      SourceTensor w = source.tensors().get(0);
      assertThat(OnnxRuns.bytes(w).array()).isEqualTo(Arrays.copyOfRange(DATA, 512, 1536));
      ByteBuffer part = ByteBuffer.allocate(10).position(2).limit(7);
      w.read(3, part);
      assertThat(part.position()).isEqualTo(7);
      assertThat(Arrays.copyOfRange(part.array(), 2, 7))
          .isEqualTo(Arrays.copyOfRange(DATA, 515, 520));
      assertThat(OnnxRuns.bytes(source.tensors().get(1)).array())
          .isEqualTo(Arrays.copyOfRange(DATA, 4, 2052));
      assertThatThrownBy(() -> w.read(1023, ByteBuffer.allocate(2)))
          .isInstanceOf(IndexOutOfBoundsException.class);
      OnnxRuns.restored(source);
    }
  }

  /** The graph travels without the files beside it. */
  @Test
  void whatStaysInTheGraphIsTakenIn() throws Exception {
    GraphProto then =
        graph(
                "then",
                constant(
                    "t",
                    external("", DataType.FLOAT, List.of("location", "m.data", "offset", "8"), 2)))
            .addOutput(value("t", 2))
            .build();
    Files.write(
        model,
        model(
                graph(
                        "g",
                        node(
                            "If",
                            List.of("c"),
                            List.of("y"),
                            attribute("then_branch", then),
                            attribute("else_branch", then)))
                    .addInput(value("c", DataType.BOOL))
                    .addOutput(value("y", 2))
                    .addInitializer(
                        external("s", DataType.INT64, List.of("location", "m.data"), 3)))
            .build()
            .toByteArray());
    try (OnnxModelSource source = OnnxModelSource.open(model)) {
      assertThat(source.tensors()).isEmpty();
      assertThat(source.files()).containsExactly(model, model.resolveSibling("m.data"));
      TensorProto s = source.graph().getGraph().getInitializer(0);
      assertThat(s.getExternalDataCount()).isZero();
      assertThat(s.getRawData().toByteArray()).isEqualTo(Arrays.copyOf(DATA, 24));
      TensorProto t =
          source
              .graph()
              .getGraph()
              .getNode(0)
              .getAttribute(0)
              .getG()
              .getNode(0)
              .getAttribute(0)
              .getT();
      assertThat(t.getRawData().toByteArray()).isEqualTo(Arrays.copyOfRange(DATA, 8, 16));
      assertThat(
              OnnxRuns.run(
                  OnnxRuns.restored(source).toByteArray(),
                  Map.of("c", OnnxRuns.scalar(true)),
                  true))
          .hasSize(1);
    }
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "../secret",
        "sub/../../secret",
        "..",
        "/etc/passwd",
        "C:\\secret",
        "C:secret",
        "..\\secret",
        "sub\\..\\secret",
        "\\\\server\\share",
        "m.data\0"
      })
  void locationsOutsideOfTheFolder(String location) throws Exception {
    write(at("location", location));
    assertRefused("initializer 'w'", location, "expected a relative path");
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "offset | -1 | expected a decimal number",
        "offset | 0x10 | expected a decimal number",
        "offset | +1 | expected a decimal number",
        "length | 1e3 | expected a decimal number",
        "length | 99999999999999999999 | expected a decimal number",
        "offset | 9999999999999999999 | beyond 2^63",
        "offset | 9223372036854775807 | reaches past the end",
        "offset | 3073 | reaches past the end",
        "length | 1023 | expected 1024",
        "length | 4096 | expected 1024"
      })
  void numbersThatDoNotFit(String key, String text, String words) throws Exception {
    write(at("location", "m.data", key, text));
    assertRefused("initializer 'w'", text, words);
  }

  @Test
  void keysThatAreMissingOrTwice() throws Exception {
    write(at("offset", "0"));
    assertRefused("initializer 'w'", "no location");
    write(at("location", "m.data", "location", "n.data"));
    assertRefused("initializer 'w'", "'location' twice");
  }

  @Test
  void filesThatAreNoFiles() throws Exception {
    write(at("location", "none.data"));
    assertRefused("'none.data' cannot be found");
    Files.createDirectory(folder.resolve("sub"));
    write(at("location", "sub"));
    assertRefused("no regular file");
    write(at("location", "."));
    assertRefused("no regular file");
  }

  @Test
  void linksThatLeaveTheFolder() throws Exception {
    link(folder.resolve("link.data"), temp.resolve("home/secret"));
    write(at("location", "link.data"));
    assertRefused("initializer 'w'", "'link.data' is really", "secret");
    link(folder.resolve("up"), temp.resolve("home"));
    write(at("location", "up/secret"));
    assertRefused("'up/secret' is really");
    Files.createLink(folder.resolve("hard.data"), temp.resolve("home/secret"));
    Assumptions.assumeTrue(
        folder.getFileSystem().supportedFileAttributeViews().contains("unix"), "link counts");
    write(at("location", "hard.data"));
    assertRefused("'hard.data' has several hard links");
  }

  private static void link(Path link, Path target) {
    try {
      Files.createSymbolicLink(link, target);
    } catch (IOException | UnsupportedOperationException e) {
      Assumptions.abort("no symbolic links here: " + e);
    }
  }

  /** Download caches keep model and data as links into one folder of files. */
  @Test
  void linksOfADownloadCache() throws Exception {
    write(at("location", "m.data"));
    Path snapshot = Files.createDirectories(temp.resolve("cache/snapshot"));
    Path blobs = Files.createDirectories(temp.resolve("cache/blobs"));
    Files.move(model, blobs.resolve("1234"));
    Files.move(folder.resolve("m.data"), blobs.resolve("5678"));
    link(snapshot.resolve("m.onnx"), blobs.resolve("1234"));
    link(snapshot.resolve("m.data"), blobs.resolve("5678"));
    try (OnnxModelSource source = OnnxModelSource.open(snapshot.resolve("m.onnx"))) {
      assertThat(OnnxRuns.bytes(source.tensors().get(0)).array())
          .isEqualTo(Arrays.copyOf(DATA, 1024));
    }
  }

  @Test
  void aFileThatShrinksAfterwards() throws Exception {
    write(at("location", "m.data", "offset", "1024"));
    try (OnnxModelSource source = OnnxModelSource.open(model)) {
      try (FileChannel channel =
          FileChannel.open(folder.resolve("m.data"), StandardOpenOption.WRITE)) {
        channel.truncate(1500);
      }
      assertThatThrownBy(() -> OnnxRuns.bytes(source.tensors().get(0)))
          .isInstanceOf(SourceException.class)
          .hasMessageContaining("'m.data' ends at offset 1500; expected 2048 bytes");
    }
  }

  @Test
  void aModelFromMemoryNeedsAFolder() throws Exception {
    write(at("location", "m.data"));
    byte[] bytes = Files.readAllBytes(model);
    assertThatThrownBy(() -> OnnxModelSource.open(model, bytes, Optional.empty()))
        .isInstanceOf(SourceException.class)
        .hasMessageContaining("opened without a folder");
    try (OnnxModelSource source = OnnxModelSource.open(model, bytes, Optional.of(folder))) {
      assertThat(source.tensors()).hasSize(1);
    }
  }

  /** Dimensions that ask for more than memory has are compared with the file first. */
  @Test
  void dimensionsAreNeverTrusted() throws Exception {
    write(external("w", DataType.FLOAT, List.of("location", "m.data"), 1L << 40, 1L << 10));
    assertRefused("reaches past the end");
    write(external("w", DataType.FLOAT, List.of("location", "m.data"), 1L << 40, 1L << 40));
    assertRefused("does not fit 64 bits");
    write(external("w", DataType.FLOAT, List.of("location", "m.data"), -1, 4));
    assertRefused("negative");
  }
}
