package io.pseed.maven;

import io.pseed.converter.command.Inspection;
import io.pseed.format.PseedReader;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.apache.maven.plugins.annotations.Mojo;
import org.apache.maven.plugins.annotations.Parameter;

/** Shows what .pseed files hold, tensor by tensor: what convert made, or a file that is named. */
@Mojo(name = "inspect", threadSafe = true, requiresProject = false)
public class InspectMojo extends AbstractModelsMojo {
  /**
   * The file to look at: a path, a pattern, or an entry of an artifact, as for {@code <source>}.
   * Default: what convert made.
   */
  @Parameter(property = "pseed.file")
  String file;

  /** Whether to read every record and show seeds, rates, rotation and scales. */
  @Parameter(property = "pseed.detail", defaultValue = "false")
  boolean detail;

  @Override
  void run() throws IOException, ConfigurationException {
    List<Path> files = new ArrayList<>();
    if (file == null) {
      work().forEach(work -> files.add(work.pseed()));
    } else {
      for (ModelFiles.Found found : PseedFiles.find(modelFiles(), file)) {
        files.add(found.file());
      }
    }
    if (files.isEmpty()) {
      throw new ConfigurationException("nothing to inspect: name a <file> or <models>");
    }
    for (Path path : files) {
      if (!Files.exists(path)) {
        throw new ConfigurationException(
            "there is no " + shown(path) + "; the goal convert makes it");
      }
      try (PseedReader reader = PseedReader.open(path)) {
        new Inspection(reader, detail).lines(shown(path)).forEach(getLog()::info);
      }
    }
  }
}
