package io.pseed.converter.cli;

import io.pseed.converter.command.CommandFailure;
import io.pseed.format.PseedReader;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/** Opens .pseed files for the commands. */
final class Containers {
  private Containers() {}

  static PseedReader open(Path file) throws IOException, CommandFailure {
    if (Files.isDirectory(file)) {
      throw new CommandFailure(file + ": is a folder, expected a .pseed file");
    }
    return PseedReader.open(file);
  }
}
