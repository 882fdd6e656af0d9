package io.pseed.onnx;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assumptions.assumeThat;

import ai.onnxruntime.OrtEnvironment;
import ai.onnxruntime.OrtException;
import ai.onnxruntime.OrtSession.SessionOptions;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.function.Predicate;
import java.util.logging.Handler;
import java.util.logging.LogRecord;
import java.util.logging.Logger;
import java.util.logging.SimpleFormatter;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.DisabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class PseedOpLibraryTest {
  private static final byte[] LIBRARY = "machine code".getBytes(StandardCharsets.US_ASCII);
  private static final String DIGEST = sha256(LIBRARY);
  private static final String SUMS = DIGEST + "  linux-x64/libpseed_ort.so\n";
  private static final Predicate<Path> EVERYWHERE = Files::exists;

  @TempDir Path dir;

  private final List<String> log = new ArrayList<>();
  private final Handler handler =
      new Handler() {
        @Override
        public void publish(LogRecord entry) {
          log.add(new SimpleFormatter().formatMessage(entry));
        }

        @Override
        public void flush() {}

        @Override
        public void close() {}
      };

  @BeforeEach
  void listen() throws IOException {
    Logger.getLogger("io.pseed.onnx").addHandler(handler);
    Files.createDirectory(dir.resolve("temp"));
  }

  @AfterEach
  void listenNoMore() {
    Logger.getLogger("io.pseed.onnx").removeHandler(handler);
  }

  @ParameterizedTest
  @CsvSource({
    "Linux, amd64, linux-x64",
    "Linux, aarch64, linux-aarch64",
    "Linux, riscv64, linux-riscv64",
    "Windows Server 2025, amd64, windows-x64",
    "Mac OS X, aarch64, macos-aarch64",
    "Mac OS X, x86_64, macos-x64",
    "FreeBSD, amd64, freebsd-x64"
  })
  void platforms(String os, String arch, String expected) {
    assertThat(PackedLibraries.platform(os, arch)).isEqualTo(expected);
  }

  @Test
  @DisabledOnOs(OS.WINDOWS)
  void cacheDirectoriesOfThePlatforms() {
    Map<String, String> nothing = Map.of();
    assertThat(LibraryFolders.cache("Linux", nothing, "/home/a"))
        .contains(Path.of("/home/a/.cache/pseed/native"));
    assertThat(LibraryFolders.cache("Linux", Map.of("XDG_CACHE_HOME", "/c"), "/home/a"))
        .contains(Path.of("/c/pseed/native"));
    assertThat(LibraryFolders.cache("Linux", Map.of("XDG_CACHE_HOME", "c"), "/home/a"))
        .as("relative paths are ignored")
        .contains(Path.of("/home/a/.cache/pseed/native"));
    assertThat(LibraryFolders.cache("Mac OS X", Map.of("XDG_CACHE_HOME", "/c"), "/Users/a"))
        .contains(Path.of("/Users/a/Library/Caches/pseed/native"));
    assertThat(LibraryFolders.cache("Windows 11", Map.of("LOCALAPPDATA", "/l"), "/home/a"))
        .contains(Path.of("/l/pseed/native"));
    assertThat(LibraryFolders.cache("Windows 11", nothing, "/home/a")).isEmpty();
    // What Java says of a user without an entry in the user database.
    assertThat(LibraryFolders.cache("Linux", nothing, "?")).isEmpty();
  }

  @Test
  void unpacksOnceForThisUserOnly() throws Exception {
    Path file = unpacked().path();
    assertThat(file)
        .isEqualTo(cache().resolve("libpseed_ort-" + DIGEST + ".so"))
        .hasBinaryContent(LIBRARY);
    if (LibraryFolders.isPosix(file)) {
      assertThat(permissions(file)).isEqualTo("r-x------");
      for (Path made = cache(); !made.equals(dir); made = made.getParent()) {
        assertThat(permissions(made)).as(made.toString()).isEqualTo("rwx------");
      }
    }
    FileTime old = FileTime.from(Instant.EPOCH);
    Files.setLastModifiedTime(file, old);
    UnpackedLibrary again = unpacked();
    assertThat(again.path()).isEqualTo(file);
    assertThat(again.path()).isEqualTo(file);
    assertThat(Files.getLastModifiedTime(file)).as("not written again").isEqualTo(old);
    assertThat(names(cache())).hasSize(1);
    assertThat(log).isEmpty();
  }

  @Test
  void aChangedFileIsReplacedAtTheNextCall() throws Exception {
    UnpackedLibrary library = unpacked();
    Path file = library.path();
    Files.delete(file);
    Files.write(file, "machine kode".getBytes(StandardCharsets.US_ASCII));
    assertThat(library.path()).isEqualTo(file).hasBinaryContent(LIBRARY);
    Files.delete(file);
    Files.write(file, new byte[0]);
    assertThat(unpacked().path()).isEqualTo(file).hasBinaryContent(LIBRARY);
  }

  @Test
  @DisabledOnOs(OS.WINDOWS)
  void aFileThatOthersMayWriteIsReplaced() throws Exception {
    Path file = unpacked().path();
    Files.setPosixFilePermissions(file, PosixFilePermissions.fromString("rwxrwxr-x"));
    unpacked().path();
    assertThat(permissions(file)).isEqualTo("r-x------");
  }

  @Test
  @DisabledOnOs(OS.WINDOWS)
  void aPlantedLinkIsReplacedAndNotFollowed() throws Exception {
    Path file = unpacked().path();
    // The same bytes: the link alone is reason enough.
    Path elsewhere = Files.write(dir.resolve("elsewhere.so"), LIBRARY);
    Files.delete(file);
    Files.createSymbolicLink(file, elsewhere);
    assertThat(unpacked().path()).isEqualTo(file);
    assertThat(Files.isRegularFile(file, LinkOption.NOFOLLOW_LINKS)).isTrue();
    assertThat(elsewhere).hasBinaryContent(LIBRARY);
  }

  @Test
  @DisabledOnOs(OS.WINDOWS)
  void foldersThatOthersCouldChangeAreNotUsed() throws Exception {
    Files.createDirectories(cache());
    Path real = cache().toRealPath();
    Files.setPosixFilePermissions(real, PosixFilePermissions.fromString("rwxrwx---"));
    assertFresh(unpacked(), cache() + ": " + real + " can be written by other users");

    Files.setPosixFilePermissions(real, PosixFilePermissions.fromString("rwx------"));
    Path above = real.getParent().getParent();
    Files.setPosixFilePermissions(above, PosixFilePermissions.fromString("rwxr-xrwx"));
    assertFresh(unpacked(), cache() + ": " + above + " can be written by other users");
    // As /tmp: others may add, but not rename or delete.
    Files.setAttribute(above, "unix:mode", 01777);
    assertThat(unpacked().path()).startsWith(cache());

    Files.move(real, dir.resolve("moved"));
    Files.createSymbolicLink(cache(), dir.resolve("moved"));
    assertFresh(unpacked(), cache() + ": it is a symbolic link");
  }

  @Test
  void aFolderThatCannotBeMadeIsToldOnce() throws Exception {
    Path file = Files.writeString(dir.resolve("file"), "");
    UnpackedLibrary library =
        new UnpackedLibrary(
            packed(SUMS, "linux-x64"),
            new LibraryFolders(
                Optional.of(file.resolve("pseed")), dir.resolve("temp"), EVERYWHERE));
    assertFresh(library, file.resolve("pseed") + ": ");
    Path first = library.path();
    log.clear();
    assertThat(library.path()).isEqualTo(first);
    assertThat(log).isEmpty();
  }

  @Test
  void withoutCacheDirectory() throws Exception {
    UnpackedLibrary library =
        new UnpackedLibrary(
            packed(SUMS, "linux-x64"),
            new LibraryFolders(Optional.empty(), dir.resolve("temp"), EVERYWHERE));
    assertFresh(library, "because the user has no cache directory");
  }

  @Test
  void whereNativeCodeCannotBeLoadedTheOtherPlaceIsTried() throws Exception {
    Predicate<Path> notInTheCache = file -> !file.startsWith(cache());
    assertFresh(
        unpacked(notInTheCache),
        cache() + ": native code cannot be loaded from there (mounted noexec?)");
    assertThatThrownBy(() -> unpacked(file -> false).path())
        .isInstanceOf(OpLibraryException.class)
        .hasMessageStartingWith(
            "there is no folder from which the native library can be loaded (" + cache() + ": ")
        .hasMessageContaining(dir.resolve("temp").toRealPath().resolve("pseed-").toString())
        .hasMessageEndingWith(
            "; unpack it yourself and name it with -Dio.pseed.onnx.library=FILE, or do without: a"
                + " model exported by 'pseed export --onnx' loads without it, only more slowly");
  }

  @Test
  void whatCannotBeReplacedIsNotUsed() throws Exception {
    // As a library that is in use on Windows: the file cannot be renamed over it.
    Path inTheWay = cache().resolve("libpseed_ort-" + DIGEST + ".so");
    Files.createDirectories(inTheWay.resolve("x"));
    assertFresh(unpacked(), cache() + ": ");
    assertThat(names(cache())).containsExactly(inTheWay.getFileName().toString());
  }

  @Test
  void whatAKilledProcessLeftIsDeletedLater() throws Exception {
    Files.createDirectories(cache());
    Path old = Files.writeString(cache().resolve("libpseed_ort-0.so.1.part"), "half");
    Path young = Files.writeString(cache().resolve("libpseed_ort-0.so.2.part"), "half");
    Files.setLastModifiedTime(old, FileTime.from(Instant.now().minusSeconds(100_000)));
    unpacked().path();
    assertThat(old).doesNotExist();
    assertThat(young).exists();
  }

  @Test
  void processesThatUnpackAtOnceShareOneFile() throws Exception {
    List<Process> processes = new ArrayList<>();
    for (int i = 0; i < 4; i++) {
      processes.add(child(cache()));
    }
    for (Process process : processes) {
      assertThat(output(process)).endsWith("libpseed_ort-" + DIGEST + ".so");
    }
    assertThat(names(cache())).hasSize(1);
  }

  @Test
  void aFreshFolderIsGoneWhenTheProgramEnds() throws Exception {
    Path file = Files.writeString(dir.resolve("file"), "");
    assertThat(output(child(file.resolve("pseed")))).startsWith(dir.resolve("temp").toString());
    assertThat(names(dir.resolve("temp"))).isEmpty();
  }

  /** Unpacks into the folder that is its argument. */
  static final class Child {
    public static void main(String[] args) throws Exception {
      Path temp = Path.of(System.getProperty("java.io.tmpdir"));
      System.out.println(
          new UnpackedLibrary(
                  packed(SUMS, "linux-x64"),
                  new LibraryFolders(Optional.of(Path.of(args[0])), temp, EVERYWHERE))
              .path());
    }
  }

  @Test
  void withoutLibraryForThePlatformItSaysTheWayOut() {
    assertThatThrownBy(() -> packed(SUMS, "linux-riscv64").library())
        .isInstanceOf(OpLibraryException.class)
        .hasMessage(
            "this artifact holds no native library for linux-riscv64 (it holds linux-x64); a model"
                + " exported by 'pseed export --onnx' loads without it, only more slowly; or build"
                + " the library from source (README) and name it with -Dio.pseed.onnx.library=FILE");
    assertThatThrownBy(
            () -> new PackedLibraries(NativeLibrary.OP, name -> null, "linux-x64").library())
        .isInstanceOf(OpLibraryException.class)
        .hasMessageStartingWith(
            "this artifact holds no native library for linux-x64 (it holds none at all); ");
  }

  @Test
  void damagedArtifacts() {
    assertThatThrownBy(() -> packed("what is this\n", "linux-x64").library())
        .isInstanceOf(OpLibraryException.class)
        .hasMessage(
            "/io/pseed/onnx/native/SHA256SUMS: the line 'what is this' is no digest and name of a"
                + " library; the artifact is damaged, get it again");
    String missing = DIGEST + "  windows-x64/pseed_ort.dll\n";
    assertThatThrownBy(() -> unpacked(packed(missing, "windows-x64"), EVERYWHERE).path())
        .isInstanceOf(OpLibraryException.class)
        .hasMessage(
            "/io/pseed/onnx/native/windows-x64/pseed_ort.dll: not in the artifact, although"
                + " SHA256SUMS lists it; get it again");
    String other = "0".repeat(64) + "  linux-x64/libpseed_ort.so\n";
    assertThatThrownBy(() -> unpacked(packed(other, "linux-x64"), EVERYWHERE).path())
        .isInstanceOf(OpLibraryException.class)
        .hasMessage(
            "/io/pseed/onnx/native/linux-x64/libpseed_ort.so: SHA-256 is %s, expected %s; the"
                + " artifact is damaged, get it again",
            DIGEST, "0".repeat(64));
    assertThat(cache()).isEmptyDirectory();
  }

  @Test
  void onesOwnLibrary() throws Exception {
    Path own = Files.write(dir.resolve("own.so"), LIBRARY);
    assertThat(unpacked().path(own.toString())).isEqualTo(own);
    for (Map.Entry<String, String> wrong :
        Map.of(
                dir.resolve("no.so").toString(),
                "which does not exist",
                dir.toString(),
                "which is no file",
                "",
                "which is no file",
                "\0",
                "which is no path")
            .entrySet()) {
      assertThatThrownBy(() -> unpacked().path(wrong.getKey()))
          .isInstanceOf(OpLibraryException.class)
          .hasMessage(
              "the system property io.pseed.onnx.library is '"
                  + wrong.getKey()
                  + "', "
                  + wrong.getValue()
                  + "; name the library that you built, or leave the property out to use the one of"
                  + " the artifact");
    }
    assertThat(cache()).doesNotExist();
  }

  /** A stand-in that adds nothing: what counts is that ONNX Runtime gets to it. */
  @Test
  @Tag("ort")
  @DisabledOnOs(OS.WINDOWS)
  void registersWithOnnxRuntime() throws Exception {
    Path source =
        Files.writeString(
            dir.resolve("nothing.c"),
            "void *RegisterCustomOps(void *options, const void *base) {"
                + " (void)options; (void)base; return 0; }\n");
    Path library = dir.resolve("libnothing.so");
    assumeThat(compiled(source, library)).as("a C compiler").isTrue();
    OrtEnvironment.getEnvironment();
    try (SessionOptions options = new SessionOptions()) {
      withProperty(library.toString(), () -> PseedOpLibrary.register(options));
      assertThatThrownBy(
              () -> withProperty(source.toString(), () -> PseedOpLibrary.register(options)))
          .isInstanceOf(OrtException.class)
          .hasMessageContaining("nothing.c");
    }
  }

  /** The library that this build made, where it made one. */
  @Test
  @Tag("ort")
  void theLibraryOfThisBuildRegisters() throws Exception {
    assumeThat(PseedOpLibrary.unavailable()).isEmpty();
    OrtEnvironment.getEnvironment();
    try (SessionOptions options = new SessionOptions()) {
      PseedOpLibrary.register(options);
    }
  }

  private interface Action {
    void run() throws IOException, OrtException;
  }

  private static void withProperty(String value, Action action) throws IOException, OrtException {
    System.setProperty(PseedOpLibrary.PROPERTY, value);
    try {
      action.run();
    } finally {
      System.clearProperty(PseedOpLibrary.PROPERTY);
    }
  }

  private static boolean compiled(Path source, Path library) throws Exception {
    try {
      Process cc =
          new ProcessBuilder("cc", "-shared", "-fPIC", "-o", library.toString(), source.toString())
              .inheritIO()
              .start();
      return cc.waitFor() == 0;
    } catch (IOException e) {
      return false;
    }
  }

  private void assertFresh(UnpackedLibrary library, String reason) throws Exception {
    log.clear();
    Path file = library.path();
    Path folder = file.getParent();
    assertThat(folder.getParent()).isEqualTo(dir.resolve("temp").toRealPath());
    assertThat(file).hasBinaryContent(LIBRARY);
    if (LibraryFolders.isPosix(folder)) {
      assertThat(permissions(folder)).isEqualTo("rwx------");
    }
    assertThat(log)
        .singleElement()
        .asString()
        .startsWith("the native library is unpacked anew in each run, to " + file + ", because ")
        .contains(reason);
  }

  private Path cache() {
    return dir.resolve("home/.cache/pseed/native");
  }

  private UnpackedLibrary unpacked() {
    return unpacked(EVERYWHERE);
  }

  private UnpackedLibrary unpacked(Predicate<Path> executable) {
    return unpacked(packed(SUMS, "linux-x64"), executable);
  }

  private UnpackedLibrary unpacked(PackedLibraries packed, Predicate<Path> executable) {
    return new UnpackedLibrary(
        packed, new LibraryFolders(Optional.of(cache()), dir.resolve("temp"), executable));
  }

  private static PackedLibraries packed(String sums, String platform) {
    Map<String, byte[]> resources = new HashMap<>();
    resources.put("SHA256SUMS", sums.getBytes(StandardCharsets.US_ASCII));
    resources.put("linux-x64/libpseed_ort.so", LIBRARY);
    return new PackedLibraries(
        NativeLibrary.OP,
        name -> resources.containsKey(name) ? new ByteArrayInputStream(resources.get(name)) : null,
        platform);
  }

  private Process child(Path cache) throws IOException {
    return new ProcessBuilder(
            Path.of(System.getProperty("java.home"), "bin", "java").toString(),
            "-cp",
            System.getProperty("surefire.test.class.path", System.getProperty("java.class.path")),
            "-Djava.io.tmpdir=" + dir.resolve("temp"),
            Child.class.getName(),
            cache.toString())
        .redirectError(ProcessBuilder.Redirect.INHERIT)
        .start();
  }

  private static String output(Process process) throws Exception {
    String out = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    assertThat(process.waitFor(60, TimeUnit.SECONDS)).isTrue();
    assertThat(process.exitValue()).isZero();
    return out.strip();
  }

  private static String permissions(Path file) throws IOException {
    return PosixFilePermissions.toString(Files.getPosixFilePermissions(file));
  }

  private static List<String> names(Path folder) throws IOException {
    try (var files = Files.list(folder)) {
      return files.map(file -> file.getFileName().toString()).toList();
    }
  }

  private static String sha256(byte[] bytes) {
    return HexFormat.of().formatHex(PackedLibraries.sha256().digest(bytes));
  }
}
