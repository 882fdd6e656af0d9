package io.pseed.converter.source.safetensors;

import static io.pseed.converter.source.safetensors.SafetensorsFormat.MAX_HEADER_BYTES;
import static io.pseed.converter.source.safetensors.SafetensorsFormat.PREFIX_BYTES;
import static io.pseed.converter.source.safetensors.SafetensorsFormat.quote;

import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.JsonToken;
import io.pseed.converter.source.SourceException;
import io.pseed.format.DType;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * The header of one safetensors file, read and checked against the file's length. After {@link
 * #read} every tensor's bytes are known to lie in the file.
 */
final class SafetensorsHeader {
  /** Dimensions that a {@code .pseed} record holds (specification, section 3). */
  private static final int MAX_DIMENSIONS = 8;

  private static final String HEADER = "header";

  /**
   * One tensor.
   *
   * @param begin its first byte, counted from the start of the data
   * @param end the byte after its last
   */
  record Info(String name, DType dtype, List<Long> shape, long begin, long end) {}

  private final Path file;
  private final long dataOffset;
  private final List<Info> tensors = new ArrayList<>();
  private final Map<String, String> metadata = new LinkedHashMap<>();

  private SafetensorsHeader(Path file, long dataOffset) {
    this.file = file;
    this.dataOffset = dataOffset;
  }

  /** File offset that {@code begin} and {@code end} count from. */
  long dataOffset() {
    return dataOffset;
  }

  /** The tensors in the order of their data. */
  List<Info> tensors() {
    return Collections.unmodifiableList(tensors);
  }

  Map<String, String> metadata() {
    return Collections.unmodifiableMap(metadata);
  }

  static SafetensorsHeader read(Path file, FileChannel channel) throws IOException {
    long fileLength = channel.size();
    byte[] start = readAt(file, channel, 0, (int) Math.min(fileLength, ForeignFormat.BYTES));
    String foreign = ForeignFormat.of(start);
    if (foreign != null && (start.length <= PREFIX_BYTES || start[PREFIX_BYTES] != '{')) {
      throw new SourceException(file, "this is no safetensors file, it looks like " + foreign);
    }
    if (fileLength < PREFIX_BYTES) {
      throw new SourceException(
          file,
          "the file has "
              + fileLength
              + " bytes, expected at least 8 for the length of a safetensors header");
    }
    long length = ByteBuffer.wrap(start).order(ByteOrder.LITTLE_ENDIAN).getLong(0);
    String found = "header length at file offset 0 is " + Long.toUnsignedString(length);
    if (Long.compareUnsigned(length, MAX_HEADER_BYTES) > 0) {
      throw new SourceException(
          file,
          found
              + ", expected at most "
              + MAX_HEADER_BYTES
              + ": this is no safetensors file, or it is damaged");
    }
    if (length > fileLength - PREFIX_BYTES) {
      throw new SourceException(
          file,
          found
              + ", but only "
              + (fileLength - PREFIX_BYTES)
              + " bytes follow: the file is truncated, or no safetensors file");
    }
    // At most 100 MB, and the file was seen to have them.
    byte[] text = readAt(file, channel, PREFIX_BYTES, (int) length);
    if (text.length == 0) {
      throw new SourceException(file, found + ", expected at least 2 for an empty JSON object");
    }
    if (text[0] != '{') {
      throw new SourceException(
          file,
          String.format(
              "header begins with byte 0x%02x at file offset 8, expected '{' (0x7b): this is no"
                  + " safetensors file, or it is damaged",
              text[0]));
    }
    SafetensorsHeader header = new SafetensorsHeader(file, PREFIX_BYTES + length);
    try (JsonParser parser = StrictJson.parser(file, text, HEADER, PREFIX_BYTES)) {
      header.parse(parser);
    } catch (JsonProcessingException e) {
      throw StrictJson.refused(file, HEADER, e);
    }
    header.checkLayout(fileLength);
    return header;
  }

