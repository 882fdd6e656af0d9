package io.pseed.converter.export;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.abort;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.pseed.converter.export.SafetensorsWriter.Entry;
import io.pseed.converter.source.safetensors.SafetensorsFormat;
import io.pseed.format.DType;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Our files read by a second reader, which knows only the published text of the format. */
class SafetensorsPythonTest {
  private static final Path READER = Path.of("src/test/python/read_safetensors.py");

  @TempDir Path folder;
  private Path target;

  @BeforeEach
  void python() {
    target = folder.resolve("model.safetensors");
    try {
      Process python = new ProcessBuilder("python3", "--version").start();
      python.getInputStream().readAllBytes();
    } catch (IOException e) {
      System.out.println("SafetensorsPythonTest skipped: python3 cannot be started: " + e);
      abort("python3 cannot be started: " + e);
    }
  }

  private JsonNode read() throws Exception {
    Process python =
        new ProcessBuilder("python3", READER.toString(), target.toString())
            .redirectError(folder.resolve("errors").toFile())
            .start();
    String output = new String(python.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    assertThat(python.waitFor(60, TimeUnit.SECONDS)).isTrue();
    assertThat(python.exitValue()).as(Files.readString(folder.resolve("errors"))).isZero();
    return new ObjectMapper().readTree(output);
  }

  @Test
  void readsAllTypesAndOddNames() throws Exception {
    List<Entry> entries = new ArrayList<>();
    for (DType type : SafetensorsFormat.DTYPES) {
      entries.add(Entry.of("all." + type, type, 3, 1, 8));
      entries.add(Entry.of(type + " \"\\/\u0001\u007fé\ue000😀", type));
      entries.add(Entry.of("none." + type, type, 2, 0));
    }
    entries.removeIf(entry -> entry.shape().isEmpty() && entry.dtype().bits() < 8);
    RandomTensors tensors = RandomTensors.of(entries, 20);
    Map<String, String> metadata = Map.of("format", "pt", "é😀", "a\nb", "", "");
    tensors.write(target, metadata);

    JsonNode seen = read();

    assertThat(seen.get("metadata")).isEqualTo(new ObjectMapper().valueToTree(metadata));
    assertThat(seen.get("dataStart").asInt() % 8).isZero();
    List<String> found = new ArrayList<>();
    seen.get("tensors")
        .forEach(
            tensor ->
                found.add(
                    tensor.get("name").asText()
                        + tensor.get("dtype").asText()
                        + tensor.get("shape")
                        + tensor.get("sha256").asText()));
    List<String> expected = new ArrayList<>();
    for (Entry entry : entries) {
      byte[] sha = MessageDigest.getInstance("SHA-256").digest(tensors.data().get(entry.name()));
      expected.add(
          entry.name()
              + entry.dtype()
              + entry.shape().toString().replace(" ", "")
              + HexFormat.of().formatHex(sha));
    }
    assertThat(found).containsExactlyInAnyOrderElementsOf(expected);
  }

  @Test
  void readsTheSameValues() throws Exception {
    try (SafetensorsWriter writer =
        SafetensorsWriter.create(
            target,
            List.of(
                Entry.of("d", DType.F64, 1),
                Entry.of("f", DType.F32, 2),
                Entry.of("h", DType.F16, 1),
                Entry.of("l", DType.I64, 1)),
            Map.of())) {
      writer.write("d", little(8).putDouble(-1.5e300).flip());
      writer.write("f", little(8).putFloat(0.15625f).putFloat(3).flip());
      writer.write("h", little(2).putShort((short) 0xC000).flip());
      writer.write("l", little(8).putLong(Long.MIN_VALUE + 1).flip());
      writer.finish();
    }

    assertThat(read().get("tensors").findValuesAsText("first"))
        .containsExactly("-9223372036854775807", "-1.5e+300", "0.15625", "-2.0");
  }

  private static ByteBuffer little(int size) {
    return ByteBuffer.allocate(size).order(ByteOrder.LITTLE_ENDIAN);
  }
}
