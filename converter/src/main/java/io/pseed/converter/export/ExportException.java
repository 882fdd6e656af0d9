package io.pseed.converter.export;

import java.io.IOException;
import java.nio.file.Path;

/**
 * A file that cannot be written. The message names the file, the tensor where there is one, and
 * what stood in the way.
 */
public final class ExportException extends IOException {
  private static final long serialVersionUID = 1L;

  public ExportException(Path file, String trouble) {
    super(file + ": " + trouble);
  }

  public ExportException(Path file, String trouble, Throwable cause) {
    super(file + ": " + trouble, cause);
  }
}
