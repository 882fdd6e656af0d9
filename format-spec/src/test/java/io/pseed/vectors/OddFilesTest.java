package io.pseed.vectors;

import static org.assertj.core.api.Assertions.assertThat;

import io.pseed.codec.TensorDecoder;
import io.pseed.format.Limits;
import io.pseed.format.PseedReader;
import io.pseed.format.PseedWriter;
import io.pseed.format.RecordContent;
import io.pseed.format.RecordPlace;
import io.pseed.format.SectionEntry;
import io.pseed.format.TensorEntry;
import io.pseed.format.TensorRecord;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.ForkJoinPool;
import java.util.stream.IntStream;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;
import net.jqwik.api.ShrinkingMode;

/** The product takes every legal file and decodes it as the text says. */
class OddFilesTest {
  @Provide
  Arbitrary<byte[]> records() {
    return OddFileGenerator.records();
  }

  @Provide
  Arbitrary<OddFileGenerator.Odd> containers() {
    return OddFileGenerator.containers();
  }

  @Property(tries = 700, shrinking = ShrinkingMode.OFF)
  void aRecordDecodesAsTheTextSays(@ForAll("records") byte[] bytes) throws IOException {
    TensorDecoder decoder = TensorDecoder.of(parse(bytes));
    byte[] expected = Reference.decode(bytes);
    assertThat(array(decoder.decode())).isEqualTo(expected);
    assertThat(collected(decoder)).isEqualTo(expected);
    // Into a part of a larger buffer: nothing around it is touched.
    ByteBuffer padded = ByteBuffer.allocate(expected.length + 11).position(5);
    decoder.decode(padded);
    assertThat(padded.position()).isEqualTo(5);
    byte[] around = new byte[expected.length + 11];
    System.arraycopy(expected, 0, around, 5, expected.length);
    assertThat(padded.array()).isEqualTo(around);
  }

  @Property(tries = 300, shrinking = ShrinkingMode.OFF)
  void aRecordIsTheSameAfterItIsTakenApart(@ForAll("records") byte[] bytes) throws IOException {
    TensorRecord record = parse(bytes);
    List<ByteBuffer> parts =
        TensorRecord.assemble(
            record.codec(),
            record.dtype(),
            record.shape(),
            record.layerSeed(),
            record.decodedCrc(),
            List.of(record.body()));
    ByteBuffer whole = ByteBuffer.allocate(bytes.length);
    parts.forEach(whole::put);
    assertThat(whole.array()).isEqualTo(bytes);
  }

  @Property(tries = 300, shrinking = ShrinkingMode.OFF)
  void aContainerIsReadWhole(@ForAll("containers") OddFileGenerator.Odd odd) throws IOException {
    try (PseedReader reader = PseedReader.of(ByteBuffer.wrap(odd.file()), "odd", Limits.STANDARD)) {
      reader.validate();
      List<TensorEntry> tensors = reader.header().tensors();
      assertThat(tensors).extracting(TensorEntry::name).isEqualTo(odd.names());
      for (int i = 0; i < tensors.size(); i++) {
        assertThat(reader.tensor(odd.names().get(i))).isSameAs(tensors.get(i));
        TensorRecord record = reader.record(tensors.get(i));
        assertThat(array(TensorDecoder.of(record).decode()))
            .isEqualTo(Reference.decode(odd.records().get(i)));
      }
      List<SectionEntry> sections = reader.header().sections();
      assertThat(sections).hasSameSizeAs(odd.sections());
      for (int i = 0; i < sections.size(); i++) {
        assertThat(array(reader.section(sections.get(i)))).isEqualTo(odd.sections().get(i));
      }
    }
  }

  /** Written by our writer, the content is the same, and written again so are the bytes. */
  @Property(tries = 40, shrinking = ShrinkingMode.OFF)
  void rewritingKeepsTheContent(@ForAll("containers") OddFileGenerator.Odd odd) throws IOException {
    Path folder = Files.createTempDirectory("odd");
    try {
      byte[] once = rewritten(odd.file(), folder.resolve("a.pseed"));
      byte[] twice = rewritten(once, folder.resolve("b.pseed"));
      assertThat(twice).isEqualTo(once);
      assertThat(Vector.read(once, false, Limits.STANDARD))
          .isEqualTo(Vector.read(odd.file(), false, Limits.STANDARD));
    } finally {
      Files.deleteIfExists(folder.resolve("a.pseed"));
      Files.deleteIfExists(folder.resolve("b.pseed"));
      Files.delete(folder);
    }
  }

