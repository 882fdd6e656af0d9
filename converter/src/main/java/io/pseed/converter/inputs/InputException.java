package io.pseed.converter.inputs;

import java.io.IOException;
import java.nio.file.Path;

/**
 * Data that cannot be read or does not fit the model. The message names the file, the array or
 * line, what was found, what was expected and what to do.
 */
public final class InputException extends IOException {
  private static final long serialVersionUID = 1L;

  InputException(String trouble) {
    super(trouble);
  }

  InputException(Path file, String trouble) {
    super(file + ": " + trouble);
  }

  InputException(Path file, String trouble, Throwable cause) {
    super(file + ": " + trouble, cause);
  }
}
