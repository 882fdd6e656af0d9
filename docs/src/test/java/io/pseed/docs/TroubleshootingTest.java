package io.pseed.docs;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** The texts that the guide explains are texts that the programs print. */
class TroubleshootingTest {
  private static final Path ROOT = Path.of("..");
  private static final Pattern ROW = Pattern.compile("(?m)^\\| `([^`]+)` \\|");
  private static final int FEWEST_CHARACTERS = 8;

  /** All literals of the sources, those that a plus joins as one. */
  private static String sources() throws IOException {
    StringBuilder all = new StringBuilder();
    for (String module :
        new String[] {"format-spec", "onnx-op", "converter", "gpu", "maven-plugin"}) {
      try (Stream<Path> files = Files.walk(ROOT.resolve(module).resolve("src").resolve("main"))) {
        for (Path file : files.filter(TroubleshootingTest::isSource).toList()) {
          all.append(Files.readString(file)).append('\n');
        }
      }
    }
    all.append(Files.readString(ROOT.resolve("dist/src/launcher/pseed")));
    all.append(Files.readString(ROOT.resolve("pseed")));
    return all.toString().replaceAll("\"\\s*\\+\\s*\"", "");
  }

  private static boolean isSource(Path file) {
    return file.toString().endsWith(".java");
  }

  @Test
  void everyTextIsOneThatIsPrinted() throws IOException {
    String sources = sources();
    List<String> unknown = new ArrayList<>();
    int texts = 0;
    Matcher row = ROW.matcher(Files.readString(Path.of("troubleshooting.md")));
    while (row.find()) {
      texts++;
      boolean telling = false;
      for (String part : row.group(1).split("…", -1)) {
        String words = part.strip();
        telling |= words.length() >= FEWEST_CHARACTERS;
        if (words.length() > 2 && !sources.contains(words)) {
          unknown.add(row.group(1) + ": '" + words + "'");
        }
      }
      if (!telling) {
        unknown.add(row.group(1) + ": no part is long enough to be told from others");
      }
    }
    assertThat(texts).isGreaterThan(30);
    assertThat(unknown).as("texts that no source has").isEmpty();
  }
}
