package io.pseed.onnx;

import java.io.IOException;

/** There is no native library that could be loaded. The message says why and what to do instead. */
public final class OpLibraryException extends IOException {
  private static final long serialVersionUID = 1L;

  private final boolean noneForPlatform;

  OpLibraryException(String message) {
    this(message, false);
  }

  /**
   * @param noneForPlatform whether the artifact is as it should be and nothing is wrong here
   */
  OpLibraryException(String message, boolean noneForPlatform) {
    super(message);
    this.noneForPlatform = noneForPlatform;
  }

  OpLibraryException(String message, Throwable cause) {
    super(message, cause);
    this.noneForPlatform = false;
  }

  /** Whether there is just no library for this platform. */
  boolean isNoneForPlatform() {
    return noneForPlatform;
  }
}
