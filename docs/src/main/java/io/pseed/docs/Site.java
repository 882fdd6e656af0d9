package io.pseed.docs;

import java.io.IOException;
import java.nio.file.FileVisitResult;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.SimpleFileVisitor;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.commonmark.node.AbstractVisitor;
import org.commonmark.node.Heading;
import org.commonmark.node.Link;
import org.commonmark.node.Text;
import org.commonmark.renderer.html.HtmlRenderer;

/**
 * Writes the pages of the repository as a site that needs no network: every Markdown page as HTML
 * under the same name ({@code README.md} as {@code index.html}), and the files that they point to.
 */
public final class Site {
  private static final Pattern TARGET = Pattern.compile("(?:href|src)=\"([^\"]*)\"");
  private static final Pattern ANCHOR = Pattern.compile("(?:id|name)=\"([^\"]*)\"");

  /** What stands beside every page: page and its name. */
  private static final Map<String, String> MENU = new LinkedHashMap<>();

  static {
    MENU.put("README.md", "pseed");
    MENU.put("docs/results.md", "Results");
    MENU.put("docs/rates.md", "Choosing a rate");
    MENU.put("docs/calibration.md", "Calibration");
    MENU.put("docs/hosts.md", "Into ONNX Runtime");
    MENU.put("docs/gpu.md", "GPU");
    MENU.put("docs/format.md", "Format");
    MENU.put("docs/comparison.md", "Comparison");
    MENU.put("docs/limits.md", "Limits");
    MENU.put("docs/troubleshooting.md", "Troubleshooting");
    MENU.put("maven-plugin/README.md", "Maven plugin");
    MENU.put("samples/README.md", "Samples");
    MENU.put("ARCHITECTURE.md", "Architecture");
    MENU.put("CONTRIBUTING.md", "Contributing");
    MENU.put("SECURITY.md", "Security");
    MENU.put("CHANGELOG.md", "Changes");
  }

  private static final String STYLE =
      """
      :root { color-scheme: light dark; --line: #8884; --code: #8882; }
      body { margin: 0; font: 16px/1.55 system-ui, sans-serif; display: flex; justify-content: center; }
      nav { flex: 0 0 11rem; padding: 2rem 1rem; }
      nav a { display: block; padding: .15rem 0; text-decoration: none; }
      nav a.here { font-weight: 600; color: inherit; }
      main { flex: 0 1 70rem; min-width: 0; padding: 1rem 1.5rem 4rem; }
      main > p, main > ul, main > ol { max-width: 50rem; }
      pre, code { font: 13.5px/1.5 ui-monospace, monospace; background: var(--code); border-radius: 4px; }
      code { padding: .1em .3em; } pre { padding: .8rem 1rem; overflow-x: auto; } pre code { padding: 0; background: none; }
      table { border-collapse: collapse; display: block; overflow-x: auto; }
      th, td { border-bottom: 1px solid var(--line); padding: .3rem .6rem; text-align: left; vertical-align: top; }
      td code { white-space: nowrap; }
      @media (max-width: 50rem) { nav { padding-bottom: 0; } main { padding-top: 0; } body { display: block; } nav a { display: inline-block; margin-right: .8rem; } }
      """;

  private final Path root;
  private final Path out;

  private Site(Path root, Path out) {
    this.root = root;
    this.out = out;
  }

  /**
   * Writes the site.
   *
   * @param arguments the repository, the folder to write, and where present the folder that holds
   *     Javadoc
   */
  public static void main(String[] arguments) throws IOException {
    Path root = Path.of(arguments[0]).toAbsolutePath().normalize();
    Path out = Path.of(arguments[1]).toAbsolutePath().normalize();
    Site site = new Site(root, out);
    List<Path> pages = Document.all(root);
    boolean javadoc = Files.exists(out.resolve("apidocs").resolve("index.html"));
    for (Path page : pages) {
      site.write(page, javadoc);
    }
    Files.writeString(out.resolve("style.css"), STYLE);
    List<String> broken = site.broken();
    if (!broken.isEmpty()) {
      throw new IOException("links that lead nowhere:\n  " + String.join("\n  ", broken));
    }
    System.out.printf(
        "%s: %d pages%s, every link leads somewhere%n",
        out, pages.size(), javadoc ? " and Javadoc" : "");
  }

  private static String html(String markdown) {
    return markdown.endsWith("README.md")
        ? markdown.substring(0, markdown.length() - "README.md".length()) + "index.html"
        : markdown.substring(0, markdown.length() - ".md".length()) + ".html";
  }

