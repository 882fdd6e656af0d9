package io.pseed.vectors;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.pseed.format.DType;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;

/**
 * Makes the folder {@code testdata}: every byte from fixed numbers, none from a clock, an encoder
 * or the product's decoder. The digests are those of {@link Reference}. Only the choice among
 * random Poincaré seeds asks the product, which of them keep the rule of section 6.3.
 */
final class VectorGenerator {
  private static final JsonMapper MAPPER = new JsonMapper();

  private VectorGenerator() {}

  /** Writes the folder anew; files that are no vector any more are deleted. */
  public static void main(String[] args) throws IOException {
    write(Path.of(args.length == 0 ? "testdata" : args[0]));
  }

  static void write(Path folder) throws IOException {
    Map<String, byte[]> files = generate();
    for (String sub : List.of("valid", "invalid")) {
      Files.createDirectories(folder.resolve(sub));
      try (Stream<Path> old = Files.list(folder.resolve(sub))) {
        for (Path path : old.toList()) {
          if (!files.containsKey(sub + "/" + path.getFileName())) {
            Files.delete(path);
          }
        }
      }
    }
    for (Map.Entry<String, byte[]> file : files.entrySet()) {
      Files.write(folder.resolve(file.getKey()), file.getValue());
    }
  }

  /** Every file of the folder by its path in it. */
  static Map<String, byte[]> generate() throws JsonProcessingException {
    List<Vector> valid = ValidVectors.all();
    List<Vector> invalid = InvalidVectors.all();
    Map<String, byte[]> files = new LinkedHashMap<>();
    for (List<Vector> vectors : List.of(valid, invalid)) {
      for (Vector vector : vectors) {
        if (files.put(vector.file(), vector.bytes()) != null) {
          throw new IllegalStateException(vector.file() + " is made twice");
        }
      }
    }
    files.put("valid.json", json(validIndex(valid)));
    files.put("invalid.json", json(invalidIndex(invalid)));
    files.put("tables.json", json(tables()));
    files.put("README.md", readme(valid, invalid).getBytes(StandardCharsets.UTF_8));
    return files;
  }

  private static ArrayNode validIndex(List<Vector> vectors) {
    ArrayNode index = MAPPER.createArrayNode();
    for (Vector vector : vectors) {
      ObjectNode node = index.addObject();
      node.put("file", vector.file()).put("recipe", vector.recipe());
      ArrayNode tensors = node.putArray("tensors");
      for (Vector.Decoded decoded : decodeSlowly(vector)) {
        ObjectNode tensor = tensors.addObject();
        tensor.put("name", decoded.name()).put("dtype", decoded.dtype());
        ArrayNode shape = tensor.putArray("shape");
        decoded.shape().forEach(shape::add);
        tensor.put("sha256", decoded.sha256());
      }
      Map<String, String> digests = sectionsSlowly(vector);
      if (!digests.isEmpty()) {
        ArrayNode sections = node.putArray("sections");
        digests.forEach(
            (name, sha256) -> sections.addObject().put("name", name).put("sha256", sha256));
      }
    }
    return index;
  }

  /** What a valid file holds, by the reference decoder and Jackson alone. */
  static List<Vector.Decoded> decodeSlowly(Vector vector) {
    List<Vector.Decoded> decoded = new ArrayList<>();
    if (vector.isRecord()) {
      decoded.add(decodeSlowly("", vector.bytes()));
      return decoded;
    }
    ByteBuffer file = ByteBuffer.wrap(vector.bytes()).order(ByteOrder.LITTLE_ENDIAN);
    header(vector)
        .get("tensors")
        .forEach(
            tensor -> {
              byte[] record = new byte[tensor.get("length").intValue()];
              file.get(tensor.get("offset").intValue(), record);
              decoded.add(decodeSlowly(tensor.get("name").textValue(), record));
            });
    return decoded;
  }

  /** The SHA-256 of the decoded bytes of each section of a valid file. */
  static Map<String, String> sectionsSlowly(Vector vector) {
    Map<String, String> digests = new LinkedHashMap<>();
    if (vector.isRecord()) {
      return digests;
    }
    ByteBuffer file = ByteBuffer.wrap(vector.bytes()).order(ByteOrder.LITTLE_ENDIAN);
    header(vector)
        .get("sections")
        .forEach(
            section -> {
              byte[] bytes = new byte[section.get("length").intValue()];
              file.get(section.get("offset").intValue(), bytes);
              byte[] decoded = section.has("encoding") ? Deflated.slowly(bytes) : bytes;
              digests.put(
                  section.get("name").textValue(),
                  HexFormat.of().formatHex(Bytes.sha256(decoded, 0, decoded.length)));
            });
    return digests;
  }

  private static JsonNode header(Vector vector) {
    ByteBuffer file = ByteBuffer.wrap(vector.bytes()).order(ByteOrder.LITTLE_ENDIAN);
    try {
      return MAPPER.readTree(
          new String(
              vector.bytes(), (int) file.getLong(24), file.getInt(32), StandardCharsets.UTF_8));
    } catch (JsonProcessingException e) {
      throw new IllegalStateException(vector.file(), e);
    }
  }

