package io.pseed.converter.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.InputStream;
import java.net.Proxy;
import java.net.URI;
import java.net.URL;
import java.net.URLConnection;
import java.net.URLStreamHandler;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * The commands ask for no connection, nor do the libraries that they use: in a process of its own,
 * whose every connection to a URL is noted. (That our own classes do not is a rule of {@code
 * TrustRulesTest}.)
 */
class OfflineTest {
  @TempDir Path dir;

  /** The child's main class. */
  static final class Commands {
    private static final List<String> ASKED = Collections.synchronizedList(new ArrayList<>());

    private Commands() {}

    public static void main(String[] args) throws IOException {
      // Below whatever a library does about proxies.
      URL.setURLStreamHandlerFactory(
          protocol -> protocol.startsWith("http") || protocol.equals("ftp") ? new Noting() : null);
      Path folder = Path.of(args[0]);
      Path model = TinyModels.onnx(folder.resolve("m.onnx"), 1);
      Path pseed = folder.resolve("m.pseed");
      Object[][] commands = {
        {"convert", model, "-o", pseed, "--report", folder.resolve("r.html")},
        {"inspect", pseed},
        {"verify", model, pseed},
        {"export", pseed, "--onnx", folder.resolve("e.onnx")},
        {"export", pseed, "--safetensors", folder.resolve("e.safetensors")}
      };
      for (Object[] command : commands) {
        Outcome outcome = Outcome.of(command);
        System.out.println(command[0] + " " + outcome.code() + " " + outcome.err());
      }
      try {
        URI.create("http://pseed.invalid/").toURL().openStream().close();
      } catch (IOException | RuntimeException e) {
        System.out.println("the last one is the test's own");
      }
      System.out.println("asked " + ASKED);
    }
  }

  /** Notes what is asked for, and has no connection. */
  private static final class Noting extends URLStreamHandler {
    @Override
    protected URLConnection openConnection(URL url) throws IOException {
      Commands.ASKED.add(url.toString());
      throw new IOException("no connection to " + url);
    }

    @Override
    protected URLConnection openConnection(URL url, Proxy proxy) throws IOException {
      return openConnection(url);
    }
  }

  @Test
  void noCommandAsksForAConnection() throws Exception {
    // Texts are among what a model with a tokenizer is calibrated with: the library is used.
    try (InputStream in = getClass().getResourceAsStream("/all-minilm-l6-v2-tokenizer.json")) {
      Files.copy(in, dir.resolve("tokenizer.json"));
    }
    Path log = dir.resolve("log.txt");
    Process child =
        new ProcessBuilder(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-cp",
                System.getProperty("java.class.path"),
                Commands.class.getName(),
                dir.toString())
            .redirectErrorStream(true)
            .redirectOutput(log.toFile())
            .start();
    assertThat(child.waitFor(180, TimeUnit.SECONDS)).isTrue();
    String said = Files.readString(log);
    assertThat(child.exitValue()).as(said).isZero();
    assertThat(said)
        .contains("texts are cut by")
        .contains("convert 0", "inspect 0", "verify 0", "export 0")
        .doesNotContain("export 1", "verify 1")
        .endsWith("asked [http://pseed.invalid/]" + System.lineSeparator());
  }
}
