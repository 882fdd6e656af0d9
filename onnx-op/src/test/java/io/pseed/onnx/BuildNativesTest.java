package io.pseed.onnx;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assumptions.assumeThat;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.DisabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;

/** The step of the build that packs native libraries, on a project of one line. */
@DisabledOnOs(OS.WINDOWS)
class BuildNativesTest {
  private static final String PLATFORM =
      PackedLibraries.platform(System.getProperty("os.name"), System.getProperty("os.arch"));

  @TempDir Path dir;

  /** What a run printed, and its exit code. */
  private record Run(int code, String words) {}

  @Test
  void buildsPacksAndBuildsOnlyWhatChanged() throws Exception {
    project("int answer() { return 42; }\n");
    Run first = run("host", System.getenv("PATH"));
    assumeThat(first.words()).as("the tools").doesNotContain("no native library in the jar");
    assertThat(first.code()).as(first.words()).isZero();
    assertThat(first.words()).contains("pseed: native library " + PLATFORM + "/");
    List<Path> packed = files(packed());
    assertThat(packed).hasSize(3);
    List<Path> libraries = packed.stream().filter(f -> !f.endsWith("SHA256SUMS")).sorted().toList();
    StringBuilder sums = new StringBuilder();
    for (Path library : libraries) {
      byte[] bytes = Files.readAllBytes(library);
      sums.append(HexFormat.of().formatHex(PackedLibraries.sha256().digest(bytes)))
          .append("  " + PLATFORM + "/" + library.getFileName() + "\n");
      assertThat(dir.resolve("target/native-host").resolve(library.getFileName()))
          .as("the plain file")
          .hasBinaryContent(bytes);
    }
    assertThat(packed().resolve("SHA256SUMS")).hasContent(sums.toString());
    for (NativeLibrary kind : NativeLibrary.values()) {
      PackedLibraries.Library library =
          new PackedLibraries(kind, name -> Files.newInputStream(packed().resolve(name)), PLATFORM)
              .library();
      assertThat(kind.isNamed(library.name())).isTrue();
      assertThat(libraries).contains(packed().resolve(PLATFORM).resolve(library.name()));
    }
    Path library = libraries.get(0);
    byte[] bytes = Files.readAllBytes(library);

    Path object;
    try (Stream<Path> files = Files.walk(dir.resolve("target/native-host"))) {
      object = files.filter(f -> f.toString().endsWith(".o")).findFirst().orElseThrow();
    }
    FileTime compiled = Files.getLastModifiedTime(object);
    FileTime older = FileTime.from(Instant.parse("2020-01-01T00:00:00Z"));
    for (Path file : packed) {
      Files.setLastModifiedTime(file, older);
    }
    Path stranger =
        Files.createDirectories(packed().resolve("other-x64")).resolve("libpseed_ort.so");
    Files.writeString(stranger, "of an older build");
    assertThat(run("host", System.getenv("PATH")).code()).isZero();
    assertThat(Files.getLastModifiedTime(object)).isEqualTo(compiled);
    assertThat(library).hasBinaryContent(bytes);
    assertThat(packed)
        .as("equal files are left alone, so that Maven packs nothing and compiles nothing")
        .allSatisfy(file -> assertThat(Files.getLastModifiedTime(file)).isEqualTo(older));
    assertThat(stranger.getParent()).doesNotExist();

    Files.writeString(dir.resolve("cpp/ort/op.cpp"), "this is no C++\n");
    Run broken = run("host", System.getenv("PATH"));
    assertThat(broken.code()).isEqualTo(1);
    assertThat(broken.words())
        .contains("pseed: the native library does not build:", "op.cpp", "error");

    assertThat(run("none", System.getenv("PATH")).code()).isZero();
    assertThat(packed()).doesNotExist();
  }

  @Test
  void withoutToolsTheBuildGoesOnAndSaysSo() throws Exception {
    project("int answer() { return 42; }\n");
    Files.createDirectories(packed().resolve("old"));
    Run run = run("host", Files.createDirectory(dir.resolve("bin")).toString());
    assertThat(run.code()).as(run.words()).isZero();
    assertThat(run.words())
        .contains("pseed: no native library in the jar: there is no CMake")
        .contains(
            "models load and are coded without, only more slowly; see 'The native"
                + " library' in docs/hosts.md");
    assertThat(packed()).as("nothing of an older build").doesNotExist();
  }

