package io.pseed.converter.cli;

import java.io.PrintStream;
import java.util.Locale;

/** Where the command writes: results go to {@code out}, progress and troubles to {@code err}. */
public final class Console {
  private final PrintStream out;
  private final PrintStream err;
  private final boolean terminal;
  private volatile String onInterrupt = "";

  /**
   * A console.
   *
   * @param terminal whether {@code err} is a terminal, so that a line may be drawn again
   */
  public Console(PrintStream out, PrintStream err, boolean terminal) {
    this.out = out;
    this.err = err;
    this.terminal = terminal;
  }

  /**
   * The streams of this process. The launchers say with {@code -Dpseed.terminal} whether stderr is
   * a terminal, which Java itself cannot tell; without it, none is assumed.
   */
  public static Console ofProcess() {
    return new Console(System.out, System.err, Boolean.getBoolean("pseed.terminal"));
  }

  PrintStream out() {
    return out;
  }

  PrintStream err() {
    return err;
  }

  boolean terminal() {
    return terminal;
  }

  /** What Ctrl-C says from now on, beside that the work was interrupted. */
  void onInterrupt(String sentence) {
    onInterrupt = sentence;
  }

  String onInterrupt() {
    return onInterrupt;
  }

  /**
   * Text that may hold names out of a file, for a terminal: what could move its cursor, change its
   * title or turn the direction of writing is shown as an escape.
   *
   * @param most characters; a longer text loses its middle
   */
  static String printable(String text, int most) {
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

  /** A line of the result. */
  void line(String format, Object... arguments) {
    out.println(printable(String.format(Locale.ROOT, format, arguments), Integer.MAX_VALUE));
  }

  /** A sentence beside the result. */
  void say(String sentence) {
    err.println("pseed: " + printable(sentence, Integer.MAX_VALUE));
  }
}
