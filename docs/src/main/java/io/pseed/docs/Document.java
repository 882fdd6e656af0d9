package io.pseed.docs;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Stream;
import org.commonmark.Extension;
import org.commonmark.ext.gfm.tables.TablesExtension;
import org.commonmark.ext.heading.anchor.HeadingAnchorExtension;
import org.commonmark.node.AbstractVisitor;
import org.commonmark.node.FencedCodeBlock;
import org.commonmark.node.HtmlBlock;
import org.commonmark.node.IndentedCodeBlock;
import org.commonmark.node.Link;
import org.commonmark.node.Node;
import org.commonmark.parser.Parser;

/** One page in Markdown. */
final class Document {
  static final List<Extension> EXTENSIONS =
      List.of(TablesExtension.create(), HeadingAnchorExtension.create());

  /** Before a block: it is parsed or compiled, not run; the words behind it say why. */
  private static final String NOT_RUN = "<!-- not run: ";

  private static final Set<String> OTHERS = Set.of("target", "src", "node_modules", ".git");

  private final Path file;
  private final Node root;

  /**
   * A block of code.
   *
   * @param language what stands behind its fence; empty for an indented block
   * @param text its lines
   * @param notRun why it cannot be run, empty where it can
   */
  record Block(String language, String text, String notRun) {
    List<String> lines() {
      return text.lines().map(String::strip).filter(line -> !line.isEmpty()).toList();
    }
  }

  private Document(Path file, Node root) {
    this.file = file;
    this.root = root;
  }

  static Document read(Path file) throws IOException {
    Parser parser = Parser.builder().extensions(EXTENSIONS).build();
    return new Document(file, parser.parse(Files.readString(file)));
  }

  /** All pages below the root of the repository, in the order of their names. */
  static List<Path> all(Path root) throws IOException {
    List<Path> found = new ArrayList<>();
    collect(root.toAbsolutePath().normalize(), found);
    found.sort(null);
    return found;
  }

  private static void collect(Path folder, List<Path> found) throws IOException {
    List<Path> entries;
    try (Stream<Path> listed = Files.list(folder)) {
      entries = listed.toList();
    }
    for (Path entry : entries) {
      String name = entry.getFileName().toString();
      if (Files.isDirectory(entry)) {
        if (!name.startsWith(".") && !OTHERS.contains(name)) {
          collect(entry, found);
        }
      } else if (name.endsWith(".md")) {
        found.add(entry);
      }
    }
    // Pages that lie beside the code they explain.
    for (String code : List.of("cpp", "cuda")) {
      Path beside = folder.resolve("src").resolve("main").resolve(code);
      if (Files.isDirectory(beside)) {
        try (Stream<Path> walk = Files.walk(beside)) {
          walk.filter(path -> path.toString().endsWith(".md")).forEach(found::add);
        }
      }
    }
  }

  Path file() {
    return file;
  }

  Node root() {
    return root;
  }

  /** Where its links lead, as they are written. */
  Set<String> links() {
    Set<String> links = new TreeSet<>();
    root.accept(
        new AbstractVisitor() {
          @Override
          public void visit(Link link) {
            links.add(link.getDestination());
            visitChildren(link);
          }
        });
    return links;
  }

  List<Block> blocks() {
    List<Block> blocks = new ArrayList<>();
    root.accept(
        new AbstractVisitor() {
          @Override
          public void visit(FencedCodeBlock block) {
            blocks.add(new Block(block.getInfo().strip(), block.getLiteral(), notRun(block)));
          }

          @Override
          public void visit(IndentedCodeBlock block) {
            blocks.add(new Block("", block.getLiteral(), notRun(block)));
          }
        });
    return blocks;
  }

  private static String notRun(Node block) {
    if (block.getPrevious() instanceof HtmlBlock comment
        && comment.getLiteral().startsWith(NOT_RUN)) {
      return comment.getLiteral().substring(NOT_RUN.length()).replace("-->", "").strip();
    }
    return "";
  }
}
