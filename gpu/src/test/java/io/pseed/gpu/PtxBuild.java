package io.pseed.gpu;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/**
 * Makes the PTX texts of the jar from the CUDA sources, one for each {@code .cu}, and says whether
 * those that are there fit the sources. Needs nothing but the JDK: {@code gpu/build-ptx} runs this
 * file as it is.
 */
public final class PtxBuild {
  /** Every driver from CUDA 12.0 on takes it. */
  static final String VERSION = "8.0";

  private static final String DIGEST = "// sha256 of the sources: ";
  private static final Pattern INCLUDE = Pattern.compile("^\\s*#\\s*include\\s*\"([^\"]+)\"");

  private final Path gpu;

  PtxBuild(Path gpu) {
    this.gpu = gpu;
  }

  /** Builds all texts. */
  public static void main(String[] arguments) throws IOException, InterruptedException {
    PtxBuild build = new PtxBuild(Path.of(arguments.length == 0 ? "." : arguments[0]));
    for (Path source : build.sources()) {
      Path text = build.text(source);
      Files.createDirectories(text.getParent());
      Files.writeString(text, build.build(source));
      System.out.println(text);
    }
  }

  /** The {@code .cu} files. */
  List<Path> sources() throws IOException {
    try (Stream<Path> files = Files.list(gpu.resolve("src/main/cuda"))) {
      return files.filter(file -> file.toString().endsWith(".cu")).sorted().toList();
    }
  }

  /** Where the text of a source stands. */
  Path text(Path source) {
    String name = String.valueOf(source.getFileName()).replaceFirst("\\.cu$", ".ptx");
    return gpu.resolve("src/main/resources/io/pseed/gpu").resolve(name);
  }

  /** The digest of a source and all that it includes of ours, by name and content. */
  String digest(Path source) throws IOException {
    SortedMap<String, Path> files = new TreeMap<>();
    include(source.toAbsolutePath().normalize(), files);
    MessageDigest sha256;
    try {
      sha256 = MessageDigest.getInstance("SHA-256");
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("every Java platform has SHA-256", e);
    }
    for (Map.Entry<String, Path> file : files.entrySet()) {
      String content = Files.readString(file.getValue()).replace("\r\n", "\n");
      byte[] bytes = content.getBytes(StandardCharsets.UTF_8);
      sha256.update((file.getKey() + " " + bytes.length + "\n").getBytes(StandardCharsets.UTF_8));
      sha256.update(bytes);
    }
    return HexFormat.of().formatHex(sha256.digest());
  }

  private static void include(Path file, SortedMap<String, Path> files) throws IOException {
    if (files.putIfAbsent(String.valueOf(file.getFileName()), file) != null) {
      return;
    }
    for (String line : Files.readAllLines(file)) {
      Matcher matcher = INCLUDE.matcher(line);
      if (matcher.find()) {
        Path other = file.resolveSibling(matcher.group(1)).normalize();
        if (Files.exists(other)) {
          include(other, files);
        }
      }
    }
  }

  /** The digest that a text was made from. */
  static Optional<String> digestOf(String text) {
    return text.lines()
        .filter(line -> line.startsWith(DIGEST))
        .map(line -> line.substring(DIGEST.length()))
        .findFirst();
  }

  /** The line by which a text names the compiler that made it. */
  static Optional<String> compilerOf(String text) {
    return text.lines().filter(line -> line.contains("Cuda compilation tools")).findFirst();
  }

  /** Compiles a source. */
  String build(Path source) throws IOException, InterruptedException {
    Path made = Files.createTempFile("pseed", ".ptx");
    try {
      List<String> command = new ArrayList<>();
      command.addAll(List.of("nvcc", "-ptx", "-std=c++17", "-arch=compute_75", "-O3"));
      // A fused product would round once where Java rounds twice.
      command.add("--fmad=false");
      command.addAll(List.of("-o", made.toString(), source.toString()));
      Process nvcc = new ProcessBuilder(command).redirectErrorStream(true).start();
      String said = new String(nvcc.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
      if (nvcc.waitFor() != 0) {
        throw new IOException(source + ": nvcc says\n" + said);
      }
      return DIGEST + digest(source) + "\n" + lowered(Files.readString(made));
    } finally {
      Files.delete(made);
    }
  }

  /** nvcc 13 says that only drivers of CUDA 13 take what it writes; they all do, but for a hint. */
  private static String lowered(String text) {
    StringBuilder out = new StringBuilder();
    for (String line : (Iterable<String>) text.lines()::iterator) {
      if (line.startsWith(".version ")) {
        out.append(".version ").append(VERSION).append('\n');
      } else if (!line.contains(".pragma \"used_bytes_mask")) {
        out.append(line).append('\n');
      }
    }
    return out.toString();
  }
}
