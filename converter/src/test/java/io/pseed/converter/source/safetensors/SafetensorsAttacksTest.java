package io.pseed.converter.source.safetensors;

import static io.pseed.converter.source.safetensors.RawFiles.tensor;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.sun.management.ThreadMXBean;
import io.pseed.converter.source.SourceException;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * The attempts that the safetensors project tests itself against, under the names that they have
 * there, and what each costs until it is refused.
 */
class SafetensorsAttacksTest {
  private static final ThreadMXBean THREADS = (ThreadMXBean) ManagementFactory.getThreadMXBean();
  private static final String ONE = tensor("test", "I32", "[2,2]", 0, 16);

  @TempDir Path folder;

  private void refused(byte[] bytes, String... words) throws IOException {
    Path file = Files.write(folder.resolve("attack.safetensors"), bytes);
    long thread = Thread.currentThread().getId();
    long before = THREADS.getThreadAllocatedBytes(thread);
    assertThat(before).as("this virtual machine counts allocations").isNotNegative();
    assertThatThrownBy(() -> SafetensorsSource.open(file))
        .isInstanceOf(SourceException.class)
        .hasMessageStartingWith(file + ": ")
        .hasMessageContainingAll(words);
    assertThat(THREADS.getThreadAllocatedBytes(thread) - before)
        .as("bytes allocated for a file of %d", bytes.length)
        .isLessThan((32L << 20) + 100L * bytes.length);
    try (var names = Files.list(folder)) {
      assertThat(names).as("nothing is written").containsExactly(file);
    }
  }

  private static byte[] withLength(byte[] file, long length) {
    ByteBuffer.wrap(file).order(ByteOrder.LITTLE_ENDIAN).putLong(0, length);
    return file;
  }

  /** Ten tensors over the same bytes. */
  @Test
  void jsonAttack() throws IOException {
    List<String> tensors = new ArrayList<>();
    for (int i = 0; i < 10; i++) {
      tensors.add(tensor("weight_" + i, "F32", "[2,2]", 0, 16));
    }
    refused(
        RawFiles.bytes("{" + String.join(",", tensors) + "}", 16),
        "tensor 'weight_",
        "it overlaps tensor 'weight_");
  }

  /** A tail that another format reads, and data that are missing. */
  @Test
  void metadataIncompleteBuffer() throws IOException {
    byte[] file = RawFiles.bytes("{" + ONE + "}", 16);
    byte[] tail = "extra bytes for a polyglot file".getBytes(StandardCharsets.US_ASCII);
    byte[] polyglot = Arrays.copyOf(file, file.length + tail.length);
    System.arraycopy(tail, 0, polyglot, file.length, tail.length);
    refused(polyglot, "expected the end of the file, but " + tail.length + " bytes follow");
    refused(Arrays.copyOf(file, file.length - 2), "but the data has 14 bytes", "truncated");
  }

  /** A ZIP archive is read from its end, so that a tail may make the file two things at once. */
  @Test
  void polyglotWithAnArchive() throws IOException {
    byte[] zip = new byte[22];
    System.arraycopy(new byte[] {'P', 'K', 5, 6}, 0, zip, 0, 4);
    byte[] file = RawFiles.bytes("{" + ONE + "}", 16);
    byte[] both = Arrays.copyOf(file, file.length + zip.length);
    System.arraycopy(zip, 0, both, file.length, zip.length);
    refused(both, "expected the end of the file, but 22 bytes follow");
  }

  @Test
  void headerTooLarge() throws IOException {
    refused(
        withLength(RawFiles.bytes("{" + ONE + "}", 16), 0xFFFFFF000000003CL),
        "is 18446742974197923900, expected at most 100000000");
  }

  /** The first attempt of its attacks folder: the length of everything there is in 64 bits. */
  @Test
  void abuseAttempt1() throws IOException {
    refused(
        withLength(RawFiles.bytes("{" + ONE + "}", 16), -1L),
        "is 18446744073709551615, expected at most 100000000");
  }

