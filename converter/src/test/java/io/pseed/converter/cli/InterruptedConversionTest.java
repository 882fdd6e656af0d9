package io.pseed.converter.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class InterruptedConversionTest {
  private static final int TENSORS = 8;

  @TempDir Path dir;

  @Test
  void goesOnWhereItWasKilled() throws Exception {
    Path source = TinyModels.safetensors(dir.resolve("slow.safetensors"), TENSORS, 64);
    Path undisturbed = dir.resolve("undisturbed.pseed");
    Path target = dir.resolve("target.pseed");
    assertThat(Outcome.of(arguments(source, undisturbed)).code()).isZero();

    Process child = start(arguments(source, target));
    awaitTensors(child, target, 1);
    child.destroyForcibly();
    assertThat(child.waitFor(30, TimeUnit.SECONDS)).isTrue();
    assertThat(target).doesNotExist();

    Process again = start(arguments(source, target));
    awaitTensors(again, target, 3);
    again.destroy();
    assertThat(again.waitFor(30, TimeUnit.SECONDS)).isTrue();
    String said = Files.readString(dir.resolve("err.txt"), StandardCharsets.UTF_8);
    if (!System.getProperty("os.name").toLowerCase(Locale.ROOT).contains("windows")) {
      assertThat(said).contains("interrupted; run the same command again to go on");
    }

    Outcome last = Outcome.of(arguments(source, target));
    assertThat(last.code()).as(last.err()).isZero();
    assertThat(last.json().get("resumedTensors").asInt()).isBetween(3, TENSORS);
    assertThat(target).hasSameBinaryContentAs(undisturbed);
    assertThat(dir.resolve("target.pseed.part")).doesNotExist();
    assertThat(dir.resolve("target.pseed.part.journal")).doesNotExist();
  }

  private static Object[] arguments(Path source, Path target) {
    return new Object[] {
      "convert", source, "-o", target, "--seed-bits", 16, "--threads", 1, "--json", "--quiet"
    };
  }

  private Process start(Object[] arguments) throws IOException {
    List<String> command = new ArrayList<>();
    command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    command.addAll(List.of("-cp", System.getProperty("java.class.path")));
    command.add(PseedCommand.class.getName());
    Arrays.stream(arguments).map(String::valueOf).forEach(command::add);
    return new ProcessBuilder(command)
        .redirectOutput(ProcessBuilder.Redirect.DISCARD)
        .redirectError(dir.resolve("err.txt").toFile())
        .start();
  }

  /** Waits until the journal, whose first line is its head, lists so many tensors. */
  private static void awaitTensors(Process child, Path target, int count) throws Exception {
    Path journal = target.resolveSibling(target.getFileName() + ".part.journal");
    long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(120);
    while (child.isAlive() && System.nanoTime() < end) {
      if (Files.exists(journal)
          && Files.readString(journal, StandardCharsets.UTF_8).lines().count() > count) {
        return;
      }
      Thread.sleep(5);
    }
    throw new AssertionError("the conversion ended before it could be interrupted");
  }
}
