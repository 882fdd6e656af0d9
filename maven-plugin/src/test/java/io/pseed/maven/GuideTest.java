package io.pseed.maven;

import static org.assertj.core.api.Assertions.assertThat;

import java.lang.reflect.Field;
import java.lang.reflect.Modifier;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import javax.xml.parsers.DocumentBuilderFactory;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.w3c.dom.Document;
import org.w3c.dom.Element;
import org.w3c.dom.Node;
import org.w3c.dom.NodeList;

/** {@code maven-plugin/README.md} and the descriptor that Maven reads say the same. */
class GuideTest {
  /** A row of a table of parameters: tag, property, goals, default, text. */
  private static final Pattern ROW =
      Pattern.compile("(?m)^\\| `<(\\w+)>` \\| ([^|]*) \\| ([^|]*) \\| ([^|]*) \\| ([^|]+) \\|$");

  private static String guide;
  private static Document descriptor;

  @BeforeAll
  static void read() throws Exception {
    guide = Files.readString(Path.of("README.md"));
    descriptor =
        DocumentBuilderFactory.newInstance()
            .newDocumentBuilder()
            .parse(Path.of("target", "classes", "META-INF", "maven", "plugin.xml").toFile());
  }

  private static List<Element> children(Node parent, String name) {
    List<Element> found = new ArrayList<>();
    NodeList list = parent.getChildNodes();
    for (int i = 0; i < list.getLength(); i++) {
      if (list.item(i) instanceof Element element && element.getTagName().equals(name)) {
        found.add(element);
      }
    }
    return found;
  }

  private static String text(Element parent, String name) {
    List<Element> found = children(parent, name);
    return found.isEmpty() ? "" : found.get(0).getTextContent();
  }

  private static List<Element> goals() {
    return children(children(descriptor.getDocumentElement(), "mojos").get(0), "mojo");
  }

  /** Parameter to property, goals and default, as one line. */
  private static Map<String, String> described() {
    Map<String, Set<String>> goals = new TreeMap<>();
    Map<String, String> rest = new TreeMap<>();
    for (Element goal : goals()) {
      if (text(goal, "goal").equals("help")) {
        continue;
      }
      Element configuration = children(goal, "configuration").get(0);
      for (Element parameter : children(children(goal, "parameters").get(0), "parameter")) {
        String name = text(parameter, "name");
        if (!text(parameter, "editable").equals("true")) {
          continue;
        }
        assertThat(text(parameter, "description")).as(name).isNotBlank();
        goals.computeIfAbsent(name, key -> new TreeSet<>()).add(text(goal, "goal"));
        List<Element> value = children(configuration, name);
        String property =
            value.isEmpty() ? "" : value.get(0).getTextContent().replaceAll("[${}]", "");
        String usual = value.isEmpty() ? "" : value.get(0).getAttribute("default-value");
        rest.put(name, code(property) + " | " + code(usual));
      }
    }
    int all = goals().size() - 1;
    Map<String, String> described = new TreeMap<>();
    goals.forEach(
        (name, of) ->
            described.put(
                name, (of.size() == all ? "all" : String.join(", ", of)) + " | " + rest.get(name)));
    return described;
  }

  private static String code(String text) {
    return text.isEmpty() ? "" : "`" + text + "`";
  }

  @Test
  void theGuideHasEveryParameterOfTheDescriptor() {
    Map<String, String> told = new TreeMap<>();
    Matcher row = ROW.matcher(guide);
    while (row.find()) {
      told.put(
          row.group(1),
          row.group(3).strip() + " | " + row.group(2).strip() + " | " + row.group(4).strip());
    }
    assertThat(told).isEqualTo(described());
  }

  @Test
  void everyParameterButTheModelsHasAProperty() {
    described()
        .forEach(
            (name, line) -> {
              if (!name.equals("models")) {
                assertThat(line).as(name).contains("`pseed." + name + "`");
              }
            });
  }

  @Test
  void everyParameterOfAModelIsOneOfTheGoalsToo() {
    Map<String, String> described = described();
    for (Field field : Model.class.getDeclaredFields()) {
      if (!Modifier.isStatic(field.getModifiers()) && !field.getName().equals("classifier")) {
        assertThat(described).containsKey(field.getName());
      }
      assertThat(described).hasSizeGreaterThan(20);
      assertThat(guide).contains("`<" + field.getName() + ">`");
    }
  }

  @Test
  void goalsAndPhases() throws Exception {
    Map<String, String> phases = new TreeMap<>();
    for (Element goal : goals()) {
      phases.put(text(goal, "goal"), text(goal, "phase"));
      assertThat(text(goal, "threadSafe")).as(text(goal, "goal")).isEqualTo("true");
      assertThat(guide).contains("`pseed:" + text(goal, "goal") + "`");
    }
    assertThat(phases)
        .isEqualTo(
            Map.of(
                "convert",
                "generate-resources",
                "export",
                "generate-resources",
                "verify",
                "verify",
                "inspect",
                "",
                "help",
                ""));
    String lifecycle = "META-INF/m2e/lifecycle-mapping-metadata.xml";
    Document mapping =
        DocumentBuilderFactory.newInstance()
            .newDocumentBuilder()
            .parse(Path.of("target", "classes").resolve(lifecycle).toFile());
    // Eclipse marks a goal without a mapping as an error in every user's POM.
    Map<String, String> actions = new TreeMap<>();
    NodeList executions = mapping.getElementsByTagName("pluginExecution");
    for (int i = 0; i < executions.getLength(); i++) {
      Element execution = (Element) executions.item(i);
      boolean runs = execution.getElementsByTagName("execute").getLength() == 1;
      assertThat(execution.getElementsByTagName("ignore").getLength()).isEqualTo(runs ? 0 : 1);
      String onSave =
          runs ? execution.getElementsByTagName("runOnIncremental").item(0).getTextContent() : "";
      NodeList named = execution.getElementsByTagName("goal");
      for (int j = 0; j < named.getLength(); j++) {
        assertThat(actions.put(named.item(j).getTextContent(), onSave)).isNull();
      }
    }
    assertThat(actions)
        .isEqualTo(
            Map.of("convert", "false", "export", "false", "verify", "", "inspect", "", "help", ""));
  }
}
