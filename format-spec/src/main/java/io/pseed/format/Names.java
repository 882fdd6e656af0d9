package io.pseed.format;

/**
 * Names of tensors, sections and members in messages. They come from files that may be anybody's: a
 * name may be as long as the header, and hold what moves a terminal's cursor or forges a line of a
 * log.
 */
final class Names {
  /** Characters that are shown; of a longer name the end, which tells tensors apart. */
  private static final int MOST = 120;

  private Names() {}

  /** The name as it may stand in a message: its end, where it is long. */
  static String shown(String name) {
    return visible(name.length() <= MOST ? name : "..." + name.substring(name.length() - MOST));
  }

  /** The text with an escape for each character that is not seen but does something. */
  static String visible(String text) {
    StringBuilder out = new StringBuilder(text.length());
    for (int i = 0; i < text.length(); i++) {
      char c = text.charAt(i);
      if (Character.isISOControl(c)
          || Character.getType(c) == Character.FORMAT
          || Character.getType(c) == Character.LINE_SEPARATOR
          || Character.getType(c) == Character.PARAGRAPH_SEPARATOR) {
        out.append(String.format("\\u%04x", (int) c));
      } else {
        out.append(c);
      }
    }
    return out.toString();
  }
}
