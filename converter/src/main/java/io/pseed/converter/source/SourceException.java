package io.pseed.converter.source;

import java.io.IOException;
import java.nio.file.Path;

/**
 * A model or checkpoint that cannot be read. The message names the file, the tensor or offset, what
 * was found and what was expected.
 */
public final class SourceException extends IOException {
  private static final long serialVersionUID = 1L;

  public SourceException(Path file, String trouble) {
    super(file + ": " + trouble);
  }

  public SourceException(Path file, String trouble, Throwable cause) {
    super(file + ": " + trouble, cause);
  }
}
