package io.pseed.vectors;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.fail;

import io.pseed.format.Limits;
import io.pseed.format.PseedException;
import io.pseed.format.PseedReader;
import io.pseed.format.SectionEntry;
import io.pseed.format.TensorEntry;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.Callable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Damage is found, and no bytes give anything but a {@link PseedException}. */
@Timeout(60)
class DamageTest {
  /** Tight, so that damage that asks for memory is refused. */
  private static final Limits TIGHT = new Limits(1 << 20, 1 << 22, 1000, 1 << 20);

  private static final byte[] SMALL = small();

  /** A trellis tensor, a poincare tensor and a section in 700 bytes. */
  private static byte[] small() {
    Rng rng = Rng.of("damage");
    Trellis trellis = new Trellis(4, 8).bits(9).rate(3).kinds(4, 3).blocks(1, 2);
    byte[] layer =
        Rec.of(
            Rec.POINCARE,
            2,
            new long[] {3, 3},
            Poincare.seed(1, 3, 3, 12, rng),
            Rec.view(3, 3, true).zeros(8).toArray());
    return new Box()
        .tensor("t", "F32", trellis.shape(), trellis.record(1, rng))
        .tensor("p", "F16", new long[] {3, 3}, layer)
        .section("s", rng.bytes(10), "")
        .build();
  }

  @Test
  void theFilesAreGoodBeforeTheyAreDamaged() throws IOException {
    assertThat(Vector.read(SMALL, false, TIGHT)).hasSize(2);
  }

  @Test
  void everyFlippedBitOfAContainerIsFound() {
    everyFlip(SMALL, false);
    everyFlip(new Box().build(), false);
  }

  @Test
  void everyFlippedBitOfARecordIsFound() {
    Rng rng = Rng.of("record flips");
    everyFlip(Rec.raw(2, 16, new long[] {5}, rng), true);
    everyFlip(new Trellis(3, 9).kinds(2, 1).rate(5).permuted(rng).record(3, rng), true);
    byte[] tiles = Poincare.tiles(Rec.view(3, 4, false), 3, 4, 2, 3, rng).toArray();
    everyFlip(Rec.of(Rec.POINCARE, 4, new long[] {12}, Rec.Seed.NONE, tiles), true);
  }

  private static void everyFlip(byte[] bytes, boolean isRecord) {
    for (int bit = 0; bit < 8 * bytes.length; bit++) {
      byte[] damaged = flipped(bytes, bit);
      if (!isRefused(damaged, isRecord)) {
        fail("bit %d of byte %d is flipped and nobody saw it", bit % 8, bit / 8);
      }
    }
  }

  /** Section 2.1: the digest may stay unread, the other sums and the zeros cover every byte. */
  @Test
  void withoutTheDigestEveryFlippedBitOfAnExtentIsFound() throws IOException {
    int end = (int) ByteBuffer.wrap(SMALL).order(ByteOrder.LITTLE_ENDIAN).getLong(24);
    boolean[] extent = new boolean[SMALL.length];
    try (PseedReader reader = PseedReader.of(ByteBuffer.wrap(SMALL), "small", TIGHT)) {
      for (TensorEntry tensor : reader.header().tensors()) {
        mark(extent, tensor.offset(), tensor.length());
      }
      for (SectionEntry section : reader.header().sections()) {
        mark(extent, section.offset(), section.length());
      }
    }
    int found = 0;
    for (int bit = 8 * 128; bit < 8 * end; bit++) {
      if (extent[bit / 8]) {
        byte[] damaged = flipped(SMALL, bit);
        assertThatThrownBy(() -> readWithoutValidating(damaged)).isInstanceOf(PseedException.class);
        found++;
      }
    }
    assertThat(found).isGreaterThan(1000);
  }

  private static void mark(boolean[] extent, long offset, long length) {
    Arrays.fill(extent, (int) offset, (int) (offset + length), true);
  }

  private static void readWithoutValidating(byte[] bytes) throws IOException {
    try (PseedReader reader = PseedReader.of(ByteBuffer.wrap(bytes), "damaged", TIGHT)) {
      for (TensorEntry tensor : reader.header().tensors()) {
        assertThat(reader.record(tensor)).isNotNull();
      }
      for (SectionEntry section : reader.header().sections()) {
        assertThat(reader.section(section)).isNotNull();
      }
    }
  }

  @Test
  void randomFlipsInALargerFileAreFound() {
    Rng rng = Rng.of("random flips");
    Box box = new Box();
    for (int i = 0; i < 8; i++) {
      Trellis trellis = new Trellis(16, 32).bits(10).rate(4).blocks(i % 5, 5).kinds(3, 1);
      box.tensor("w" + i, "F32", trellis.shape(), trellis.record(1, rng));
    }
    byte[] file = box.section("s", rng.bytes(3000), "").build();
    for (int i = 0; i < 1500; i++) {
      byte[] damaged = flipped(file, rng.below(8 * file.length));
      if (rng.flip()) {
        damaged = flipped(damaged, rng.below(8 * file.length));
      }
      if (!Arrays.equals(damaged, file)) {
        assertThat(isRefused(damaged, false)).as("flip %d", i).isTrue();
      }
    }
  }