  private void write(Path page, boolean javadoc) throws IOException {
    Document document = Document.read(page);
    String name = root.relativize(page).toString().replace('\\', '/');
    List<Path> files = new ArrayList<>();
    document
        .root()
        .accept(
            new AbstractVisitor() {
              @Override
              public void visit(Link link) {
                rewrite(page, link, files);
                visitChildren(link);
              }
            });
    for (Path file : files) {
      Path copy = out.resolve(root.relativize(file).toString());
      Files.createDirectories(copy.getParent());
      Files.copy(file, copy, StandardCopyOption.REPLACE_EXISTING);
    }
    Path target = out.resolve(html(name));
    Files.createDirectories(target.getParent());
    String up = "../".repeat((int) name.chars().filter(c -> c == '/').count());
    String body =
        HtmlRenderer.builder()
            .extensions(Document.EXTENSIONS)
            .escapeHtml(false)
            .build()
            .render(document.root());
    Files.writeString(target, frame(title(document), menu(name, up, javadoc), body, up));
  }

  private void rewrite(Path page, Link link, List<Path> files) {
    String to = link.getDestination();
    if (to.startsWith("#") || to.contains("://")) {
      return;
    }
    int hash = to.indexOf('#');
    String path = hash < 0 ? to : to.substring(0, hash);
    String anchor = hash < 0 ? "" : to.substring(hash);
    Path file = page.resolveSibling(path).normalize();
    if (Files.isDirectory(file) && Files.exists(file.resolve("README.md"))) {
      link.setDestination(path + (path.endsWith("/") ? "" : "/") + "index.html" + anchor);
    } else if (path.endsWith(".md")) {
      link.setDestination(html(path) + anchor);
    } else if (Files.isRegularFile(file)) {
      files.add(file);
    }
  }

  private static String title(Document document) {
    StringBuilder title = new StringBuilder();
    if (document.root().getFirstChild() instanceof Heading heading) {
      heading.accept(
          new AbstractVisitor() {
            @Override
            public void visit(Text text) {
              title.append(text.getLiteral());
            }
          });
    }
    return title.toString();
  }

  private static String menu(String here, String up, boolean javadoc) {
    StringBuilder menu = new StringBuilder("<nav>\n");
    MENU.forEach(
        (page, name) ->
            menu.append("<a href=\"")
                .append(up)
                .append(html(page))
                .append(page.equals(here) ? "\" class=\"here\">" : "\">")
                .append(name)
                .append("</a>\n"));
    if (javadoc) {
      menu.append("<a href=\"").append(up).append("apidocs/index.html\">Javadoc</a>\n");
    }
    return menu.append("</nav>\n").toString();
  }

  private static String frame(String title, String menu, String body, String up) {
    return "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
        + "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n<title>"
        + (title.equals("pseed") ? title : title + " - pseed")
        + "</title>\n<link rel=\"stylesheet\" href=\""
        + up
        + "style.css\">\n</head>\n<body>\n"
        + menu
        + "<main>\n"
        + body
        + "</main>\n</body>\n</html>\n";
  }

  /** Links of our pages that lead to no file, or to no such place in it. */
  private List<String> broken() throws IOException {
    List<String> broken = new ArrayList<>();
    Files.walkFileTree(
        out,
        new SimpleFileVisitor<>() {
          @Override
          public FileVisitResult preVisitDirectory(Path folder, BasicFileAttributes attributes) {
            return folder.equals(out.resolve("apidocs"))
                ? FileVisitResult.SKIP_SUBTREE
                : FileVisitResult.CONTINUE;
          }

          @Override
          public FileVisitResult visitFile(Path file, BasicFileAttributes attributes)
              throws IOException {
            if (file.toString().endsWith(".html")) {
              check(file, broken);
            }
            return FileVisitResult.CONTINUE;
          }
        });
    return broken;
  }

  private void check(Path file, List<String> broken) throws IOException {
    Matcher target = TARGET.matcher(Files.readString(file));
    while (target.find()) {
      String to = target.group(1);
      if (to.startsWith("https://") || to.startsWith("pkg:")) {
        continue;
      }
      int hash = to.indexOf('#');
      String path = hash < 0 ? to : to.substring(0, hash);
      Path at = path.isEmpty() ? file : file.resolveSibling(path).normalize();
      boolean found = at.startsWith(out) && Files.isRegularFile(at);
      if (found && hash >= 0 && at.toString().endsWith(".html")) {
        found =
            ANCHOR
                .matcher(Files.readString(at))
                .results()
                .anyMatch(anchor -> anchor.group(1).equals(to.substring(hash + 1)));
      }
      if (!found) {
        broken.add(out.relativize(file) + ": " + to);
      }
    }
  }
}