  private static byte[] readAt(Path file, FileChannel channel, long offset, int length)
      throws IOException {
    ByteBuffer buffer = ByteBuffer.allocate(length);
    while (buffer.hasRemaining()) {
      // In slices, because the channel copies through a direct buffer of the slice's size.
      int rest = Math.min(buffer.remaining(), SafetensorsSource.SLICE_BYTES);
      ByteBuffer slice = buffer.slice(buffer.position(), rest);
      int n = channel.read(slice, offset + buffer.position());
      if (n < 0) {
        throw new SourceException(file, "the file became shorter while its header was read");
      }
      buffer.position(buffer.position() + n);
    }
    return buffer.array();
  }

  private void parse(JsonParser parser) throws IOException {
    parser.nextToken();
    while (parser.nextToken() == JsonToken.FIELD_NAME) {
      String name = StrictJson.wellFormed(file, HEADER, parser.currentName());
      JsonToken value = parser.nextToken();
      if (name.equals(SafetensorsFormat.METADATA)) {
        parseMetadata(parser, value);
      } else {
        tensors.add(parseTensor(parser, name, value));
      }
    }
    JsonToken after = parser.nextToken();
    if (after != null) {
      throw new SourceException(
          file, "header has " + after + " after its JSON object, expected only spaces");
    }
  }

  private void parseMetadata(JsonParser parser, JsonToken value) throws IOException {
    if (value != JsonToken.START_OBJECT) {
      throw new SourceException(
          file, "__metadata__ is " + describe(parser, value) + ", expected an object of strings");
    }
    while (parser.nextToken() == JsonToken.FIELD_NAME) {
      String key = StrictJson.wellFormed(file, SafetensorsFormat.METADATA, parser.currentName());
      JsonToken token = parser.nextToken();
      if (token != JsonToken.VALUE_STRING) {
        throw new SourceException(
            file,
            "__metadata__ member "
                + quote(key)
                + " is "
                + describe(parser, token)
                + ", expected a string");
      }
      metadata.put(key, StrictJson.wellFormed(file, SafetensorsFormat.METADATA, parser.getText()));
    }
  }

  private Info parseTensor(JsonParser parser, String name, JsonToken value) throws IOException {
    if (name.isEmpty()) {
      throw new SourceException(file, "header has a tensor with an empty name");
    }
    if (value != JsonToken.START_OBJECT) {
      throw trouble(
          name,
          "its description is "
              + describe(parser, value)
              + ", expected an object with dtype, shape and data_offsets");
    }
    DType dtype = null;
    List<Long> shape = null;
    List<Long> offsets = null;
    while (parser.nextToken() == JsonToken.FIELD_NAME) {
      String member = parser.currentName();
      JsonToken token = parser.nextToken();
      switch (member) {
        case "dtype" -> dtype = parseDType(parser, name, token);
        case "shape" -> shape = parseNumbers(parser, name, "shape", token, MAX_DIMENSIONS);
        case "data_offsets" -> {
          offsets = parseNumbers(parser, name, "data_offsets", token, 2);
          if (offsets.size() != 2) {
            throw trouble(name, "data_offsets are " + offsets + ", expected [begin, end]");
          }
        }
        default ->
            throw trouble(
                name,
                "unknown member " + quote(member) + ", expected dtype, shape and data_offsets");
      }
    }
    if (dtype == null || shape == null || offsets == null) {
      String missing = dtype == null ? "dtype" : shape == null ? "shape" : "data_offsets";
      throw trouble(name, "member " + missing + " is missing");
    }
    long begin = offsets.get(0);
    long end = offsets.get(1);
    if (end < begin) {
      throw trouble(name, "data_offsets are " + offsets + ", expected an end not before the begin");
    }
    checkSize(name, dtype, shape, offsets);
    return new Info(name, dtype, shape, begin, end);
  }

  private DType parseDType(JsonParser parser, String name, JsonToken token) throws IOException {
    if (token != JsonToken.VALUE_STRING) {
      throw trouble(name, "dtype is " + describe(parser, token) + ", expected a string");
    }
    String text = parser.getText();
    return DType.ofName(text)
        .filter(SafetensorsFormat::has)
        .orElseThrow(
            () ->
                trouble(
                    name,
                    "unknown dtype "
                        + quote(text)
                        + ", expected one of "
                        + SafetensorsFormat.DTYPES));
  }

