package io.pseed.format;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonParseException;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.JsonToken;
import com.fasterxml.jackson.core.StreamReadConstraints;
import com.fasterxml.jackson.core.StreamReadFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.MissingNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;

/**
 * The JSON header (specification, section 2.2).
 *
 * @param producer program and version that wrote the file
 * @param metadata the user's strings
 * @param source where the weights came from, informative; null where it is not said
 * @param plan how the encoder chose, informative; null where it is not said
 * @param tensors in file order
 * @param sections in file order, after the tensors
 */
public record PseedHeader(
    String producer,
    Map<String, String> metadata,
    ObjectNode source,
    ObjectNode plan,
    List<TensorEntry> tensors,
    List<SectionEntry> sections) {
  private static final int MAX_DEPTH = 64;

  private static final JsonFactory FACTORY =
      JsonFactory.builder()
          .enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION)
          .disable(StreamReadFeature.INCLUDE_SOURCE_IN_LOCATION)
          .streamReadConstraints(
              StreamReadConstraints.builder()
                  .maxNestingDepth(MAX_DEPTH)
                  .maxNumberLength(40)
                  .maxStringLength(ContainerLayout.MAX_HEADER_LENGTH)
                  .maxNameLength(1 << 20)
                  .build())
          .build();

  /**
   * Parses a header and checks everything that can be told without the records.
   *
   * @param json the header's bytes
   * @param file the file's name, for messages
   * @param headerOffset where the header starts in the file: extents must end there
   */
  static PseedHeader parse(byte[] json, String file, long headerOffset, Limits limits)
      throws PseedException {
    JsonNode root;
    try {
      String text = StandardCharsets.UTF_8.newDecoder().decode(ByteBuffer.wrap(json)).toString();
      root = tree(text);
    } catch (CharacterCodingException e) {
      throw new CorruptException(
          file + ": JSON header at offset " + headerOffset + " is not valid UTF-8", e);
    } catch (JsonProcessingException e) {
      throw new CorruptException(
          String.format(
              "%s: JSON header at offset %d cannot be parsed: %s (at its character %d)",
              file,
              headerOffset,
              Names.shown(e.getOriginalMessage()),
              e.getLocation() == null ? -1 : e.getLocation().getCharOffset()),
          e);
    } catch (IOException e) {
      throw new IllegalStateException("a string cannot fail to be read", e);
    }
    return new Parser(file, limits).parse(root, headerOffset);
  }

  /**
   * As {@code JsonMapper.readTree}, which would load 300 classes more: half of the time that a
   * first session takes to open.
   */
  static JsonNode tree(String text) throws IOException {
    try (JsonParser parser = FACTORY.createParser(text)) {
      if (parser.nextToken() == null) {
        return MissingNode.getInstance();
      }
      JsonNode root = node(parser);
      if (parser.nextToken() != null) {
        throw new JsonParseException(parser, "more follows where the header ends");
      }
      return root;
    }
  }

  /** The value at whose first token the parser stands; nested no deeper than it allows. */
  private static JsonNode node(JsonParser parser) throws IOException {
    JsonNodeFactory nodes = JsonNodeFactory.instance;
    switch (parser.currentToken()) {
      case START_OBJECT -> {
        ObjectNode object = nodes.objectNode();
        while (parser.nextToken() != JsonToken.END_OBJECT) {
          String name = parser.currentName();
          parser.nextToken();
          object.set(name, node(parser));
        }
        return object;
      }
      case START_ARRAY -> {
        ArrayNode array = nodes.arrayNode();
        while (parser.nextToken() != JsonToken.END_ARRAY) {
          array.add(node(parser));
        }
        return array;
      }
      case VALUE_STRING -> {
        return nodes.textNode(parser.getText());
      }
      case VALUE_NUMBER_INT -> {
        return switch (parser.getNumberType()) {
          case INT -> nodes.numberNode(parser.getIntValue());
          case LONG -> nodes.numberNode(parser.getLongValue());
          default -> nodes.numberNode(parser.getBigIntegerValue());
        };
      }
      case VALUE_NUMBER_FLOAT -> {
        return nodes.numberNode(parser.getDoubleValue());
      }
      case VALUE_TRUE -> {
        return nodes.booleanNode(true);
      }
      case VALUE_FALSE -> {
        return nodes.booleanNode(false);
      }
      case VALUE_NULL -> {
        return nodes.nullNode();
      }
      default -> throw new JsonParseException(parser, "a value is missing");
    }
  }

  /** The header's bytes; the same header always gives the same bytes. */
  byte[] toJson() {
    ObjectNode root = JsonNodeFactory.instance.objectNode();
    root.put("producer", producer);
    if (!metadata.isEmpty()) {
      ObjectNode node = root.putObject("metadata");
      // Sorted: the order of Java's maps may differ from run to run.
      new TreeMap<>(metadata).forEach(node::put);
    }
    if (source != null) {
      root.set("source", source);
    }
    if (plan != null) {
      root.set("plan", plan);
    }
    ArrayNode tensorNodes = root.putArray("tensors");
    for (TensorEntry tensor : tensors) {
      ObjectNode node = tensorNodes.addObject();
      node.put("name", tensor.name()).put("dtype", tensor.dtype().name());
      ArrayNode shape = node.putArray("shape");
      for (long dim : tensor.shape()) {
        shape.add(dim);
      }
      node.put("offset", tensor.offset()).put("length", tensor.length());
      if (tensor.stats() != null) {
        node.set("stats", tensor.stats());
      }
    }
    ArrayNode sectionNodes = root.putArray("sections");
    for (SectionEntry section : sections) {
      ObjectNode node = sectionNodes.addObject();
      node.put("name", section.name());
      if (section.mediaType() != null) {
        node.put("mediaType", section.mediaType());
      }
      if (section.encoding() != null) {
        node.put("encoding", section.encoding());
        node.put("decodedLength", section.decodedLength());
      }
      node.put("offset", section.offset()).put("length", section.length());
      node.put("crc32c", Integer.toUnsignedLong(section.crc32c()));
    }
    try {
      return new JsonMapper().writeValueAsBytes(root);
    } catch (JsonProcessingException e) {
      throw new IllegalStateException("a tree of plain values cannot fail to be written", e);
    }
  }

  /** The section with that name, or null. */
  public SectionEntry section(String name) {
    for (SectionEntry section : sections) {
      if (section.name().equals(name)) {
        return section;
      }
    }
    return null;
  }

  private static final class Parser {
    private final String file;
    private final Limits limits;
    private long expectedOffset = ContainerLayout.PREFIX_LENGTH;
    private long decoded;

    Parser(String file, Limits limits) {
      this.file = file;
      this.limits = limits;
    }

    PseedHeader parse(JsonNode root, long headerOffset) throws PseedException {
      ObjectNode header = object(root, "header");
      String producer = text(header, "producer", "header");
      Map<String, String> metadata = new LinkedHashMap<>();
      ObjectNode metadataNode = optionalObject(header, "metadata");
      if (metadataNode != null) {
        for (Map.Entry<String, JsonNode> entry : metadataNode.properties()) {
          if (!entry.getValue().isTextual()) {
            throw wrong(
                "metadata '" + Names.shown(entry.getKey()) + "'", entry.getValue(), "a string");
          }
          metadata.put(entry.getKey(), entry.getValue().textValue());
        }
      }
      JsonNode tensorNodes = array(header, "tensors");
      JsonNode sectionNodes = array(header, "sections");
      long entries = (long) tensorNodes.size() + sectionNodes.size();
      if (entries > limits.maxEntries()) {
        throw new OverLimitException(
            String.format(
                "%s: %d tensors and sections, the limit is %d",
                file, entries, limits.maxEntries()));
      }
      List<TensorEntry> tensors = tensors(tensorNodes);
      List<SectionEntry> sections = sections(sectionNodes);
      if (ContainerLayout.align(expectedOffset) != headerOffset) {
        throw new CorruptException(
            String.format(
                "%s: the JSON header starts at offset %d, expected %d after the last extent",
                file, headerOffset, ContainerLayout.align(expectedOffset)));
      }
      return new PseedHeader(
          producer,
          metadata,
          optionalObject(header, "source"),
          optionalObject(header, "plan"),
          List.copyOf(tensors),
          List.copyOf(sections));
    }

    private List<TensorEntry> tensors(JsonNode nodes) throws PseedException {
      List<TensorEntry> tensors = new ArrayList<>();
      Set<String> names = new HashSet<>();
      for (JsonNode node : nodes) {
        ObjectNode tensor = object(node, "tensor " + tensors.size());
        String name = text(tensor, "name", "tensor " + tensors.size());
        String where = "tensor '" + Names.shown(name) + "'";
        if (!names.add(name)) {
          throw new CorruptException(
              file + ": " + where + " is listed twice, expected unique names");
        }
        String dtypeName = text(tensor, "dtype", where);
        DType dtype =
            DType.ofName(dtypeName)
                .orElseThrow(
                    () ->
                        new CorruptException(
                            file
                                + ": "
                                + where
                                + " has dtype '"
                                + Names.shown(dtypeName)
                                + "', expected one of "
                                + Arrays.toString(DType.values())));
        long[] shape = shape(tensor, where);
        long elements = TensorRecord.elementCount(shape);
        if (elements < 0 || elements >= TensorRecord.MAX_ELEMENTS) {
          throw new CorruptException(
              file
                  + ": "
                  + where
                  + " has shape "
                  + Arrays.toString(shape)
                  + ", expected fewer than 2^60 elements");
        }
        requireWithinLimits(dtype.byteSize(elements), where);
        long offset = extent(tensor, where);
        ObjectNode stats = optionalObject(tensor, "stats");
        tensors.add(
            new TensorEntry(name, dtype, shape, offset, tensor.get("length").longValue(), stats));
      }
      return tensors;
    }

    private void requireWithinLimits(long bytes, String where) throws OverLimitException {
      decoded += Math.min(bytes, Long.MAX_VALUE - decoded);
      if (bytes > limits.maxTensorBytes() || decoded > limits.maxFileBytes()) {
        throw new OverLimitException(
            String.format(
                "%s: %s would decode to %d bytes (%d with those before it), the limits are %d a tensor"
                    + " or section and %d a file; raise the reader's limits to take it",
                file, where, bytes, decoded, limits.maxTensorBytes(), limits.maxFileBytes()));
      }
    }

    private List<SectionEntry> sections(JsonNode nodes) throws PseedException {
      List<SectionEntry> sections = new ArrayList<>();
      Set<String> names = new HashSet<>();
      for (JsonNode node : nodes) {
        ObjectNode section = object(node, "section " + sections.size());
        String name = text(section, "name", "section " + sections.size());
        String where = "section '" + Names.shown(name) + "'";
        if (!names.add(name)) {
          throw new CorruptException(
              file + ": " + where + " is listed twice, expected unique names");
        }
        long crc = integer(section, "crc32c", where);
        if (crc > 0xFFFFFFFFL) {
          throw wrong(where + " crc32c", section.get("crc32c"), "at most 4294967295");
        }
        String mediaType = section.has("mediaType") ? text(section, "mediaType", where) : null;
        String encoding = section.has("encoding") ? text(section, "encoding", where) : null;
        if (encoding == null && section.has("decodedLength")) {
          throw wrong(where + " decodedLength", section.get("decodedLength"), "none: no encoding");
        }
        long decodedLength = integer(section, encoding == null ? "length" : "decodedLength", where);
        if (encoding != null) {
          requireWithinLimits(decodedLength, where);
        }
        long offset = extent(section, where);
        long length = section.get("length").longValue();
        sections.add(
            new SectionEntry(name, mediaType, encoding, offset, length, decodedLength, (int) crc));
      }
      return sections;
    }

    /** Checks that the extent follows the one before without a hole. */
    private long extent(ObjectNode node, String where) throws PseedException {
      long offset = integer(node, "offset", where);
      long length = integer(node, "length", where);
      long expected = ContainerLayout.align(expectedOffset);
      if (offset != expected) {
        throw new CorruptException(
            String.format(
                "%s: %s starts at offset %d, expected %d, the next multiple of %d after the extent before",
                file, where, offset, expected, ContainerLayout.ALIGNMENT));
      }
      if (length > Long.MAX_VALUE - offset - ContainerLayout.ALIGNMENT) {
        throw new CorruptException(
            String.format(
                "%s: %s of %d bytes at offset %d ends beyond 2^63", file, where, length, offset));
      }
      expectedOffset = offset + length;
      return offset;
    }

    private long[] shape(ObjectNode tensor, String where) throws PseedException {
      JsonNode node = tensor.get("shape");
      if (node == null || !node.isArray() || node.size() > TensorRecord.MAX_RANK) {
        throw wrong(where + " shape", node, "an array of at most 8 integers");
      }
      long[] shape = new long[node.size()];
      for (int i = 0; i < shape.length; i++) {
        JsonNode dim = node.get(i);
        if (!dim.isIntegralNumber() || !dim.canConvertToLong() || dim.longValue() < 0) {
          throw wrong(where + " shape", dim, "integers of 0 to 2^63 - 1");
        }
        shape[i] = dim.longValue();
      }
      return shape;
    }

    private long integer(ObjectNode node, String member, String where) throws PseedException {
      JsonNode value = node.get(member);
      if (value == null
          || !value.isIntegralNumber()
          || !value.canConvertToLong()
          || value.longValue() < 0) {
        throw wrong(where + " " + member, value, "an integer of 0 to 2^63 - 1");
      }
      return value.longValue();
    }

    private String text(ObjectNode node, String member, String where) throws PseedException {
      JsonNode value = node.get(member);
      if (value == null || !value.isTextual()) {
        throw wrong(where + " " + member, value, "a string");
      }
      return value.textValue();
    }

    private JsonNode array(ObjectNode node, String member) throws PseedException {
      JsonNode value = node.get(member);
      if (value == null || !value.isArray()) {
        throw wrong("header " + member, value, "an array");
      }
      return value;
    }

    private ObjectNode optionalObject(ObjectNode node, String member) throws PseedException {
      return node.has(member) ? object(node.get(member), member) : null;
    }

    private ObjectNode object(JsonNode node, String where) throws PseedException {
      if (node instanceof ObjectNode objectNode) {
        return objectNode;
      }
      throw wrong(where, node, "an object");
    }

    private CorruptException wrong(String where, JsonNode found, String expected) {
      String text =
          found == null
              ? "missing"
              : found.isContainerNode()
                  ? (found.isArray() ? "an array" : "an object") + " of " + found.size()
                  : found.isMissingNode() ? "empty" : found.toString();
      return new CorruptException(
          String.format(
              "%s: JSON header: %s is %s, expected %s",
              file, where, text.length() > 80 ? text.substring(0, 80) + "..." : text, expected));
    }
  }
}
