package io.pseed.converter.source.safetensors;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.StreamReadConstraints;
import com.fasterxml.jackson.core.StreamReadFeature;
import io.pseed.converter.source.SourceException;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.ByteBuffer;
import java.nio.CharBuffer;
import java.nio.charset.CharsetDecoder;
import java.nio.charset.CoderResult;
import java.nio.charset.CodingErrorAction;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;

/** JSON of a file that may be hostile: strict UTF-8, no duplicate names, bounded nesting. */
final class StrictJson {
  /** A header needs 3 (tensor, shape); an index's metadata is free form. */
  private static final int MAX_NESTING = 64;

  private static final JsonFactory FACTORY =
      JsonFactory.builder()
          .streamReadConstraints(
              StreamReadConstraints.builder()
                  .maxNestingDepth(MAX_NESTING)
                  .maxNumberLength(40)
                  .maxNameLength(SafetensorsFormat.MAX_HEADER_BYTES)
                  .maxStringLength(SafetensorsFormat.MAX_HEADER_BYTES)
                  .maxDocumentLength(SafetensorsFormat.MAX_HEADER_BYTES)
                  .build())
          .enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION)
          // Names are different in every file: a shared symbol table would only grow.
          .disable(JsonFactory.Feature.CANONICALIZE_FIELD_NAMES)
          .disable(JsonFactory.Feature.INTERN_FIELD_NAMES)
          .build();

  private StrictJson() {}

  /**
   * A parser over UTF-8 text that was checked to be well-formed.
   *
   * @param what the text's name in messages
   * @param offset where the text stands in the file
   */
  static JsonParser parser(Path file, byte[] utf8, String what, long offset) throws IOException {
    CharsetDecoder decoder =
        StandardCharsets.UTF_8
            .newDecoder()
            .onMalformedInput(CodingErrorAction.REPORT)
            .onUnmappableCharacter(CodingErrorAction.REPORT);
    ByteBuffer in = ByteBuffer.wrap(utf8);
    CharBuffer sink = CharBuffer.allocate(8192);
    CoderResult result = decoder.decode(in, sink, true);
    while (result.isOverflow()) {
      sink.clear();
      result = decoder.decode(in, sink, true);
    }
    if (result.isError()) {
      throw new SourceException(
          file,
          String.format(
              "%s is not UTF-8: byte 0x%02x at file offset %d",
              what, utf8[in.position()], offset + in.position()));
    }
    // Jackson gets characters, not bytes: from bytes it would also guess UTF-16 and UTF-32.
    return FACTORY.createParser(
        new InputStreamReader(new ByteArrayInputStream(utf8), StandardCharsets.UTF_8));
  }

  /** What Jackson did not accept, as a sentence. */
  static SourceException refused(Path file, String what, JsonProcessingException e) {
    String where =
        e.getLocation() == null
            ? ""
            : " at line "
                + e.getLocation().getLineNr()
                + ", column "
                + e.getLocation().getColumnNr();
    return new SourceException(
        file,
        what
            + " is not strict JSON"
            + where
            + ": "
            + SafetensorsFormat.printable(e.getOriginalMessage(), 300),
        e);
  }

  /** The string, or an error where it has half a surrogate pair ({@code "\ud800"}). */
  static String wellFormed(Path file, String what, String text) throws SourceException {
    if (!SafetensorsFormat.isWellFormed(text)) {
      throw new SourceException(
          file,
          what
              + ": string "
              + SafetensorsFormat.quote(text)
              + " has half a surrogate pair, expected Unicode text");
    }
    return text;
  }
}
