package io.pseed.docs;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assertions.fail;

import io.pseed.converter.cli.Console;
import io.pseed.converter.cli.PseedCommand;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.File;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import javax.xml.parsers.DocumentBuilderFactory;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.api.io.TempDir;
import org.w3c.dom.Element;
import org.w3c.dom.Node;
import org.w3c.dom.NodeList;

/**
 * What the README, the guides and the pages for contributors show is done: commands run on a model
 * that fits a blink, Java runs beside their results, XML is what the plugin knows, paths exist. A
 * block behind {@code <!-- not run: why -->} is parsed or compiled only, and said to be so.
 */
class SnippetsTest {
  private static final Path ROOT = Path.of("..").toAbsolutePath().normalize();
  private static final Set<String> PARSED_COMMANDS = Set.of("demo", "bench", "experiment");
  private static final Set<String> LANGUAGES =
      Set.of("", "sh", "java", "xml", "python", "csharp", "cpp", "text", "json");

  private static String poms;
  private static Map<String, Set<String>> parameters;

  @TempDir Path dir;

  @BeforeAll
  static void read() throws Exception {
    StringBuilder all = new StringBuilder();
    for (Path pom : modules()) {
      all.append(Files.readString(pom));
    }
    poms = all.toString();
    parameters = parameters();
  }

  private static List<Path> modules() throws IOException {
    List<Path> found = new ArrayList<>(List.of(ROOT.resolve("pom.xml")));
    try (Stream<Path> folders = Files.list(ROOT)) {
      folders.map(folder -> folder.resolve("pom.xml")).filter(Files::exists).forEach(found::add);
    }
    return found;
  }

  /** Tag to the goals that know it, from the descriptor that Maven reads. */
  private static Map<String, Set<String>> parameters() throws Exception {
    Path descriptor =
        ROOT.resolve("maven-plugin").resolve("target/classes/META-INF/maven/plugin.xml");
    Element plugin = xml(Files.readString(descriptor));
    Map<String, Set<String>> known = new HashMap<>();
    NodeList mojos = plugin.getElementsByTagName("mojo");
    for (int i = 0; i < mojos.getLength(); i++) {
      Element mojo = (Element) mojos.item(i);
      String goal = mojo.getElementsByTagName("goal").item(0).getTextContent();
      NodeList names = mojo.getElementsByTagName("parameter");
      for (int j = 0; j < names.getLength(); j++) {
        String name =
            ((Element) names.item(j)).getElementsByTagName("name").item(0).getTextContent();
        known.computeIfAbsent(name, key -> new TreeSet<>()).add(goal);
      }
    }
    return known;
  }

  private static Element xml(String text) throws Exception {
    return DocumentBuilderFactory.newInstance()
        .newDocumentBuilder()
        .parse(new ByteArrayInputStream(text.getBytes(StandardCharsets.UTF_8)))
        .getDocumentElement();
  }

  /**
   * The pages whose commands belong to this tree; each sample has a test and a README of its own.
   */
  private static List<Path> pages() throws IOException {
    List<Path> pages = new ArrayList<>();
    for (String name : new String[] {"README.md", "CONTRIBUTING.md", "SECURITY.md"}) {
      pages.add(ROOT.resolve(name));
    }
    pages.add(ROOT.resolve("maven-plugin").resolve("README.md"));
    try (Stream<Path> guides = Files.list(ROOT.resolve("docs"))) {
      guides.filter(path -> path.toString().endsWith(".md")).sorted().forEach(pages::add);
    }
    return pages;
  }

  @TestFactory
  Stream<DynamicTest> everyPageDoesWhatItShows() throws IOException {
    return pages().stream()
        .map(page -> DynamicTest.dynamicTest(ROOT.relativize(page).toString(), () -> check(page)));
  }

  private void check(Path page) throws Exception {
    Path scratch = Files.createTempDirectory(dir, "page");
    Scratch.fill(scratch);
    List<String> parsedOnly = new ArrayList<>();
    for (Document.Block block : Document.read(page).blocks()) {
      assertThat(LANGUAGES).as(page + ": language of a block").contains(block.language());
      if (!block.notRun().isEmpty()) {
        parsedOnly.add(block.lines().get(0) + " (" + block.notRun() + ")");
      }
      switch (block.language()) {
        case "", "sh" -> {
          for (String line : block.lines()) {
            shell(line, scratch, block, parsedOnly);
          }
        }
        case "java" -> java(block, scratch);
        case "xml" -> xml(block);
        case "python" -> python(block, scratch, parsedOnly);
        default -> parsedOnly.add(block.lines().get(0) + " (" + block.language() + ")");
      }
    }
    // Skips are said, with their reason.
    parsedOnly.forEach(line -> System.out.println(ROOT.relativize(page) + ": not run: " + line));
  }

