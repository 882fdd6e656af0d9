package io.pseed.maven;

import io.pseed.converter.source.safetensors.SafetensorsFormat;
import java.io.File;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.nio.file.FileVisitResult;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.nio.file.SimpleFileVisitor;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.Enumeration;
import java.util.List;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.function.Predicate;
import java.util.stream.Stream;
import java.util.zip.CRC32;
import java.util.zip.CheckedInputStream;
import java.util.zip.ZipEntry;
import java.util.zip.ZipException;
import java.util.zip.ZipFile;

/** Finds the files that a {@code <source>} means. */
final class ModelFiles {
  private final Path basedir;
  private final Path buildDirectory;
  private final ArtifactFiles artifacts;

  /** Gets artifacts. */
  @FunctionalInterface
  interface ArtifactFiles {
    /** The file of an artifact; in a reactor it may be a folder of classes. */
    Path resolve(Coordinates coordinates) throws ConfigurationException;
  }

  /**
   * A file that was found.
   *
   * @param file where it is
   * @param name below the pattern's folder, with {@code /}; of a plain file, its name
   */
  record Found(Path file, String name) {}

  /**
   * Finds files.
   *
   * @param basedir where relative paths start
   * @param buildDirectory where entries are unpacked to, and where patterns find nothing
   */
  ModelFiles(Path basedir, Path buildDirectory, ArtifactFiles artifacts) {
    this.basedir = basedir;
    this.buildDirectory = buildDirectory;
    this.artifacts = artifacts;
  }

  /** A path of the POM. */
  static Path path(Path basedir, String tag, String text) throws ConfigurationException {
    try {
      return basedir.resolve(text).normalize();
    } catch (InvalidPathException e) {
      throw new ConfigurationException(tag + " " + text + " is no path: " + e.getReason(), e);
    }
  }

  /** All files of a source, at least one. */
  List<Found> find(String source) throws ConfigurationException, IOException {
    if (Coordinates.are(source)) {
      return unpack(source, Coordinates.parse(source));
    }
    String slashed = slashed(source);
    if (AntPattern.isPattern(slashed)) {
      return glob(source, slashed);
    }
    Path file = path(basedir, "<source>", source);
    if (!Files.exists(file)) {
      throw new ConfigurationException(
          "<source> " + source + " does not exist; " + file + " was looked for");
    }
    return List.of(new Found(file, String.valueOf(file.getFileName())));
  }

  /** On Windows both separators are written; elsewhere a backslash is part of a name. */
  private static String slashed(String text) {
    return File.separatorChar == '\\' ? text.replace('\\', '/') : text;
  }

  private List<Found> glob(String source, String pattern)
      throws ConfigurationException, IOException {
    String base = AntPattern.base(pattern);
    Path folder = path(basedir, "<source>", base.isEmpty() ? "." : base);
    AntPattern matcher = new AntPattern(pattern.substring(base.length()));
    TreeMap<String, Path> found = new TreeMap<>();
    if (Files.isDirectory(folder)) {
      Files.walkFileTree(
          folder,
          new SimpleFileVisitor<>() {
            @Override
            public FileVisitResult preVisitDirectory(Path at, BasicFileAttributes attributes) {
              return at.equals(buildDirectory)
                  ? FileVisitResult.SKIP_SUBTREE
                  : FileVisitResult.CONTINUE;
            }

            @Override
            public FileVisitResult visitFile(Path file, BasicFileAttributes attributes) {
              String name = name(folder.relativize(file));
              if (matcher.matches(name)) {
                found.put(name, file);
              }
              return FileVisitResult.CONTINUE;
            }
          });
    }
    return required(source, folder.toString(), found);
  }

  private static String name(Path relative) {
    List<String> parts = new ArrayList<>();
    relative.forEach(part -> parts.add(part.toString()));
    return String.join("/", parts);
  }

  private static List<Found> required(String source, String where, SortedMap<String, Path> found)
      throws ConfigurationException {
    if (found.isEmpty()) {
      throw new ConfigurationException(
          "<source> " + source + " matches nothing; " + where + " was searched");
    }
    List<Found> list = new ArrayList<>();
    found.forEach((name, file) -> list.add(new Found(file, name)));
    return list;
  }

