package io.pseed.format;

import java.io.IOException;

/**
 * A file, record or header that cannot be used. The message says where, what was found and what was
 * expected, without any character that would move a terminal's cursor or forge a line of a log,
 * whatever the file holds. One subclass per {@link Kind} (specification, section 10).
 */
public abstract sealed class PseedException extends IOException
    permits NotPseedException,
        TooNewException,
        CorruptException,
        UnknownCodecException,
        OverLimitException {
  private static final long serialVersionUID = 1L;

  /** The kinds of trouble a reader tells apart. */
  public enum Kind {
    NOT_PSEED("not-pseed"),
    TOO_NEW("too-new"),
    CORRUPT("corrupt"),
    UNKNOWN_CODEC("unknown-codec"),
    OVER_LIMIT("over-limit");

    private final String label;

    Kind(String label) {
      this.label = label;
    }

    /** The name that the specification and the vectors use. */
    public String label() {
      return label;
    }
  }

  PseedException(String message) {
    super(Names.visible(message));
  }

  PseedException(String message, Throwable cause) {
    super(Names.visible(message), cause);
  }

  /** What kind of trouble this is. */
  public abstract Kind kind();
}
