package io.pseed.converter.inputs;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/**
 * How the library of tokenizers behaves, which would otherwise do two things that nobody asked for:
 * ask the network where it runs and tell its makers, and keep native code in the temp folder that
 * all users share where the home folder cannot be written.
 */
public final class TokenizerLibrary {
  private static final String OFFLINE = "ai.djl.offline";
  private static final String CACHE = "DJL_CACHE_DIR";

  private TokenizerLibrary() {}

  /**
   * Called before the library's first use. What the user said of it in the environment or as a
   * property stays.
   *
   * @throws IOException where the home folder cannot be written and no folder can be made for
   *     native code either
   */
  public static synchronized void prepare() throws IOException {
    if (System.getProperty(OFFLINE) == null) {
      System.setProperty(OFFLINE, "true");
    }
    boolean told =
        isSet(System.getenv(CACHE))
            || isSet(System.getProperty(CACHE))
            || isSet(System.getenv("ENGINE_CACHE_DIR"))
            || isSet(System.getProperty("ENGINE_CACHE_DIR"));
    if (!told && !Files.isWritable(Path.of(System.getProperty("user.home")))) {
      // Only this user can write there: Java makes such folders with these permissions.
      System.setProperty(CACHE, Files.createTempDirectory("pseed-tokenizers").toString());
    }
  }

  private static boolean isSet(String value) {
    return value != null && !value.isEmpty();
  }
}
