package io.pseed.onnx;

import io.pseed.onnx.PackedLibraries.Library;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.LinkOption;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.FileAttribute;
import java.nio.file.attribute.FileTime;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.UUID;

/** The artifact's library for this platform as a file that nobody else could have written. */
final class UnpackedLibrary {
  private static final System.Logger LOG = System.getLogger("io.pseed.onnx");

  /** Bytes at once: channels copy through direct memory, of which a program may have little. */
  private static final int PIECE = 1 << 14;

  private final PackedLibraries packed;
  private final LibraryFolders folders;

  /** The file of the last call; its content is compared again in each. */
  private Path current;

  UnpackedLibrary(PackedLibraries packed, LibraryFolders folders) {
    this.packed = packed;
    this.folders = folders;
  }

  static UnpackedLibrary ofThisArtifact(NativeLibrary kind) {
    return new UnpackedLibrary(PackedLibraries.ofThisArtifact(kind), LibraryFolders.ofThisSystem());
  }

  /**
   * The library that a user's own property names, or the artifact's.
   *
   * @param property its value; null where it is not set
   */
  Path path(String property) throws OpLibraryException {
    if (property == null) {
      return path();
    }
    Path file;
    try {
      file = Path.of(property).toAbsolutePath();
    } catch (InvalidPathException e) {
      throw notThere(property, "which is no path", e);
    }
    if (property.isBlank() || !Files.isRegularFile(file)) {
      throw notThere(
          property, Files.exists(file) ? "which is no file" : "which does not exist", null);
    }
    if (!Files.isReadable(file)) {
      throw notThere(property, "which cannot be read", null);
    }
    return file;
  }

  private OpLibraryException notThere(String property, String what, Throwable cause) {
    return new OpLibraryException(
        "the system property "
            + packed.kind().property()
            + " is '"
            + property
            + "', "
            + what
            + "; name the library that you built, or leave the property out to use the one of the"
            + " artifact",
        cause);
  }

  synchronized Path path() throws OpLibraryException {
    Library library = packed.library();
    List<String> refused = new ArrayList<>();
    if (current != null) {
      try {
        current = in(current.getParent(), library);
        return current;
      } catch (IOException e) {
        refused.add(current.getParent() + ": " + reason(e));
        current = null;
      }
    }
    Optional<Path> cache = folders.cache();
    if (cache.isPresent()) {
      try {
        folders.create(cache.get());
        current = in(cache.get(), library);
        return current;
      } catch (OpLibraryException e) {
        throw e;
      } catch (IOException e) {
        refused.add(cache.get() + ": " + reason(e));
      }
    } else {
      refused.add("the user has no cache directory");
    }
    Path fresh = null;
    try {
      fresh = folders.fresh();
      current = in(fresh, library);
      current.toFile().deleteOnExit();
    } catch (OpLibraryException e) {
      throw e;
    } catch (IOException e) {
      refused.add((fresh == null ? folders.temp() : fresh) + ": " + reason(e));
      throw new OpLibraryException(
          "there is no folder from which the native library can be loaded ("
              + String.join("; ", refused)
              + "); unpack it yourself and name it with -D"
              + packed.kind().property()
              + "=FILE, or do without: "
              + packed.kind().without(),
          e);
    }
    LOG.log(
        System.Logger.Level.INFO,
        "the native library is unpacked anew in each run, to {0}, because {1}",
        current,
        String.join("; ", refused));
    return current;
  }

  /**
   * The same library as a file that nobody has loaded: a virtual machine gives each file to one
   * class loader. Its folder is deleted when the program ends.
   *
   * @param property as for {@link #path(String)}
   */
  Path another(String property) throws OpLibraryException {
    Path fresh = null;
    try {
      fresh = folders.fresh();
      Path file;
      if (property == null) {
        file = in(fresh, packed.library());
      } else {
        Path own = path(property);
        file =
            Files.copy(own, fresh.resolve(own.getFileName()), StandardCopyOption.COPY_ATTRIBUTES);
      }
      file.toFile().deleteOnExit();
      return file;
    } catch (OpLibraryException e) {
      throw e;
    } catch (IOException e) {
      throw new OpLibraryException(
          "another class loader has the native library, and there is no folder for a copy of it ("
              + (fresh == null ? folders.temp() : fresh)
              + ": "
              + reason(e)
              + ")",
          e);
    }
  }