  /**
   * 100 000 flips in 8 MB. Of a flip in a record that record is read: a validating reader reads
   * each. A flip elsewhere is looked for in the whole file.
   */
  @Test
  @Timeout(300)
  void everyRandomFlipOfALargeFileIsFound() throws IOException {
    Rng rng = Rng.of("large file");
    Box box = new Box();
    for (int i = 0; i < 500; i++) {
      // Most fill whole multiples of 64 bytes; looking for a flip between records takes longer.
      int bytes = i % 50 == 0 ? 16_333 : 16_332;
      box.tensor("w" + i, "U8", new long[] {bytes}, largeRecord(bytes, rng));
    }
    byte[] file = box.section("s", rng.bytes(60_000), "").build();
    Limits limits = new Limits(1 << 20, 1 << 24, 1000, 1 << 20);
    assertThat(Vector.read(file, false, limits)).hasSize(500);
    int inRecords = 0;
    int elsewhere = 0;
    try (PseedReader reader = PseedReader.of(ByteBuffer.wrap(file), "large", limits)) {
      List<TensorEntry> tensors = reader.header().tensors();
      SectionEntry section = reader.header().sections().get(0);
      long headerAt = ByteBuffer.wrap(file).order(ByteOrder.LITTLE_ENDIAN).getLong(24);
      for (int i = 0; i < 100_000; i++) {
        int at = rng.below(file.length);
        int bit = 1 << rng.below(8);
        file[at] ^= (byte) bit;
        TensorEntry hit = null;
        for (TensorEntry tensor : tensors) {
          if (at >= tensor.offset() && at < tensor.offset() + tensor.length()) {
            hit = tensor;
          }
        }
        TensorEntry damaged = hit;
        if (hit != null) {
          requireRefused(at, () -> reader.record(damaged));
          inRecords++;
        } else if (at >= section.offset() && at < section.offset() + section.length()) {
          requireRefused(at, () -> reader.section(section));
          elsewhere++;
        } else if (at < 40 || (at >= 72 && at < 128) || at >= headerAt) {
          requireRefused(at, () -> PseedReader.of(ByteBuffer.wrap(file), "large", limits));
          elsewhere++;
        } else {
          assertThat(isRefused(file, false, limits)).as("flip of bit %d at %d", bit, at).isTrue();
          elsewhere++;
        }
        file[at] ^= (byte) bit;
      }
    }
    assertThat(inRecords).isGreaterThan(90_000);
    assertThat(elsewhere).isGreaterThan(500);
    assertThat(Vector.read(file, false, limits)).hasSize(500);
  }

  /** As AssertJ would, but 100 000 times. */
  private static void requireRefused(int at, Callable<?> read) throws IOException {
    try {
      Object unused = read.call();
      fail("a flip at %d was not seen", at);
    } catch (PseedException e) {
      // As it should be.
    } catch (IOException | RuntimeException e) {
      throw e;
    } catch (Exception e) {
      throw new IllegalStateException(e);
    }
  }

  private static byte[] largeRecord(int bytes, Rng rng) {
    byte[] body = rng.bytes(bytes);
    byte[] record = Rec.undecoded(Rec.RAW, 6, new long[] {bytes}, Rec.Seed.NONE, body);
    return Rec.fix(Bytes.patch32(record, 32, Bytes.crc32c(body)));
  }

  @Test
  void everyTruncationIsFound() {
    for (int length = 0; length < SMALL.length; length++) {
      assertThat(isRefused(Arrays.copyOf(SMALL, length), false)).as("%d bytes", length).isTrue();
    }
    byte[] record = new Trellis(3, 9).record(1, Rng.of("truncated"));
    for (int length = 0; length < record.length; length++) {
      assertThat(isRefused(Arrays.copyOf(record, length), true)).as("%d bytes", length).isTrue();
    }
  }

  @Test
  void everyExtensionIsFound() {
    for (int more = 1; more < 130; more++) {
      assertThat(isRefused(Arrays.copyOf(SMALL, SMALL.length + more), false)).isTrue();
    }
  }

  @Test
  void randomBytesAreRefused() {
    Rng rng = Rng.of("random bytes");
    for (int i = 0; i < 3000; i++) {
      byte[] bytes = rng.bytes(rng.below(400));
      assertThat(isRefused(bytes, false)).isTrue();
      assertThat(isRefused(bytes, true)).isTrue();
      if (bytes.length >= 128) {
        System.arraycopy(SMALL, 0, bytes, 0, rng.below(64));
        isRefused(Box.fixPrefix(bytes), false);
      }
      if (bytes.length >= 44) {
        System.arraycopy(new byte[] {'P', 'S', 'R', '1'}, 0, bytes, 0, 4);
        bytes[4] = (byte) (1 + i % 3);
        bytes[5] = 1;
        bytes[6] = (byte) (i % 9);
        bytes[7] = 0;
        isRefused(Rec.fixLength(bytes), true);
      }
    }
  }

