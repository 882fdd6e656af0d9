package io.pseed.converter.command;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.pseed.codec.poincare.PoincareSeed;
import io.pseed.codec.trellis.TrellisBody;
import io.pseed.converter.ConversionResult.TensorResult;
import io.pseed.converter.Converter;
import io.pseed.converter.export.onnx.GraphMetadata;
import io.pseed.format.Codec;
import io.pseed.format.PseedException;
import io.pseed.format.PseedHeader;
import io.pseed.format.PseedReader;
import io.pseed.format.SectionEntry;
import io.pseed.format.TensorEntry;
import io.pseed.format.TensorRecord;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.stream.Collectors;

/** What a {@code .pseed} file holds, tensor by tensor. */
public final class Inspection {
  private final PseedReader reader;
  private final boolean detail;
  private final List<TensorResult> tensors = new ArrayList<>();
  private final List<ObjectNode> details = new ArrayList<>();

  /**
   * Looks at a file.
   *
   * @param detail whether every record is read, for seeds, rates, rotation and scales
   */
  public Inspection(PseedReader reader, boolean detail) throws IOException {
    this.reader = reader;
    this.detail = detail;
    for (TensorEntry entry : reader.header().tensors()) {
      TensorResult told = Converter.result(entry);
      if (detail || !Converter.isTold(entry)) {
        TensorRecord record = reader.record(entry);
        tensors.add(asStored(told, record));
        details.add(detail(record));
      } else {
        tensors.add(told);
        details.add(null);
      }
    }
  }

  /** The record knows its codec and seed; only the error is taken from the header. */
  private static TensorResult asStored(TensorResult told, TensorRecord record) {
    boolean raw = record.codec() == Codec.RAW;
    boolean errorIsKnown = told.codec() == record.codec() && Double.isFinite(told.snrDb());
    return new TensorResult(
        told.name(),
        told.dtype(),
        told.shape(),
        record.codec(),
        record.layerSeed().isPresent(),
        told.bytes(),
        told.bitsPerWeight(),
        raw ? Double.POSITIVE_INFINITY : errorIsKnown ? told.snrDb() : Double.NaN,
        raw ? told.reason() : "");
  }

  private static ObjectNode detail(TensorRecord record) throws IOException {
    ObjectNode node = Json.object();
    if (record.layerSeed().isPresent()) {
      PoincareSeed seed = PoincareSeed.fromBits(record.layerSeed().seed());
      node.put("layerSeed", seed.toHex());
      node.put("amplitude", record.layerSeed().amplitude());
    }
    if (record.codec() == Codec.TRELLIS) {
      TrellisBody body = TrellisBody.parse(record);
      node.put("rows", body.view().rows()).put("cols", body.view().cols());
      node.put("transposed", body.view().transposed());
      node.put("L", body.code().bits()).put("law", body.law()).put("kappa", body.kappa());
      node.put("rowBlock", 1 << body.rowBlockLog2()).put("colBlock", 1 << body.colBlockLog2());
      node.put("rowScale", body.rowScaleKind().name().toLowerCase(Locale.ROOT));
      node.put("colScale", body.colScaleKind().name().toLowerCase(Locale.ROOT));
      node.put("panelAxis", body.panels().byRows() ? "rows" : "columns");
      ArrayNode panels = node.putArray("panels");
      for (int p = 0; p < body.panels().count(); p++) {
        panels
            .addObject()
            .put("length", body.panels().lengths()[p])
            .put("rate", body.panels().rates()[p]);
      }
      node.put("permuted", body.permutation() != null);
      node.put("payloadBytes", body.payload().remaining());
    }
    return node;
  }

  /**
   * For programs.
   *
   * @param label what the file is called
   */
  public ObjectNode json(String label) throws IOException {
    PseedHeader header = reader.header();
    ObjectNode root = Json.object();
    root.put("file", label).put("bytes", reader.fileLength());
    root.put("format", "1." + reader.minorVersion()).put("producer", header.producer());
    root.put("digest", reader.digest());
    root.set("source", header.source());
    root.set("plan", header.plan());
    ObjectNode metadata = root.putObject("metadata");
    metadata(reader).forEach(metadata::put);
    ArrayNode list = root.putArray("tensors");
    for (int i = 0; i < tensors.size(); i++) {
      ObjectNode node = TensorReport.json(tensors.get(i));
      if (detail) {
        node.set("detail", details.get(i));
      }
      list.add(node);
    }
    ArrayNode sections = root.putArray("sections");
    for (SectionEntry section : header.sections()) {
      ObjectNode node = sections.addObject();
      node.put("name", section.name()).put("bytes", section.length());
      if (section.encoding() != null) {
        node.put("encoding", section.encoding()).put("decodedBytes", section.decodedLength());
      }
      if (section.mediaType() != null) {
        node.put("mediaType", section.mediaType());
      }
    }
    return root;
  }

