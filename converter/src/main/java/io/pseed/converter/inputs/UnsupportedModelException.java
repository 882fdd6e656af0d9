package io.pseed.converter.inputs;

/** A model for which no inputs can be made, or which runs on none that were. */
public final class UnsupportedModelException extends Exception {
  private static final long serialVersionUID = 1L;

  public UnsupportedModelException(String message) {
    super(message);
  }
}
