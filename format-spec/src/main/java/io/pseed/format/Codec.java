package io.pseed.format;

import java.util.Optional;

/** The codecs of format 1, with their permanent ids (specification, section 3). */
public enum Codec {
  /** The elements themselves. */
  RAW(1, "raw"),
  /** Poincaré seeds, one for the layer or one a tile. */
  POINCARE(2, "poincare"),
  /** A stream of overlapping seeds a row. */
  TRELLIS(3, "trellis");

  private final int id;
  private final String label;

  Codec(int id, String label) {
    this.id = id;
    this.label = label;
  }

  /** The id that a record stores. */
  public int id() {
    return id;
  }

  /** The name used in headers, plans and messages. */
  public String label() {
    return label;
  }

  /** The codec with that id, or empty. */
  public static Optional<Codec> ofId(int id) {
    for (Codec codec : values()) {
      if (codec.id == id) {
        return Optional.of(codec);
      }
    }
    return Optional.empty();
  }

  /** All known codecs for a message: {@code 1 raw, 2 poincare, 3 trellis}. */
  static String known() {
    StringBuilder text = new StringBuilder();
    for (Codec codec : values()) {
      text.append(text.length() == 0 ? "" : ", ").append(codec.id).append(' ').append(codec.label);
    }
    return text.toString();
  }
}
