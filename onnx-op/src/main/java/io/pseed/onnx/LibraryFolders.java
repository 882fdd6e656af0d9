package io.pseed.onnx;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Map;
import java.util.Optional;
import java.util.function.Predicate;

/**
 * Folders for unpacked libraries, and whether one is safe: native code runs with all rights of the
 * program, so nobody else may be able to put a file there.
 */
final class LibraryFolders {
  private static final int WRITABLE_BY_OTHERS = 0022;
  private static final int STICKY = 01000;
  private static final Path STATUS = Path.of("/proc/self/status");

  private final Optional<Path> cache;
  private final Path temp;
  private final Predicate<Path> executable;
  private Integer ownUid;

  /**
   * @param cache the folder that is kept; empty where the system names none
   * @param temp folder for fresh private ones
   * @param executable whether native code may be loaded from a file
   */
  LibraryFolders(Optional<Path> cache, Path temp, Predicate<Path> executable) {
    this.cache = cache;
    this.temp = temp;
    this.executable = executable;
  }

  static LibraryFolders ofThisSystem() {
    return new LibraryFolders(
        cache(System.getProperty("os.name"), System.getenv(), System.getProperty("user.home")),
        Path.of(System.getProperty("java.io.tmpdir")).toAbsolutePath(),
        // On a file system mounted noexec this is false for every file.
        Files::isExecutable);
  }

  /** The user's cache directory as the platform has it, with our own folder in it. */
  static Optional<Path> cache(String osName, Map<String, String> environment, String home) {
    return UserCache.folder(osName, environment, home).map(path -> path.resolve("native"));
  }

  /** The folder that is kept, not yet made or judged. */
  Optional<Path> cache() {
    return cache;
  }

  /** Makes a folder with its parents, for this user only. */
  void create(Path folder) throws IOException {
    if (Files.isDirectory(folder)) {
      return;
    }
    if (folder.getParent() != null) {
      create(folder.getParent());
    }
    try {
      if (isPosix(folder)) {
        Files.createDirectory(
            folder,
            PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwx------")));
      } else {
        Files.createDirectory(folder);
      }
    } catch (FileAlreadyExistsException e) {
      // Another process was faster. Something else of that name is refused by requirePrivate.
    }
  }

  /** A new folder for this user only, which is deleted when the program ends. */
  Path fresh() throws IOException {
    Path folder = Files.createTempDirectory(temp, "pseed-").toRealPath();
    folder.toFile().deleteOnExit();
    return folder;
  }

  /** Where {@link #fresh} makes folders, for messages. */
  Path temp() {
    return temp;
  }

  /**
   * Refuses a folder in which somebody else could put a file. On POSIX systems the folder belongs
   * to this user and all above it to this user or root, and nobody else may rename in them. On
   * Windows the access lists of {@code %LOCALAPPDATA%} and {@code %TEMP%} do that.
   */
  void requirePrivate(Path folder) throws IOException {
    if (!Files.isDirectory(folder, LinkOption.NOFOLLOW_LINKS)) {
      throw new IOException(
          Files.isSymbolicLink(folder) ? "it is a symbolic link" : "it is no folder");
    }
    if (!isPosix(folder)) {
      return;
    }
    int me = ownUid();
    if (uid(folder) != me) {
      throw new IOException("it belongs to another user");
    }
    for (Path at = folder.toRealPath(); at != null; at = at.getParent()) {
      int mode = (int) Files.getAttribute(at, "unix:mode", LinkOption.NOFOLLOW_LINKS);
      boolean sticky = (mode & STICKY) != 0 && !at.equals(folder.toRealPath());
      if ((mode & WRITABLE_BY_OTHERS) != 0 && !sticky) {
        throw new IOException(at + " can be written by other users");
      }
      if (uid(at) != 0 && uid(at) != me) {
        throw new IOException(at + " belongs to another user");
      }
    }
  }

  /** Whether a regular file is this user's and nobody else may write it. */
  boolean isPrivateFile(Path file) throws IOException {
    if (!Files.isRegularFile(file, LinkOption.NOFOLLOW_LINKS)) {
      return false;
    }
    if (!isPosix(file)) {
      return true;
    }
    int mode = (int) Files.getAttribute(file, "unix:mode", LinkOption.NOFOLLOW_LINKS);
    return uid(file) == ownUid() && (mode & WRITABLE_BY_OTHERS) == 0;
  }

  /** Whether native code may be loaded from the file. */
  boolean isExecutable(Path file) {
    return executable.test(file);
  }

  static boolean isPosix(Path path) {
    return path.getFileSystem().supportedFileAttributeViews().contains("unix");
  }

  private static int uid(Path path) throws IOException {
    return (int) Files.getAttribute(path, "unix:uid", LinkOption.NOFOLLOW_LINKS);
  }

  /** Java does not tell; Linux does, and elsewhere files that it makes do. */
  private synchronized int ownUid() throws IOException {
    if (ownUid == null) {
      Optional<Integer> told = Files.isReadable(STATUS) ? effectiveUid() : Optional.empty();
      ownUid = told.isPresent() ? told.get() : probeUid();
    }
    return ownUid;
  }

  /** From a line as {@code Uid: REAL EFFECTIVE SAVED FILES}: quicker than a file of a new name. */
  private static Optional<Integer> effectiveUid() throws IOException {
    for (String line : Files.readAllLines(STATUS, StandardCharsets.ISO_8859_1)) {
      String[] fields = line.split("\t", -1);
      if (fields[0].equals("Uid:") && fields.length > 2) {
        return Optional.of(Integer.parseUnsignedInt(fields[2]));
      }
    }
    return Optional.empty();
  }

  private int probeUid() throws IOException {
    Path probe = Files.createTempFile(temp, "pseed", null);
    try {
      return uid(probe);
    } finally {
      Files.delete(probe);
    }
  }
}
