package io.pseed.converter.cli;

import io.pseed.converter.Version;
import io.pseed.converter.command.CommandFailure;
import io.pseed.converter.command.Failures;
import io.pseed.converter.command.Wording;
import java.io.PrintWriter;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.concurrent.atomic.AtomicBoolean;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Help.Ansi;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.ScopeType;
import picocli.CommandLine.Spec;
import picocli.CommandLine.UnmatchedArgumentException;

/** The command {@code pseed}. */
@Command(
    name = "pseed",
    description = {
      "Turns the weights of a neural network into seeds: a small .pseed file that gives the weights"
          + " back when the model loads."
    },
    synopsisHeading = "Usage: ",
    customSynopsis = "pseed COMMAND [OPTIONS]",
    descriptionHeading = "%n",
    optionListHeading = "%nOptions:%n",
    commandListHeading = "%nCommands:%n",
    footerHeading = "%nExamples:%n",
    footer = {
      "  pseed convert model.onnx             writes model.pseed beside the model",
      "  pseed verify model.onnx model.pseed  checks the file and compares its outputs",
      "",
      "'pseed COMMAND --help' explains a command."
    },
    sortOptions = false,
    versionProvider = PseedCommand.VersionText.class)
public final class PseedCommand implements Runnable {
  static final int EXIT_OK = 0;
  static final int EXIT_FAILURE = 1;

  private final Console console;

  @Spec CommandSpec spec;

  @Option(
      names = {"-h", "--help"},
      usageHelp = true,
      scope = ScopeType.INHERIT,
      description = "Show this help.")
  boolean help;

  @Option(
      names = {"-V", "--version"},
      versionHelp = true,
      description = "Show the version.")
  boolean version;

  @Option(
      names = "--stacktrace",
      scope = ScopeType.INHERIT,
      description = "Show where in the program a failure arose (also PSEED_DEBUG=1).")
  boolean stacktrace;

  PseedCommand(Console console) {
    this.console = console;
  }

  /** What {@code --version} says. */
  static final class VersionText implements CommandLine.IVersionProvider {
    @Override
    public String[] getVersion() {
      return new String[] {
        Version.PRODUCER,
        "format 1.0, Java " + Runtime.version() + ", " + System.getProperty("os.name")
      };
    }
  }

  /** Runs the command and ends the process with its exit code. */
  public static void main(String[] args) {
    Console console = Console.ofProcess();
    AtomicBoolean ended = new AtomicBoolean();
    Runtime.getRuntime()
        .addShutdownHook(
            new Thread(
                () -> {
                  if (!ended.get()) {
                    console.err().println();
                    console.say("interrupted" + console.onInterrupt());
                  }
                },
                "pseed-interrupt"));
    int code = run(console, args);
    console.out().flush();
    console.err().flush();
    ended.set(true);
    System.exit(code);
  }

  /**
   * Runs the command.
   *
   * @return 0: done; 1: it failed, or a check did not pass; 2: the arguments are wrong
   */
  public static int run(Console console, String... args) {
    PseedCommand root = new PseedCommand(console);
    CommandLine line = new CommandLine(root);
    for (Object command :
        List.of(
            new ConvertCommand(console),
            new ExportCommand(console),
            new InspectCommand(console),
            new VerifyCommand(console),
            new BenchCommand(console),
            new DemoCommand(console))) {
      line.addSubcommand(command);
    }
    line.addSubcommand(
        new CommandLine(new ExperimentCommand())
            .addSubcommand(new ExperimentCommand.Paper(console))
            .addSubcommand(new ExperimentCommand.Gaussian(console))
            .addSubcommand(new ModelsCommand(console))
            .addSubcommand(new FidelityCommand(console)));
    layOutHelp(line);
    // AUTO also looks whether Java finds stdin and stdout at a terminal.
    Ansi colours = console.terminal() ? Ansi.AUTO : Ansi.OFF;
    line.setColorScheme(CommandLine.Help.defaultColorScheme(colours));
    line.setOut(new PrintWriter(console.out(), true, StandardCharsets.UTF_8));
    line.setErr(new PrintWriter(console.err(), true, StandardCharsets.UTF_8));
    line.setUsageHelpWidth(100);
    line.setParameterExceptionHandler((failure, arguments) -> root.usage(failure));
    line.setExecutionExceptionHandler((failure, command, parsed) -> root.failed(failure));
    try {
      return line.execute(args);
    } catch (OutOfMemoryError | StackOverflowError e) {
      return root.failed(e);
    }
  }

  /** The same headings and blank lines for every command. */
  private static void layOutHelp(CommandLine line) {
    for (CommandLine command : line.getSubcommands().values()) {
      command
          .getCommandSpec()
          .usageMessage()
          .synopsisHeading("Usage: ")
          .descriptionHeading("%n")
          .parameterListHeading("%nArguments:%n")
          .optionListHeading("%nOptions:%n")
          .commandListHeading("%nCommands:%n");
      layOutHelp(command);
    }
  }

  @Override
  public void run() {
    spec.commandLine().usage(console.out());
  }

  private int usage(ParameterException failure) {
    CommandLine command = failure.getCommandLine();
    String sentence = Failures.sentence(new CommandFailure(failure.getMessage()), Wording.OPTIONS);
    List<String> guesses =
        failure instanceof UnmatchedArgumentException unmatched
            ? unmatched.getSuggestions()
            : List.of();
    String guess = guesses.isEmpty() ? "" : "; did you mean " + String.join(" or ", guesses) + "?";
    console.say(
        sentence + guess + " (see '" + command.getCommandSpec().qualifiedName() + " --help')");
    trace(failure);
    return CommandLine.ExitCode.USAGE;
  }

  private int failed(Throwable failure) {
    console.say(Failures.sentence(failure, Wording.OPTIONS));
    trace(failure);
    return EXIT_FAILURE;
  }

  private void trace(Throwable failure) {
    String debug = System.getenv("PSEED_DEBUG");
    if (stacktrace || (debug != null && !debug.isEmpty() && !debug.equals("0"))) {
      failure.printStackTrace(console.err());
    }
  }
}
