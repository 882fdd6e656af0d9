package io.pseed.format;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assumptions.assumeThat;

import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.math.BigInteger;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.channels.WritableByteChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;
import java.util.stream.Stream;
import java.util.zip.CRC32C;
import java.util.zip.Deflater;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class PseedWriterTest {
  private static final long[] SHAPE = {3, 5};

  @TempDir private Path folder;
  private Path target;

  @BeforeEach
  void name() {
    target = folder.resolve("model.pseed");
  }

  private static List<ByteBuffer> raw(DType type, long[] shape, long seed) {
    byte[] bytes = new byte[(int) type.byteSize(TensorRecord.elementCount(shape))];
    new Random(seed).nextBytes(bytes);
    CRC32C crc = new CRC32C();
    crc.update(bytes);
    return TensorRecord.assemble(
        Codec.RAW,
        type,
        shape,
        LayerSeed.NONE,
        (int) crc.getValue(),
        List.of(ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN)));
  }

  private static void add(PseedWriter writer, String name, long seed) throws IOException {
    List<ByteBuffer> record = raw(DType.F32, SHAPE, seed);
    writer.tensor(name, DType.F32, SHAPE, RecordContent.of(record), null, (int) seed);
  }

  private static PseedHeader finish(PseedWriter writer) throws IOException {
    return writer.finish("test 1", Map.of(), null, null);
  }

  /** A finished file of three tensors. */
  private byte[] written(Path file) throws IOException {
    try (PseedWriter writer = PseedWriter.create(file, "f")) {
      for (int i = 0; i < 3; i++) {
        add(writer, "w" + i, i);
      }
      finish(writer);
    }
    return Files.readAllBytes(file);
  }

  /** What an interrupted run leaves after {@code tensors} tensors. */
  private void interrupted(int tensors, String fingerprint) throws IOException {
    Path other = Files.createDirectory(folder.resolve("interrupted")).resolve("model.pseed");
    try (PseedWriter writer = PseedWriter.create(other, fingerprint)) {
      for (int i = 0; i < tensors; i++) {
        add(writer, "w" + i, i);
      }
      Files.copy(other.resolveSibling("model.pseed.part"), part());
      Files.copy(other.resolveSibling("model.pseed.part.journal"), journal());
    }
    Files.delete(other.getParent());
  }

  private Path part() {
    return folder.resolve("model.pseed.part");
  }

  private Path journal() {
    return folder.resolve("model.pseed.part.journal");
  }

  private List<String> names() throws IOException {
    try (Stream<Path> files = Files.list(folder)) {
      return files.map(file -> file.getFileName().toString()).sorted().toList();
    }
  }

  @Test
  void whatIsWrittenIsRead() throws IOException {
    ObjectNode stats = new JsonMapper().createObjectNode().put("snr", 21.25);
    PseedHeader header;
    try (PseedWriter writer = PseedWriter.create(target, "f")) {
      int i = 0;
      for (DType type : DType.values()) {
        long[] shape = {++i % 3, 7, i};
        List<ByteBuffer> record = raw(type, shape, i);
        writer.tensor("t." + type, type, shape, RecordContent.of(record), stats, i);
      }
      writer.section("s", "text/plain", ByteBuffer.wrap(new byte[] {1, 2, 3}));
      writer.section("e", null, ByteBuffer.allocate(0));
      header = writer.finish("test 1", Map.of("a", "b"), stats, stats);
    }
    assertThat(names()).containsExactly("model.pseed");
    try (PseedReader reader = PseedReader.open(target)) {
      reader.validate();
      assertThat(reader.header().producer()).isEqualTo("test 1");
      assertThat(reader.header().metadata()).isEqualTo(Map.of("a", "b"));
      assertThat(reader.header().source()).isEqualTo(stats);
      assertThat(reader.header().plan()).isEqualTo(stats);
      assertThat(reader.header().sections()).isEqualTo(header.sections());
      assertThat(reader.header().section("s").mediaType()).isEqualTo("text/plain");
      assertThat(reader.section(reader.header().section("s")))
          .isEqualTo(ByteBuffer.wrap(new byte[] {1, 2, 3}));
      int i = 0;
      for (DType type : DType.values()) {
        long[] shape = {++i % 3, 7, i};
        TensorEntry entry = reader.tensor("t." + type);
        assertThat(entry.shape()).isEqualTo(shape);
        assertThat(entry.stats()).isEqualTo(stats);
        TensorRecord record = reader.record(entry);
        assertThat(record.dtype()).isEqualTo(type);
        assertThat(record.body()).isEqualTo(raw(type, shape, i).get(1));
      }
    }
  }

  @Test
  void theSameContentGivesTheSameBytes() throws IOException {
    assertThat(written(folder.resolve("b"))).isEqualTo(written(target));
  }

  /** The order of Map.of changes from run to run of Java. */
  @Test
  void theOrderOfMetadataDoesNotMatter() throws IOException {
    Map<String, String> one = new java.util.LinkedHashMap<>();
    one.put("z", "1");
    one.put("a", "2");
    Path other = folder.resolve("other");
    for (Path file : List.of(target, other)) {
      try (PseedWriter writer = PseedWriter.create(file, "f")) {
        writer.finish("p", file.equals(target) ? one : new TreeMap<>(one), null, null);
      }
    }
    assertThat(Files.mismatch(target, other)).isEqualTo(-1);
  }

  @Test
  void closingWithoutFinishingLeavesNothing() throws IOException {
    try (PseedWriter writer = PseedWriter.create(target, "f")) {
      add(writer, "w", 1);
      assertThat(names()).containsExactly("model.pseed.part", "model.pseed.part.journal");
    }
    assertThat(names()).isEmpty();
  }

  @Test
  void anExistingTargetIsUntouchedUntilTheEnd() throws IOException {
    Files.writeString(target, "the old one");
    try (PseedWriter writer = PseedWriter.create(target, "f")) {
      add(writer, "w", 1);
      assertThat(target).hasContent("the old one");
    }
    assertThat(target).hasContent("the old one");
    byte[] whole = written(target);
    assertThat(Files.readAllBytes(target)).isEqualTo(whole);
    assertThat(names()).containsExactly("model.pseed");
  }

  /** A record of a million bytes that breaks off after some. */
  private static RecordContent broken(int after, boolean throwing) {
    return new RecordContent() {
      @Override
      public long length() {
        return 1_000_000;
      }

      @Override
      public void writeTo(WritableByteChannel channel) throws IOException {
        channel.write(ByteBuffer.wrap(new byte[after]).put(0, (byte) 7));
        if (throwing) {
          throw new IOException("source is gone");
        }
      }
    };
  }

  @ParameterizedTest
  @ValueSource(booleans = {true, false})
  void aRecordThatFailedMidwayMayBeWrittenAgain(boolean throwing) throws IOException {
    byte[] expected = written(folder.resolve("expected"));
    try (PseedWriter writer = PseedWriter.create(target, "f")) {
      add(writer, "w0", 0);
      add(writer, "w1", 1);
      assertThatThrownBy(
              () -> writer.tensor("w2", DType.F32, SHAPE, broken(20_000, throwing), null, 0))
          .isInstanceOf(throwing ? IOException.class : IllegalStateException.class);
      add(writer, "w2", 2);
      finish(writer);
    }
    assertThat(Files.readAllBytes(target)).isEqualTo(expected);
  }

  @Test
  void aFileEndsWithItsHeaderAfterARecordThatFailed() throws IOException {
    try (PseedWriter writer = PseedWriter.create(target, "f")) {
      assertThatThrownBy(() -> writer.tensor("w", DType.F32, SHAPE, broken(20_000, true), null, 0))
          .hasMessage("source is gone");
      finish(writer);
    }
    try (PseedReader reader = PseedReader.open(target)) {
      reader.validate();
      assertThat(reader.header().tensors()).isEmpty();
    }
  }

  @Test
  void compressedSectionsAreReadBack() throws IOException {
    byte[] content = new byte[200_000];
    Deflater deflater = new Deflater(6, true);
    deflater.setInput(content);
    deflater.finish();
    byte[] piece = new byte[1000];
    ByteBuffer stream = ByteBuffer.wrap(piece, 0, deflater.deflate(piece));
    deflater.end();
    try (PseedWriter writer = PseedWriter.create(target, "f")) {
      add(writer, "w", 1);
      assertThatThrownBy(() -> writer.deflatedSection("s", null, stream, content.length + 1))
          .isInstanceOf(CorruptException.class)
          .hasMessageContaining("section 's'")
          .hasMessageContaining("decodes to 200000 bytes, expected 200001 (file offset ");
      assertThatThrownBy(() -> writer.deflatedSection("s", null, stream.slice(0, 20), 5))
          .isInstanceOf(CorruptException.class)
          .hasMessageContaining("decodes to more than decodedLength, expected 5");
      assertThatThrownBy(() -> writer.deflatedSection("s", null, stream.slice(0, 200), 200_000))
          .isInstanceOf(CorruptException.class)
          .hasMessageContaining("ends before its final block does");
      writer.deflatedSection("s", "a/b", stream, content.length);
      writer.section("t", null, ByteBuffer.wrap(new byte[] {1}));
      finish(writer);
    }
    try (PseedReader reader = PseedReader.open(target)) {
      reader.validate();
      SectionEntry section = reader.header().section("s");
      assertThat(section.encoding()).isEqualTo("deflate");
      assertThat(section.length()).isEqualTo(stream.remaining());
      assertThat(section.decodedLength()).isEqualTo(content.length);
      assertThat(section.mediaType()).isEqualTo("a/b");
      assertThat(reader.section(section)).isEqualTo(ByteBuffer.wrap(content));
      SectionEntry stored = reader.header().section("t");
      assertThat(stored.encoding()).isNull();
      assertThat(stored.decodedLength()).isEqualTo(1);
    }
  }

  @Test
  void wrongUseIsRefused() throws IOException {
    try (PseedWriter writer = PseedWriter.create(target, "f")) {
      add(writer, "w", 1);
      assertThatIllegalArgumentException().isThrownBy(() -> add(writer, "w", 2));
      assertThatIllegalArgumentException().isThrownBy(() -> add(writer, "\ud800", 2));
      writer.section("s", null, ByteBuffer.allocate(3));
      assertThatIllegalArgumentException()
          .isThrownBy(() -> writer.section("s", null, ByteBuffer.allocate(1)));
      assertThatIllegalStateException().isThrownBy(() -> add(writer, "v", 2));
      finish(writer);
    }
    try (PseedReader reader = PseedReader.open(target)) {
      reader.validate();
    }
  }

  /** What a reader would refuse does not replace a good file. */
  @Test
  void aHeaderThatNoReaderTakesIsNotWritten() throws IOException {
    byte[] old = written(target);
    ObjectNode long41 = new JsonMapper().createObjectNode().put("n", BigInteger.TEN.pow(41));
    ObjectNode deep = new JsonMapper().createObjectNode();
    ObjectNode inner = deep;
    for (int i = 0; i < 70; i++) {
      inner = inner.putObject("a");
    }
    for (ObjectNode plan : List.of(long41, deep)) {
      try (PseedWriter writer = PseedWriter.create(target, "f")) {
        add(writer, "w", 1);
        assertThatThrownBy(() -> writer.finish("p", Map.of(), null, plan))
            .isInstanceOf(PseedException.class);
      }
    }
    assertThat(Files.readAllBytes(target)).isEqualTo(old);
    assertThat(names()).containsExactly("model.pseed");
  }

  @ParameterizedTest
  @ValueSource(ints = {0, 1, 2, 3})
  void anInterruptedRunIsGoneOnWith(int done) throws IOException {
    byte[] expected = written(folder.resolve("expected"));
    interrupted(done, "f");
    try (PseedWriter writer = PseedWriter.create(target, "f")) {
      assertThat(writer.resumed()).hasSize(done);
      for (int i = 0; i < 3; i++) {
        if (i < done) {
          assertThat(writer.resumed().get(i).entry().name()).isEqualTo("w" + i);
          assertThat(writer.resumed().get(i).sourceCrc()).isEqualTo(i);
        } else {
          add(writer, "w" + i, i);
        }
      }
      finish(writer);
    }
    assertThat(Files.readAllBytes(target)).isEqualTo(expected);
  }

  @Test
  void aCutRunIsGoneOnWithAfterItsLastWholeRecord() throws IOException {
    byte[] expected = written(folder.resolve("expected"));
    interrupted(3, "f");
    byte[] all = Files.readAllBytes(part());
    byte[] log = Files.readAllBytes(journal());
    for (int length = 0; length <= all.length; length += 7) {
      Files.write(part(), java.util.Arrays.copyOf(all, length));
      Files.write(journal(), java.util.Arrays.copyOf(log, log.length * length / all.length));
      try (PseedWriter writer = PseedWriter.create(target, "f")) {
        for (int i = writer.resumed().size(); i < 3; i++) {
          add(writer, "w" + i, i);
        }
        finish(writer);
      }
      assertThat(Files.readAllBytes(target)).as("cut at %d", length).isEqualTo(expected);
    }
  }

  @Test
  void aChangedRecordOrGapEndsWhatIsKept() throws IOException {
    byte[] expected = written(folder.resolve("expected"));
    int second = 128 + 128;
    for (int at : new int[] {second + 70, second - 1}) {
      interrupted(3, "f");
      byte[] all = Files.readAllBytes(part());
      all[at] ^= 1;
      Files.write(part(), all);
      try (PseedWriter writer = PseedWriter.create(target, "f")) {
        assertThat(writer.resumed()).hasSize(1);
        add(writer, "w1", 1);
        add(writer, "w2", 2);
        finish(writer);
      }
      assertThat(Files.readAllBytes(target)).isEqualTo(expected);
    }
  }

  @Test
  void aForeignJournalIsIgnored() throws IOException {
    interrupted(3, "another plan");
    try (PseedWriter writer = PseedWriter.create(target, "f")) {
      assertThat(writer.resumed()).isEmpty();
      assertThat(part()).hasSize(128);
    }
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "",
        "\n",
        "nonsense",
        "pseed-journal-1 f\nnonsense\n",
        "pseed-journal-1 f\n{}\n",
        "pseed-journal-1 f\n[1]\n\n",
        "pseed-journal-1 f\n{\"name\":null,\"dtype\":\"F32\",\"shape\":[3,5],\"offset\":128,"
            + "\"length\":120,\"sourceCrc\":1}\n",
        "pseed-journal-1 f\n{\"name\":\"w\",\"dtype\":\"F32\",\"shape\":[3,5],\"offset\":128,"
            + "\"length\":-120,\"sourceCrc\":1}\n",
        "pseed-journal-1 f\n{\"name\":\"w\",\"dtype\":\"F32\",\"shape\":[5,3],\"offset\":128,"
            + "\"length\":120,\"sourceCrc\":1}\n",
        "pseed-journal-1 f\n{\"name\":\"w\",\"dtype\":\"F31\",\"shape\":[3,5],\"offset\":128,"
            + "\"length\":120,\"sourceCrc\":1}\n",
        "pseed-journal-1 f\n{\"name\":\"w\",\"dtype\":\"F32\",\"shape\":[3,5],\"offset\":128,"
            + "\"length\":9223372036854775807,\"sourceCrc\":1}\n"
      })
  void aDamagedJournalIsIgnored(String text) throws IOException {
    interrupted(2, "f");
    Files.writeString(journal(), text, StandardCharsets.UTF_8);
    try (PseedWriter writer = PseedWriter.create(target, "f")) {
      assertThat(writer.resumed()).isEmpty();
      add(writer, "w", 1);
      finish(writer);
    }
    try (PseedReader reader = PseedReader.open(target)) {
      reader.validate();
    }
  }

  @Test
  void aRecordListedTwiceIsKeptOnce() throws IOException {
    interrupted(2, "f");
    String log = Files.readString(journal());
    Files.writeString(journal(), log.replace("\"w1\"", "\"w0\""));
    try (PseedWriter writer = PseedWriter.create(target, "f")) {
      assertThat(writer.resumed()).hasSize(1);
    }
  }

  @Test
  void anEmptyFingerprintIsOneToo() throws IOException {
    interrupted(2, "");
    try (PseedWriter writer = PseedWriter.create(target, "")) {
      assertThat(writer.resumed()).hasSize(2);
    }
  }

  @Test
  void resumedRecordsMayBeForgotten() throws IOException {
    byte[] expected = written(folder.resolve("expected"));
    interrupted(3, "f");
    try (PseedWriter writer = PseedWriter.create(target, "f")) {
      writer.keepResumed(1);
      assertThat(writer.resumed()).hasSize(1);
      assertThat(Files.readAllLines(journal())).hasSize(2);
      add(writer, "w1", 1);
      assertThatIllegalStateException().isThrownBy(() -> writer.keepResumed(0));
      add(writer, "w2", 2);
      finish(writer);
    }
    assertThat(Files.readAllBytes(target)).isEqualTo(expected);
  }

  @Test
  void twoWritersOfOneTargetAreRefused() throws IOException {
    byte[] expected = written(folder.resolve("expected"));
    try (PseedWriter writer = PseedWriter.create(target, "f")) {
      add(writer, "w0", 0);
      for (Path name : List.of(target, folder.resolve(".").resolve("model.pseed"))) {
        assertThatThrownBy(() -> PseedWriter.create(name, "f"))
            .isInstanceOf(IOException.class)
            .hasMessageContaining("another writer");
      }
      add(writer, "w1", 1);
      add(writer, "w2", 2);
      finish(writer);
      // Finished: the target is free, before the writer is closed as well.
      assertThat(written(target)).isEqualTo(expected);
    }
    assertThat(written(target)).isEqualTo(expected);
  }

  /** A lock held through another channel looks like another process. */
  @Test
  void aLockedPartIsRefusedAndLeftAlone() throws IOException {
    Files.writeString(part(), "of another process");
    try (FileChannel other = FileChannel.open(part(), StandardOpenOption.WRITE);
        java.nio.channels.FileLock lock = other.lock()) {
      assertThat(lock.isValid()).isTrue();
      assertThatThrownBy(() -> PseedWriter.create(target, "f"))
          .isInstanceOf(IOException.class)
          .hasMessageContaining("another process is writing it");
    }
    assertThat(part()).hasContent("of another process");
    assertThat(written(target)).isNotEmpty();
  }

  @Test
  void aFolderIsNoTarget() throws IOException {
    Files.createDirectory(target);
    assertThatThrownBy(() -> PseedWriter.create(target, "f"))
        .isInstanceOf(IOException.class)
        .hasMessageContaining("is a folder");
    assertThat(names()).containsExactly("model.pseed");
  }

  @Test
  void aMissingFolderIsNamed() {
    assertThatThrownBy(() -> PseedWriter.create(folder.resolve("no/model.pseed"), "f"))
        .isInstanceOf(IOException.class)
        .hasMessageContaining("its folder does not exist");
  }

  /** A folder in the place of the part fails like a folder that cannot be written. */
  @Test
  void aPartThatCannotBeOpenedIsNamed() throws IOException {
    Files.createDirectory(part());
    assertThatThrownBy(() -> PseedWriter.create(target, "f"))
        .isInstanceOf(IOException.class)
        .hasMessageContaining("cannot write model.pseed.part");
    Files.delete(part());
    assertThat(written(target)).isNotEmpty();
  }

  /** A model may come with a link under the name that a conversion writes beside it. */
  @Test
  void nothingIsWrittenThroughALink() throws IOException {
    Path victim = Files.write(folder.resolve("victim"), new byte[] {1, 2, 3});
    for (String name : new String[] {"model.pseed.part", "model.pseed.part.journal"}) {
      Path link = folder.resolve(name);
      for (boolean symbolic : new boolean[] {true, false}) {
        try {
          if (symbolic) {
            Files.createSymbolicLink(link, victim);
          } else {
            Files.createLink(link, victim);
          }
        } catch (IOException | UnsupportedOperationException e) {
          assumeThat(false).as("links: " + e).isTrue();
        }
        assumeThat(symbolic || link.getFileSystem().supportedFileAttributeViews().contains("unix"))
            .isTrue();
        assertThatThrownBy(() -> PseedWriter.create(target, "f"))
            .isInstanceOf(IOException.class)
            .hasMessageContaining("cannot write " + name)
            .hasMessageContaining(symbolic ? "a symbolic link" : "several hard links");
        assertThat(victim).hasBinaryContent(new byte[] {1, 2, 3});
        Files.delete(link);
        Files.deleteIfExists(part());
      }
    }
    assertThat(written(target)).isNotEmpty();
  }

  @Test
  void aReadOnlyFolderIsNamed() throws IOException {
    assumeThat(folder.toFile().setWritable(false)).isTrue();
    try {
      // The superuser writes everywhere.
      assumeThat(Files.isWritable(folder)).isFalse();
      assertThatThrownBy(() -> PseedWriter.create(target, "f"))
          .isInstanceOf(IOException.class)
          .hasMessageContaining("cannot write model.pseed.part")
          .hasMessageContaining("pick a folder that can be written");
    } finally {
      assertThat(folder.toFile().setWritable(true)).isTrue();
    }
  }

  @Test
  void aTargetThatBecameAFolderLeavesNothing() throws IOException {
    try (PseedWriter writer = PseedWriter.create(target, "f")) {
      add(writer, "w", 1);
      Files.createDirectories(target.resolve("x"));
      assertThatThrownBy(() -> finish(writer)).isInstanceOf(IOException.class);
    }
    assertThat(names()).containsExactly("model.pseed");
  }
}
