package io.pseed.converter.cli;

import io.pseed.converter.export.SafetensorsExporter;
import io.pseed.format.PseedReader;
import java.io.IOException;
import java.nio.file.Path;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** {@code pseed export}. */
@Command(
    name = "export",
    description = "Write a .pseed file as an ONNX model or as a safetensors file.",
    footerHeading = "%nExamples:%n",
    footer = {
      "  pseed export model.pseed --onnx small.onnx           seeds inside, loads in any ONNX Runtime",
      "  pseed export model.pseed --safetensors full.safetensors   all weights decoded"
    },
    sortOptions = false)
final class ExportCommand implements Callable<Integer> {
  private final Console console;

  @Spec CommandSpec spec;

  @Parameters(paramLabel = "MODEL.pseed", description = "The file to export.")
  Path model;

  @Option(
      names = "--safetensors",
      paramLabel = "FILE",
      description = "Write all tensors, decoded, as safetensors.")
  Path safetensors;

  @Option(names = "--force", description = "Replace a file that exists.")
  boolean force;

  ExportCommand(Console console) {
    this.console = console;
  }

  @Override
  public Integer call() throws Exception {
    if (safetensors == null) {
      throw new ParameterException(
          spec.commandLine(), "name what to write: --onnx FILE or --safetensors FILE");
    }
    try (PseedReader reader = Containers.open(model)) {
      exportSafetensors(reader);
    }
    return PseedCommand.EXIT_OK;
  }

  private void exportSafetensors(PseedReader reader) throws IOException, CommandFailure {
    Targets.requireExportable(safetensors, model, force);
    long bytes = SafetensorsExporter.export(reader, safetensors);
    console.line(
        "%s: %s, %d tensors, all decoded",
        safetensors, Units.bytes(bytes), reader.header().tensors().size());
  }
}