  private List<Long> parseNumbers(
      JsonParser parser, String name, String member, JsonToken token, int most) throws IOException {
    if (token != JsonToken.START_ARRAY) {
      throw trouble(
          name, member + " is " + describe(parser, token) + ", expected an array of integers");
    }
    List<Long> numbers = new ArrayList<>(4);
    for (JsonToken item = parser.nextToken();
        item != JsonToken.END_ARRAY;
        item = parser.nextToken()) {
      if (item != JsonToken.VALUE_NUMBER_INT || parser.getText().startsWith("-")) {
        throw trouble(
            name,
            member
                + " has "
                + describe(parser, item)
                + " at index "
                + numbers.size()
                + ", expected an integer of 0 or more");
      }
      if (numbers.size() == most) {
        throw trouble(
            name,
            member.equals("shape")
                ? "shape has more than " + most + " dimensions; a .pseed record holds at most 8"
                : member + " has more than " + most + " numbers, expected [begin, end]");
      }
      try {
        numbers.add(Long.parseLong(parser.getText()));
      } catch (NumberFormatException e) {
        throw trouble(
            name, member + " has " + quote(parser.getText()) + ", expected less than 2^63");
      }
    }
    return List.copyOf(numbers);
  }

  private void checkSize(String name, DType dtype, List<Long> shape, List<Long> offsets)
      throws SourceException {
    long size;
    boolean whole;
    try {
      long elements = SafetensorsFormat.elements(shape);
      whole = SafetensorsFormat.fillsBytes(dtype, elements);
      size = dtype.byteSizeExact(elements);
    } catch (ArithmeticException e) {
      throw trouble(name, "shape " + shape + " of " + dtype + " overflows 2^63 - 1 bytes");
    }
    if (!whole) {
      throw trouble(
          name,
          "shape "
              + shape
              + " of "
              + dtype
              + " ("
              + dtype.bits()
              + " bits) does not fill whole bytes");
    }
    long found = offsets.get(1) - offsets.get(0);
    if (found != size) {
      throw trouble(
          name,
          "data_offsets "
              + offsets
              + " hold "
              + found
              + " bytes, but shape "
              + shape
              + " of "
              + dtype
              + " takes "
              + size);
    }
  }

  /** Data must be contiguous from 0 to the end of the file. */
  private void checkLayout(long fileLength) throws SourceException {
    tensors.sort(Comparator.comparingLong(Info::begin).thenComparingLong(Info::end));
    long expected = 0;
    String before = "";
    for (Info tensor : tensors) {
      if (tensor.begin() != expected) {
        throw trouble(
            tensor.name(),
            "data begins at byte "
                + tensor.begin()
                + ", expected "
                + expected
                + at(expected)
                + (tensor.begin() > expected
                    ? ": the bytes between belong to no tensor"
                    : ": it overlaps tensor " + quote(before)));
      }
      expected = tensor.end();
      before = tensor.name();
    }
    long found = fileLength - dataOffset;
    if (expected > found) {
      throw new SourceException(
          file,
          "tensor "
              + quote(before)
              + " ends at byte "
              + expected
              + " of the data, but the data has "
              + found
              + " bytes"
              + at(found)
              + ": the file is truncated");
    }
    if (expected < found) {
      throw new SourceException(
          file,
          "the tensors end at byte "
              + expected
              + at(expected)
              + ", expected the end of the file, but "
              + (found - expected)
              + " bytes follow");
    }
  }

  private String at(long begin) {
    return " (file offset " + (dataOffset + begin) + ")";
  }

  private SourceException trouble(String name, String sentence) {
    return new SourceException(file, "tensor " + quote(name) + ": " + sentence);
  }

  private static String describe(JsonParser parser, JsonToken token) throws IOException {
    return switch (token) {
      case START_OBJECT -> "an object";
      case START_ARRAY -> "an array";
      case VALUE_STRING -> "the string " + quote(parser.getText());
      case VALUE_NUMBER_INT, VALUE_NUMBER_FLOAT -> "the number " + quote(parser.getText());
      default -> parser.getText();
    };
  }
}
