package io.pseed.converter.command;

import ai.onnxruntime.OrtException;
import io.pseed.format.OverLimitException;
import io.pseed.format.PseedException;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.AccessDeniedException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.FileSystemException;
import java.nio.file.NoSuchFileException;
import java.util.Locale;
import java.util.Objects;

/** What went wrong, and what to do, in one sentence. */
public final class Failures {
  /** Of a sentence: names in files may be as long as the files. */
  private static final int MOST_CHARACTERS = 2000;

  private Failures() {}

  /**
   * The sentence for the user.
   *
   * @param wording what it calls settings
   */
  public static String sentence(Throwable failure, Wording wording) {
    return oneLine(text(failure, wording));
  }

  private static String text(Throwable failure, Wording wording) {
    if (failure instanceof UncheckedIOException unchecked) {
      return text(unchecked.getCause(), wording);
    }
    if (isDiskFull(failure)) {
      return "the disk is full; free some space and "
          + wording.again()
          + " ("
          + failure.getMessage()
          + ")";
    }
    if (failure instanceof OutOfMemoryError) {
      return String.format(
          Locale.ROOT,
          "out of memory with a Java heap of %s; %s",
          Units.bytes(Runtime.getRuntime().maxMemory()),
          wording.moreHeap());
    }
    if (failure instanceof StackOverflowError) {
      return "the file is nested too deeply to be read";
    }
    if (failure instanceof NoSuchFileException missing) {
      return missing.getFile() + ": no such file or folder";
    }
    if (failure instanceof AccessDeniedException denied) {
      return denied.getFile()
          + ": access denied; check the permissions of the file and of its folder";
    }
    if (failure instanceof FileAlreadyExistsException existing) {
      return existing.getFile() + ": exists already";
    }
    if (failure instanceof FileSystemException trouble) {
      return trouble.getMessage();
    }
    if (failure instanceof OverLimitException) {
      return failure.getMessage() + "; the file asks for more than this reader agrees to take";
    }
    if (failure instanceof PseedException
        || failure instanceof IOException
        || failure instanceof CommandFailure) {
      return Objects.requireNonNullElse(failure.getMessage(), failure.getClass().getSimpleName());
    }
    if (failure instanceof OrtException) {
      return "ONNX Runtime refused the model: " + failure.getMessage();
    }
    return "unexpected "
        + failure.getClass().getSimpleName()
        + ": "
        + failure.getMessage()
        + "; "
        + wording.stackTrace();
  }

  /** Systems have their own words for it, and not every way of writing has a type for it. */
  private static boolean isDiskFull(Throwable failure) {
    for (Throwable t = failure; t != null; t = t.getCause()) {
      String message = t.getMessage() == null ? "" : t.getMessage().toLowerCase(Locale.ROOT);
      if (t instanceof IOException
          && (message.contains("no space left")
              || message.contains("not enough space on the disk")
              || message.contains("disk quota exceeded")
              || message.contains("file too large"))) {
        return true;
      }
    }
    return false;
  }

  private static String oneLine(String text) {
    return Printable.text(text.strip().replaceAll("\\s*[\\r\\n]+\\s*", " "), MOST_CHARACTERS);
  }
}