  private static byte[] rewritten(byte[] file, Path target) throws IOException {
    try (PseedReader reader = PseedReader.of(ByteBuffer.wrap(file), "odd", Limits.STANDARD);
        PseedWriter writer = PseedWriter.create(target, "test")) {
      for (TensorEntry tensor : reader.header().tensors()) {
        byte[] record = new byte[(int) tensor.length()];
        System.arraycopy(file, (int) tensor.offset(), record, 0, record.length);
        writer.tensor(
            tensor.name(),
            tensor.dtype(),
            tensor.shape(),
            RecordContent.of(List.of(ByteBuffer.wrap(record))),
            tensor.stats(),
            0);
      }
      for (SectionEntry section : reader.header().sections()) {
        writer.section(section.name(), section.mediaType(), reader.section(section));
      }
      writer.finish(
          reader.header().producer(),
          reader.header().metadata(),
          reader.header().source(),
          reader.header().plan());
    }
    return Files.readAllBytes(target);
  }

  /** Large enough for several tasks of the decoder, with every option that crosses rows. */
  @Property(tries = 6, shrinking = ShrinkingMode.OFF)
  void anyNumberOfThreadsGivesTheSameBytes(@ForAll long seed) throws IOException {
    Rng rng = new Rng(seed);
    Trellis trellis = new Trellis(640, 336).bits(10).blocks(3, 2).kinds(1, 3);
    trellis.rowPanels(new int[] {100, 540}, 2, 1);
    if (rng.flip()) {
      trellis.transposed();
    }
    if (rng.flip()) {
      trellis.permuted(rng);
    }
    byte[] bytes = trellis.record(rng.between(1, 4), rng);
    byte[] expected = Reference.decode(bytes);
    for (int threads : new int[] {1, 2, 7}) {
      ForkJoinPool pool = new ForkJoinPool(threads);
      try {
        byte[] decoded = pool.submit(() -> array(TensorDecoder.of(parse(bytes)).decode())).join();
        assertThat(decoded).as("%d threads", threads).isEqualTo(expected);
      } finally {
        pool.shutdown();
      }
    }
    TensorDecoder shared = TensorDecoder.of(parse(bytes));
    List<byte[]> all =
        IntStream.range(0, 4)
            .parallel()
            .mapToObj(
                i -> {
                  try {
                    return array(shared.decode());
                  } catch (IOException e) {
                    throw new java.io.UncheckedIOException(e);
                  }
                })
            .toList();
    assertThat(all).allSatisfy(decoded -> assertThat(decoded).isEqualTo(expected));
  }

  /** More than the 4 MiB that decodeTo hands out at once, in ragged steps. */
  @Property(tries = 2, shrinking = ShrinkingMode.OFF)
  void streamingInSeveralStepsEqualsDecoding(@ForAll long seed) throws IOException {
    Rng rng = new Rng(seed);
    byte[] bytes = new Trellis(776, 1500).bits(8).blocks(3, 2).record(1, rng);
    TensorDecoder decoder = TensorDecoder.of(parse(bytes));
    int[] steps = {0};
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    decoder.decodeTo(
        part -> {
          steps[0]++;
          out.writeBytes(array(part));
        });
    assertThat(steps[0]).isGreaterThan(1);
    assertThat(out.toByteArray()).isEqualTo(array(decoder.decode()));
  }

  private static byte[] collected(TensorDecoder decoder) throws IOException {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    decoder.decodeTo(part -> out.writeBytes(array(part)));
    return out.toByteArray();
  }

  private static byte[] array(ByteBuffer bytes) {
    byte[] array = new byte[bytes.remaining()];
    bytes.get(array);
    return array;
  }

  private static TensorRecord parse(byte[] bytes) throws IOException {
    RecordPlace place = RecordPlace.standalone("record");
    return TensorRecord.parse(ByteBuffer.wrap(bytes), place, Limits.STANDARD);
  }
}
