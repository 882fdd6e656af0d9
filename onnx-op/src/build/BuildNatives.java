import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.HexFormat;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Stream;

/**
 * Puts the native libraries where the jar is packed from. Maven runs it as a source file, so that
 * the build needs no shell:
 *
 * <pre>
 * java BuildNatives.java host|all|none SOURCE TARGET CLASSES
 *
 * host  builds the libraries of this platform with CMake, in TARGET/native-host, and packs them;
 *       without CMake or a compiler it says so, and the jar holds none
 * all   packs what .ci/natives built in TARGET/natives; every platform must be there
 * none  packs nothing
 * </pre>
 */
public final class BuildNatives {
  /** What a release holds. */
  private static final List<String> RELEASE =
      List.of(
          "linux-aarch64/libpseed_jni.so",
          "linux-aarch64/libpseed_ort.so",
          "linux-x64/libpseed_jni.so",
          "linux-x64/libpseed_ort.so",
          "windows-x64/pseed_jni.dll",
          "windows-x64/pseed_ort.dll");

  private static final List<String> TARGETS = List.of("pseed_ort", "pseed_jni");

  /** What CMake says where a tool is missing, and what that means. */
  private static final Map<String, String> MISSING =
      Map.of(
          "No CMAKE_CXX_COMPILER could be found", "there is no C++ compiler",
          "CMAKE_CXX_COMPILER not set", "there is no C++ compiler",
          "CMAKE_MAKE_PROGRAM is not set", "there is no make or ninja",
          "or higher is required", "CMake is too old",
          "CXX compiler identification is MSVC", "MSVC cannot build it, MinGW-w64 can");

  private final Path source;
  private final Path natives;
  private final Path build;
  private final Path packed;

  private BuildNatives(Path source, Path target, Path classes) {
    this.source = source;
    this.natives = target.resolve("natives");
    this.build = target.resolve("native-host");
    this.packed = classes.resolve("io/pseed/onnx/native");
  }

  public static void main(String[] args) throws Exception {
    if (args.length != 4) {
      fail("expected host|all|none SOURCE TARGET CLASSES, got " + args.length + " arguments");
    }
    BuildNatives natives = new BuildNatives(Path.of(args[1]), Path.of(args[2]), Path.of(args[3]));
    switch (args[0]) {
      case "host" -> natives.host();
      case "all" -> natives.all();
      case "none" -> natives.pack(new TreeMap<>());
      default -> fail("-Dpseed.natives is '" + args[0] + "', expected host, all or none");
    }
  }

  private void host() throws Exception {
    String reason = buildHost();
    if (reason == null) {
      TreeMap<String, Path> libraries = new TreeMap<>();
      for (String target : TARGETS) {
        libraries.put(hostPlatform() + "/" + hostName(target), build.resolve(hostName(target)));
      }
      pack(libraries);
    } else {
      pack(new TreeMap<>());
      say("no native library in the jar: " + reason);
      say(
          "  models load and are coded without, only more slowly; see 'The native library' in docs/hosts.md");
    }
  }

  /** Null, or why libraries cannot be built here. One that does not compile is an error. */
  private String buildHost() throws Exception {
    Files.createDirectories(build);
    StringBuilder words = new StringBuilder();
    int status;
    try {
      status =
          run(
              words,
              List.of(
                  "cmake",
                  "-S",
                  source.toString(),
                  "-B",
                  build.toString(),
                  "-DCMAKE_BUILD_TYPE=Release",
                  "-DBUILD_TESTING=OFF"));
    } catch (IOException e) {
      return "there is no CMake";
    }
    for (Map.Entry<String, String> missing : MISSING.entrySet()) {
      if (words.indexOf(missing.getKey()) >= 0) {
        return missing.getValue();
      }
    }
    if (status != 0) {
      fail("CMake cannot configure " + source + ":\n" + words);
    }
    words.setLength(0);
    String jobs = String.valueOf(Runtime.getRuntime().availableProcessors());
    for (String target : TARGETS) {
      List<String> make =
          List.of("cmake", "--build", build.toString(), "--target", target, "--parallel", jobs);
      if (run(words, make) != 0) {
        fail("the native library does not build:\n" + words);
      }
      Path library = build.resolve(hostName(target));
      if (!Files.isRegularFile(library)) {
        fail("target " + target + " made no " + library);
      }
    }
    return null;
  }

