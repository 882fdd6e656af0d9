package io.pseed.vectors;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.function.UnaryOperator;

/**
 * Builds a container from the text of section 2, without the writer, so that every part may be odd
 * or wrong.
 */
final class Box {
  private static final byte[] MAGIC = {(byte) 0x89, 'P', 'S', 'D', '\r', '\n', 0x1A, '\n'};

  private final Bytes extents = new Bytes().zeros(128);
  private final List<String> tensors = new ArrayList<>();
  private final List<String> sections = new ArrayList<>();
  private String members = "";
  private int minor;
  private UnaryOperator<String> edit = json -> json;
  private UnaryOperator<byte[]> editContent = content -> content;

  /** Adds a record; {@code extra} is JSON text such as {@code ,"stats":{}}. */
  Box tensor(String name, String dtype, long[] shape, byte[] record, String extra) {
    extents.align(64);
    tensors.add(
        String.format(
            "{\"name\":%s,\"dtype\":\"%s\",\"shape\":%s,\"offset\":%d,\"length\":%d%s}",
            quote(name),
            dtype,
            Arrays.toString(shape).replace(" ", ""),
            extents.size(),
            record.length,
            extra));
    extents.raw(record);
    return this;
  }

  Box tensor(String name, String dtype, long[] shape, byte[] record) {
    return tensor(name, dtype, shape, record, "");
  }

  Box section(String name, byte[] content, String extra) {
    extents.align(64);
    sections.add(
        String.format(
            "{\"name\":%s,\"offset\":%d,\"length\":%d,\"crc32c\":%d%s}",
            quote(name),
            extents.size(),
            content.length,
            Integer.toUnsignedLong(Bytes.crc32c(content)),
            extra));
    extents.raw(content);
    return this;
  }

  /** Adds a section stored as a DEFLATE stream that is said to give {@code decodedLength} bytes. */
  Box deflated(String name, byte[] stream, long decodedLength) {
    return section(name, stream, ",\"encoding\":\"deflate\",\"decodedLength\":" + decodedLength);
  }

  /** Text that goes before the closing brace, such as {@code ,"metadata":{}}. */
  Box members(String json) {
    members = json;
    return this;
  }

  Box minor(int value) {
    minor = value;
    return this;
  }

  /** A last change to the JSON text. */
  Box edit(UnaryOperator<String> change) {
    edit = change;
    return this;
  }

  /** Replaces one text in the JSON, which must be there. */
  Box replace(String old, String text) {
    return edit(
        json -> {
          if (!json.contains(old)) {
            throw new IllegalArgumentException(old + " is not in " + json);
          }
          return json.replace(old, text);
        });
  }

  /** A change to all extents, from offset 0 of the file, before sums are taken. */
  Box editContent(UnaryOperator<byte[]> change) {
    editContent = change;
    return this;
  }

  byte[] build() {
    String json =
        "{\"producer\":\"vectors 1\",\"tensors\":["
            + String.join(",", tensors)
            + "],\"sections\":["
            + String.join(",", sections)
            + "]"
            + members
            + "}";
    return build(edit.apply(json).getBytes(StandardCharsets.UTF_8));
  }

  /** With this header in place of the one that lists the extents. */
  byte[] build(byte[] json) {
    byte[] content = editContent.apply(extents.align(64).toArray());
    byte[] file = Arrays.copyOf(content, content.length + json.length);
    System.arraycopy(json, 0, file, content.length, json.length);
    System.arraycopy(MAGIC, 0, file, 0, 8);
    file = Bytes.patch(file, 8, 1, 0, minor, minor >> 8);
    file = Bytes.patch64(file, 16, file.length);
    file = Bytes.patch64(file, 24, content.length);
    file = Bytes.patch32(file, 32, json.length);
    return fix(Bytes.patch32(file, 36, Bytes.crc32c(json)));
  }

  /** Sets digest and prefixCrc again. */
  static byte[] fix(byte[] file) {
    byte[] copy = file.clone();
    System.arraycopy(Bytes.sha256(file, 128, file.length), 0, copy, 40, 32);
    return fixPrefix(copy);
  }

  /** Sets prefixCrc again. */
  static byte[] fixPrefix(byte[] file) {
    return Bytes.patch32(file, 124, Bytes.crc32c(file, 0, 124));
  }

  static String quote(String text) {
    StringBuilder out = new StringBuilder("\"");
    for (int i = 0; i < text.length(); i++) {
      char c = text.charAt(i);
      if (c == '"' || c == '\\') {
        out.append('\\').append(c);
      } else if (c < ' ') {
        out.append(String.format("\\u%04x", (int) c));
      } else {
        out.append(c);
      }
    }
    return out.append('"').toString();
  }
}
