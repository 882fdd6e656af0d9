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
   * a terminal; Java itself can only tell that all streams are.
   */
  public static Console ofProcess() {
    String told = System.getProperty("pseed.terminal", "");
    boolean terminal = told.isEmpty() ? System.console() != null : Boolean.parseBoolean(told);
    return new Console(System.out, System.err, terminal);
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
    out.println(String.format(Locale.ROOT, format, arguments));
  }

  /** A sentence beside the result. */
  void say(String sentence) {
    err.println("pseed: " + sentence);
  }
}
