package io.pseed.converter.source.safetensors;

import static io.pseed.converter.source.safetensors.SafetensorsFormat.quote;

import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.JsonToken;
import io.pseed.converter.source.SourceException;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * The index of a sharded checkpoint: {@code weight_map} says which shard holds which tensor.
 *
 * @param shardOf tensor name to the plain file name of its shard
 * @param metadata the string members of {@code metadata} (its {@code total_size} is a number)
 */
record SafetensorsIndex(Map<String, String> shardOf, Map<String, String> metadata) {
  private static final String INDEX = "index";

  static SafetensorsIndex read(Path file) throws IOException {
    byte[] text;
    try (InputStream in = Files.newInputStream(file)) {
      text = in.readNBytes(SafetensorsFormat.MAX_HEADER_BYTES + 1);
    }
    if (text.length > SafetensorsFormat.MAX_HEADER_BYTES) {
      throw new SourceException(
          file, "index has more than " + SafetensorsFormat.MAX_HEADER_BYTES + " bytes");
    }
    try (JsonParser parser = StrictJson.parser(file, text, INDEX, 0)) {
      return parse(file, parser);
    } catch (JsonProcessingException e) {
      throw StrictJson.refused(file, INDEX, e);
    }
  }

  private static SafetensorsIndex parse(Path file, JsonParser parser) throws IOException {
    if (parser.nextToken() != JsonToken.START_OBJECT) {
      throw new SourceException(file, "index is no JSON object with a weight_map");
    }
    Map<String, String> shardOf = new LinkedHashMap<>();
    Map<String, String> metadata = new LinkedHashMap<>();
    while (parser.nextToken() == JsonToken.FIELD_NAME) {
      String member = parser.currentName();
      JsonToken value = parser.nextToken();
      switch (member) {
        case "weight_map" -> parseWeightMap(file, parser, value, shardOf);
        case "metadata" -> parseMetadata(file, parser, value, metadata);
        default -> parser.skipChildren();
      }
    }
    if (parser.nextToken() != null) {
      throw new SourceException(file, "index has text after its JSON object");
    }
    if (shardOf.isEmpty()) {
      throw new SourceException(file, "weight_map is missing or empty, expected tensor: shard");
    }
    return new SafetensorsIndex(shardOf, metadata);
  }

  private static void parseWeightMap(
      Path file, JsonParser parser, JsonToken value, Map<String, String> shardOf)
      throws IOException {
    if (value != JsonToken.START_OBJECT) {
      throw new SourceException(file, "weight_map is no object of tensor: shard");
    }
    while (parser.nextToken() == JsonToken.FIELD_NAME) {
      String tensor = StrictJson.wellFormed(file, "weight_map", parser.currentName());
      if (parser.nextToken() != JsonToken.VALUE_STRING) {
        throw new SourceException(
            file, "weight_map of tensor " + quote(tensor) + " is no string with a shard's name");
      }
      shardOf.put(tensor, checkShardName(file, tensor, parser.getText()));
    }
  }

  /**
   * A shard is a file beside the index. Whatever could lead elsewhere is refused on every operating
   * system alike, so that a checkpoint is good or bad everywhere.
   */
  private static String checkShardName(Path file, String tensor, String shard)
      throws SourceException {
    StrictJson.wellFormed(file, "weight_map", shard);
    boolean plain =
        shard.chars().noneMatch(c -> "/\\:*?\"<>|".indexOf(c) >= 0 || c < 0x20 || c == 0x7f);
    if (!plain) {
      throw new SourceException(
          file,
          "weight_map of tensor "
              + quote(tensor)
              + " names shard "
              + quote(shard)
              + ", expected the plain name of a file beside the index");
    }
    if (!shard.endsWith(SafetensorsFormat.FILE_SUFFIX) || shard.startsWith("..")) {
      throw new SourceException(
          file,
          "weight_map of tensor "
              + quote(tensor)
              + " names shard "
              + quote(shard)
              + ", expected a file name that ends with "
              + SafetensorsFormat.FILE_SUFFIX);
    }
    return shard;
  }

  private static void parseMetadata(
      Path file, JsonParser parser, JsonToken value, Map<String, String> metadata)
      throws IOException {
    if (value == JsonToken.VALUE_NULL) {
      return;
    }
    if (value != JsonToken.START_OBJECT) {
      throw new SourceException(file, "metadata is no object");
    }
    while (parser.nextToken() == JsonToken.FIELD_NAME) {
      String key = StrictJson.wellFormed(file, "metadata", parser.currentName());
      if (parser.nextToken() == JsonToken.VALUE_STRING) {
        metadata.put(key, StrictJson.wellFormed(file, "metadata", parser.getText()));
      } else {
        parser.skipChildren();
      }
    }
  }
}
