package io.pseed.converter.export;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.pseed.converter.export.SafetensorsWriter.Entry;
import io.pseed.converter.source.SourceTensor;
import io.pseed.converter.source.safetensors.SafetensorsSource;
import io.pseed.format.DType;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.stream.Stream;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class SafetensorsWriterTest {
  @TempDir Path folder;
  private Path target;

  @BeforeEach
  void target() {
    target = folder.resolve("model.safetensors");
  }

  private static ByteBuffer bytes(int... values) {
    ByteBuffer buffer = ByteBuffer.allocate(values.length);
    for (int value : values) {
      buffer.put((byte) value);
    }
    return buffer.flip();
  }

  private SafetensorsWriter create(Entry... entries) throws IOException {
    return SafetensorsWriter.create(target, List.of(entries), Map.of());
  }

  /** What {@code safetensors.serialize} of version 0.8.0 gave; see make_reference.py. */
  @Test
  void givesTheBytesOfTheReferenceImplementation() throws Exception {
    Path reference = Path.of("src/test/resources/safetensors/reference-0.8.0.safetensors");
    try (SafetensorsSource source = SafetensorsSource.open(reference)) {
      assertThat(source.tensors()).hasSize(23);
      List<Entry> entries = new ArrayList<>();
      for (SourceTensor tensor : source.tensors()) {
        entries.add(Entry.of(tensor.name(), tensor.dtype(), tensor.shape()));
      }
      List<Entry> shuffled = new ArrayList<>(entries);
      Collections.reverse(shuffled);
      try (SafetensorsWriter writer =
          SafetensorsWriter.create(target, shuffled, source.metadata())) {
        assertThat(writer.entries()).isEqualTo(entries);
        for (SourceTensor tensor : source.tensors()) {
          ByteBuffer data = ByteBuffer.allocate((int) tensor.byteSize());
          tensor.read(0, data);
          writer.write(tensor.name(), data.flip());
        }
        writer.finish();
      }
    }

    assertThat(target).hasSameBinaryContentAs(reference);
  }

  /** The examples of the reference implementation's own tests. */
  @Test
  void writesSmallFilesAsTheReferenceDoes() throws Exception {
    try (SafetensorsWriter writer = create()) {
      writer.finish();
    }
    assertThat(text()).isEqualTo("\b\0\0\0\0\0\0\0{}      ");

    try (SafetensorsWriter writer =
        SafetensorsWriter.create(target, List.of(), Map.of("framework", "pt"))) {
      writer.finish();
    }
    assertThat(text()).isEqualTo("(\0\0\0\0\0\0\0{\"__metadata__\":{\"framework\":\"pt\"}}     ");

    try (SafetensorsWriter writer = create(Entry.of("attn0", DType.F32, 1, 1, 2, 3))) {
      writer.write("attn0", ByteBuffer.allocate(24));
      writer.finish();
    }
    assertThat(text())
        .isEqualTo(
            "H\0\0\0\0\0\0\0{\"attn0\":{\"dtype\":\"F32\",\"shape\":[1,1,2,3],\"data_offsets\":[0,24]}}"
                + "       "
                + "\0".repeat(24));
  }

  @Test
  void writesInAnyOrderAndInPieces() throws Exception {
    try (SafetensorsWriter writer =
        create(
            Entry.of("a", DType.U8, 6),
            Entry.of("b", DType.I16, 2),
            Entry.of("none", DType.F32, 0))) {
      writer.writeAt("a", 4, bytes(14, 15));
      writer.write("b", bytes(1), bytes(), bytes(2, 3));
      writer.writeAt("a", 0, bytes(10));
      writer.writeAt("a", 2, bytes(12, 13));
      writer.writeAt("a", 1, ByteBuffer.allocateDirect(1).put((byte) 11).flip());
      writer.write("b", bytes(4));
      writer.write("none");
      writer.finish();
    }

    byte[] file = Files.readAllBytes(target);
    assertThat(Arrays.copyOfRange(file, file.length - 10, file.length))
        .containsExactly(1, 2, 3, 4, 10, 11, 12, 13, 14, 15);
    assertThat(names()).containsExactly("model.safetensors");
  }

  @Test
  void writesATransposedTensorFromSeveralThreads() throws Exception {
    int rows = 64;
    int columns = 48;
    ExecutorService threads = Executors.newFixedThreadPool(4);
    try (SafetensorsWriter writer = create(Entry.of("a", DType.U8, rows, columns))) {
      List<Callable<Void>> jobs = new ArrayList<>();
      for (int column = 0; column < columns; column++) {
        int c = column;
        jobs.add(
            () -> {
              for (int row = 0; row < rows; row++) {
                writer.writeAt("a", (long) row * columns + c, bytes(row * 31 + c));
              }
              return null;
            });
      }
      for (Future<Void> job : threads.invokeAll(jobs)) {
        job.get();
      }
      writer.finish();
    } finally {
      threads.shutdownNow();
    }

    try (SafetensorsSource source = SafetensorsSource.open(target)) {
      ByteBuffer data = ByteBuffer.allocate(rows * columns);
      source.tensors().get(0).read(0, data);
      for (int i = 0; i < data.capacity(); i++) {
        assertThat(data.get(i)).isEqualTo((byte) (i / columns * 31 + i % columns));
      }
    }
  }

  @Test
  void aVeryLongNameComesBack() throws Exception {
    String name = "n".repeat(200_000);
    try (SafetensorsWriter writer = create(Entry.of(name, DType.U8, 1))) {
      writer.write(name, bytes(1));
      writer.finish();
    }
    try (SafetensorsSource source = SafetensorsSource.open(target)) {
      assertThat(source.tensors().get(0).name()).isEqualTo(name);
    }
  }

  @Test
  void leavesNothingWithoutFinish() throws Exception {
    try (SafetensorsWriter writer = create(Entry.of("a", DType.U8, 2))) {
      writer.write("a", bytes(1, 2));
      assertThat(names()).singleElement().asString().matches("model\\.safetensors\\.\\w+\\.part");
    }
    assertThat(names()).isEmpty();
  }

  @Test
  void keepsTheOldFileUntilFinish() throws Exception {
    Files.writeString(target, "old");
    try (SafetensorsWriter writer = create(Entry.of("a", DType.U8, 2))) {
      writer.write("a", bytes(1, 2));
      assertThat(target).hasContent("old");
    }
    assertThat(target).hasContent("old");
    try (SafetensorsWriter writer = create(Entry.of("a", DType.U8, 0))) {
      writer.finish();
    }
    assertThat(text()).contains("\"a\"");
  }

  @Test
  void finishAsksForAllBytes() throws Exception {
    try (SafetensorsWriter writer =
        create(Entry.of("a", DType.U8, 4), Entry.of("b", DType.U8, 1))) {
      writer.write("b", bytes(1));
      assertIncomplete(writer, "tensor 'a' is not complete: byte 0 of 4");
      writer.writeAt("a", 1, bytes(1));
      assertIncomplete(writer, "tensor 'a' is not complete: byte 0 of 4");
      writer.writeAt("a", 0, bytes(1));
      assertIncomplete(writer, "tensor 'a' is not complete: byte 2 of 4");
      writer.writeAt("a", 3, bytes(1));
      assertIncomplete(writer, "tensor 'a' is not complete: byte 2 of 4");
      writer.writeAt("a", 2, bytes(1));
      writer.finish();
    }
  }

  private static void assertIncomplete(SafetensorsWriter writer, String expected) {
    assertThatThrownBy(writer::finish)
        .isInstanceOf(IllegalStateException.class)
        .hasMessageContaining(expected);
  }

  @Test
  void refusesBytesThatDoNotFit() throws Exception {
    try (SafetensorsWriter writer = create(Entry.of("a", DType.U8, 4))) {
      assertMisuse(() -> writer.write("b", bytes(1)), "no tensor 'b' was declared");
      writer.write("a", bytes(1, 2, 3));
      assertMisuse(() -> writer.write("a", bytes(1, 2)), "2 bytes at offset 3 do not fit");
      assertMisuse(() -> writer.writeAt("a", -1, bytes(1)), "do not fit");
      assertMisuse(() -> writer.writeAt("a", Long.MAX_VALUE, bytes(1)), "do not fit");
      assertMisuse(() -> writer.writeAt("a", 5, bytes()), "do not fit");
      assertMisuse(() -> writer.writeAt("a", 2, bytes(1, 1)), "overlap bytes");
      assertMisuse(() -> writer.writeAt("a", 0, bytes(1)), "overlap bytes");
      writer.write("a", bytes(4));
      writer.finish();
      assertThatThrownBy(() -> writer.write("a", bytes(1)))
          .isInstanceOf(IllegalStateException.class)
          .hasMessageContaining("the writer is closed");
    }
  }

  private static void assertMisuse(ThrowingCallable call, String expected) {
    assertThatThrownBy(call)
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining(expected);
  }

  @Test
  void refusesDeclarationsThatTheFormatCannotHold() {
    assertRefused("reserves this name", Entry.of("__metadata__", DType.U8, 1));
    assertRefused("a tensor needs a name", Entry.of("", DType.U8, 1));
    assertRefused("half a surrogate pair", Entry.of("a\ud800", DType.U8, 1));
    assertRefused("declared twice", Entry.of("a", DType.U8, 1), Entry.of("a", DType.F32, 1));
    assertRefused("no element type C128", Entry.of("a", DType.C128, 1));
    assertRefused("no element type I4", Entry.of("a", DType.I4, 2));
    assertRefused("3 elements have 18 bits", Entry.of("a", DType.F6_E2M3, 3));
    assertRefused("a dimension is negative", Entry.of("a", DType.U8, 1, -1));
    assertRefused("more than 2^63 - 1 bytes", Entry.of("a", DType.U8, 1L << 32, 1L << 32));
    assertRefused(
        "more than 2^63 - 1 bytes",
        Entry.of("a", DType.U8, 1L << 62),
        Entry.of("b", DType.U8, 1L << 62));
    assertThatThrownBy(() -> SafetensorsWriter.create(target, List.of(), Map.of("k", "\udc00")))
        .isInstanceOf(ExportException.class)
        .hasMessageContaining("metadata 'k' has half a surrogate pair");
    assertThat(names()).isEmpty();
  }

  private void assertRefused(String expected, Entry... entries) {
    assertThatThrownBy(() -> create(entries))
        .isInstanceOf(ExportException.class)
        .hasMessageStartingWith(target + ": tensor ")
        .hasMessageContaining(expected);
  }

  @Test
  void refusesAHeaderThatNoReaderTakes() {
    String name = "n".repeat(10_000_000);
    List<Entry> entries = new ArrayList<>();
    for (int i = 0; i < 10; i++) {
      entries.add(Entry.of(name + i, DType.U8, 0));
    }
    assertThatThrownBy(() -> SafetensorsWriter.create(target, entries, Map.of()))
        .isInstanceOf(ExportException.class)
        .hasMessageContaining("readers take at most 100000000");
    assertThat(names()).isEmpty();
  }

  @Test
  void saysWhyTheTargetCannotBeWritten() throws Exception {
    Files.createDirectory(target);
    assertThatThrownBy(() -> create())
        .isInstanceOf(ExportException.class)
        .hasMessage(target + ": is a folder, expected the name of a file to write");

    assertThatThrownBy(
            () ->
                SafetensorsWriter.create(folder.resolve("none/x.safetensors"), List.of(), Map.of()))
        .isInstanceOf(ExportException.class)
        .hasMessageContaining("its folder does not exist: " + folder.resolve("none"));
  }

  @Test
  void saysThatTheFolderIsReadOnly() throws Exception {
    Path locked = Files.createDirectory(folder.resolve("locked"));
    assumeTrue(locked.toFile().setWritable(false), "folders cannot be made read-only here");
    assumeTrue(!Files.isWritable(locked), "this user may write in read-only folders");
    try {
      assertThatThrownBy(
              () -> SafetensorsWriter.create(locked.resolve("x.safetensors"), List.of(), Map.of()))
          .isInstanceOf(ExportException.class)
          .hasMessageContaining("cannot create a file in folder " + locked + ": permission denied");
    } finally {
      assertThat(locked.toFile().setWritable(true)).isTrue();
    }
  }

  /** A full disk takes the same way; a file that is too large for the file system needs no disk. */
  @Test
  void aFailedWriteLeavesNothing() throws Exception {
    long size = 1L << 62;
    try (SafetensorsWriter writer = create(Entry.of("a", DType.U8, size))) {
      assertThatThrownBy(() -> writer.writeAt("a", size - 1, bytes(1)))
          .isInstanceOf(ExportException.class)
          .hasMessageContaining(target + ": tensor 'a': cannot write at file offset 46116860184273")
          .hasMessageContaining("bytes needed");
      assertThatThrownBy(writer::finish)
          .isInstanceOf(IllegalStateException.class)
          .hasMessageContaining("a write failed");
    }
    assertThat(names()).isEmpty();
  }

  @Test
  void aTargetThatBecameAFolderIsRefusedAtTheEnd() throws Exception {
    try (SafetensorsWriter writer = create()) {
      Files.createDirectory(target);
      Files.writeString(target.resolve("inside"), "x");
      assertThatThrownBy(writer::finish)
          .isInstanceOf(ExportException.class)
          .hasMessageContaining(target + ": cannot finish the file: ");
    }
    assertThat(names()).containsExactly("model.safetensors");
  }

  private String text() throws IOException {
    return Files.readString(target, StandardCharsets.ISO_8859_1);
  }

  private List<String> names() {
    try (Stream<Path> entries = Files.list(folder)) {
      return entries.map(path -> path.getFileName().toString()).toList();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
