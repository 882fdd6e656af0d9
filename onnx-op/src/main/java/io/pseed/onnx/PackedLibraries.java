package io.pseed.onnx;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * The libraries of one kind in an artifact: {@code PLATFORM/FILE} for each platform, and their
 * digests in {@code SHA256SUMS}, as {@code sha256sum} writes them.
 */
final class PackedLibraries {
  /** Folder of the resources; {@code BuildNatives.java} writes it. */
  static final String FOLDER = "/io/pseed/onnx/native/";

  static final String SUMS = "SHA256SUMS";

  private static final Pattern LINE =
      Pattern.compile("([0-9a-f]{64})  ([a-z0-9]+-[a-z0-9_]+)/([A-Za-z0-9_.-]+)");

  /** Opens a resource of the folder. */
  @FunctionalInterface
  interface Resources {
    /** Null where there is no such resource. */
    InputStream open(String name) throws IOException;
  }

  /**
   * One library.
   *
   * @param platform for example {@code linux-x64}
   * @param name file name, for example {@code libpseed_ort.so}
   * @param sha256 lower-case hexadecimal digits
   */
  record Library(String platform, String name, String sha256) {
    /** A name that changes with the content: {@code libpseed_ort-DIGEST.so}. */
    String uniqueName() {
      int dot = name.lastIndexOf('.');
      return name.substring(0, dot) + "-" + sha256 + name.substring(dot);
    }
  }

  private final NativeLibrary kind;
  private final Resources resources;
  private final String platform;

  PackedLibraries(NativeLibrary kind, Resources resources, String platform) {
    this.kind = kind;
    this.resources = resources;
    this.platform = platform;
  }

  static PackedLibraries ofThisArtifact(NativeLibrary kind) {
    return new PackedLibraries(
        kind,
        name -> PackedLibraries.class.getResourceAsStream(FOLDER + name),
        platform(System.getProperty("os.name"), System.getProperty("os.arch")));
  }

  /** {@code linux-x64}, {@code windows-x64}, {@code macos-aarch64} ... */
  static String platform(String osName, String osArch) {
    String os = osName.toLowerCase(Locale.ROOT);
    String arch = osArch.toLowerCase(Locale.ROOT);
    return (os.startsWith("windows")
            ? "windows"
            : os.startsWith("mac") ? "macos" : os.replaceAll("[^a-z0-9]", ""))
        + "-"
        + switch (arch) {
          case "amd64", "x86_64", "x64" -> "x64";
          case "aarch64", "arm64" -> "aarch64";
          default -> arch.replaceAll("[^a-z0-9_]", "");
        };
  }

  NativeLibrary kind() {
    return kind;
  }

  /** The library for this platform. */
  Library library() throws OpLibraryException {
    Map<String, Library> libraries = libraries();
    Library library = libraries.get(platform);
    if (library == null) {
      throw new OpLibraryException(
          "this artifact holds no native library for "
              + platform
              + " ("
              + (libraries.isEmpty() ? "it holds none at all" : "it holds " + join(libraries))
              + "); "
              + kind.without()
              + "; or build the library from source (README) and name it with -D"
              + kind.property()
              + "=FILE",
          true);
    }
    return library;
  }

  private static String join(Map<String, Library> libraries) {
    return String.join(", ", libraries.keySet());
  }

  private Map<String, Library> libraries() throws OpLibraryException {
    Map<String, Library> libraries = new TreeMap<>();
    try (InputStream in = resources.open(SUMS)) {
      if (in == null) {
        return libraries;
      }
      BufferedReader lines =
          new BufferedReader(new InputStreamReader(in, StandardCharsets.US_ASCII));
      for (String line = lines.readLine(); line != null; line = lines.readLine()) {
        Matcher matcher = LINE.matcher(line);
        if (!matcher.matches() || matcher.group(3).lastIndexOf('.') < 1) {
          throw new OpLibraryException(
              FOLDER
                  + SUMS
                  + ": the line '"
                  + line
                  + "' is no digest and name of a library; the artifact is damaged, get it again");
        }
        Library library = new Library(matcher.group(2), matcher.group(3), matcher.group(1));
        if (kind.isNamed(library.name())) {
          libraries.put(library.platform(), library);
        }
      }
    } catch (IOException e) {
      throw e instanceof OpLibraryException known ? known : unreadable(SUMS, e);
    }
    return libraries;
  }

  /** The bytes of a library. */
  byte[] bytes(Library library) throws OpLibraryException {
    String name = name(library);
    try (InputStream in = resources.open(name)) {
      if (in == null) {
        throw new OpLibraryException(
            FOLDER + name + ": not in the artifact, although " + SUMS + " lists it; get it again");
      }
      return in.readAllBytes();
    } catch (IOException e) {
      throw e instanceof OpLibraryException known ? known : unreadable(name, e);
    }
  }

  /** The bytes of a library, which have its digest. */
  byte[] verifiedBytes(Library library) throws OpLibraryException {
    byte[] bytes = bytes(library);
    String found = HexFormat.of().formatHex(sha256().digest(bytes));
    if (!found.equals(library.sha256())) {
      throw new OpLibraryException(
          String.format(
              "%s%s: SHA-256 is %s, expected %s; the artifact is damaged, get it again",
              FOLDER, name(library), found, library.sha256()));
    }
    return bytes;
  }

  private static String name(Library library) {
    return library.platform() + "/" + library.name();
  }

  private static OpLibraryException unreadable(String name, IOException e) {
    return new OpLibraryException(
        FOLDER + name + ": cannot be read from the artifact: " + e.getMessage(), e);
  }

  static MessageDigest sha256() {
    try {
      return MessageDigest.getInstance("SHA-256");
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("every Java platform has SHA-256", e);
    }
  }
}
