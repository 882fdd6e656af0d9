package io.pseed.converter.bench;

import java.io.IOException;
import java.nio.file.Path;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.OptionalLong;
import java.util.function.Consumer;

/**
 * Measures what a kind of devices searches and decodes in a second, beside what its arithmetic and
 * its memory allow and beside the CPU. Found by {@link java.util.ServiceLoader}.
 */
public interface DeviceBench {
  /** The word by which users ask for these devices, such as {@code cuda}. */
  String kind();

  /**
   * Measures, and tells each line of a Markdown document when it is known.
   *
   * @throws DeviceBenchException where there is no such device, or it fails
   */
  void run(Settings settings, Consumer<String> line)
      throws IOException, DeviceBenchException, InterruptedException;

  /**
   * What is measured.
   *
   * @param device which; empty: the first
   * @param memory bytes of its memory to use at most; empty: a share of what is free
   * @param model a model to convert too
   * @param quick fewer seed lengths and rates, smaller matrices
   */
  record Settings(OptionalInt device, OptionalLong memory, Optional<Path> model, boolean quick) {}

  /** There is nothing to measure; the message is a clause. */
  final class DeviceBenchException extends Exception {
    private static final long serialVersionUID = 1L;

    /** A failure with its cause, if any. */
    public DeviceBenchException(String message, Throwable cause) {
      super(message, cause);
    }
  }
}
