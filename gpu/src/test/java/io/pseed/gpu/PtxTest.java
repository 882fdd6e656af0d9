package io.pseed.gpu;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import jcuda.nvptxcompiler.JNvPTXCompiler;
import jcuda.nvptxcompiler.nvPTXCompilerHandle;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** The PTX in the jar: made of these sources, and good for all devices from compute 7.5 on. */
class PtxTest {
  private static final PtxBuild BUILD = new PtxBuild(Path.of(""));

  static List<Path> sources() throws IOException {
    return BUILD.sources();
  }

  @ParameterizedTest
  @MethodSource("sources")
  void textIsOfTheseSources(Path source) throws IOException {
    String text = Files.readString(BUILD.text(source));
    assertThat(PtxBuild.digestOf(text))
        .as("%s is older than its sources; run gpu/build-ptx", BUILD.text(source))
        .contains(BUILD.digest(source));
    assertThat(text.lines().filter(line -> line.startsWith(".version")))
        .containsExactly(".version " + PtxBuild.VERSION);
    assertThat(text.lines().filter(line -> line.startsWith(".target")))
        .containsExactly(".target sm_75");
    // A fused product rounds once where Java rounds twice.
    assertThat(text).doesNotContain("fma.rn.f");
  }

  @ParameterizedTest
  @MethodSource("sources")
  void nvccMakesTheSameText(Path source) throws Exception {
    String text = Files.readString(BUILD.text(source));
    String compiler = PtxBuild.compilerOf(text).orElseThrow();
    String here = nvcc();
    skipUnless(!here.isEmpty(), "nvcc, of the CUDA toolkit, is not here");
    String release = compiler.replaceAll(".*release ([0-9.]+), (V[0-9.]+).*", "$2");
    skipUnless(
        here.contains(release), "the texts were made by nvcc " + release + ", here is another");
    assertThat(BUILD.build(source)).isEqualTo(text);
  }

  static Stream<Object[]> assembled() throws IOException {
    return BUILD.sources().stream()
        .flatMap(
            source -> Stream.of("sm_75", "sm_90").map(device -> new Object[] {source, device}));
  }

  @ParameterizedTest
  @MethodSource("assembled")
  void textAssembles(Path source, String device) throws IOException {
    String system = System.getProperty("os.name") + " " + System.getProperty("os.arch");
    skipUnless(system.matches("(Linux|Windows.*) amd64"), "there is no PTX compiler for " + system);
    // The only place that loads it; JCuda writes its library to the tests' own folder.
    byte[] ptx = Files.readAllBytes(BUILD.text(source));
    nvPTXCompilerHandle handle = new nvPTXCompilerHandle();
    assertThat(JNvPTXCompiler.nvPTXCompilerCreate(handle, ptx.length, ptx)).isZero();
    try {
      String[] options = {"--gpu-name=" + device};
      int result = JNvPTXCompiler.nvPTXCompilerCompile(handle, options.length, options);
      assertThat(result).as(() -> "for " + device + ": " + log(handle)).isZero();
      long[] size = new long[1];
      assertThat(JNvPTXCompiler.nvPTXCompilerGetCompiledProgramSize(handle, size)).isZero();
      assertThat(size[0]).isGreaterThan(1000);
    } finally {
      JNvPTXCompiler.nvPTXCompilerDestroy(handle);
    }
  }

  private static String log(nvPTXCompilerHandle handle) {
    long[] size = new long[1];
    JNvPTXCompiler.nvPTXCompilerGetErrorLogSize(handle, size);
    byte[] log = new byte[(int) size[0] + 1];
    JNvPTXCompiler.nvPTXCompilerGetErrorLog(handle, log);
    return new String(log, StandardCharsets.UTF_8);
  }

  private static void skipUnless(boolean there, String reason) {
    if (!there) {
      System.out.println("SKIPPED: " + reason);
    }
    assumeTrue(there, reason);
  }

  private static String nvcc() throws InterruptedException {
    try {
      Process process = new ProcessBuilder("nvcc", "--version").redirectErrorStream(true).start();
      String said = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
      return process.waitFor() == 0 ? said : "";
    } catch (IOException e) {
      return "";
    }
  }
}
