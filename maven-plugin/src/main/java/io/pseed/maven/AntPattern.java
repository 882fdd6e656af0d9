package io.pseed.maven;

import java.util.regex.Pattern;

/**
 * A pattern of paths as Ant and Maven have it: {@code *} and {@code ?} stay within a folder, {@code
 * **} is any number of folders, also none.
 */
final class AntPattern {
  private final Pattern pattern;

  /**
   * A pattern.
   *
   * @param text with {@code /} between folders
   */
  AntPattern(String text) {
    StringBuilder regex = new StringBuilder();
    String whole = text.endsWith("/") ? text + "**" : text;
    for (int i = 0; i < whole.length(); ) {
      if (whole.startsWith("**/", i) && (i == 0 || whole.charAt(i - 1) == '/')) {
        regex.append("(?:.*/)?");
        i += 3;
      } else if (whole.startsWith("**", i)) {
        regex.append(".*");
        i += 2;
      } else {
        char c = whole.charAt(i++);
        regex.append(c == '*' ? "[^/]*" : c == '?' ? "[^/]" : Pattern.quote(String.valueOf(c)));
      }
    }
    pattern = Pattern.compile(regex.toString(), Pattern.DOTALL);
  }

  /** Whether a text has a wildcard. */
  static boolean isPattern(String text) {
    return text.indexOf('*') >= 0 || text.indexOf('?') >= 0;
  }

  /** The folders before the first wildcard, with a {@code /} at the end; empty where none. */
  static String base(String text) {
    int wildcard = 0;
    while (text.charAt(wildcard) != '*' && text.charAt(wildcard) != '?') {
      wildcard++;
    }
    return text.substring(0, text.lastIndexOf('/', wildcard) + 1);
  }

  boolean matches(String path) {
    return pattern.matcher(path).matches();
  }
}
