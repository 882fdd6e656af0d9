package io.pseed.vectors;

import io.pseed.codec.TensorDecoder;
import io.pseed.format.Limits;
import io.pseed.format.PseedException;
import io.pseed.format.PseedReader;
import io.pseed.format.SectionEntry;
import io.pseed.format.TensorEntry;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Arrays;

/**
 * Fuzz target: any bytes as a container, as they are and with the sums set right, since no fuzzer
 * finds a checksum. Run by {@code .ci/fuzz}; {@link FuzzTargetsTest} replays its corpus.
 */
public final class ContainerFuzzer {
  private static final Limits LIMITS = new Limits(1 << 20, 1 << 22, 1000, 1 << 16);

  private ContainerFuzzer() {}

  /** What the fuzzer calls. */
  public static void fuzzerTestOneInput(byte[] data) {
    read(data);
    byte[] mended = mended(data);
    if (mended != null) {
      read(mended);
    }
  }

  private static void read(byte[] bytes) {
    try (PseedReader reader = PseedReader.of(ByteBuffer.wrap(bytes), "fuzz", LIMITS)) {
      for (TensorEntry tensor : reader.header().tensors()) {
        TensorDecoder.of(reader.record(tensor)).decode();
      }
      for (SectionEntry section : reader.header().sections()) {
        reader.section(section);
      }
      reader.validate();
    } catch (PseedException e) {
      RecordFuzzer.requireSentence(e);
    } catch (IOException e) {
      throw new AssertionError("another kind of error than those of section 10", e);
    }
  }

  /** With a prefix that fits the bytes, right checksums of records, and right sums; or null. */
  private static byte[] mended(byte[] data) {
    if (data.length < 128 + 2) {
      return null;
    }
    byte[] file = data.clone();
    ByteBuffer in = ByteBuffer.wrap(file).order(ByteOrder.LITTLE_ENDIAN);
    long offset = in.getLong(24);
    if (offset < 128 || offset % 64 != 0 || offset > file.length - 2) {
      // The first line that looks like the header.
      int at = 128;
      while (at < file.length && file[at] != '{') {
        at += 64;
      }
      if (at >= file.length - 2) {
        return null;
      }
      offset = at;
    }
    int length = file.length - (int) offset;
    in.putLong(0, 0x0A1A0A0D44535089L).putShort(8, (short) 1).putInt(12, 0);
    in.putLong(16, file.length).putLong(24, offset).putInt(32, length);
    in.putInt(36, Bytes.crc32c(file, (int) offset, file.length));
    Arrays.fill(file, 72, 124, (byte) 0);
    try (PseedReader reader = PseedReader.of(ByteBuffer.wrap(Box.fix(file)), "fuzz", LIMITS)) {
      for (TensorEntry tensor : reader.header().tensors()) {
        int start = (int) tensor.offset();
        int end = start + (int) tensor.length();
        if (tensor.length() >= 44) {
          byte[] record = Rec.fixLength(Arrays.copyOfRange(file, start, end));
          System.arraycopy(record, 0, file, start, record.length);
        }
      }
    } catch (IOException e) {
      // The header is what it is.
    }
    return Box.fix(file);
  }
}
