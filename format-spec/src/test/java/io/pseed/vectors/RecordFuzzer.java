package io.pseed.vectors;

import io.pseed.codec.TensorDecoder;
import io.pseed.format.Limits;
import io.pseed.format.PseedException;
import io.pseed.format.RecordPlace;
import io.pseed.format.TensorRecord;
import java.nio.ByteBuffer;
import java.util.Arrays;

/** What the fuzz targets of the codecs share: a record is parsed and decoded. */
final class RecordFuzzer {
  private static final Limits LIMITS = new Limits(1 << 18, 1 << 20, 10, 1 << 16);

  private RecordFuzzer() {}

  /** Reads the bytes as they are, and as a record of the codec with the sums set right. */
  static void decode(byte[] data, int codec) {
    read(data);
    if (data.length >= 44) {
      byte[] record = data.clone();
      System.arraycopy(new byte[] {'P', 'S', 'R', '1', (byte) codec}, 0, record, 0, 5);
      Arrays.fill(record, 29, 32, (byte) 0);
      Arrays.fill(record, 36, 40, (byte) 0);
      read(Rec.fixLength(record));
    }
  }

  private static void read(byte[] bytes) {
    try {
      TensorDecoder.of(
              TensorRecord.parse(ByteBuffer.wrap(bytes), RecordPlace.standalone("fuzz"), LIMITS))
          .decode();
    } catch (PseedException e) {
      requireSentence(e);
    }
  }

  /** One sentence, bounded, that begins with the file and moves no terminal's cursor. */
  static void requireSentence(PseedException e) {
    String message = e.getMessage();
    if (!message.startsWith("fuzz") || message.length() > 1000) {
      throw new AssertionError("no sentence: " + message, e);
    }
    if (message.chars().anyMatch(Character::isISOControl)) {
      throw new AssertionError("control characters in: " + message, e);
    }
  }
}
