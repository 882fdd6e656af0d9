package io.pseed.format;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Arrays;
import java.util.zip.DataFormatException;
import java.util.zip.Inflater;

/** Decodes sections stored as a raw DEFLATE stream (specification, section 2.3; RFC 1951). */
final class DeflateStream {
  /**
   * No DEFLATE stream gives more bytes a byte: a code of 1 bit for a length of 258, one of 1 bit
   * for its distance.
   */
  private static final long MAX_RATIO = 1032;

  private static final int FIRST_PIECE = 1 << 16;

  private DeflateStream() {}

  /**
   * Decodes a stream that must fill {@code stream} and give exactly {@code decodedLength} bytes.
   * Memory grows with what the stream gives, not with what the number says.
   *
   * @param stream from position to limit; not consumed
   * @param label file and section, for messages
   * @param offset of the stream in its file, for messages
   */
  static ByteBuffer inflate(ByteBuffer stream, long decodedLength, String label, long offset)
      throws PseedException {
    int stored = stream.remaining();
    if (decodedLength > stored * MAX_RATIO) {
      throw new CorruptException(
          String.format(
              "%s: decodedLength is %d, expected at most %d: %d bytes of DEFLATE (file offset %d)"
                  + " give no more",
              label, decodedLength, stored * MAX_RATIO, stored, offset));
    }
    if (decodedLength > Integer.MAX_VALUE - 64) {
      throw new OverLimitException(
          label + ": decodes to " + decodedLength + " bytes, Java holds less than 2 GiB");
    }
    // One byte more than announced, so that a longer stream shows.
    int room = (int) decodedLength + 1;
    byte[] decoded = new byte[Math.min(room, FIRST_PIECE)];
    int size = 0;
    // No byte is appended for old versions of zlib: it could complete a truncated stream.
    Inflater inflater = new Inflater(true);
    try {
      inflater.setInput(stream.duplicate());
      while (!inflater.finished()) {
        if (size == decoded.length) {
          decoded = Arrays.copyOf(decoded, (int) Math.min(room, 2L * size));
        }
        int count = inflater.inflate(decoded, size, decoded.length - size);
        size += count;
        if (size == room) {
          throw corrupt(label, offset, "decodes to more than decodedLength", decodedLength);
        }
        if (count == 0 && !inflater.finished()) {
          throw corrupt(
              label,
              offset,
              "ends before its final block does, after " + size + " decoded bytes",
              decodedLength);
        }
      }
      if (inflater.getRemaining() != 0) {
        throw corrupt(
            label,
            offset,
            "ends " + inflater.getRemaining() + " bytes before the section",
            "no bytes after its final block");
      }
    } catch (DataFormatException e) {
      throw new CorruptException(
          String.format(
              "%s: its DEFLATE stream of %d bytes (file offset %d) is invalid after %d decoded"
                  + " bytes: %s",
              label, stored, offset, inflater.getBytesWritten(), e.getMessage()),
          e);
    } finally {
      inflater.end();
    }
    if (size != decodedLength) {
      throw corrupt(label, offset, "decodes to " + size + " bytes", decodedLength);
    }
    return ByteBuffer.wrap(decoded, 0, size).slice().order(ByteOrder.LITTLE_ENDIAN);
  }

  private static CorruptException corrupt(
      String label, long offset, String found, Object expected) {
    return new CorruptException(
        String.format(
            "%s: its DEFLATE stream %s, expected %s (file offset %d)",
            label, found, expected, offset));
  }
}
