package io.pseed.format;

/**
 * A field out of range, a sum that does not fit, a wrong checksum, a truncated or overlong file.
 */
public final class CorruptException extends PseedException {
  private static final long serialVersionUID = 1L;

  public CorruptException(String message) {
    super(message);
  }

  public CorruptException(String message, Throwable cause) {
    super(message, cause);
  }

  @Override
  public Kind kind() {
    return Kind.CORRUPT;
  }
}
