package io.pseed.onnx;

import ai.onnxruntime.OrtException;
import ai.onnxruntime.OrtSession.SessionOptions;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Optional;

/**
 * The native custom-op library: it decodes the seeds of an exported model in parallel while a
 * session loads. Such a model also loads without it, more slowly, because it carries the decoder in
 * standard operators; a {@code .pseed} file opens by {@link PseedSession} without it.
 *
 * <pre>{@code
 * try (SessionOptions options = new SessionOptions()) {
 *   PseedOpLibrary.register(options);
 *   OrtSession session = environment.createSession("exported.onnx", options);
 * }
 * }</pre>
 *
 * <p>The artifact holds the library for some platforms and unpacks it where only this user can
 * write: below the user's cache directory ({@code $XDG_CACHE_HOME} or {@code ~/.cache}, {@code
 * ~/Library/Caches}, {@code %LOCALAPPDATA%}) in {@code pseed/native}, under a name with its
 * SHA-256. Where native code cannot be kept there, it goes into a fresh private directory below
 * {@code java.io.tmpdir} that is deleted when the program ends, and a line in the log says so. The
 * file is compared with the artifact before each use. Files in the cache may be deleted at any
 * time.
 *
 * <p>The system property {@value #PROPERTY} names a library of one's own build instead; nothing is
 * unpacked then.
 *
 * <p>All methods may be called from several threads.
 */
public final class PseedOpLibrary {
  /** System property: the file of a library to be used instead of the one in the artifact. */
  public static final String PROPERTY = "io.pseed.onnx.library";

  private static final UnpackedLibrary UNPACKED = UnpackedLibrary.ofThisArtifact(NativeLibrary.OP);

  private PseedOpLibrary() {}

  /**
   * Registers the library with a session's options.
   *
   * @throws OpLibraryException where there is none for this platform, or no safe place for it
   * @throws OrtException where ONNX Runtime refuses it
   */
  public static void register(SessionOptions options) throws IOException, OrtException {
    options.registerCustomOpLibrary(path().toString());
  }

  /**
   * The library as a file, verified: for {@code registerCustomOpLibrary} of any binding. Loading it
   * is the caller's.
   *
   * @return an absolute path
   * @throws OpLibraryException where there is none for this platform, or no safe place for it
   */
  public static Path path() throws OpLibraryException {
    return UNPACKED.path(System.getProperty(PROPERTY));
  }

  /**
   * Why {@link #path()} would fail; empty where it would not. Unpacks the library as {@link
   * #path()} does.
   */
  public static Optional<String> unavailable() {
    try {
      path();
      return Optional.empty();
    } catch (OpLibraryException e) {
      return Optional.of(e.getMessage());
    }
  }

  /** Whether {@link #register} has a library for this platform. */
  public static boolean isAvailable() {
    return unavailable().isEmpty();
  }
}