  private void all() throws IOException {
    Path newest = newestSource();
    List<String> wrong = new ArrayList<>();
    TreeMap<String, Path> libraries = new TreeMap<>();
    for (String name : RELEASE) {
      Path library = natives.resolve(name);
      libraries.put(name, library);
      if (!Files.isRegularFile(library)) {
        wrong.add(library + " is missing");
      } else if (Files.getLastModifiedTime(library).compareTo(Files.getLastModifiedTime(newest))
          < 0) {
        wrong.add(library + " is older than " + newest);
      }
    }
    if (!wrong.isEmpty()) {
      fail(String.join(", ", wrong) + "; run .ci/natives (after 'mvn clean', not before it)");
    }
    pack(libraries);
  }

  private Path newestSource() throws IOException {
    try (Stream<Path> files = Files.walk(source)) {
      return files
          .filter(Files::isRegularFile)
          .max(
              Comparator.comparing(
                  file -> {
                    try {
                      return Files.getLastModifiedTime(file);
                    } catch (IOException e) {
                      throw new UncheckedIOException(e);
                    }
                  }))
          .orElseThrow();
    }
  }

  /**
   * The jar's folder holds these libraries and their digests, and nothing else. What is there
   * already is left alone: files of a new date would give a new jar, and every module behind it
   * would be compiled again.
   *
   * @param libraries files by PLATFORM/NAME
   */
  private void pack(TreeMap<String, Path> libraries) throws IOException {
    TreeMap<Path, byte[]> files = new TreeMap<>();
    StringBuilder sums = new StringBuilder();
    for (Map.Entry<String, Path> library : libraries.entrySet()) {
      String name = library.getKey();
      byte[] bytes = Files.readAllBytes(library.getValue());
      files.put(packed.resolve(name), bytes);
      sums.append(sha256(bytes)).append("  ").append(name).append('\n');
      say("native library " + name + ", " + bytes.length + " bytes");
    }
    if (!files.isEmpty()) {
      files.put(packed.resolve("SHA256SUMS"), sums.toString().getBytes(StandardCharsets.US_ASCII));
    }
    if (Files.exists(packed)) {
      try (Stream<Path> old = Files.walk(packed)) {
        for (Path file : old.sorted(Comparator.reverseOrder()).toList()) {
          if (files.keySet().stream().noneMatch(kept -> kept.startsWith(file))) {
            Files.delete(file);
          }
        }
      }
    }
    for (Map.Entry<Path, byte[]> file : files.entrySet()) {
      Path target = file.getKey();
      if (!Files.isRegularFile(target)
          || !Arrays.equals(Files.readAllBytes(target), file.getValue())) {
        Files.createDirectories(target.getParent());
        Files.write(target, file.getValue());
      }
    }
  }

  private static int run(StringBuilder words, List<String> command)
      throws IOException, InterruptedException {
    ProcessBuilder builder = new ProcessBuilder(command).redirectErrorStream(true);
    // CMake's words are compared.
    builder.environment().put("LC_ALL", "C");
    Process process = builder.start();
    words.append(new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8));
    return process.waitFor();
  }

  /** As PackedLibraries.platform says it. */
  private static String hostPlatform() {
    String arch = System.getProperty("os.arch").toLowerCase(Locale.ROOT);
    return os()
        + "-"
        + switch (arch) {
          case "amd64", "x86_64", "x64" -> "x64";
          case "aarch64", "arm64" -> "aarch64";
          default -> arch.replaceAll("[^a-z0-9_]", "");
        };
  }

  private static String hostName(String target) {
    return switch (os()) {
      case "windows" -> target + ".dll";
      case "macos" -> "lib" + target + ".dylib";
      default -> "lib" + target + ".so";
    };
  }

  private static String os() {
    String os = System.getProperty("os.name").toLowerCase(Locale.ROOT);
    return os.startsWith("windows")
        ? "windows"
        : os.startsWith("mac") ? "macos" : os.replaceAll("[^a-z0-9]", "");
  }

  private static String sha256(byte[] bytes) {
    try {
      return HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(bytes));
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("every Java platform has SHA-256", e);
    }
  }

  private static void say(String line) {
    System.out.println("pseed: " + line);
  }

  private static void fail(String sentence) {
    System.err.println("pseed: " + sentence);
    System.exit(1);
  }
}
