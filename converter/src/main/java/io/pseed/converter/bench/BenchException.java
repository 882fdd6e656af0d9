package io.pseed.converter.bench;

import java.io.IOException;

/** Something cannot be measured; the message is a sentence for the user. */
public final class BenchException extends IOException {
  private static final long serialVersionUID = 1L;

  BenchException(String sentence) {
    super(sentence);
  }
}