  private void shell(String line, Path scratch, Document.Block block, List<String> parsedOnly)
      throws Exception {
    String command = line.replaceFirst("\\s+#.*", "").strip();
    if (command.contains(" && ")) {
      for (String part : command.split(" && ", -1)) {
        shell(part, scratch, block, parsedOnly);
      }
      return;
    }
    List<String> words = List.of(command.split("\\s+", -1));
    switch (words.get(0)) {
      case "pseed", "./pseed" -> pseed(words.subList(1, words.size()), scratch, block, parsedOnly);
      case "mvn" -> maven(words);
      case "cmake" -> cmake(words);
      case "cd" -> assertThat(ROOT.resolve(words.get(1))).isDirectory();
      default -> {
        if (words.get(0).startsWith(".ci/")) {
          assertThat(ROOT.resolve(words.get(0))).isExecutable();
        } else if (block.language().equals("sh")) {
          fail("no way to check: " + line);
        }
      }
    }
  }

  private static void pseed(
      List<String> arguments, Path scratch, Document.Block block, List<String> parsedOnly) {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    PrintStream out = new PrintStream(bytes, true, StandardCharsets.UTF_8);
    Console console = new Console(out, out, false);
    String[] words = arguments.toArray(String[]::new);
    PseedCommand.line(console).parseArgs(words);
    if (!block.notRun().isEmpty() || PARSED_COMMANDS.contains(words[0])) {
      if (block.notRun().isEmpty()) {
        parsedOnly.add("pseed " + String.join(" ", arguments) + " (minutes)");
      }
      return;
    }
    // Names of files are those of the scratch folder; the process cannot change its own.
    for (int i = 1; i < words.length; i++) {
      boolean file =
          words[i].matches("[\\w./-]+\\.\\w+|checkpoint/?") && !words[i].matches("[\\d.]+(MB)?");
      if (file) {
        words[i] = scratch.resolve(words[i]).toString();
      }
    }
    int code = PseedCommand.run(console, words);
    assertThat(code)
        .as("pseed " + String.join(" ", arguments) + "\n" + bytes.toString(StandardCharsets.UTF_8))
        .isZero();
  }

  private static void maven(List<String> words) throws IOException {
    for (int i = 1; i < words.size(); i++) {
      String word = words.get(i);
      if (word.equals("-pl")) {
        for (String module : words.get(++i).split(",", -1)) {
          assertThat(ROOT.resolve(module).resolve("pom.xml")).exists();
        }
      } else if (word.startsWith("-P")) {
        for (String profile : word.substring(2).split(",", -1)) {
          assertThat(poms).contains("<id>" + profile + "</id>");
        }
      } else if (word.startsWith("-Dpseed.") && !word.startsWith("-Dpseed.fixtures")) {
        String name = word.substring(2).replaceFirst("=.*", "");
        boolean known =
            poms.contains(name) || parameters.containsKey(name.substring("pseed.".length()));
        assertThat(known).as(name).isTrue();
      } else if (word.startsWith("-Dtest=")) {
        for (String test : word.substring("-Dtest=".length()).split(",", -1)) {
          assertThat(isThere(test + ".java")).as(test).isTrue();
        }
      } else if (word.startsWith("pseed:") || word.contains(":pseed-maven-plugin:")) {
        String goal = word.substring(word.lastIndexOf(':') + 1);
        assertThat(parameters.values().stream().anyMatch(of -> of.contains(goal)))
            .as(goal)
            .isTrue();
      }
    }
  }

  private static boolean isThere(String name) throws IOException {
    for (Path pom : modules()) {
      Path tests = pom.resolveSibling("src").resolve("test").resolve("java");
      if (Files.isDirectory(tests)) {
        try (Stream<Path> files = Files.walk(tests)) {
          if (files.anyMatch(file -> file.endsWith(name))) {
            return true;
          }
        }
      }
    }
    return false;
  }

