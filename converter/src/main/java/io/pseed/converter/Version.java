package io.pseed.converter;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.util.Properties;

/** The program's version, from the build. */
public final class Version {
  /** For example {@code 1.2.3}. */
  public static final String VERSION = read();

  /** What a file names as its producer: {@code pseed 1.2.3}. */
  public static final String PRODUCER = "pseed " + VERSION;

  private Version() {}

  private static String read() {
    try (InputStream in = Version.class.getResourceAsStream("version.properties")) {
      Properties properties = new Properties();
      properties.load(in);
      return properties.getProperty("version");
    } catch (IOException e) {
      throw new UncheckedIOException("version.properties is missing from the jar", e);
    }
  }
}
