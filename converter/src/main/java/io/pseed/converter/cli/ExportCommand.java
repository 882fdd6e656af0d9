package io.pseed.converter.cli;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.pseed.converter.command.CommandFailure;
import io.pseed.converter.command.Json;
import io.pseed.converter.command.Units;
import io.pseed.converter.export.SafetensorsExporter;
import io.pseed.converter.export.onnx.OnnxExport;
import io.pseed.converter.export.onnx.OnnxExport.DenseTensor;
import io.pseed.converter.export.onnx.OnnxExporter;
import io.pseed.format.PseedReader;
import io.pseed.format.SectionEntry;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
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
      "  pseed export model.pseed --onnx small.onnx          seeds inside, loads in any ONNX Runtime",
      "  pseed export model.pseed --onnx model.onnx --external     seeds stay in model.pseed beside it",
      "  pseed export model.pseed --safetensors full.safetensors             all weights decoded"
    },
    sortOptions = false)
final class ExportCommand implements Callable<Integer> {
  private final Console console;

  @Spec CommandSpec spec;

  @Parameters(paramLabel = "MODEL.pseed", description = "The file to export.")
  Path model;

  @Option(
      names = "--onnx",
      paramLabel = "FILE",
      description =
          "Write a model of standard ONNX operators that decodes its seeds while it is loaded.")
  Path onnx;

  @Option(
      names = "--external",
      description =
          "With --onnx: leave the seeds in MODEL.pseed, as ONNX external data. Needed where the model"
              + " would exceed 2 GB. Keep both files together; 'pseed verify model.onnx model.pseed'"
              + " tells whether they are a pair.")
  boolean external;

  @Option(
      names = "--safetensors",
      paramLabel = "FILE",
      description = "Write all tensors, decoded, as safetensors.")
  Path safetensors;

  @Option(names = "--force", description = "Replace a file that exists.")
  boolean force;

  @Option(names = "--json", description = "Print JSON.")
  boolean json;

  ExportCommand(Console console) {
    this.console = console;
  }

  @Override
  public Integer call() throws Exception {
    if (onnx == null && safetensors == null) {
      throw new ParameterException(
          spec.commandLine(), "name what to write: --onnx FILE or --safetensors FILE");
    }
    if (external && onnx == null) {
      throw new ParameterException(
          spec.commandLine(),
          "--external says where the seeds of --onnx FILE stay; add --onnx FILE");
    }
    ObjectNode report = Json.object();
    try (PseedReader reader = Containers.open(model)) {
      if (onnx != null) {
        Targets.requireExportable(onnx, model, force);
      }
      if (safetensors != null) {
        Targets.requireExportable(safetensors, model, force);
      }
      if (onnx != null) {
        if (reader.header().section(SectionEntry.ONNX_GRAPH) == null) {
          throw new CommandFailure(
              model
                  + ": holds tensors but no ONNX graph, so it cannot become an ONNX model; use"
                  + " --safetensors");
        }
        exportOnnx(reader, report);
      }
      if (safetensors != null) {
        exportSafetensors(reader, report);
      }
    }
    if (json) {
      console.out().println(Json.text(report));
    }
    return PseedCommand.EXIT_OK;
  }

  private void exportOnnx(PseedReader reader, ObjectNode report) throws IOException {
    OnnxExport done =
        external
            ? OnnxExporter.exportExternal(reader, model, onnx)
            : OnnxExporter.export(reader, onnx);
    ObjectNode node = report.putObject("onnx");
    node.put("file", onnx.toString()).put("bytes", done.bytes());
    node.put("seeded", done.seeded()).put("lossless", done.raw());
    if (done.location() != null) {
      node.putObject("external")
          .put("location", done.location())
          .put("bytes", done.externalBytes())
          .put("digest", reader.digest());
    }
    ArrayNode dense = node.putArray("dense");
    for (DenseTensor tensor : done.dense()) {
      dense
          .addObject()
          .put("name", tensor.name())
          .put("bytes", tensor.bytes())
          .put("form", tensor.form() == OnnxExport.Form.ELEMENTS ? "elements" : "codes")
          .put("reason", tensor.reason());
    }
    if (json) {
      return;
    }
    console.line(
        "%s: %s, %d tensors as seeds, %d lossless, %d grown",
        onnx, Units.bytes(done.bytes()), done.seeded(), done.raw(), done.dense().size());
    if (done.location() != null) {
      console.line(
          "  it reads %s of %s from its own folder; keep both together",
          Units.bytes(done.externalBytes()), done.location());
    }
    Map<String, List<DenseTensor>> byReason = new LinkedHashMap<>();
    for (DenseTensor tensor : done.dense()) {
      byReason.computeIfAbsent(tensor.reason(), key -> new ArrayList<>()).add(tensor);
    }
    byReason.forEach(
        (reason, tensors) -> {
          long bytes = tensors.stream().mapToLong(DenseTensor::bytes).sum();
          String first = tensors.get(0).name();
          console.line(
              "  %s%s, %s more: %s",
              first,
              tensors.size() == 1 ? "" : " and " + (tensors.size() - 1) + " others",
              Units.bytes(bytes),
              reason);
        });
  }

  private void exportSafetensors(PseedReader reader, ObjectNode report) throws IOException {
    long bytes = SafetensorsExporter.export(reader, safetensors);
    int tensors = reader.header().tensors().size();
    report
        .putObject("safetensors")
        .put("file", safetensors.toString())
        .put("bytes", bytes)
        .put("tensors", tensors);
    if (!json) {
      console.line("%s: %s, %d tensors, all decoded", safetensors, Units.bytes(bytes), tensors);
      if (reader.header().section(SectionEntry.ONNX_GRAPH) != null) {
        console.line("  the ONNX graph is not part of it: safetensors holds tensors only");
      }
    }
  }
}
