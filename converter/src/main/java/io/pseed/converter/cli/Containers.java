package io.pseed.converter.cli;

import io.pseed.converter.Sources;
import io.pseed.converter.command.CommandFailure;
import io.pseed.converter.source.TensorSource;
import io.pseed.format.NotPseedException;
import io.pseed.format.PseedException;
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
    try {
      return PseedReader.open(file);
    } catch (NotPseedException e) {
      if (Files.size(file) == 0) {
        throw new CommandFailure(file + ": is an empty file, expected a .pseed file", e);
      }
      if (isModel(file)) {
        throw new CommandFailure(
            file
                + ": is a model that has not been converted, expected a .pseed file; make one with"
                + " 'pseed convert "
                + file
                + "'",
            e);
      }
      throw e;
    }
  }

  /** Whether the file can be converted. */
  static boolean isModel(Path file) {
    try (TensorSource source = Sources.open(file)) {
      return !source.format().isEmpty();
    } catch (IOException e) {
      return false;
    }
  }

  /** Whether the file begins like a .pseed file. */
  static boolean isPseed(Path file) {
    try (PseedReader reader = PseedReader.open(file)) {
      return reader.fileLength() > 0;
    } catch (NotPseedException e) {
      return false;
    } catch (PseedException e) {
      // A damaged or newer one: a .pseed file all the same.
      return true;
    } catch (IOException e) {
      return false;
    }
  }
}