  @Test
  void headerTooSmall() throws IOException {
    refused(new byte[0], "the file has 0 bytes, expected at least 8");
  }

  @Test
  void invalidHeaderLength() throws IOException {
    refused(withLength(new byte[8], 60), "is 60, but only 0 bytes follow");
  }

  @Test
  void invalidHeaderNonUtf8() throws IOException {
    refused(RawFiles.bytes(new byte[] {(byte) 0xFF}, 0), "header begins with byte 0xff");
    refused(RawFiles.bytes(new byte[] {'{', (byte) 0xFF, '}'}, 0), "is not UTF-8: byte 0xff");
  }

  @Test
  void invalidHeaderNotJson() throws IOException {
    refused(RawFiles.bytes("{", 0), "header is not strict JSON");
  }

  @Test
  void whitespaceStartPaddedHeaderIsNotAllowed() throws IOException {
    refused(RawFiles.bytes("\t\n{}\r ", 0), "begins with byte 0x09 at file offset 8, expected '{'");
  }

  @Test
  void invalidInfo() throws IOException {
    refused(
        RawFiles.bytes("{" + tensor("test", "I32", "[2,2]", 0, 4) + "}", 4),
        "tensor 'test': data_offsets [0, 4] hold 4 bytes, but shape [2, 2] of I32 takes 16");
  }

  /** Products of dimensions, and elements times their bytes. */
  @Test
  void validationOverflow() throws IOException {
    refused(
        RawFiles.bytes("{" + tensor("test", "I32", "[2,18446744073709551614]", 0, 16) + "}", 16),
        "tensor 'test'",
        "expected less than 2^63");
    refused(
        RawFiles.bytes("{" + tensor("test", "I32", "[2,9223372036854775807]", 0, 16) + "}", 16),
        "tensor 'test'",
        "overflows 2^63 - 1 bytes");
    refused(
        RawFiles.bytes("{" + tensor("test", "I32", "[4611686018427387904]", 0, 0) + "}", 0),
        "tensor 'test'",
        "overflows 2^63 - 1 bytes");
  }

  /** Offsets that are negative or beyond the file, its third proposal. */
  @Test
  void offsetsOutOfTheFile() throws IOException {
    refused(
        RawFiles.bytes("{" + tensor("test", "U8", "[16]", -16, 0) + "}", 16),
        "data_offsets has the number '-16'");
    refused(
        RawFiles.bytes("{" + tensor("test", "U8", "[16]", 1L << 62, (1L << 62) + 16) + "}", 16),
        "data begins at byte 4611686018427387904, expected 0");
  }

  /** Nesting that would take the stack: within what is read, and where a number is expected. */
  @Test
  void deepJson() throws IOException {
    String deep = "[".repeat(1_000_000);
    refused(RawFiles.bytes("{\"test\":" + deep, 0), "tensor 'test'", "expected an object");
    refused(
        RawFiles.bytes("{\"test\":{\"shape\":" + deep, 0), "tensor 'test'", "shape has an array");
    refused(
        RawFiles.bytes("{\"__metadata__\":{\"a\":" + deep, 0),
        "__metadata__ member 'a' is an array");
  }

  /** The sixth proposal: the file changes while it is open. */
  @Test
  void theFileIsChangedWhileItIsOpen() throws IOException {
    Path file = RawFiles.write(folder.resolve("open.safetensors"), "{" + ONE + "}", 16);
    try (SafetensorsSource source = SafetensorsSource.open(file)) {
      try (FileChannel channel = FileChannel.open(file, StandardOpenOption.WRITE)) {
        channel.truncate(20);
      }
      assertThatThrownBy(() -> source.tensors().get(0).read(0, ByteBuffer.allocate(16)))
          .isInstanceOf(SourceException.class)
          .hasMessageContaining("open.safetensors")
          .hasMessageContaining("tensor 'test'");
    }
  }
}
