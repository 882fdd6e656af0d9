package io.pseed.samples.search;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.langchain4j.model.embedding.onnx.allminilml6v2.AllMiniLmL6V2EmbeddingModel;
import java.io.IOException;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** Of the application as it was packaged. */
class SearchIT {
  private static final Path APPLICATION = Path.of("target/app");
  private static final List<String> QUESTIONS =
      List.of(
          "When may I light a fire?",
          "Can I bring my puppy?",
          "When do I have to pay?",
          "What can I do about snails?",
          "Is it all right to mow the lawn after lunch?",
          "How big may my cabin be?",
          "When can I borrow a wheelbarrow?",
          "How do I keep my tomatoes healthy?");

  @Test
  void findsWhatTheOriginalFinds() throws Exception {
    Search original = new Search(new AllMiniLmL6V2EmbeddingModel());
    Map<String, List<String>> found = answers(run());
    assertEquals(QUESTIONS, List.copyOf(found.keySet()));
    int equal = 0;
    for (String question : QUESTIONS) {
      List<String> expected =
          original.nearest(question).stream().map(Search.Hit::line).limit(3).toList();
      List<String> lines = found.get(question);
      assertEquals(expected.get(0), lines.get(0), question);
      Set<String> common = new HashSet<>(expected);
      common.retainAll(lines);
      assertTrue(common.size() >= 2, question + ": FP32 " + expected + ", pseed " + lines);
      equal += expected.equals(lines) ? 1 : 0;
    }
    System.out.printf(
        "the first answer is FP32's %d times of %d, the first three in this order %d times%n",
        QUESTIONS.size(), QUESTIONS.size(), equal);
  }

  @Test
  void theApplicationShrinks() throws Exception {
    long after = bytes(APPLICATION, "");
    URI model =
        AllMiniLmL6V2EmbeddingModel.class
            .getProtectionDomain()
            .getCodeSource()
            .getLocation()
            .toURI();
    long before =
        bytes(APPLICATION.resolve("lib"), "")
            - bytes(APPLICATION.resolve("lib"), "pseed-")
            + Files.size(Path.of(model));
    System.out.printf(
        "application: %,d bytes with the published model, %,d with seeds%n", before, after);
    assertTrue(before - after > 70_000_000, before + " to " + after);
  }

  private static long bytes(Path folder, String prefix) throws IOException {
    try (Stream<Path> files = Files.walk(folder)) {
      return files
          .filter(Files::isRegularFile)
          .filter(file -> file.getFileName().toString().startsWith(prefix))
          .mapToLong(file -> file.toFile().length())
          .sum();
    }
  }

  private static List<String> run() throws Exception {
    List<String> command =
        new ArrayList<>(
            List.of(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-jar",
                APPLICATION.resolve("search.jar").toString()));
    command.addAll(QUESTIONS);
    Process process =
        new ProcessBuilder(command).redirectError(ProcessBuilder.Redirect.INHERIT).start();
    String out = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    System.out.print(out);
    assertEquals(0, process.waitFor());
    return out.lines().toList();
  }

  private static Map<String, List<String>> answers(List<String> printed) {
    Map<String, List<String>> answers = new LinkedHashMap<>();
    String question = null;
    for (String line : printed) {
      if (line.startsWith("  ")) {
        answers.get(question).add(line.strip().split(" +", 2)[1]);
      } else {
        question = line;
        answers.put(question, new ArrayList<>());
      }
    }
    return answers;
  }
}
