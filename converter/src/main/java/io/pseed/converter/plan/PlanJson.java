package io.pseed.converter.plan;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.StreamReadFeature;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.SerializationFeature;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.pseed.codec.hadamard.Hadamard;
import io.pseed.codec.trellis.Panels;
import io.pseed.codec.trellis.Scales;
import io.pseed.codec.trellis.TrellisCode;
import io.pseed.format.Codec;
import io.pseed.format.View;
import java.io.IOException;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.Set;

/**
 * Plans as JSON, for {@code --save-plan} and {@code --plan}.
 *
 * <pre>
 * { "pseedPlan": 1,
 *   "tensors": [
 *     { "name": "encoder.w", "codec": "trellis", "rows": 384, "cols": 1536, "transposed": false, "L": 12,
 *       "rowBlock": 128, "colBlock": 128, "rowScale": "auto", "colScale": "auto",
 *       "panels": { "axis": "columns", "lengths": [1536], "rates": [4] }, "layerSeed": true, "minSnrDb": 19.5 },
 *     { "name": "ids", "codec": "raw", "reason": "I64 is kept lossless" } ] }
 * </pre>
 */
public final class PlanJson {
  private static final int VERSION = 1;

  private static final JsonMapper MAPPER =
      JsonMapper.builder(
              JsonFactory.builder()
                  .enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION)
                  .disable(StreamReadFeature.INCLUDE_SOURCE_IN_LOCATION)
                  .build())
          .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS)
          .enable(SerializationFeature.INDENT_OUTPUT)
          .build();

  private PlanJson() {}

  /**
   * A plan that cannot be used; the message names the member, what was found and what was expected.
   */
  public static final class PlanException extends IOException {
    private static final long serialVersionUID = 1L;

    PlanException(String message) {
      super(message);
    }
  }

  /** The plan's text; the same plan gives the same text. */
  public static String write(Plan plan) {
    ObjectNode root = MAPPER.createObjectNode();
    root.put("pseedPlan", VERSION);
    ArrayNode tensors = root.putArray("tensors");
    for (TensorPlan tensor : plan.tensors()) {
      ObjectNode node = tensors.addObject();
      node.put("name", tensor.name()).put("codec", tensor.codec().label());
      if (tensor.trellis() == null) {
        node.put("reason", tensor.reason());
      } else {
        trellis(node, tensor.trellis());
        node.put("layerSeed", tensor.layerSeed());
        if (tensor.minSnrDb() != TensorPlan.ANY_SNR) {
          node.put("minSnrDb", tensor.minSnrDb());
        }
      }
    }
    try {
      return MAPPER.writeValueAsString(root) + "\n";
    } catch (JsonProcessingException e) {
      throw new IllegalStateException("a tree of plain values cannot fail to be written", e);
    }
  }

  private static void trellis(ObjectNode node, TrellisPlan plan) {
    node.put("rows", plan.view().rows()).put("cols", plan.view().cols());
    node.put("transposed", plan.view().transposed()).put("L", plan.seedBits());
    if (plan.law() == TrellisCode.LAW_DISK) {
      node.put("kappa", plan.kappa());
    }
    node.put("rowBlock", 1 << plan.rowBlockLog2()).put("colBlock", 1 << plan.colBlockLog2());
    node.put("rowScale", scaleName(plan.rowScale())).put("colScale", scaleName(plan.colScale()));
    ObjectNode panels = node.putObject("panels");
    panels.put("axis", plan.panels().byRows() ? "rows" : "columns");
    ArrayNode lengths = panels.putArray("lengths");
    ArrayNode rates = panels.putArray("rates");
    for (int p = 0; p < plan.panels().count(); p++) {
      lengths.add(plan.panels().lengths()[p]);
      rates.add(plan.panels().rates()[p]);
    }
  }

  private static String scaleName(Optional<Scales> kind) {
    return kind.map(k -> k.name().toLowerCase(Locale.ROOT)).orElse("auto");
  }

  /** What a file's header says of the plan: the counts, not every tensor. */
  public static ObjectNode summary(Plan plan) {
    ObjectNode node = MAPPER.createObjectNode();
    long weights = 0;
    double bits = 0;
    int coded = 0;
    for (TensorPlan tensor : plan.tensors()) {
      if (tensor.trellis() != null) {
        long n = (long) tensor.trellis().view().rows() * tensor.trellis().view().cols();
        weights += n;
        bits += n * tensor.trellis().panels().meanRate();
        coded++;
      }
    }
    node.put("coded", coded).put("raw", plan.tensors().size() - coded);
    if (weights > 0) {
      node.put("payloadBits", Math.round(1000 * bits / weights) / 1000.0);
    }
    return node;
  }

  /**
   * Reads a plan.
   *
   * @param file its name, for messages
   * @throws PlanException where it breaks a rule
   */
  public static Plan read(String text, String file) throws PlanException {
    JsonNode root;
    try {
      root = MAPPER.readTree(text);
    } catch (JsonProcessingException e) {
      throw new PlanException(
          file
              + ": is no JSON: "
              + e.getOriginalMessage()
              + (e.getLocation() == null ? "" : " (line " + e.getLocation().getLineNr() + ")"));
    }
    Reader reader = new Reader(file);
    int version = reader.integer(root, "pseedPlan", "plan", 1, Integer.MAX_VALUE);
    if (version > VERSION) {
      throw new PlanException(
          file + ": plan version " + version + ", this pseed reads version 1; use a newer pseed");
    }
    if (!root.path("tensors").isArray()) {
      throw new PlanException(file + ": plan has no array 'tensors'");
    }
    List<TensorPlan> tensors = new ArrayList<>();
    Set<String> names = new HashSet<>();
    for (JsonNode node : root.get("tensors")) {
      TensorPlan tensor = reader.tensor(node);
      if (!names.add(tensor.name())) {
        throw new PlanException(file + ": tensor '" + tensor.name() + "' is planned twice");
      }
      tensors.add(tensor);
    }
    return new Plan(tensors);
  }

  private record Reader(String file) {
    TensorPlan tensor(JsonNode node) throws PlanException {
      String name = text(node, "name", "tensor");
      String where = "tensor '" + name + "'";
      String codec = text(node, "codec", where);
      if (codec.equals(Codec.RAW.label())) {
        return TensorPlan.raw(
            name, node.has("reason") ? text(node, "reason", where) : "planned so");
      }
      if (!codec.equals(Codec.TRELLIS.label())) {
        throw wrong(where, "codec", node.get("codec"), "\"raw\" or \"trellis\"");
      }
      int rows = integer(node, "rows", where, 1, Integer.MAX_VALUE);
      int cols = integer(node, "cols", where, 1, Integer.MAX_VALUE);
      int kappa = node.has("kappa") ? integer(node, "kappa", where, 1, 255) : 0;
      TrellisPlan plan =
          new TrellisPlan(
              new View(rows, cols, flag(node, "transposed", where)),
              integer(node, "L", where, TrellisCode.MIN_L, TrellisCode.MAX_L),
              kappa == 0 ? TrellisCode.LAW_RAYLEIGH : TrellisCode.LAW_DISK,
              kappa,
              block(node, "rowBlock", where, rows),
              block(node, "colBlock", where, cols),
              scale(node, "rowScale", where),
              scale(node, "colScale", where),
              panels(node.path("panels"), where, rows, cols));
      JsonNode bound = node.path("minSnrDb");
      if (!bound.isMissingNode() && !bound.isNumber()) {
        throw wrong(where, "minSnrDb", bound, "a number, in dB");
      }
      return TensorPlan.trellis(name, plan, flag(node, "layerSeed", where))
          .withMinSnrDb(bound.isMissingNode() ? TensorPlan.ANY_SNR : bound.doubleValue());
    }

    private Panels panels(JsonNode node, String where, int rows, int cols) throws PlanException {
      String in = where + " panels";
      String axis = text(node, "axis", in);
      if (!axis.equals("rows") && !axis.equals("columns")) {
        throw wrong(in, "axis", node.get("axis"), "\"rows\" or \"columns\"");
      }
      JsonNode lengths = node.path("lengths");
      JsonNode rates = node.path("rates");
      if (!lengths.isArray() || lengths.isEmpty() || lengths.size() != rates.size()) {
        throw wrong(in, "lengths", lengths, "an array as long as rates, not empty");
      }
      int[] n = new int[lengths.size()];
      int[] k = new int[n.length];
      long sum = 0;
      for (int p = 0; p < n.length; p++) {
        n[p] = integer(lengths.get(p), in + " length", 1, Integer.MAX_VALUE);
        k[p] = integer(rates.get(p), in + " rate", 0, TrellisCode.MAX_RATE);
        sum += n[p];
      }
      int expected = axis.equals("rows") ? rows : cols;
      if (sum != expected) {
        throw new PlanException(
            file
                + ": "
                + in
                + ": lengths add up to "
                + sum
                + ", expected "
                + expected
                + " "
                + axis);
      }
      return new Panels(axis.equals("rows"), n, k);
    }

    private int block(JsonNode node, String member, String where, int n) throws PlanException {
      int block = integer(node, member, where, 1, 1 << Hadamard.MAX_LOG2);
      if (Integer.bitCount(block) != 1 || n % block != 0) {
        throw wrong(where, member, node.get(member), "a power of two that divides " + n);
      }
      return Integer.numberOfTrailingZeros(block);
    }

    private Optional<Scales> scale(JsonNode node, String member, String where)
        throws PlanException {
      String name = text(node, member, where);
      if (name.equals("auto")) {
        return Optional.empty();
      }
      for (Scales kind : Scales.values()) {
        if (kind.name().toLowerCase(Locale.ROOT).equals(name)) {
          return Optional.of(kind);
        }
      }
      throw wrong(where, member, node.get(member), "auto, constant, f32, f16, f8 or signs");
    }

    private boolean flag(JsonNode node, String member, String where) throws PlanException {
      if (!node.path(member).isBoolean()) {
        throw wrong(where, member, node.get(member), "true or false");
      }
      return node.get(member).booleanValue();
    }

    private String text(JsonNode node, String member, String where) throws PlanException {
      if (!node.path(member).isTextual()) {
        throw wrong(where, member, node.get(member), "a string");
      }
      return node.get(member).textValue();
    }

    private int integer(JsonNode node, String member, String where, int min, int max)
        throws PlanException {
      return integer(node.path(member), where + " " + member, min, max);
    }

    private int integer(JsonNode value, String what, int min, int max) throws PlanException {
      if (!value.isIntegralNumber()
          || !value.canConvertToLong()
          || value.longValue() < min
          || value.longValue() > max) {
        throw new PlanException(
            String.format(
                "%s: %s is %s, expected an integer of %d to %d",
                file, what, found(value), min, max));
      }
      return value.intValue();
    }

    /** A value as it stands, or what it is where that would be long. */
    private static String found(JsonNode value) {
      if (value == null || value.isMissingNode()) {
        return "missing";
      }
      if (value.isContainerNode()) {
        return (value.isArray() ? "an array" : "an object") + " of " + value.size();
      }
      String text = value.toString();
      return text.length() > 80 ? text.substring(0, 80) + "..." : text;
    }

    private PlanException wrong(String where, String member, JsonNode found, String expected) {
      return new PlanException(
          file + ": " + where + ": " + member + " is " + found(found) + ", expected " + expected);
    }
  }
}
