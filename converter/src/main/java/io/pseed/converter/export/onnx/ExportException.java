package io.pseed.converter.export.onnx;

import java.io.IOException;

/** A {@code .pseed} file that cannot become an ONNX model. The message says what to do instead. */
public final class ExportException extends IOException {
  private static final long serialVersionUID = 1L;

  ExportException(String message) {
    super(message);
  }
}
