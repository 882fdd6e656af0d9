package io.pseed.converter.cli;

import io.pseed.converter.Version;
import io.pseed.converter.command.CommandFailure;
import io.pseed.converter.command.Failures;
import io.pseed.converter.command.Wording;
import java.io.PrintWriter;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.stream.Collectors;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Help.Ansi;
import picocli.CommandLine.MissingParameterException;
import picocli.CommandLine.Model.ArgSpec;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Model.OptionSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.ScopeType;
import picocli.CommandLine.Spec;
import picocli.CommandLine.TypeConversionException;
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
    CommandLine line = root.line();
    try {
      return line.execute(explained(args));
    } catch (OutOfMemoryError | StackOverflowError e) {
      return root.failed(e);
    }
  }

  /** The command line, for those who read arguments without running anything. */
  public static CommandLine line(Console console) {
    return new PseedCommand(console).line();
  }

  private CommandLine line() {
    CommandLine line = new CommandLine(this);
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
    line.setParameterExceptionHandler((failure, arguments) -> usage(failure));
    line.setExecutionExceptionHandler((failure, command, parsed) -> failed(failure));
    return line;
  }

  /** {@code pseed help convert} means {@code pseed convert --help}. */
  private static String[] explained(String... args) {
    if (args.length == 0 || !args[0].equals("help")) {
      return args;
    }
    String[] words = Arrays.copyOfRange(args, 1, args.length + 1);
    words[words.length - 1] = "--help";
    return words;
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
    String sentence =
        Failures.sentence(new CommandFailure(wrongArgument(failure)), Wording.OPTIONS);
    console.say(sentence + " (see '" + command.getCommandSpec().qualifiedName() + " --help')");
    trace(failure);
    return CommandLine.ExitCode.USAGE;
  }

  /** The first thing that is wrong, in the words of the user. */
  private static String wrongArgument(ParameterException failure) {
    CommandSpec command = failure.getCommandLine().getCommandSpec();
    if (failure instanceof UnmatchedArgumentException unmatched
        && !unmatched.getUnmatched().isEmpty()) {
      String word = unmatched.getUnmatched().get(0);
      boolean option = unmatched.isUnknownOption();
      boolean subcommand = !option && command.positionalParameters().isEmpty();
      String what =
          option
              ? "unknown option '" + word + "'"
              : subcommand
                  ? "unknown command '" + word + "'"
                  : "unexpected argument '" + word + "'; quote names with blanks";
      List<String> guesses = option || subcommand ? unmatched.getSuggestions() : List.of();
      return guesses.isEmpty() ? what : what + "; did you mean " + guesses.get(0) + "?";
    }
    if (failure instanceof MissingParameterException missing && !missing.getMissing().isEmpty()) {
      ArgSpec first = missing.getMissing().get(0);
      return first instanceof OptionSpec option
          ? option.longestName() + " needs a value, " + option.paramLabel()
          : first.paramLabel() + " is missing: " + command.qualifiedName() + " " + labels(command);
    }
    if (failure.getCause() instanceof TypeConversionException
        || failure.getMessage().contains("KEY=VALUE")) {
      return wrongValue(failure);
    }
    return failure.getMessage();
  }

  /** picocli's own sentences name types of Java. */
  private static String wrongValue(ParameterException failure) {
    if (!(failure.getArgSpec() instanceof OptionSpec option)) {
      return failure.getMessage();
    }
    Class<?> type = option.type();
    String expected =
        Map.class.isAssignableFrom(type)
            ? failure.getMessage().contains("KEY=VALUE") ? option.paramLabel() : null
            : type == int.class || type == Integer.class || type == long.class
                ? "a whole number"
                : type == double.class || type == Double.class ? "a number" : null;
    return expected != null
        ? option.longestName() + " is '" + failure.getValue() + "', expected " + expected
        : option.longestName() + ": " + failure.getCause().getMessage();
  }

  private static String labels(CommandSpec command) {
    return command.positionalParameters().stream()
        .map(ArgSpec::paramLabel)
        .collect(Collectors.joining(" "));
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