  private List<Found> unpack(String source, Coordinates coordinates)
      throws ConfigurationException, IOException {
    Path artifact = artifacts.resolve(coordinates);
    String entry = coordinates.entry();
    if (entry.isEmpty()) {
      if (Files.isDirectory(artifact)) {
        throw new ConfigurationException(
            "<source> " + source + " is not packaged yet; run the phase package");
      }
      return List.of(new Found(artifact, String.valueOf(artifact.getFileName())));
    }
    boolean pattern = AntPattern.isPattern(entry);
    String base = pattern ? AntPattern.base(entry) : entry.substring(0, entry.lastIndexOf('/') + 1);
    AntPattern matcher = new AntPattern(pattern ? entry : "");
    Predicate<String> wanted = name -> pattern ? matcher.matches(name) : name.equals(entry);
    TreeMap<String, Path> found = new TreeMap<>();
    if (Files.isDirectory(artifact)) {
      // A module of the same build that is not packaged yet.
      try (Stream<Path> files = Files.walk(artifact)) {
        files
            .filter(Files::isRegularFile)
            .filter(file -> wanted.test(name(artifact.relativize(file))))
            .forEach(
                file -> found.put(name(artifact.relativize(file)).substring(base.length()), file));
      }
      return required(source, artifact.toString(), found);
    }
    Path folder =
        buildDirectory
            .resolve("pseed")
            .resolve("sources")
            .resolve(coordinates.label().replaceAll("[^A-Za-z0-9._-]", "_"));
    try (ZipFile zip = new ZipFile(artifact.toFile())) {
      List<String> matches = new ArrayList<>();
      for (Enumeration<? extends ZipEntry> e = zip.entries(); e.hasMoreElements(); ) {
        ZipEntry next = e.nextElement();
        if (!next.isDirectory() && wanted.test(next.getName())) {
          matches.add(next.getName());
        }
      }
      for (String match : matches) {
        found.put(match.substring(base.length()), extract(zip, zip.getEntry(match), folder));
        unpackCompanions(zip, match, folder);
      }
    } catch (ZipException e) {
      throw new ConfigurationException(
          "<source> " + source + ": " + artifact + " is no jar: " + e.getMessage(), e);
    }
    return required(source, artifact.toString(), found);
  }

  /**
   * What belongs to a model and stands beside it: a tokenizer, and files whose names begin with the
   * model's, as those of external data and of shards do.
   */
  private static void unpackCompanions(ZipFile zip, String match, Path folder)
      throws IOException, ConfigurationException {
    int slash = match.lastIndexOf('/') + 1;
    String inside = match.substring(0, slash);
    String stem = stem(match.substring(slash));
    for (Enumeration<? extends ZipEntry> e = zip.entries(); e.hasMoreElements(); ) {
      ZipEntry entry = e.nextElement();
      String name = entry.getName();
      if (entry.isDirectory() || !name.startsWith(inside) || name.equals(match)) {
        continue;
      }
      String beside = name.substring(slash);
      if (!beside.contains("/") && (beside.startsWith(stem) || beside.equals("tokenizer.json"))) {
        extract(zip, entry, folder);
      }
    }
  }

  /** A name without what tells its kind. */
  static String stem(String name) {
    for (String suffix :
        List.of(SafetensorsFormat.INDEX_SUFFIX, SafetensorsFormat.FILE_SUFFIX, ".onnx", ".pseed")) {
      if (name.length() > suffix.length() && name.endsWith(suffix)) {
        return name.substring(0, name.length() - suffix.length());
      }
    }
    return name;
  }

  private static Path extract(ZipFile zip, ZipEntry entry, Path folder)
      throws IOException, ConfigurationException {
    Path file = folder.resolve(entry.getName()).normalize();
    if (!file.startsWith(folder)) {
      throw new ConfigurationException(
          "<source> "
              + zip.getName()
              + " holds the entry "
              + entry.getName()
              + ", which leaves it");
    }
    if (!isSame(file, entry)) {
      Files.createDirectories(file.getParent());
      try (InputStream in = zip.getInputStream(entry)) {
        SafeFiles.write(file, in::transferTo);
      }
    }
    return file;
  }

  private static boolean isSame(Path file, ZipEntry entry) throws IOException {
    if (!Files.isRegularFile(file) || Files.size(file) != entry.getSize()) {
      return false;
    }
    CRC32 crc = new CRC32();
    try (InputStream in = new CheckedInputStream(Files.newInputStream(file), crc)) {
      in.transferTo(OutputStream.nullOutputStream());
    }
    return crc.getValue() == entry.getCrc();
  }

  /** All files of a path, which may be a folder, with their names in it. */
  static SortedMap<String, Path> filesOf(Path path) throws IOException {
    TreeMap<String, Path> files = new TreeMap<>();
    if (!Files.isDirectory(path)) {
      files.put(String.valueOf(path.getFileName()), path);
      return files;
    }
    try (Stream<Path> walked = Files.walk(path)) {
      walked
          .filter(Files::isRegularFile)
          .sorted(Comparator.naturalOrder())
          .forEach(file -> files.put(name(path.relativize(file)), file));
    } catch (UncheckedIOException e) {
      throw e.getCause();
    }
    return files;
  }
}
