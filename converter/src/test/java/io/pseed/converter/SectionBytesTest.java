package io.pseed.converter;

import static org.assertj.core.api.Assertions.assertThat;

import io.pseed.format.PseedReader;
import io.pseed.format.PseedWriter;
import io.pseed.format.SectionEntry;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Map;
import java.util.Random;
import java.util.zip.CRC32C;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class SectionBytesTest {
  @TempDir private Path folder;

  @Test
  void whatDoesNotGetSmallerStaysAsItIs() throws IOException {
    byte[] noise = new byte[100_000];
    new Random(1).nextBytes(noise);
    for (byte[] content : new byte[][] {new byte[0], new byte[64], noise}) {
      assertThat(written(content).encoding()).isNull();
    }
  }

  @Test
  void whatGetsSmallerIsCompressedAndReadBack() throws IOException {
    Random random = new Random(2);
    for (int size : new int[] {200, 65_535, 65_536, 1_000_000, 5_000_000}) {
      byte[] content = new byte[size];
      for (int i = 0; i < size; i++) {
        content[i] = (byte) (i % 1000 < 700 ? random.nextInt(3) : i % 7);
      }
      SectionEntry entry = written(content);
      assertThat(entry.encoding()).isEqualTo(SectionEntry.DEFLATE);
      assertThat(entry.length()).isLessThan(size);
      assertThat(entry.decodedLength()).isEqualTo(size);
    }
  }

  @Test
  void theStreamIsTheSameOnEveryMachine() {
    StringBuilder text = new StringBuilder();
    for (int i = 0; i < 5000; i++) {
      text.append("node_").append(i * 2654435761L % 977).append("/MatMul:").append(i).append('\n');
    }
    ByteBuffer stream = SectionBytes.of(text.toString().getBytes(StandardCharsets.UTF_8)).stored();
    CRC32C crc = new CRC32C();
    crc.update(stream.duplicate());
    assertThat(String.format("%d bytes, 0x%08x", stream.remaining(), crc.getValue()))
        .isEqualTo("22627 bytes, 0x9c58b352");
  }

  private SectionEntry written(byte[] content) throws IOException {
    Path file = folder.resolve(content.length + Arrays.hashCode(content) + ".pseed");
    try (PseedWriter writer = PseedWriter.create(file, "test")) {
      SectionBytes.of(content).writeTo(writer, "s");
      writer.finish("test", Map.of(), null, null);
    }
    try (PseedReader reader = PseedReader.open(file)) {
      reader.validate();
      SectionEntry entry = reader.header().section("s");
      assertThat(reader.section(entry)).isEqualTo(ByteBuffer.wrap(content));
      return entry;
    }
  }
}
