package io.pseed.converter.cli;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Arrays;

/**
 * What a command did.
 *
 * @param code its exit code
 * @param out what it printed
 * @param err what it complained of
 */
record Outcome(int code, String out, String err) {
  /** Runs the command in this process. */
  static Outcome of(Object... arguments) {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    ByteArrayOutputStream err = new ByteArrayOutputStream();
    Console console =
        new Console(
            new PrintStream(out, true, StandardCharsets.UTF_8),
            new PrintStream(err, true, StandardCharsets.UTF_8),
            false);
    int code =
        PseedCommand.run(
            console, Arrays.stream(arguments).map(Outcome::text).toArray(String[]::new));
    return new Outcome(
        code, out.toString(StandardCharsets.UTF_8), err.toString(StandardCharsets.UTF_8));
  }

  private static String text(Object argument) {
    return argument instanceof Path path ? path.toString() : String.valueOf(argument);
  }

  JsonNode json() throws IOException {
    return new JsonMapper().readTree(out);
  }

  /** The one sentence on stderr. */
  String sentence() {
    if (!err.startsWith("pseed: ") || err.indexOf('\n') != err.length() - 1) {
      throw new AssertionError("expected one sentence, found: " + err);
    }
    return err.substring("pseed: ".length()).strip();
  }
}