  /**
   * Fields are changed and all sums set right again, so that the checks behind them are reached.
   */
  @Test
  void mutatedRecordsWithRightSumsAreRefusedOrDecoded() {
    int decoded = 0;
    for (int i = 0; i < 12_000; i++) {
      Rng rng = new Rng(i);
      byte[] record = mutated(OddFileGenerator.record(new Rng(i % 60)), rng, 4);
      if (record.length >= 44 && rng.below(4) != 0) {
        record = Rec.fixLength(record);
      }
      if (!isRefused(record, true)) {
        decoded++;
      }
    }
    // A change of a reserved part of a Poincaré seed, or of a bit that scales a zero.
    assertThat(decoded).isLessThan(6000);
  }

  @Test
  void mutatedHeadersWithRightSumsAreRefusedOrRead() {
    String[] pieces = {
      "{",
      "}",
      "[",
      "]",
      ",",
      ":",
      "\"",
      "0",
      "-1",
      "1e5",
      "9223372036854775807",
      "null",
      "true",
      "\"name\"",
      "\"shape\":[1]",
      "\"\\ud800\"",
      "\\u0000",
      " ",
      "\"tensors\":[]",
      "\u00e9"
    };
    ByteBuffer in = ByteBuffer.wrap(SMALL).order(ByteOrder.LITTLE_ENDIAN);
    int offset = (int) in.getLong(24);
    String json = new String(SMALL, offset, SMALL.length - offset, StandardCharsets.UTF_8);
    for (int i = 0; i < 8000; i++) {
      Rng rng = new Rng(i);
      StringBuilder text = new StringBuilder(json);
      for (int change = rng.between(1, 3); change > 0; change--) {
        int at = rng.below(text.length());
        int end = Math.min(text.length(), at + rng.below(4));
        text.replace(at, end, pieces[rng.below(pieces.length)]);
      }
      byte[] header = text.toString().getBytes(StandardCharsets.UTF_8);
      if (rng.below(8) == 0) {
        header = mutated(header, rng, 2);
      }
      byte[] file = Arrays.copyOf(SMALL, offset + header.length);
      System.arraycopy(header, 0, file, offset, header.length);
      file = Bytes.patch64(file, 16, file.length);
      file = Bytes.patch32(file, 32, header.length);
      isRefused(Box.fix(Bytes.patch32(file, 36, Bytes.crc32c(header))), false);
    }
  }

  private static byte[] mutated(byte[] bytes, Rng rng, int most) {
    byte[] copy = bytes.clone();
    for (int change = rng.between(1, most); change > 0 && copy.length > 0; change--) {
      int at = rng.flip() ? rng.below(copy.length) : rng.below(Math.min(120, copy.length));
      switch (rng.below(6)) {
        case 0 -> copy[at] ^= (byte) (1 << rng.below(8));
        case 1 -> copy[at] = (byte) rng.below(256);
        case 2 -> copy[at] = (byte) List.of(0, 1, 127, 128, 255).get(rng.below(5)).intValue();
        case 3 -> copy[at] += (byte) (rng.flip() ? 1 : -1);
        case 4 -> copy = Arrays.copyOf(copy, Math.max(0, copy.length + rng.between(-9, 9)));
        default -> {
          int from = rng.below(copy.length);
          int count = Math.min(rng.below(9), copy.length - Math.max(from, at));
          System.arraycopy(copy, from, copy, at, count);
        }
      }
    }
    return copy;
  }

  @Test
  void everyKindOfErrorIsOneOfTheFive() {
    assertThat(PseedException.Kind.values())
        .extracting(PseedException.Kind::label)
        .containsExactly("not-pseed", "too-new", "corrupt", "unknown-codec", "over-limit");
  }

  private static byte[] flipped(byte[] bytes, int bit) {
    return Bytes.patch(bytes, bit / 8, bytes[bit / 8] ^ 0x80 >> bit % 8);
  }

  /** Whether reading gives a PseedException; any other throwable fails the test. */
  private static boolean isRefused(byte[] bytes, boolean isRecord) {
    return isRefused(bytes, isRecord, TIGHT);
  }

  private static boolean isRefused(byte[] bytes, boolean isRecord, Limits limits) {
    try {
      Vector.read(bytes, isRecord, limits);
      return false;
    } catch (PseedException e) {
      if (e.getMessage() == null || e.getMessage().isBlank()) {
        throw new AssertionError("an error without a message", e);
      }
      return true;
    } catch (IOException e) {
      throw new AssertionError("bytes in memory gave an I/O error", e);
    }
  }
}