  private static Vector.Decoded decodeSlowly(String name, byte[] record) {
    ByteBuffer in = ByteBuffer.wrap(record).order(ByteOrder.LITTLE_ENDIAN);
    List<Long> shape = new ArrayList<>();
    for (int i = 0; i < record[6]; i++) {
      shape.add(in.getLong(40 + 8 * i));
    }
    byte[] elements = Reference.decode(record);
    String digest = HexFormat.of().formatHex(Bytes.sha256(elements, 0, elements.length));
    return new Vector.Decoded(name, DType.ofId(record[5]).orElseThrow().name(), shape, digest);
  }

  private static ArrayNode invalidIndex(List<Vector> vectors) {
    ArrayNode index = MAPPER.createArrayNode();
    for (Vector vector : vectors) {
      ObjectNode node = index.addObject();
      node.put("file", vector.file()).put("error", vector.error());
      if (vector.small()) {
        node.put("limits", "small");
      }
      node.put("recipe", vector.recipe());
    }
    return index;
  }

  private static ArrayNode tables() {
    ArrayNode index = MAPPER.createArrayNode();
    for (int bits = 8; bits <= 20; bits++) {
      table(index, bits, 0, 0);
    }
    for (int bits : new int[] {8, 12, 13, 16, 20}) {
      for (int kappa : new int[] {1, 64, 128, 200, 240, 255}) {
        table(index, bits, 1, kappa);
      }
    }
    return index;
  }

  private static void table(ArrayNode index, int bits, int law, int kappa) {
    Bytes table = new Bytes();
    for (int value : Reference.psi(bits, law, kappa)) {
      table.u16(value);
    }
    for (int value : Reference.phi(bits)) {
      table.u16(value);
    }
    long crc = Integer.toUnsignedLong(Bytes.crc32c(table.toArray()));
    index.addObject().put("L", bits).put("law", law).put("kappa", kappa).put("crc32c", crc);
  }

  private static byte[] json(ArrayNode index) throws JsonProcessingException {
    // One line an entry.
    StringBuilder text = new StringBuilder("[\n");
    for (int i = 0; i < index.size(); i++) {
      text.append("  ").append(MAPPER.writeValueAsString(index.get(i)));
      text.append(i + 1 < index.size() ? ",\n" : "\n");
    }
    return text.append("]\n").toString().getBytes(StandardCharsets.UTF_8);
  }

  private static String readme(List<Vector> valid, List<Vector> invalid) {
    StringBuilder text = new StringBuilder();
    text.append(
        """
        # Conformance vectors

        One folder of files says what equal means: every decoder of `.pseed` must give the digests and the errors below.
        Generated by `VectorGenerator` in the test sources, with this file; make all of it again with

            mvn -pl format-spec test -Dtest=VectorsTest -Dpseed.writeVectors=true

        Streams and seeds come from SplitMix64 with fixed seeds: any bits are a legal trellis stream, so no encoder took part,
        and the digests come from a slow decoder that was written from the text of the specification.

        | file | content |
        |---|---|
        | `valid.json` | array of `file`, `recipe` and `tensors`: `name` (empty for a bare record), `dtype`, `shape`, `sha256` of the decoded bytes; `sections`, where there are any: `name`, `sha256` of the decoded bytes |
        | `invalid.json` | array of `file`, `error` (a kind of section 10), `recipe`; `"limits":"small"` where the file is to be read with that level |
        | `tables.json` | array of `L`, `law`, `kappa` and `crc32c` of the tables of section 8.3, as an integer |
        | `valid/*.rec`, `invalid/*.rec` | a bare record (section 3): parse it with its length known, then decode it |
        | `valid/*.pseed`, `invalid/*.pseed` | a container (section 2): read it as a *validating* reader |

        To read a container as a validating reader: open it (all checks of the prefix and the JSON header), check each record, decode
        it and compare decodedCrc, check each section's CRC and decode it, check the digest, and the zeros between extents. The first error counts.
        Each invalid file has one defect; all sums are right but for the one that is the defect. Limits are those of level
        `standard` where nothing else is said. Known attacks on such files, and which of these carry them over: [attacks](../attacks.md).

        """);
    text.append("## Valid: ")
        .append(valid.size())
        .append(" files\n\n| file | recipe |\n|---|---|\n");
    for (Vector vector : valid) {
      text.append(String.format("| `%s` | %s |\n", vector.file(), vector.recipe()));
    }
    text.append("\n## Invalid: ").append(invalid.size()).append(" files (");
    text.append(InvalidVectors.counts(invalid).toString().replaceAll("[{}]", "").replace('=', ' '));
    text.append(")\n\n| file | error | recipe |\n|---|---|---|\n");
    for (Vector vector : invalid) {
      String error = vector.error() + (vector.small() ? ", limits small" : "");
      text.append(String.format("| `%s` | %s | %s |\n", vector.file(), error, vector.recipe()));
    }
    return text.toString();
  }
}
