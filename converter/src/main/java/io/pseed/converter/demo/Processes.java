package io.pseed.converter.demo;

import java.io.IOException;
import java.io.InterruptedIOException;

/** Waiting for children that must not outlive this process. */
final class Processes {
  private Processes() {}

  /** The child's exit code; the child is ended where the wait is interrupted. */
  static int waitFor(Process child) throws IOException {
    try {
      return child.waitFor();
    } catch (InterruptedException e) {
      child.destroy();
      Thread.currentThread().interrupt();
      throw (IOException) new InterruptedIOException("interrupted").initCause(e);
    }
  }
}
