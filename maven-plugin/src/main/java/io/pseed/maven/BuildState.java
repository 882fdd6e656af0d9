package io.pseed.maven;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.TreeMap;

/** What an execution of a goal left, by file: of what it was made, and what it is. */
final class BuildState {
  private static final JsonMapper MAPPER = new JsonMapper();

  private final Path file;
  private final Map<String, Entry> entries = new TreeMap<>();

  /**
   * A file that was made.
   *
   * @param key of what it was made
   * @param sha256 of its bytes
   */
  record Entry(String key, String sha256) {}

  private BuildState(Path file) {
    this.file = file;
  }

  /** The state that an earlier run left; empty where there is none or it cannot be read. */
  static BuildState read(Path file) {
    BuildState state = new BuildState(file);
    try {
      JsonNode root = MAPPER.readTree(Files.readString(file, StandardCharsets.UTF_8));
      for (Map.Entry<String, JsonNode> field : root.properties()) {
        state.entries.put(
            field.getKey(),
            new Entry(
                field.getValue().path("key").asText(), field.getValue().path("sha256").asText()));
      }
    } catch (IOException e) {
      state.entries.clear();
    }
    return state;
  }

  /** An empty state that will be written to the same file. */
  BuildState next() {
    return new BuildState(file);
  }

  Map<String, Entry> entries() {
    return entries;
  }

  /** Whether a file is what was made of the same. */
  boolean isUpToDate(Path path, String key) throws IOException {
    Entry entry = entries.get(path.toString());
    return entry != null && entry.key().equals(key) && isAsMade(path);
  }

  /** Whether a file stands where it was made, and nobody changed it. */
  boolean isAsMade(Path path) throws IOException {
    Entry entry = entries.get(path.toString());
    return entry != null
        && Files.isRegularFile(path)
        && SafeFiles.digest(path).equals(entry.sha256());
  }

  void put(Path path, String key) throws IOException {
    entries.put(path.toString(), new Entry(key, SafeFiles.digest(path)));
  }

  void write() throws IOException {
    ObjectNode root = MAPPER.createObjectNode();
    entries.forEach(
        (path, entry) ->
            root.putObject(path).put("key", entry.key()).put("sha256", entry.sha256()));
    Files.createDirectories(file.getParent());
    byte[] text = MAPPER.writeValueAsBytes(root);
    SafeFiles.write(file, out -> out.write(text));
  }
}
