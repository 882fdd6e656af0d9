package io.pseed.converter.command;

/** What names out of files may do where they are shown: nothing. */
public final class Printable {
  private Printable() {}

  /**
   * Text that may hold names out of a file, for a terminal: what could move its cursor, change its
   * title or turn the direction of writing is shown as an escape.
   *
   * @param most characters; a longer text loses its middle
   */
  public static String text(String text, int most) {
    String cut =
        text.length() <= most
            ? text
            : text.substring(0, most / 2)
                + " ... ("
                + text.length()
                + " characters) ... "
                + text.substring(text.length() - most / 2);
    StringBuilder shown = new StringBuilder(cut.length());
    for (int i = 0; i < cut.length(); i++) {
      char c = cut.charAt(i);
      boolean harmless = c == '\n' || c == '\t';
      if (!harmless && (Character.isISOControl(c) || Character.getType(c) == Character.FORMAT)) {
        shown.append(String.format("\\u%04x", (int) c));
      } else {
        shown.append(c);
      }
    }
    return shown.toString();
  }
}
