package io.pseed.onnx;

import io.pseed.codec.TensorDecoder;
import io.pseed.format.Limits;
import io.pseed.format.PseedException;
import io.pseed.format.RecordPlace;
import io.pseed.format.TensorRecord;
import java.io.BufferedInputStream;
import java.io.BufferedOutputStream;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.zip.CRC32C;

/**
 * Fuzz target: the same bytes through the decoder in Java and the one in C++, which is a process of
 * its own ({@code record_server.cpp}; the environment's {@code PSEED_RECORD_SERVER} names it). Both
 * must give the same elements, or the same kind of error and the same sentence. Run by {@code
 * .ci/fuzz}.
 */
public final class DifferentialFuzzer {
  private static final Limits LIMIT = new Limits(1 << 18, 1 << 18, 10, 1 << 16);

  /** Java before 19 prints some floats with a digit more than they need. */
  private static final Pattern FLOAT = Pattern.compile("-?\\d+\\.\\d+(E-?\\d+)?");

  /** What a decoder says when all is well but for the checksum of what it decoded. */
  private static final Pattern DECODED = Pattern.compile("decoded values is 0x([0-9a-f]{8}),");

  private static DataOutputStream requests;
  private static DataInputStream answers;

  private DifferentialFuzzer() {}

  /** Elements, or the label of a kind and the sentence. */
  @SuppressWarnings("ArrayRecordComponent") // Compared by hand.
  private record Outcome(String kind, byte[] content) {}

  /** What the fuzzer calls. */
  public static void fuzzerTestOneInput(byte[] data) {
    compare(data);
    if (data.length >= 44) {
      compare(mended(data));
    }
  }

  /**
   * As a record whose length and checksum are right, and with the right decodedCrc if it decodes.
   */
  private static byte[] mended(byte[] data) {
    byte[] record = data.clone();
    ByteBuffer.wrap(record)
        .order(ByteOrder.LITTLE_ENDIAN)
        .putInt(0, 0x31525350)
        .putLong(8, record.length);
    fix(record);
    try {
      TensorDecoder.of(parse(record)).decode();
    } catch (PseedException e) {
      Matcher decoded = DECODED.matcher(e.getMessage());
      if (decoded.find()) {
        ByteBuffer.wrap(record)
            .order(ByteOrder.LITTLE_ENDIAN)
            .putInt(32, Integer.parseUnsignedInt(decoded.group(1), 16));
        fix(record);
      }
    }
    return record;
  }

  private static void fix(byte[] record) {
    CRC32C crc = new CRC32C();
    crc.update(record, 0, record.length - 4);
    ByteBuffer.wrap(record)
        .order(ByteOrder.LITTLE_ENDIAN)
        .putInt(record.length - 4, (int) crc.getValue());
  }

  private static TensorRecord parse(byte[] record) throws PseedException {
    return TensorRecord.parse(ByteBuffer.wrap(record), RecordPlace.standalone("fuzz"), LIMIT);
  }

  private static void compare(byte[] record) {
    Outcome java = inJava(record);
    Outcome cpp = inCpp(record);
    boolean same =
        java.kind.equals(cpp.kind)
            && (java.kind.equals("ok")
                ? Arrays.equals(java.content, cpp.content)
                : text(java).equals(text(cpp)));
    if (!same) {
      throw new AssertionError(
          "Java: " + java.kind + ": " + shown(java) + "\nC++:  " + cpp.kind + ": " + shown(cpp));
    }
  }

  private static String shown(Outcome outcome) {
    return outcome.kind.equals("ok")
        ? outcome.content.length + " bytes"
        : new String(outcome.content, StandardCharsets.UTF_8);
  }

  private static String text(Outcome outcome) {
    return FLOAT
        .matcher(new String(outcome.content, StandardCharsets.UTF_8))
        .replaceAll(found -> Float.toHexString(Float.parseFloat(found.group())));
  }

  private static Outcome inJava(byte[] record) {
    try {
      ByteBuffer bytes = TensorDecoder.of(parse(record)).decode();
      byte[] content = new byte[bytes.remaining()];
      bytes.get(content);
      return new Outcome("ok", content);
    } catch (PseedException e) {
      return new Outcome(e.kind().label(), e.getMessage().getBytes(StandardCharsets.UTF_8));
    }
  }

  private static Outcome inCpp(byte[] record) {
    try {
      if (requests == null) {
        String server = System.getenv("PSEED_RECORD_SERVER");
        if (server == null) {
          throw new IllegalStateException("PSEED_RECORD_SERVER names no program");
        }
        Process process =
            new ProcessBuilder(server).redirectError(ProcessBuilder.Redirect.INHERIT).start();
        requests = new DataOutputStream(new BufferedOutputStream(process.getOutputStream()));
        answers = new DataInputStream(new BufferedInputStream(process.getInputStream(), 1 << 16));
      }
      requests.writeInt(Integer.reverseBytes(record.length));
      requests.write(record);
      requests.flush();
      int kind = Integer.reverseBytes(answers.readInt());
      byte[] content = answers.readNBytes(Integer.reverseBytes(answers.readInt()));
      return new Outcome(
          switch (kind) {
            case 0 -> "ok";
            case 3 -> "corrupt";
            case 4 -> "unknown-codec";
            case 5 -> "over-limit";
            default -> "kind " + kind;
          },
          content);
    } catch (IOException e) {
      throw new UncheckedIOException("the decoder in C++ went away", e);
    }
  }
}
