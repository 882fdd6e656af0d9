package io.pseed.samples.languages;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Test;

/** Runs the programs as their users do: with the packages of npm and PyPI, and nothing of pseed. */
class OtherLanguagesTest {
  private static final Path ORIGINAL =
      Path.of("target/npm/package/dist/silero_vad_v5.onnx").toAbsolutePath();
  private static final Path SEEDED =
      Path.of("target/generated-resources/pseed/silero.onnx").toAbsolutePath();
  private static final Path RECORDING = Path.of("recording.wav").toAbsolutePath();
  private static final boolean WINDOWS = File.separatorChar == '\\';

  /** The recording: two sentences, a tone between them. */
  private static final int SENTENCES = 2;

  /** Of one chunk of 512 samples; the model's answer is no finer. */
  private static final double CHUNK_SECONDS = 0.032;

  @Test
  void theModelIsAThird() throws IOException {
    long before = Files.size(ORIGINAL);
    long after = Files.size(SEEDED);
    System.out.printf("model: %,d bytes before, %,d after%n", before, after);
    assertTrue(3 * after < before, after + " of " + before + " bytes");
  }

  @Test
  void node() throws Exception {
    Path folder = Files.createDirectories(Path.of("target/node"));
    copy(Path.of("node"), folder);
    skipUnless("Node", folder, WINDOWS ? List.of("cmd", "/c", "npm", "-v") : List.of("npm", "-v"));
    skipUnless(
        "Node",
        folder,
        WINDOWS
            ? List.of("cmd", "/c", "npm", "install", "--silent", "--no-package-lock")
            : List.of("npm", "install", "--silent", "--no-package-lock"));
    compare("Node", folder, "node", "voice.mjs");
  }

  @Test
  void python() throws Exception {
    Path folder = Files.createDirectories(Path.of("target/python"));
    copy(Path.of("python"), folder);
    skipUnless(
        "Python", folder, List.of(WINDOWS ? "python" : "python3", "-m", "venv", "environment"));
    String python =
        folder
            .resolve(WINDOWS ? "environment/Scripts/python.exe" : "environment/bin/python")
            .toAbsolutePath()
            .toString();
    skipUnless(
        "Python", folder, List.of(python, "-m", "pip", "-q", "install", "-r", "requirements.txt"));
    compare("Python", folder, python, "voice.py");
  }

  private static void compare(String language, Path folder, String... program) throws Exception {
    List<double[]> expected = segments(folder, program, ORIGINAL);
    List<double[]> heard = segments(folder, program, SEEDED);
    System.out.println(language + ": FP32 hears " + text(expected) + ", the export " + text(heard));
    assertEquals(SENTENCES, expected.size());
    assertEquals(expected.size(), heard.size());
    for (int i = 0; i < heard.size(); i++) {
      assertEquals(expected.get(i)[0], heard.get(i)[0], 1.5 * CHUNK_SECONDS);
      assertEquals(expected.get(i)[1], heard.get(i)[1], 1.5 * CHUNK_SECONDS);
    }
  }

  /** Of lines like "1.12 s to 2.66 s". */
  private static List<double[]> segments(Path folder, String[] program, Path model)
      throws Exception {
    List<String> command = new ArrayList<>(List.of(program));
    command.add(model.toString());
    command.add(RECORDING.toString());
    Ran ran = run(folder, command);
    assertEquals(0, ran.code, ran.output);
    return ran.output
        .lines()
        .map(line -> Stream.of(line.split(" s( to )?")).mapToDouble(Double::parseDouble).toArray())
        .toList();
  }

  private static String text(List<double[]> segments) {
    return String.join(", ", segments.stream().map(Arrays::toString).toList());
  }

  /** What a machine does not have is skipped, and the output says why. */
  private static void skipUnless(String language, Path folder, List<String> command)
      throws InterruptedException {
    String why;
    try {
      Ran ran = run(folder, command);
      if (ran.code == 0) {
        return;
      }
      why = String.join(" ", command) + ": " + ran.output.strip();
    } catch (IOException e) {
      why = e.getMessage();
    }
    System.out.println("SKIPPED: " + language + ": " + why);
    Assumptions.abort(language + ": " + why);
  }

  private record Ran(int code, String output) {}

  private static Ran run(Path folder, List<String> command)
      throws IOException, InterruptedException {
    Path output = folder.resolve("output.txt");
    Process process =
        new ProcessBuilder(command)
            .directory(folder.toFile())
            .redirectOutput(output.toFile())
            .redirectError(folder.resolve("errors.txt").toFile())
            .start();
    int code = process.waitFor();
    return new Ran(
        code,
        Files.readString(output)
            + (code == 0 ? "" : Files.readString(folder.resolve("errors.txt"))));
  }

  private static void copy(Path from, Path to) throws IOException {
    try (Stream<Path> files = Files.list(from)) {
      for (Path file : files.filter(Files::isRegularFile).toList()) {
        Files.copy(file, to.resolve(file.getFileName()), StandardCopyOption.REPLACE_EXISTING);
      }
    }
  }
}
