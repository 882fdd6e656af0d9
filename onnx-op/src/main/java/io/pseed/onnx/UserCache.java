package io.pseed.onnx;

import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;

/** The user's cache directory, as the platform has it. */
public final class UserCache {
  private UserCache() {}

  /**
   * Our own folder in it, which may not exist yet: below {@code XDG_CACHE_HOME} or {@code
   * ~/.cache}, {@code ~/Library/Caches} or {@code %LOCALAPPDATA%}. Empty where the system names
   * none.
   */
  public static Optional<Path> folder() {
    return folder(System.getProperty("os.name"), System.getenv(), System.getProperty("user.home"));
  }

  static Optional<Path> folder(String osName, Map<String, String> environment, String home) {
    String os = osName.toLowerCase(Locale.ROOT);
    Optional<Path> base;
    if (os.startsWith("windows")) {
      base = absolute(environment.get("LOCALAPPDATA"));
    } else if (os.startsWith("mac")) {
      base = absolute(home).map(path -> path.resolve("Library/Caches"));
    } else {
      base =
          absolute(environment.get("XDG_CACHE_HOME"))
              .or(() -> absolute(home).map(path -> path.resolve(".cache")));
    }
    return base.map(path -> path.resolve("pseed"));
  }

  /** Relative paths are ignored, as the XDG base directory specification says. */
  private static Optional<Path> absolute(String path) {
    if (path == null || path.isEmpty()) {
      return Optional.empty();
    }
    try {
      return Optional.of(Path.of(path)).filter(Path::isAbsolute);
    } catch (InvalidPathException e) {
      return Optional.empty();
    }
  }
}
