package io.pseed.converter;

import com.jcraft.jzlib.Deflater;
import com.jcraft.jzlib.GZIPException;
import com.jcraft.jzlib.JZlib;
import io.pseed.format.PseedWriter;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;

/**
 * A section as the converter stores it: compressed where that makes the file smaller. The same
 * bytes give the same stream on every machine.
 *
 * @param stored what the file holds
 * @param deflated whether that is a DEFLATE stream
 * @param decodedLength bytes of the section
 */
record SectionBytes(ByteBuffer stored, boolean deflated, int decodedLength) {
  /** Extents begin at multiples of 64, and the header says more of a compressed section. */
  private static final int LEAST_GAIN = 64;

  private static final int PIECE = 1 << 16;

  /** Chooses how to store {@code content}. */
  static SectionBytes of(byte[] content) {
    byte[] stream = content.length > LEAST_GAIN ? deflate(content) : content;
    boolean smaller = stream.length + (long) LEAST_GAIN <= content.length;
    return new SectionBytes(ByteBuffer.wrap(smaller ? stream : content), smaller, content.length);
  }

  /** Appends it; the writer reads a compressed one back. */
  void writeTo(PseedWriter writer, String name) throws IOException {
    if (deflated) {
      writer.deflatedSection(name, null, stored, decodedLength);
    } else {
      writer.section(name, null, stored);
    }
  }

  private static byte[] deflate(byte[] content) {
    Deflater deflater;
    try {
      deflater = new Deflater(JZlib.Z_BEST_COMPRESSION, JZlib.MAX_WBITS, true);
    } catch (GZIPException e) {
      throw new IllegalStateException("level and window are those of the library", e);
    }
    ByteArrayOutputStream stream = new ByteArrayOutputStream();
    byte[] piece = new byte[PIECE];
    deflater.setInput(content);
    int status;
    do {
      deflater.setOutput(piece);
      status = deflater.deflate(JZlib.Z_FINISH);
      stream.write(piece, 0, deflater.getNextOutIndex());
      if (status != JZlib.Z_OK && status != JZlib.Z_STREAM_END) {
        throw new IllegalStateException("DEFLATE failed with status " + status);
      }
    } while (status != JZlib.Z_STREAM_END);
    deflater.end();
    return stream.toByteArray();
  }
}
