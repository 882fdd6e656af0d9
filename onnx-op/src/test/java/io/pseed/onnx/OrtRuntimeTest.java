package io.pseed.onnx;

import static org.assertj.core.api.Assertions.assertThat;

import ai.onnxruntime.OrtEnvironment;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

/** ONNX Runtime starts on threads that are too small for it. */
class OrtRuntimeTest {
  /** In a process of its own: an environment is made once. */
  static final class Child {
    private Child() {}

    public static void main(String[] args) {
      System.out.println(OrtRuntime.environment() == OrtEnvironment.getEnvironment());
    }
  }

  @Test
  void itStartsOnASmallStack() throws Exception {
    Process child =
        new ProcessBuilder(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-Xss400k",
                "-cp",
                System.getProperty("java.class.path"),
                Child.class.getName())
            .redirectErrorStream(true)
            .start();
    String said = new String(child.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    assertThat(child.waitFor(60, TimeUnit.SECONDS)).isTrue();
    assertThat(child.exitValue()).as(said).isZero();
    assertThat(said).contains("true");
  }

  @Test
  void anInterruptedThreadStaysInterrupted() {
    Thread.currentThread().interrupt();
    assertThat(OrtRuntime.environment()).isNotNull();
    assertThat(Thread.interrupted()).isTrue();
  }
}