  private static String reason(IOException e) {
    return e.getClass() == IOException.class || e.getMessage() == null
        ? String.valueOf(e.getMessage())
        : e.getClass().getSimpleName() + " " + e.getMessage();
  }

  /** The library in {@code folder}, unpacked where it is not there as it should be. */
  private Path in(Path folder, Library library) throws IOException {
    folders.requirePrivate(folder);
    Path file = folder.resolve(library.uniqueName());
    if (!isVerified(file, library)) {
      unpack(file, library);
    }
    if (!folders.isExecutable(file)) {
      throw new IOException("native code cannot be loaded from there (mounted noexec?)");
    }
    return file;
  }

  private boolean isVerified(Path file, Library library) throws IOException {
    if (!folders.isPrivateFile(file)) {
      return false;
    }
    // Byte by byte: a digest of them takes a cold virtual machine ten times as long.
    byte[] expected = packed.bytes(library);
    try (FileChannel channel =
        FileChannel.open(file, StandardOpenOption.READ, LinkOption.NOFOLLOW_LINKS)) {
      ByteBuffer found = ByteBuffer.allocate(PIECE);
      int at = 0;
      while (channel.read(found.clear()) >= 0) {
        int n = found.flip().remaining();
        if (n > expected.length - at || !found.equals(ByteBuffer.wrap(expected, at, n))) {
          return false;
        }
        at += n;
      }
      return at == expected.length;
    } catch (NoSuchFileException e) {
      return false;
    }
  }

  /** Written beside, synced, renamed: two processes that do so at once leave the same file. */
  private void unpack(Path file, Library library) throws IOException {
    byte[] bytes = packed.verifiedBytes(library);
    deleteOldParts(file.getParent());
    Path part = file.resolveSibling(file.getFileName() + "." + UUID.randomUUID() + ".part");
    FileAttribute<?>[] attributes =
        LibraryFolders.isPosix(file)
            ? new FileAttribute<?>[] {
              PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("r-x------"))
            }
            : new FileAttribute<?>[0];
    try {
      try (FileChannel channel =
          FileChannel.open(
              part, Set.of(StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE), attributes)) {
        for (int at = 0; at < bytes.length; at += PIECE) {
          ByteBuffer piece = ByteBuffer.wrap(bytes, at, Math.min(PIECE, bytes.length - at));
          while (piece.hasRemaining()) {
            channel.write(piece);
          }
        }
        channel.force(true);
      }
      try {
        // Replaces a link by the file, and never writes through one.
        Files.move(part, file, StandardCopyOption.ATOMIC_MOVE);
      } catch (IOException e) {
        // Windows replaces no library that is in use; another process may just have unpacked it.
        if (!isVerified(file, library)) {
          throw e;
        }
      }
    } finally {
      Files.deleteIfExists(part);
    }
    if (!isVerified(file, library)) {
      throw new IOException(file.getFileName() + " changed while it was unpacked");
    }
  }

  /** What processes left that were killed while they unpacked. */
  private static void deleteOldParts(Path folder) throws IOException {
    Instant yesterday = Instant.now().minus(1, ChronoUnit.DAYS);
    try (DirectoryStream<Path> parts = Files.newDirectoryStream(folder, "*.part")) {
      for (Path part : parts) {
        try {
          FileTime written = Files.getLastModifiedTime(part, LinkOption.NOFOLLOW_LINKS);
          if (written.toInstant().isBefore(yesterday)) {
            Files.deleteIfExists(part);
          }
        } catch (NoSuchFileException e) {
          // Its process has just renamed it.
        }
      }
    }
  }
}
