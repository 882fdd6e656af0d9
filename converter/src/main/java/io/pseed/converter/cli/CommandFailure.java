package io.pseed.converter.cli;

/** A failure that the command found itself; its message is the sentence for the user. */
final class CommandFailure extends Exception {
  private static final long serialVersionUID = 1L;

  CommandFailure(String sentence) {
    super(sentence);
  }

  CommandFailure(String sentence, Throwable cause) {
    super(sentence, cause);
  }
}