  /** With that of the graph, where it can be read: inspecting a damaged file is no mistake. */
  private static Map<String, String> metadata(PseedReader reader) throws IOException {
    try {
      return GraphMetadata.of(reader);
    } catch (PseedException e) {
      Map<String, String> metadata = new LinkedHashMap<>(reader.header().metadata());
      metadata.put("onnx.graph", "cannot be read: " + e.getMessage());
      return metadata;
    }
  }

  private static String size(SectionEntry section) {
    String stored = Units.bytes(section.length());
    return section.encoding() == null
        ? stored
        : String.format(
            "%s (%s of %s)", stored, section.encoding(), Units.bytes(section.decodedLength()));
  }

  /**
   * For people: lines of text.
   *
   * @param label what the file is called
   */
  public List<String> lines(String label) throws IOException {
    List<String> lines = new ArrayList<>();
    PseedHeader header = reader.header();
    long weights = tensors.stream().mapToLong(t -> TensorRecord.elementCount(t.shape())).sum();
    long decoded = header.tensors().stream().mapToLong(TensorEntry::decodedBytes).sum();
    lines.add(label);
    lines.add("");
    line(
        lines,
        "  size      %s; its tensors decode to %s",
        Units.bytes(reader.fileLength()),
        Units.bytes(decoded));
    line(
        lines,
        "  weights   %s in %d tensors, %.2f bits a weight, all counted",
        Units.count(weights),
        tensors.size(),
        8.0 * reader.fileLength() / Math.max(1, weights));
    line(lines, "  producer  %s, format 1.%d", header.producer(), reader.minorVersion());
    if (header.source() != null) {
      line(
          lines,
          "  source    %s (%s)",
          header.source().path("name").asText("not named"),
          header.source().path("format").asText("unknown format"));
    }
    line(lines, "  digest    SHA-256 %s", reader.digest());
    for (SectionEntry section : header.sections()) {
      line(lines, "  section   %s, %s", section.name(), size(section));
    }
    metadata(reader)
        .forEach((key, value) -> line(lines, "  metadata  %s = %s", oneLine(key), oneLine(value)));
    if (tensors.isEmpty()) {
      return lines;
    }
    lines.add("");
    Table table = new Table("<tensor", "<type", "<shape", "<codec", "bits/weight", "SNR dB", "<");
    for (int i = 0; i < tensors.size(); i++) {
      TensorResult tensor = tensors.get(i);
      table.row(
          tensor.name(),
          tensor.dtype().name(),
          Arrays.stream(tensor.shape()).mapToObj(String::valueOf).collect(Collectors.joining("x")),
          tensor.codec().label(),
          String.format(Locale.ROOT, "%.2f", tensor.bitsPerWeight()),
          tensor.codec() == Codec.RAW
              ? "lossless"
              : Double.isNaN(tensor.snrDb()) ? "unknown" : Units.decibels(tensor.snrDb()),
          remark(tensor, details.get(i)));
    }
    table.print(lines::add);
    lines.add("");
    TensorReport.codecs(tensors).print(lines::add);
    return lines;
  }

  private static void line(List<String> lines, String format, Object... arguments) {
    lines.add(String.format(Locale.ROOT, format, arguments));
  }

  private String remark(TensorResult tensor, ObjectNode details) {
    List<String> parts = new ArrayList<>();
    if (!tensor.reason().isEmpty()) {
      parts.add(tensor.reason());
    }
    if (detail && details.has("L")) {
      List<String> rates = new ArrayList<>();
      details
          .get("panels")
          .forEach(p -> rates.add(p.get("length").asInt() + " at " + p.get("rate").asInt()));
      parts.add(
          String.format(
              Locale.ROOT,
              "%d x %d%s, L %d, rotation %d x %d, scales %s x %s, %s: %s bits",
              details.get("rows").asInt(),
              details.get("cols").asInt(),
              details.get("transposed").asBoolean() ? " transposed" : "",
              details.get("L").asInt(),
              details.get("rowBlock").asInt(),
              details.get("colBlock").asInt(),
              details.get("rowScale").asText(),
              details.get("colScale").asText(),
              details.get("panelAxis").asText(),
              shortened(rates)));
    }
    if (tensor.layerSeed()) {
      parts.add(detail ? "layer seed " + details.path("layerSeed").asText() : "layer seed");
    }
    return String.join("; ", parts);
  }

  private static String shortened(List<String> rates) {
    return rates.size() <= 4
        ? String.join(", ", rates)
        : String.join(", ", rates.subList(0, 3)) + ", ... (" + rates.size() + " panels)";
  }

  /**
   * A user's string for a line of a table: control characters as blanks, cut where it is long
   * ({@code --json} has it whole).
   */
  static String oneLine(String text) {
    String line = text.replaceAll("\\p{Cntrl}+", " ").strip();
    return line.length() <= 100
        ? line
        : line.substring(
                0, line.offsetByCodePoints(0, Math.min(80, line.codePointCount(0, line.length()))))
            + "... ("
            + text.length()
            + " characters)";
  }
}
