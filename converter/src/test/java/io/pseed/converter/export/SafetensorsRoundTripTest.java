package io.pseed.converter.export;

import static org.assertj.core.api.Assertions.assertThat;

import io.pseed.converter.export.SafetensorsWriter.Entry;
import io.pseed.converter.source.SourceException;
import io.pseed.converter.source.SourceTensor;
import io.pseed.converter.source.safetensors.SafetensorsFormat;
import io.pseed.converter.source.safetensors.SafetensorsSource;
import io.pseed.format.DType;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Random;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.Combinators;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;
import net.jqwik.api.lifecycle.AfterProperty;
import net.jqwik.api.lifecycle.BeforeProperty;

/** What the writer writes, the reader reads; and whatever bytes it gets, it never falls over. */
class SafetensorsRoundTripTest {
  private Path folder;
  private Path file;

  @BeforeProperty
  void makeFolder() throws IOException {
    folder = Files.createTempDirectory("round-trip");
    file = folder.resolve("model.safetensors");
  }

  @AfterProperty
  void deleteFolder() throws IOException {
    Files.deleteIfExists(file);
    Files.delete(folder);
  }

  @Provide
  Arbitrary<List<Entry>> entries() {
    Arbitrary<Entry> entry =
        Combinators.combine(
                names(),
                Arbitraries.of(SafetensorsFormat.DTYPES),
                Arbitraries.longs().between(0, 5).list().ofMaxSize(5))
            .as(
                (name, dtype, shape) ->
                    SafetensorsFormat.fillsBytes(dtype, SafetensorsFormat.elements(shape))
                        ? new Entry(name, dtype, shape)
                        : new Entry(name, DType.BF16, shape));
    return entry.list().ofMaxSize(12).uniqueElements(Entry::name);
  }

  @Provide
  Arbitrary<Map<String, String>> metadata() {
    return Arbitraries.maps(text(), text()).ofMaxSize(5);
  }

  private static Arbitrary<String> names() {
    return text().filter(name -> !name.isEmpty() && !name.equals(SafetensorsFormat.METADATA));
  }

  private static Arbitrary<String> text() {
    return Arbitraries.strings().ofMaxLength(20).filter(SafetensorsFormat::isWellFormed);
  }

  @Property(tries = 300)
  void readsBackWhatWasWritten(
      @ForAll("entries") List<Entry> entries,
      @ForAll("metadata") Map<String, String> metadata,
      @ForAll long seed)
      throws IOException {
    RandomTensors tensors = RandomTensors.of(entries, seed);
    tensors.write(file, metadata);

    try (SafetensorsSource source = SafetensorsSource.open(file)) {
      assertThat(source.metadata()).isEqualTo(metadata);
      assertThat(source.tensors())
          .extracting(tensor -> Entry.of(tensor.name(), tensor.dtype(), tensor.shape()))
          .containsExactlyInAnyOrderElementsOf(entries);
      for (SourceTensor tensor : source.tensors()) {
        ByteBuffer data = ByteBuffer.allocate(Math.toIntExact(tensor.byteSize()));
        tensor.read(0, data);
        assertThat(data.array()).isEqualTo(tensors.data().get(tensor.name()));
      }
    }
  }

  @Property(tries = 300)
  void damagedFilesAreReadOrRefusedButNothingElse(
      @ForAll("entries") List<Entry> entries,
      @ForAll("metadata") Map<String, String> metadata,
      @ForAll long seed)
      throws IOException {
    RandomTensors.of(entries, seed).write(file, metadata);
    byte[] bytes = Files.readAllBytes(file);
    Random random = new Random(seed);
    for (int i = 0; i <= random.nextInt(3); i++) {
      bytes[random.nextInt(bytes.length)] ^= (byte) (1 << random.nextInt(8));
    }
    Files.write(file, bytes);

    try (SafetensorsSource source = SafetensorsSource.open(file)) {
      for (SourceTensor tensor : source.tensors()) {
        tensor.read(0, ByteBuffer.allocate(Math.toIntExact(tensor.byteSize())));
      }
    } catch (SourceException expected) {
      assertThat(expected.getMessage()).startsWith(file + ": ");
    }
  }
}
