package io.pseed.dist;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.zip.CRC32;
import java.util.zip.ZipEntry;
import java.util.zip.ZipFile;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The archives, as somebody has them who has downloaded one. */
class DistributionIT {
  private static final Path ARCHIVE = Path.of(System.getProperty("pseed.archive"));
  private static final String ROOT = "pseed-" + System.getProperty("pseed.version");
  private static final Path MODELS =
      Path.of("..", "maven-plugin", "src", "it", "models").toAbsolutePath();
  private static final boolean WINDOWS =
      System.getProperty("os.name").toLowerCase(Locale.ROOT).startsWith("windows");

  // A name with a blank, as folders of users have it.
  @TempDir static Path unpacked;
  @TempDir Path dir;

  private record Outcome(int code, String out, String err) {}

  @BeforeAll
  static void unpack() throws Exception {
    unpacked = Files.createDirectory(unpacked.resolve("my programs"));
    Path tar = Path.of(ARCHIVE + ".tar.gz").toAbsolutePath();
    Process process =
        new ProcessBuilder("tar", "-xzf", tar.toString()).directory(unpacked.toFile()).start();
    assertThat(process.waitFor()).isZero();
  }

  private Outcome run(Map<String, String> environment, Object... words) throws Exception {
    List<String> command = new ArrayList<>();
    for (Object word : words) {
      command.add(word.toString());
    }
    Path out = dir.resolve("out.txt");
    Path err = dir.resolve("err.txt");
    ProcessBuilder builder = new ProcessBuilder(command).directory(dir.toFile());
    builder.environment().put("JAVA_HOME", System.getProperty("java.home"));
    builder.environment().putAll(environment);
    Process process = builder.redirectOutput(out.toFile()).redirectError(err.toFile()).start();
    if (!process.waitFor(120, TimeUnit.SECONDS)) {
      process.destroyForcibly();
      throw new AssertionError(command + " did not end");
    }
    return new Outcome(process.exitValue(), Files.readString(out), Files.readString(err));
  }

  private static Path launcher() {
    return unpacked.resolve(ROOT).resolve("bin").resolve(WINDOWS ? "pseed.cmd" : "pseed");
  }

  @Test
  void itExplainsItselfAndConverts() throws Exception {
    Outcome help = run(Map.of(), launcher(), "--help");
    assertThat(help.code()).as(help.err()).isZero();
    assertThat(help.out()).startsWith("Usage: pseed COMMAND");
    assertThat(run(Map.of(), launcher(), "--version").out())
        .startsWith("pseed " + System.getProperty("pseed.version"));

    Path model = Files.copy(MODELS.resolve("tiny.onnx"), dir.resolve("a model.onnx"));
    Outcome convert = run(Map.of(), launcher(), "convert", model);
    assertThat(convert.code()).as(convert.err()).isZero();
    Path pseed = dir.resolve("a model.pseed");
    Outcome verify = run(Map.of(), launcher(), "verify", model, pseed);
    assertThat(verify.code()).as(verify.err()).isZero();
    Path onnx = dir.resolve("small.onnx");
    assertThat(run(Map.of(), launcher(), "export", pseed, "--onnx", onnx).code()).isZero();
    assertThat(onnx).isNotEmptyFile();
    assertThat(run(Map.of(), launcher(), "inspect", dir.resolve("none.pseed")).code()).isEqualTo(1);
    assertThat(run(Map.of(), launcher(), "convrt").code()).isEqualTo(2);
  }

  @Test
  void theLauncherWorksThroughLinksAndSaysWhatIsMissing() throws Exception {
    assumeTrue(!WINDOWS, "links and a Java that is a script: Unix only");
    Path link = Files.createSymbolicLink(dir.resolve("pseed"), launcher());
    assertThat(run(Map.of(), link, "--version").out()).startsWith("pseed ");
    Outcome options = run(Map.of("JAVA_OPTS", "-Xmx1g -Dx=y"), launcher(), "--version");
    assertThat(options.code()).as(options.err()).isZero();

    Outcome none = run(Map.of("JAVA_HOME", "/no/such"), launcher(), "--version");
    assertThat(none.code()).isEqualTo(1);
    assertThat(none.err())
        .isEqualTo(
            "pseed: Java 17 or newer is missing: there is no /no/such/bin/java; install one, or"
                + " set JAVA_HOME to its folder\n");
    Path old = Files.createDirectories(dir.resolve("old/bin")).resolve("java");
    Files.writeString(old, "#!/bin/sh\necho 'openjdk version \"11.0.2\" 2019-01-15' >&2\n");
    Files.setPosixFilePermissions(old, PosixFilePermissions.fromString("rwxr-xr-x"));
    Outcome eleven = run(Map.of("JAVA_HOME", dir.resolve("old").toString()), launcher(), "-V");
    assertThat(eleven.code()).isEqualTo(1);
    assertThat(eleven.err()).contains("Java 17 or newer is needed", "is version 11;");

    Path alone = Files.createDirectories(dir.resolve("alone/bin")).resolve("pseed");
    Files.copy(launcher(), alone);
    Files.setPosixFilePermissions(alone, PosixFilePermissions.fromString("rwxr-xr-x"));
    assertThat(run(Map.of(), alone, "-V").err())
        .contains("lib is missing; unpack the whole archive");
  }

