package io.pseed.converter.command;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.SerializationFeature;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;

/** JSON results: the members of the tables, unrounded where a program may want to compute. */
public final class Json {
  private static final JsonMapper MAPPER =
      JsonMapper.builder().enable(SerializationFeature.INDENT_OUTPUT).build();

  private Json() {}

  /** An empty object. */
  public static ObjectNode object() {
    return MAPPER.createObjectNode();
  }

  /** An array of numbers. */
  public static ArrayNode array(long[] values) {
    ArrayNode array = MAPPER.createArrayNode();
    for (long value : values) {
      array.add(value);
    }
    return array;
  }

  /** A number, or null where it is infinite or undefined: JSON has no word for those. */
  public static void number(ObjectNode node, String member, double value) {
    if (Double.isFinite(value)) {
      node.put(member, value);
    } else {
      node.putNull(member);
    }
  }

  /** A tree as text. */
  public static String text(JsonNode node) {
    try {
      return MAPPER.writeValueAsString(node);
    } catch (JsonProcessingException e) {
      throw new IllegalStateException("a tree of plain values cannot fail to be written", e);
    }
  }
}
