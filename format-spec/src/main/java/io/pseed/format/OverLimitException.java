package io.pseed.format;

/** Valid as far as it was read, but more than the reader agreed to take. */
public final class OverLimitException extends PseedException {
  private static final long serialVersionUID = 1L;

  public OverLimitException(String message) {
    super(message);
  }

  public OverLimitException(String message, Throwable cause) {
    super(message, cause);
  }

  @Override
  public Kind kind() {
    return Kind.OVER_LIMIT;
  }
}
