package io.pseed.format;

/** The file was written by a later major version of the format. */
public final class TooNewException extends PseedException {
  private static final long serialVersionUID = 1L;

  public TooNewException(String message) {
    super(message);
  }

  public TooNewException(String message, Throwable cause) {
    super(message, cause);
  }

  @Override
  public Kind kind() {
    return Kind.TOO_NEW;
  }
}
