package io.pseed.converter.cli;

import io.pseed.converter.command.Printable;
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

  /** A line of the result. */
  void line(String format, Object... arguments) {
    text(String.format(Locale.ROOT, format, arguments));
  }

  /** A line of the result, as it stands. */
  void text(String line) {
    out.println(Printable.text(line, Integer.MAX_VALUE));
  }

  /** A sentence beside the result. */
  void say(String sentence) {
    err.println("pseed: " + Printable.text(sentence, Integer.MAX_VALUE));
  }
}