  @Test
  void theLaunchersHaveTheLinesOfTheirSystems() throws IOException {
    Path bin = unpacked.resolve(ROOT).resolve("bin");
    assertThat(Files.readString(bin.resolve("pseed"))).doesNotContain("\r");
    String windows = Files.readString(bin.resolve("pseed.cmd"));
    assertThat(windows.replace("\r\n", "")).doesNotContain("\n").doesNotContain("\r");
  }

  @Test
  void zipAndTarHoldTheSame() throws IOException {
    Map<String, Long> zipped = new TreeMap<>();
    try (ZipFile zip = new ZipFile(ARCHIVE + ".zip", StandardCharsets.UTF_8)) {
      for (ZipEntry entry : zip.stream().filter(entry -> !entry.isDirectory()).toList()) {
        zipped.put(entry.getName(), entry.getCrc());
      }
    }
    Map<String, Long> untarred = new TreeMap<>();
    try (var files = Files.walk(unpacked.resolve(ROOT))) {
      for (Path file : files.filter(Files::isRegularFile).toList()) {
        CRC32 crc = new CRC32();
        try (InputStream in = Files.newInputStream(file)) {
          byte[] buffer = new byte[1 << 16];
          for (int n = in.read(buffer); n >= 0; n = in.read(buffer)) {
            crc.update(buffer, 0, n);
          }
        }
        untarred.put(unpacked.relativize(file).toString().replace('\\', '/'), crc.getValue());
      }
    }
    assertThat(zipped).isEqualTo(untarred);
    assertThat(zipped)
        .containsKeys(ROOT + "/README.txt", ROOT + "/LICENSE", ROOT + "/THIRD-PARTY.txt");
  }

  @Test
  void everyLibraryIsTheWorkOfSomebodyWhoIsNamed() throws IOException {
    String named = Files.readString(unpacked.resolve(ROOT).resolve("THIRD-PARTY.txt"));
    assertThat(named).as("what is ours is no third party's").doesNotContain("io.pseed");
    try (var files = Files.list(unpacked.resolve(ROOT).resolve("lib"))) {
      for (Path file : files.toList()) {
        String name = file.getFileName().toString().replaceAll("-\\d.*", "");
        if (!name.startsWith("pseed-")) {
          assertThat(named).contains(":" + name + ":");
        }
        assertThat(name).doesNotContain("junit", "archunit", "jqwik", "assertj");
      }
    }
  }

  /** A module that has a jar is in the BOM, and, where the command may need it, in the archive. */
  @Test
  void theBomHasEveryModule() throws IOException {
    String bom = Files.readString(Path.of("..", "bom", "pom.xml"));
    String address = "(?s).*<pseed.address>([^<]*)</pseed.address>.*";
    String parent = Files.readString(Path.of("..", "pom.xml"));
    assertThat(bom.replaceFirst(address, "$1")).isEqualTo(parent.replaceFirst(address, "$1"));
    Matcher module =
        Pattern.compile("<module>([^<]+)</module>")
            .matcher(parent.substring(0, parent.indexOf("<profiles>")));
    TreeSet<String> missing = new TreeSet<>();
    while (module.find()) {
      String pom = Files.readString(Path.of("..", module.group(1), "pom.xml"));
      Matcher artifact =
          Pattern.compile("</parent>\\s*<artifactId>([^<]+)</artifactId>").matcher(pom);
      boolean isPublished =
          !pom.contains("<packaging>pom") && !pom.contains("<maven.deploy.skip>true");
      if (artifact.find() && isPublished && !bom.contains(">" + artifact.group(1) + "<")) {
        missing.add(artifact.group(1));
      }
    }
    assertThat(missing).as("modules that bom/pom.xml does not list").isEmpty();
  }
}
