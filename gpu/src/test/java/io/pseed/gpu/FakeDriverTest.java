package io.pseed.gpu;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.File;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/**
 * The whole of this module above a driver, in processes that load {@code fake_driver.cpp} for
 * libcuda: the kernels run on the host. Needs CMake and a C++ compiler on Linux.
 */
class FakeDriverTest {
  private static final Path FOLDER = Path.of("target", "fake-driver").toAbsolutePath();
  private static final String REPORT =
      "left: contexts 0 events 0 memory 0 modules 0 pinned 0 streams 0";

  @BeforeAll
  static void build() throws Exception {
    String system = System.getProperty("os.name") + " " + System.getProperty("os.arch");
    skipUnless(system.equals("Linux amd64"), "JCuda's library for " + system + " is not packed");
    skipUnless(has("cmake") && (has("c++") || has("g++")), "CMake or a C++ compiler is not here");
    Path source = Path.of("src", "test", "cpp").toAbsolutePath();
    run(Map.of(), List.of("cmake", "-S", source.toString(), "-B", FOLDER.toString()));
    Said built =
        run(Map.of(), List.of("cmake", "--build", FOLDER.toString(), "--target", "fake_driver"));
    assertThat(built.code()).as(built.text()).isZero();
  }

  private static void skipUnless(boolean there, String reason) {
    if (!there) {
      System.out.println("SKIPPED: the module on a driver of tests: " + reason);
    }
    assumeTrue(there, reason);
  }

  private static boolean has(String command) {
    for (String folder : System.getenv("PATH").split(File.pathSeparator, -1)) {
      if (Files.isExecutable(Path.of(folder, command))) {
        return true;
      }
    }
    return false;
  }

  private record Said(int code, String text) {}

  private static Said run(Map<String, String> environment, List<String> command)
      throws IOException, InterruptedException {
    ProcessBuilder builder = new ProcessBuilder(command).redirectErrorStream(true);
    builder.environment().putAll(environment);
    Process process = builder.start();
    String text = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    assertThat(process.waitFor(10, TimeUnit.MINUTES)).isTrue();
    return new Said(process.exitValue(), text);
  }

  /** Runs {@link DeviceCheck} on the driver of tests. */
  private static Said check(String pretends, String... words)
      throws IOException, InterruptedException {
    List<String> command = new ArrayList<>();
    command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    command.add("-Xmx1g");
    command.add("-Djava.io.tmpdir=" + System.getProperty("java.io.tmpdir"));
    command.addAll(List.of("-cp", System.getProperty("java.class.path")));
    command.add(DeviceCheck.class.getName());
    command.addAll(List.of(words));
    return run(
        Map.of(
            "LD_LIBRARY_PATH",
            FOLDER.toString(),
            "PSEED_FAKE_DRIVER",
            pretends,
            "PSEED_FAKE_DRIVER_REPORT",
            "1"),
        command);
  }

  @Test
  void searchesGiveTheBytesOfTheCpuAndEverythingIsGivenBack() throws Exception {
    Said said = check("", "small", "search");
    assertThat(said.text()).contains("110 searches equal the CPU's, 0 do not").contains(REPORT);
    assertThat(said.code()).isZero();
  }

  @Test
  void sumsForLayerSeedsHaveTheSameBits() throws Exception {
    Said said = check("", "small", "sums");
    assertThat(said.text()).contains("3 sums equal the CPU's, 0 do not").contains(REPORT);
    assertThat(said.code()).isZero();
    assertThat(check("wrong", "small", "sums").text())
        .contains("0 sums equal the CPU's, 3 do not")
        .contains("finds other sums than the CPU in a test");
  }

  @Test
  void recordsDecodeToTheSameBits() throws Exception {
    for (String pretends : new String[] {"", "small"}) {
      Said said = check(pretends, "decode");
      assertThat(said.text()).contains("48 records equal the CPU's, 0 do not").contains(REPORT);
      assertThat(said.code()).isZero();
    }
  }

  @Test
  void littleSharedMemoryAndADeviceThatOthersUseGiveTheSame() throws Exception {
    Said said = check("small,oom", "small", "search");
    assertThat(said.text()).contains("110 searches equal the CPU's, 0 do not").contains(REPORT);
  }

  @Test
  void aDriverThatComputesWronglyIsNotTrusted() throws Exception {
    assertThat(check("wrong", "small", "search").text())
        .contains("0 searches equal the CPU's, 110 do not")
        .contains("finds other seeds than the CPU in a test (L = 10, k = 1)")
        .contains("its driver or its memory is not to be trusted");
  }

  @Test
  void launchesThatFailAreTold() throws Exception {
    Said said = check("fail", "small", "search");
    assertThat(said.text()).contains("failed at cuLaunchKernel: CUDA_ERROR_LAUNCH_FAILED");
    assertThat(said.code()).isEqualTo(1);
  }

  @Test
  void whatIsMissingIsASentence() throws Exception {
    assertThat(check("old").text())
        .contains("the NVIDIA driver is too old: it is made for CUDA 11.8, 12.0 is needed");
    assertThat(check("none").text()).contains("the NVIDIA driver finds no device");
    Said ancient = check("ancient");
    assertThat(ancient.text()).contains("compute 7.0").contains("SKIPPED");
    assertThat(ancient.code()).isEqualTo(3);
  }

  @Test
  void theBenchRuns() throws Exception {
    Said said = check("", "bench", "tiny", "quick");
    assertThat(said.text())
        .contains("| data-free, 1 x 64 rows | 16 | 4 |")
        .contains("| LDLQ, weighted, 2 x 4 rows | 12 | 4 |")
        .contains("| 38 matrices at once | 12 | 4 |")
        .contains("| to BF16 | 16 |")
        .contains(REPORT);
    assertThat(said.code()).isZero();
  }
}
