package io.pseed.format;

/** The bytes are no {@code .pseed} file at all. */
public final class NotPseedException extends PseedException {
  private static final long serialVersionUID = 1L;

  public NotPseedException(String message) {
    super(message);
  }

  public NotPseedException(String message, Throwable cause) {
    super(message, cause);
  }

  @Override
  public Kind kind() {
    return Kind.NOT_PSEED;
  }
}
