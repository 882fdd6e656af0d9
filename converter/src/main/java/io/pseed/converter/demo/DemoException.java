package io.pseed.converter.demo;

import java.io.IOException;

/** Something that the demonstration needs is missing or failed; the message says what to do. */
public final class DemoException extends IOException {
  private static final long serialVersionUID = 1L;

  DemoException(String sentence) {
    super(sentence);
  }

  DemoException(String sentence, Throwable cause) {
    super(sentence, cause);
  }
}