  private static void cmake(List<String> words) throws IOException {
    int source = words.indexOf("-S");
    if (source > 0) {
      assertThat(ROOT.resolve(words.get(source + 1)).resolve("CMakeLists.txt")).exists();
    }
    int target = words.indexOf("--target");
    if (target > 0) {
      try (Stream<Path> lists = Files.walk(ROOT.resolve("onnx-op/src/main/cpp"))) {
        List<Path> files = lists.filter(path -> path.endsWith("CMakeLists.txt")).toList();
        StringBuilder all = new StringBuilder();
        for (Path file : files) {
          all.append(Files.readString(file));
        }
        assertThat(all.toString()).contains("(" + words.get(target + 1));
      }
    }
  }

  /** Runs as a program in the scratch folder, whose files are also on its class path. */
  private static void java(Document.Block block, Path scratch) throws Exception {
    Path seeds = scratch.resolve("model.pseed");
    if (Files.exists(seeds)) {
      Path target = scratch.resolve("com/acme/encoder.pseed");
      Files.deleteIfExists(target);
      Files.copy(seeds, target);
    }
    String body = block.text();
    String program =
        """
        import ai.onnxruntime.*;
        import io.pseed.format.*;
        import io.pseed.onnx.*;
        import java.nio.file.*;
        import java.util.*;

        class MyApp {
          public static void main(String[] arguments) throws Exception {
            if (arguments.length == 0) {
              run();
            }
          }

          static void run() throws Exception {
        %s
          }
        }
        """
            .formatted(body);
    Path file = Files.writeString(scratch.resolve("MyApp.java"), program);
    List<String> command =
        new ArrayList<>(
            List.of(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-cp",
                System.getProperty("java.class.path") + File.pathSeparator + scratch,
                file.toString()));
    if (!block.notRun().isEmpty()) {
      command.add("compile-only");
    }
    done(command, scratch, body);
  }

  private static void python(Document.Block block, Path scratch, List<String> parsedOnly)
      throws Exception {
    Path file = Files.writeString(scratch.resolve("snippet.py"), block.text());
    String python = System.getenv().getOrDefault("PSEED_PYTHON", "python3");
    List<String> parse =
        List.of(
            python, "-c", "import ast, sys; ast.parse(open(sys.argv[1]).read())", file.toString());
    try {
      done(parse, scratch, block.text());
    } catch (IOException e) {
      parsedOnly.add(block.lines().get(0) + " (no python3)");
      return;
    }
    if (block.notRun().isEmpty()) {
      parsedOnly.add(block.lines().get(0) + " (parsed; .ci/clients and a sample run Python)");
    }
  }

  private static void done(List<String> command, Path folder, String what) throws Exception {
    Path log = folder.resolve("log.txt");
    Process process =
        new ProcessBuilder(command)
            .directory(folder.toFile())
            .redirectErrorStream(true)
            .redirectOutput(log.toFile())
            .start();
    if (!process.waitFor(120, TimeUnit.SECONDS)) {
      process.destroyForcibly();
      fail("did not end: " + what);
    }
    assertThat(process.exitValue()).as(what + "\n" + Files.readString(log)).isZero();
  }

  private static void xml(Document.Block block) throws Exception {
    Element root = xml("<root>" + block.text() + "</root>");
    NodeList all = root.getElementsByTagName("*");
    Set<String> seen = new HashSet<>();
    for (int i = 0; i < all.getLength(); i++) {
      Element element = (Element) all.item(i);
      seen.add(element.getTagName());
      if (element.getTagName().equals("artifactId")
          && text(element.getParentNode(), "groupId").equals("io.pseed")) {
        assertThat(poms).contains("<artifactId>" + element.getTextContent() + "</artifactId>");
      }
      if (element.getTagName().equals("goal")) {
        assertThat(
                parameters.values().stream().anyMatch(of -> of.contains(element.getTextContent())))
            .as("<goal> " + element.getTextContent())
            .isTrue();
      }
      Node parent = element.getParentNode();
      boolean parameter =
          parent.getNodeName().equals("configuration") || parent.getNodeName().equals("model");
      if (parameter) {
        assertThat(
                parameters.containsKey(element.getTagName())
                    || element.getTagName().equals("classifier"))
            .as("<" + element.getTagName() + "> is no parameter of the plugin")
            .isTrue();
      }
    }
    assertThat(seen).isNotEmpty();
  }

  /** What the first such element below says; empty where there is none. */
  private static String text(Node parent, String name) {
    NodeList found = ((Element) parent).getElementsByTagName(name);
    return found.getLength() == 0 ? "" : found.item(0).getTextContent();
  }
}
