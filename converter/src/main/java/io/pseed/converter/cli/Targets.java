package io.pseed.converter.cli;

import io.pseed.converter.command.CommandFailure;
import io.pseed.converter.report.ReportHtml;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;

/** Checks of files to be written, made before any work. */
final class Targets {
  private Targets() {}

  /** A new file, or an older .pseed file that may be replaced. */
  static void requireConvertible(Path target, Path source) throws IOException, CommandFailure {
    requireWritableFolder(target);
    if (!Files.exists(target)) {
      return;
    }
    if (Files.isSameFile(target, source)) {
      throw new CommandFailure(target + ": is the source itself; name another file with -o");
    }
    if (Files.size(target) > 0 && !Containers.isPseed(target)) {
      throw new CommandFailure(
          target
              + ": exists and is no .pseed file, so it is not replaced; name another file with -o");
    }
  }

  /** A new file, or any file where {@code force} says so. */
  static void requireExportable(Path target, Path source, boolean force)
      throws IOException, CommandFailure {
    requireWritableFolder(target);
    if (!Files.exists(target)) {
      return;
    }
    if (Files.isSameFile(target, source)) {
      throw new CommandFailure(target + ": is the .pseed file itself; name another file");
    }
    if (!force) {
      throw new CommandFailure(
          target + ": exists already; name another file, or replace it with --force");
    }
  }

  /** A new file, or an older report that may be replaced. */
  static void requireReportable(Path target, Path... others) throws IOException, CommandFailure {
    requireWritableFolder(target);
    if (!Files.exists(target)) {
      return;
    }
    for (Path other : others) {
      if (Files.exists(other) && Files.isSameFile(target, other)) {
        throw new CommandFailure(target + ": is a model; name another file with --report");
      }
    }
    byte[] start;
    try (InputStream in = Files.newInputStream(target)) {
      start = in.readNBytes(ReportHtml.START.length());
    }
    if (start.length > 0 && !new String(start, StandardCharsets.UTF_8).equals(ReportHtml.START)) {
      throw new CommandFailure(
          target
              + ": exists and is no report, so it is not replaced; name another file with"
              + " --report");
    }
  }

  /** A file in a folder that exists and can be written. */
  static void requireWritableFolder(Path target) throws CommandFailure {
    if (Files.isDirectory(target)) {
      throw new CommandFailure(target + ": is a folder, expected the name of a file to write");
    }
    Path folder = target.toAbsolutePath().getParent();
    if (folder == null || !Files.isDirectory(folder)) {
      throw new CommandFailure(target + ": its folder does not exist; create it first");
    }
    if (!Files.isWritable(folder)) {
      throw new CommandFailure(
          target + ": its folder cannot be written; choose another one or change its permissions");
    }
  }
}
