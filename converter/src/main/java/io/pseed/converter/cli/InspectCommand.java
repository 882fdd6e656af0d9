package io.pseed.converter.cli;

import io.pseed.converter.command.Inspection;
import io.pseed.converter.command.Json;
import io.pseed.format.PseedReader;
import java.nio.file.Path;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code pseed inspect}. */
@Command(
    name = "inspect",
    description = "Show what a .pseed file holds, tensor by tensor.",
    footerHeading = "%nExample:%n",
    footer = {"  pseed inspect model.pseed --detail"},
    sortOptions = false)
final class InspectCommand implements Callable<Integer> {
  private final Console console;

  @Parameters(paramLabel = "MODEL.pseed", description = "The file to look at.")
  Path model;

  @Option(
      names = "--detail",
      description = "Read every record, and show seeds, rates, rotation and scales.")
  boolean detail;

  @Option(names = "--json", description = "Print JSON.")
  boolean json;

  InspectCommand(Console console) {
    this.console = console;
  }

  @Override
  public Integer call() throws Exception {
    try (PseedReader reader = Containers.open(model)) {
      Inspection inspection = new Inspection(reader, detail);
      if (json) {
        console.out().println(Json.text(inspection.json(model.toString())));
      } else {
        inspection.lines(model.toString()).forEach(console::text);
      }
    }
    return PseedCommand.EXIT_OK;
  }
}
