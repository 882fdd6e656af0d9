package io.pseed.converter.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.pseed.converter.command.Failures;
import io.pseed.converter.command.Table;
import io.pseed.converter.command.Units;
import io.pseed.converter.command.Wording;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.AccessDeniedException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;
import picocli.CommandLine.TypeConversionException;

class FailuresTest {
  private static String sentence(Throwable failure) {
    return Failures.sentence(failure, Wording.OPTIONS);
  }

  @Test
  void sayWhatToDo() {
    assertThat(sentence(new IOException("No space left on device")))
        .startsWith("the disk is full; free some space and run the same command again");
    assertThat(
            sentence(
                new UncheckedIOException(
                    new IOException(
                        "x: cannot finish", new IOException("No space left on device")))))
        .startsWith("the disk is full");
    assertThat(sentence(new OutOfMemoryError("Java heap space"))).contains("JAVA_OPTS");
    assertThat(sentence(new AccessDeniedException("a.pseed"))).contains("permissions");
    assertThat(sentence(new NoSuchFileException("a.onnx"))).contains("no such file");
    assertThat(sentence(new IOException("two\n  lines"))).isEqualTo("two lines");
    assertThat(sentence(new IllegalStateException("odd"))).contains("--stacktrace");
  }

  /** The system names no file when a disk is full; the writer does. */
  @Test
  @EnabledOnOs(OS.LINUX)
  void aFullDiskNamesTheFile(@TempDir Path dir) throws Exception {
    Path source = TinyModels.safetensors(dir.resolve("source.safetensors"), 4, 64);
    Path target = dir.resolve("target.pseed");
    String command =
        String.format(
            "ulimit -f 8; exec '%s' -XX:-UsePerfData -cp '%s' %s convert '%s' -o '%s' --quiet",
            Path.of(System.getProperty("java.home"), "bin", "java"),
            System.getProperty("java.class.path"),
            PseedCommand.class.getName(),
            source,
            target);
    Process limited =
        new ProcessBuilder("bash", "-c", command)
            .redirectOutput(ProcessBuilder.Redirect.DISCARD)
            .redirectError(dir.resolve("err.txt").toFile())
            .start();
    assertThat(limited.waitFor(60, TimeUnit.SECONDS)).isTrue();
    assertThat(limited.exitValue()).isBetween(1, 127);
    assertThat(Files.readString(dir.resolve("err.txt")))
        .startsWith("pseed: the disk is full; free some space and run the same command again")
        .contains("target.pseed: cannot write target.pseed.part: File too large")
        .hasLineCount(1);
    assertThat(target).doesNotExist();
    assertThat(dir.resolve("target.pseed.part")).doesNotExist();
    assertThat(dir.resolve("target.pseed.part.journal")).doesNotExist();
  }

  /** Names of tensors come from files that strangers made. */
  @Test
  void nothingInANameMovesTheCursor() {
    String evil = "\u001b]0;title\u0007\u001b[2J\u202egnp\u009b1m\r\nok";
    assertThat(sentence(new IOException("m.pseed: tensor '" + evil + "' is odd")))
        .isEqualTo(
            "m.pseed: tensor '\\u001b]0;title\\u0007\\u001b[2J\\u202egnp\\u009b1m ok' is odd");
    assertThat(sentence(new IOException("a" + "b".repeat(1_000_000) + "c")))
        .hasSizeLessThan(2100)
        .startsWith("abb")
        .contains("(1000002 characters)")
        .endsWith("bbc");
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    PrintStream stream = new PrintStream(out, true, StandardCharsets.UTF_8);
    Console console = new Console(stream, stream, false);
    console.line("%s", evil);
    console.say(evil);
    Table table = new Table("<tensor");
    table.row(evil);
    table.print(console::text);
    assertThat(out.toString(StandardCharsets.UTF_8)).doesNotContain("\u001b", "\u009b", "\u202e");
  }

  @Test
  void sizesAreReadAndWritten() {
    Converters.Size sizes = new Converters.Size();
    assertThat(sizes.convert("8MB")).isEqualTo(8_000_000);
    assertThat(sizes.convert("7.5 MiB")).isEqualTo(7_864_320);
    assertThat(sizes.convert("1kb")).isEqualTo(1_000);
    assertThat(sizes.convert("1KiB")).isEqualTo(1_024);
    assertThat(sizes.convert("12345")).isEqualTo(12_345);
    for (String bad : new String[] {"", "MB", "-1MB", "0", "1e9", "8 TB!", "99999999999999GB"}) {
      assertThatThrownBy(() -> sizes.convert(bad)).isInstanceOf(TypeConversionException.class);
    }
    assertThat(Units.bytes(999)).isEqualTo("999 B");
    assertThat(Units.bytes(11_584_220)).isEqualTo("11.58 MB");
    assertThat(Units.bytes(133_400)).isEqualTo("133.4 KB");
    assertThat(Units.bytes(999_960)).isEqualTo("1.00 MB");
    assertThat(Units.time(59.94)).isEqualTo("59.9 s");
    assertThat(Units.time(200)).isEqualTo("3 min 20 s");
  }
}
