package io.pseed.converter.demo;

import io.pseed.onnx.RecordDecoder;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.stream.Stream;

/** Runs a main class with this process's Java and class path in a process of its own. */
public final class ChildJvm {
  private ChildJvm() {}

  /**
   * Runs it to its end.
   *
   * @param workDir holds {@code tmp}, where libraries unpack their natives; that folder is removed
   * @param log receives what it prints
   * @return its exit code
   */
  public static int run(Path workDir, Path log, Class<?> main, List<String> arguments)
      throws IOException {
    Path temp = Files.createDirectories(workDir.resolve("tmp"));
    List<String> command = new ArrayList<>();
    command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    // What starts ONNX Runtime there is not always ours; see OrtRuntime.
    command.add("-Xss4m");
    if (Runtime.version().feature() >= 22) {
      command.add("--enable-native-access=ALL-UNNAMED");
    }
    // Libraries unpack natives: all of it stays in the work folder, and nothing is fetched or told.
    command.add("-Djava.io.tmpdir=" + temp.toAbsolutePath());
    command.add("-DDJL_CACHE_DIR=" + temp.toAbsolutePath());
    command.add("-DENGINE_CACHE_DIR=" + temp.toAbsolutePath());
    command.add("-DRUST_FLAVOR=cpu");
    command.add("-DOPT_OUT_TRACKING=true");
    if (System.getProperty(RecordDecoder.PROPERTY) != null) {
      command.add("-D" + RecordDecoder.PROPERTY + "=" + System.getProperty(RecordDecoder.PROPERTY));
    }
    command.addAll(List.of("-cp", System.getProperty("java.class.path")));
    command.add(main.getName());
    command.addAll(arguments);
    Process child =
        new ProcessBuilder(command).redirectErrorStream(true).redirectOutput(log.toFile()).start();
    int code = Processes.waitFor(child);
    try (Stream<Path> paths = Files.walk(temp)) {
      for (Path path : paths.sorted(Comparator.reverseOrder()).toList()) {
        Files.deleteIfExists(path);
      }
    }
    return code;
  }
}
