package io.pseed.converter.cli;

import static org.assertj.core.api.Assertions.assertThat;

import com.google.protobuf.ByteString;
import io.pseed.converter.onnx.proto.ModelProto;
import io.pseed.converter.onnx.proto.StringStringEntryProto;
import io.pseed.converter.onnx.proto.TensorProto;
import io.pseed.format.PseedWriter;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.condition.DisabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;

/** What the commands do with files of strangers: one sentence, and nothing written. */
@Timeout(value = 120, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
class HostileFilesTest {
  @TempDir Path dir;

  private List<String> names() throws IOException {
    try (Stream<Path> files = Files.list(dir)) {
      return files.map(f -> f.getFileName().toString()).sorted().toList();
    }
  }

  /** An export must not make a model that reads files of whoever loads it. */
  @Test
  void aGraphThatReachesForOtherFilesIsNotExported() throws IOException {
    ModelProto model =
        ModelProto.parseFrom(Files.readAllBytes(TinyModels.onnx(dir.resolve("m"), 1)));
    ModelProto.Builder evil = model.toBuilder();
    evil.getGraphBuilder()
        .setInitializer(
            1,
            model.getGraph().getInitializer(1).toBuilder()
                .clearRawData()
                .setDataLocation(TensorProto.DataLocation.EXTERNAL)
                .addExternalData(
                    StringStringEntryProto.newBuilder()
                        .setKey("location")
                        .setValue("../../etc/passwd")));
    Path file = dir.resolve("evil.pseed");
    try (PseedWriter writer = PseedWriter.create(file, "test")) {
      writer.section("onnx.graph", null, ByteBuffer.wrap(evil.build().toByteArray()));
      writer.finish("test", Map.of(), null, null);
    }
    Outcome exported = Outcome.of("export", file, "--onnx", dir.resolve("out.onnx"));
    assertThat(exported.code()).isNotZero();
    assertThat(exported.sentence())
        .contains("evil.pseed", "'dense'", "external data at location '../../etc/passwd'");
    Outcome inspected = Outcome.of("inspect", file);
    assertThat(inspected.code()).isZero();
    assertThat(inspected.out()).contains("onnx.graph = cannot be read: ");
    assertThat(names()).containsExactly("evil.pseed", "m");
  }

  /** The kilobyte that asks for a terabyte, through every command that reads one. */
  @Test
  void aBombIsOneSentence() throws IOException {
    Path bomb = Path.of("..", "format-spec", "testdata", "invalid", "bomb.pseed");
    assertThat(Files.size(bomb)).isLessThan(1024);
    Path out = dir.resolve("out");
    List<Outcome> outcomes =
        List.of(
            Outcome.of("inspect", bomb),
            Outcome.of("verify", TinyModels.onnx(dir.resolve("m.onnx"), 1), bomb),
            Outcome.of("export", bomb, "--safetensors", out),
            Outcome.of("export", bomb, "--onnx", out),
            Outcome.of("bench", dir.resolve("m.onnx"), bomb));
    for (Outcome outcome : outcomes) {
      assertThat(outcome.code()).isNotZero();
      assertThat(outcome.sentence()).contains("bomb.pseed", "1099511627776", "limit");
    }
    assertThat(names()).containsExactly("m.onnx");
  }

  @Test
  @DisabledOnOs(OS.WINDOWS)
  void aPipeIsNotWaitedFor() throws Exception {
    for (String name : new String[] {"m.onnx", "m.safetensors", "m.pseed"}) {
      Path pipe = dir.resolve(name);
      Process made = new ProcessBuilder("mkfifo", pipe.toString()).start();
      assertThat(made.waitFor(30, TimeUnit.SECONDS)).isTrue();
      assertThat(made.exitValue()).isZero();
      Outcome outcome =
          name.endsWith("pseed") ? Outcome.of("inspect", pipe) : Outcome.of("convert", pipe);
      assertThat(outcome.code()).isNotZero();
      assertThat(outcome.sentence()).contains(name, "no regular file");
    }
    assertThat(names()).containsExactly("m.onnx", "m.pseed", "m.safetensors");
  }

  /** A conversion that fails in its source leaves nothing beside it. */
  @Test
  void aRefusedModelLeavesNothing() throws IOException {
    ModelProto model =
        ModelProto.parseFrom(Files.readAllBytes(TinyModels.onnx(dir.resolve("m.onnx"), 1)));
    ModelProto.Builder evil = model.toBuilder();
    evil.getGraphBuilder()
        .setInitializer(
            0,
            model.getGraph().getInitializer(0).toBuilder()
                .setName("w\u001b[2J")
                .setRawData(ByteString.copyFrom(new byte[4])));
    Files.write(dir.resolve("m.onnx"), evil.build().toByteArray());
    Outcome outcome = Outcome.of("convert", dir.resolve("m.onnx"));
    assertThat(outcome.code()).isNotZero();
    assertThat(outcome.sentence()).contains("m.onnx", "'w\\u001b[2J'", "found 4 bytes");
    assertThat(names()).containsExactly("m.onnx");
  }
}
