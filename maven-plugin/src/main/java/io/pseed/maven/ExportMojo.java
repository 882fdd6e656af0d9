package io.pseed.maven;

import io.pseed.converter.command.Units;
import io.pseed.converter.export.SafetensorsExporter;
import io.pseed.converter.export.onnx.OnnxExporter;
import io.pseed.format.PseedReader;
import io.pseed.format.SectionEntry;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Locale;
import org.apache.maven.plugins.annotations.LifecyclePhase;
import org.apache.maven.plugins.annotations.Mojo;
import org.apache.maven.plugins.annotations.Parameter;

/**
 * Exports .pseed files that exist already, for example out of a dependency, as ONNX models that
 * decode themselves or as safetensors files. For models that this build converts, {@code <outputs>}
 * of the goal convert does it in one step.
 */
@Mojo(
    name = "export",
    defaultPhase = LifecyclePhase.GENERATE_RESOURCES,
    threadSafe = true,
    requiresProject = false)
public class ExportMojo extends AbstractPseedMojo {
  /** The file to export: a path, a pattern, or an entry of an artifact, as for {@code <source>}. */
  @Parameter(property = "pseed.file", required = true)
  String file;

  /**
   * Name of the result, below {@code <outputDirectory>}, folders allowed; for a pattern it is a
   * folder. Default: the file's name.
   */
  @Parameter(property = "pseed.target")
  String target;

  /** What is written: onnx or safetensors. */
  @Parameter(property = "pseed.exportFormat", defaultValue = "onnx")
  String exportFormat;

  /** Whether the output directory becomes a resource directory, so that results are in the jar. */
  @Parameter(property = "pseed.resources", defaultValue = "true")
  boolean resources;

  @Override
  void run() throws IOException, ConfigurationException {
    String format = exportFormat.strip().toLowerCase(Locale.ROOT);
    if (!format.equals("onnx") && !format.equals("safetensors")) {
      throw new ConfigurationException(
          "<exportFormat> is " + exportFormat + ", expected onnx or safetensors");
    }
    Path folder = outputDirectory.toPath().toAbsolutePath().normalize();
    BuildState before = BuildState.read(stateFile("export"));
    BuildState after = before.next();
    boolean several = AntPattern.isPattern(file);
    for (ModelFiles.Found found : PseedFiles.find(modelFiles(), file)) {
      String name = ModelFiles.stem(found.name());
      if (target != null) {
        name =
            several ? target.replaceFirst("[/\\\\]+$", "") + "/" + name : ModelFiles.stem(target);
      }
      Path result = ModelFiles.path(folder, "<target>", name + "." + format);
      if (!result.startsWith(folder)) {
        throw new ConfigurationException(
            "<target> " + target + " leaves <outputDirectory> " + folder);
      }
      export(found.file(), format, result, before, after);
    }
    after.write();
    ConvertMojo.addResource(project, outputDirectory, resources);
  }

  private void export(Path pseed, String format, Path result, BuildState before, BuildState after)
      throws IOException, ConfigurationException {
    try (PseedReader reader = PseedReader.open(pseed)) {
      String key = Fingerprint.ofExport(reader.digest(), format);
      if (before.isUpToDate(result, key)) {
        getLog().info(shown(result) + ": up to date");
      } else {
        Files.createDirectories(result.getParent());
        if (format.equals("safetensors")) {
          SafetensorsExporter.export(reader, result);
        } else if (reader.header().section(SectionEntry.ONNX_GRAPH) == null) {
          throw new ConfigurationException(
              "<file> "
                  + shown(pseed)
                  + " holds tensors but no ONNX graph; write"
                  + " <exportFormat>safetensors</exportFormat>");
        } else {
          OnnxExporter.export(reader, result);
        }
        getLog()
            .info(shown(pseed) + " -> " + shown(result) + ", " + Units.bytes(Files.size(result)));
      }
      after.put(result, key);
    }
  }
}
