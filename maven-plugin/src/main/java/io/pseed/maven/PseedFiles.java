package io.pseed.maven;

import java.io.IOException;
import java.util.List;

/** Finds what a {@code <file>} means. */
final class PseedFiles {
  private PseedFiles() {}

  static List<ModelFiles.Found> find(ModelFiles files, String file)
      throws ConfigurationException, IOException {
    try {
      return files.find(file);
    } catch (ConfigurationException e) {
      throw new ConfigurationException(e.getMessage().replace("<source>", "<file>"), e);
    }
  }
}
