package io.pseed.converter.command;

/** A failure that the command found itself; its message is the sentence for the user. */
public class CommandFailure extends Exception {
  private static final long serialVersionUID = 1L;

  /** A failure that needs no cause. */
  public CommandFailure(String sentence) {
    super(sentence);
  }

  /** A failure with its cause. */
  public CommandFailure(String sentence, Throwable cause) {
    super(sentence, cause);
  }
}
