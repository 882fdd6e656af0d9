package io.pseed.maven;

import java.util.Optional;

/**
 * An entry of an artifact: {@code group:artifact[:extension[:classifier]][:version]!/path/in/it}.
 * Without a path it is the artifact itself.
 *
 * @param version empty: the one that the project declares for this dependency
 */
record Coordinates(
    String group,
    String artifact,
    String extension,
    String classifier,
    Optional<String> version,
    String entry) {
  private static final String SEPARATOR = "!/";

  /** Whether a source is one; paths hold no {@code !/}. */
  static boolean are(String source) {
    return source.contains(SEPARATOR);
  }

  static Coordinates parse(String source) throws ConfigurationException {
    int at = source.indexOf(SEPARATOR);
    String entry = source.substring(at + SEPARATOR.length());
    String[] parts = source.substring(0, at).split(":", -1);
    boolean blank = !entry.isEmpty() && entry.isBlank();
    for (String part : parts) {
      blank |= part.isBlank() || !part.equals(part.strip());
    }
    if (blank || parts.length < 2 || parts.length > 5) {
      throw new ConfigurationException(
          "<source> "
              + source
              + " names no entry of an artifact; write it as"
              + " group:artifact:version!/path/in/the/jar.onnx, without the version where the"
              + " project declares the dependency");
    }
    return switch (parts.length) {
      case 2 -> new Coordinates(parts[0], parts[1], "jar", "", Optional.empty(), entry);
      case 3 -> new Coordinates(parts[0], parts[1], "jar", "", Optional.of(parts[2]), entry);
      case 4 -> new Coordinates(parts[0], parts[1], parts[2], "", Optional.of(parts[3]), entry);
      default ->
          new Coordinates(parts[0], parts[1], parts[2], parts[3], Optional.of(parts[4]), entry);
    };
  }

  /** Without the entry. */
  String label() {
    return group
        + ":"
        + artifact
        + (extension.equals("jar") && classifier.isEmpty() ? "" : ":" + extension)
        + (classifier.isEmpty() ? "" : ":" + classifier)
        + version.map(v -> ":" + v).orElse("");
  }
}
