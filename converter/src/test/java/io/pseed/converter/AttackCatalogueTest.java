package io.pseed.converter;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** The tests and files that {@code format-spec/attacks.md} names are there. */
class AttackCatalogueTest {
  private static final Path ROOT = Path.of("..");
  private static final Path TESTDATA = ROOT.resolve("format-spec/testdata");
  private static final Pattern NAMED = Pattern.compile("`([^`]+)`");
  private static final Pattern TEST = Pattern.compile("(\\w+Test)\\.(\\w+)(?:\\[(.+)\\])?");
  private static final Pattern FILE = Pattern.compile("(valid|invalid)/[\\w-]+\\.(rec|pseed)");

  @Test
  void everyAttackIsCovered() throws IOException {
    Map<String, String> sources = sources();
    String lists =
        Files.readString(TESTDATA.resolve("valid.json"))
            + Files.readString(TESTDATA.resolve("invalid.json"));
    List<String> wrong = new ArrayList<>();
    int rows = 0;
    int names = 0;
    for (String line : Files.readAllLines(ROOT.resolve("format-spec/attacks.md"))) {
      String[] cells = line.split("\\|", -1);
      if (!line.startsWith("| ") || cells.length != 5 || cells[3].strip().equals("covered by")) {
        continue;
      }
      rows++;
      Matcher named = NAMED.matcher(cells[3]);
      int here = 0;
      while (named.find()) {
        here++;
        String trouble = trouble(named.group(1), sources, lists);
        if (trouble != null) {
          wrong.add(cells[1].strip() + ": " + named.group(1) + " " + trouble);
        }
      }
      if (here == 0) {
        wrong.add(cells[1].strip() + ": nothing covers it");
      }
      names += here;
    }
    assertThat(wrong).isEmpty();
    assertThat(rows).isGreaterThan(60);
    assertThat(names).isGreaterThan(rows);
  }

  private static String trouble(String name, Map<String, String> sources, String lists) {
    if (FILE.matcher(name).matches()) {
      return !Files.isRegularFile(TESTDATA.resolve(name)) || !lists.contains('"' + name + '"')
          ? "is no file of the vectors"
          : null;
    }
    Matcher test = TEST.matcher(name);
    if (!test.matches()) {
      return "is neither a test nor a file";
    }
    String source = sources.get(test.group(1));
    if (source == null) {
      return "is a test of no class";
    }
    Pattern method =
        Pattern.compile(
            "@(Test|Property|ParameterizedTest)\\b[^{;]*?\\svoid "
                + test.group(2)
                + "\\(|@(Test|ParameterizedTest)\\b(?:(?!\\svoid ).)*\\svoid "
                + test.group(2)
                + "\\(",
            Pattern.DOTALL);
    if (!method.matcher(source).find()) {
      return "is no test of its class";
    }
    return test.group(3) == null || source.contains('"' + test.group(3) + '"')
        ? null
        : "is no case of its test";
  }

  private static Map<String, String> sources() throws IOException {
    Map<String, String> sources = new HashMap<>();
    for (String module : new String[] {"format-spec", "onnx-op", "converter"}) {
      try (Stream<Path> walk = Files.walk(ROOT.resolve(module).resolve("src/test/java"))) {
        for (Path file : walk.filter(f -> f.toString().endsWith("Test.java")).toList()) {
          String name = file.getFileName().toString();
          sources.put(name.substring(0, name.length() - 5), Files.readString(file));
        }
      }
    }
    return sources;
  }
}
