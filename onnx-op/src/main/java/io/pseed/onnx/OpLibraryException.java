package io.pseed.onnx;

import java.io.IOException;

/** There is no native library that could be loaded. The message says why and what to do instead. */
public final class OpLibraryException extends IOException {
  private static final long serialVersionUID = 1L;

  OpLibraryException(String message) {
    super(message);
  }

  OpLibraryException(String message, Throwable cause) {
    super(message, cause);
  }
}
