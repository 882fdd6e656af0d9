package io.pseed.converter.report;

/**
 * Text of a page. What comes from a model (names of tensors, files and outputs) goes through {@link
 * #text}, which leaves no character that a browser could take for markup.
 */
final class Html {
  private final StringBuilder out = new StringBuilder();

  /** Markup of ours. */
  Html raw(String markup) {
    out.append(markup);
    return this;
  }

  /** Any text. */
  Html text(String any) {
    out.append(escape(any));
    return this;
  }

  /** An element with text in it; {@code open} is the tag with its attributes. */
  Html element(String open, String any) {
    int end = open.indexOf(' ');
    String tag = end < 0 ? open : open.substring(0, end);
    out.append('<').append(open).append('>').append(escape(any));
    out.append("</").append(tag).append('>');
    return this;
  }

  /**
   * Escaped for elements and for attributes in double quotes. Control characters, marks that turn
   * the direction of writing and halves of surrogate pairs become U+FFFD.
   */
  static String escape(String any) {
    StringBuilder escaped = new StringBuilder(any.length() + 16);
    any.codePoints()
        .forEach(
            c -> {
              switch (c) {
                case '&' -> escaped.append("&amp;");
                case '<' -> escaped.append("&lt;");
                case '>' -> escaped.append("&gt;");
                case '"' -> escaped.append("&quot;");
                case '\'' -> escaped.append("&#39;");
                default -> escaped.appendCodePoint(isShown(c) ? c : 0xFFFD);
              }
            });
    return escaped.toString();
  }

  private static boolean isShown(int c) {
    return !(Character.isISOControl(c)
        || (c >= 0xD800 && c <= 0xDFFF)
        || (c >= 0x200E && c <= 0x200F)
        || (c >= 0x202A && c <= 0x202E)
        || (c >= 0x2066 && c <= 0x2069)
        || c == 0x2028
        || c == 0x2029
        || c == 0xFFFE
        || c == 0xFFFF);
  }

  @Override
  public String toString() {
    return out.toString();
  }
}