  @Test
  void withoutCompilerTheBuildGoesOnAndSaysSo() throws Exception {
    project("int answer() { return 42; }\n");
    Path cmake = tool("cmake");
    assumeThat(cmake).as("cmake").isNotNull();
    Path bin = Files.createDirectory(dir.resolve("bin"));
    Files.createSymbolicLink(bin.resolve("cmake"), cmake);
    Path make = tool("make");
    assumeThat(make).as("make").isNotNull();
    Files.createSymbolicLink(bin.resolve("make"), make);
    Run run = run("host", bin.toString());
    assertThat(run.code()).as(run.words()).isZero();
    assertThat(run.words())
        .contains("pseed: no native library in the jar: there is no C++ compiler");
  }

  @Test
  void aReleaseHoldsEveryPlatformAsItIsNow() throws Exception {
    project("int answer() { return 42; }\n");
    Path natives = dir.resolve("target/natives");
    for (String library :
        List.of(
            "linux-aarch64/libpseed_jni.so",
            "linux-x64/libpseed_jni.so",
            "linux-x64/libpseed_ort.so",
            "windows-x64/pseed_jni.dll",
            "windows-x64/pseed_ort.dll")) {
      Files.createDirectories(natives.resolve(library).getParent());
      Files.writeString(natives.resolve(library), library);
    }
    Run missing = run("all", System.getenv("PATH"));
    assertThat(missing.code()).isEqualTo(1);
    Path arm = natives.resolve("linux-aarch64/libpseed_ort.so");
    assertThat(missing.words())
        .contains(arm + " is missing; run .ci/natives (after 'mvn clean', not before it)");

    Files.createDirectories(arm.getParent());
    Files.writeString(arm, "arm");
    Files.setLastModifiedTime(arm, FileTime.from(Instant.now().minusSeconds(3600)));
    Run stale = run("all", System.getenv("PATH"));
    assertThat(stale.code()).isEqualTo(1);
    assertThat(stale.words()).contains(arm + " is older than " + dir.resolve("cpp"));

    Files.setLastModifiedTime(arm, FileTime.from(Instant.now().plusSeconds(5)));
    assertThat(run("all", System.getenv("PATH")).code()).isZero();
    assertThat(Files.readAllLines(packed().resolve("SHA256SUMS")))
        .extracting(line -> line.substring(66))
        .containsExactly(
            "linux-aarch64/libpseed_jni.so",
            "linux-aarch64/libpseed_ort.so",
            "linux-x64/libpseed_jni.so",
            "linux-x64/libpseed_ort.so",
            "windows-x64/pseed_jni.dll",
            "windows-x64/pseed_ort.dll");
    PackedLibraries jar =
        new PackedLibraries(
            NativeLibrary.OP,
            name -> Files.newInputStream(packed().resolve(name)),
            "linux-aarch64");
    assertThat(jar.bytes(jar.library())).asString(StandardCharsets.US_ASCII).isEqualTo("arm");
  }

  @Test
  void otherWordsAreRefused() throws Exception {
    project("");
    Run run = run("some", System.getenv("PATH"));
    assertThat(run.code()).isEqualTo(1);
    assertThat(run.words())
        .contains("pseed: -Dpseed.natives is 'some', expected host, all or none");
  }

  private void project(String source) throws IOException {
    Files.createDirectories(dir.resolve("cpp/ort"));
    Files.writeString(
        dir.resolve("cpp/CMakeLists.txt"),
        """
        cmake_minimum_required(VERSION 3.18)
        project(p LANGUAGES CXX)
        add_library(pseed_ort SHARED ort/op.cpp)
        add_library(pseed_jni SHARED ort/op.cpp)
        """);
    Files.writeString(dir.resolve("cpp/ort/op.cpp"), source);
  }

  private Run run(String what, String path) throws Exception {
    List<String> command = new ArrayList<>();
    command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    command.add(Path.of("src/build/BuildNatives.java").toAbsolutePath().toString());
    command.add(what);
    for (String folder : List.of("cpp", "target", "classes")) {
      command.add(dir.resolve(folder).toString());
    }
    ProcessBuilder builder = new ProcessBuilder(command).redirectErrorStream(true);
    builder.environment().put("PATH", path);
    builder.environment().remove("CXX");
    Process process = builder.start();
    String words = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    return new Run(process.waitFor(), words);
  }

  private Path packed() {
    return dir.resolve("classes/io/pseed/onnx/native");
  }

  private static Path tool(String name) {
    for (String folder : System.getenv("PATH").split(":", -1)) {
      if (!folder.isEmpty() && Files.isExecutable(Path.of(folder, name))) {
        return Path.of(folder, name).toAbsolutePath();
      }
    }
    return null;
  }

  private static List<Path> files(Path folder) throws IOException {
    try (Stream<Path> files = Files.walk(folder)) {
      return files.filter(Files::isRegularFile).toList();
    }
  }
}
