package io.pseed.format;

/** A codec that this version does not define; the message lists those that it knows. */
public final class UnknownCodecException extends PseedException {
  private static final long serialVersionUID = 1L;

  public UnknownCodecException(String message) {
    super(message);
  }

  public UnknownCodecException(String message, Throwable cause) {
    super(message, cause);
  }

  @Override
  public Kind kind() {
    return Kind.UNKNOWN_CODEC;
  }
}
