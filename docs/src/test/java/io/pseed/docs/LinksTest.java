package io.pseed.docs;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Every page becomes one of the site, and every link in it leads somewhere. */
class LinksTest {
  @TempDir Path dir;

  @Test
  void theSiteIsWhole() throws IOException {
    Path site = dir.resolve("site");
    Site.main(new String[] {"..", site.toString()});
    assertThat(site.resolve("index.html")).content().contains("<title>pseed</title>", "<table>");
    assertThat(site.resolve("docs/hosts.html")).content().contains("../style.css");
    assertThat(site.resolve("format-spec/spec/pseed-1.0.html")).exists();
  }

  @Test
  void aLinkThatLeadsNowhereIsFound() throws IOException {
    Path root = Files.createDirectory(dir.resolve("root"));
    Files.writeString(root.resolve("README.md"), "# x\n[y](no.md)\n");
    List<String> told = new ArrayList<>();
    try {
      Site.main(new String[] {root.toString(), dir.resolve("out").toString()});
    } catch (IOException e) {
      told.add(e.getMessage());
    }
    assertThat(told).singleElement().asString().contains("index.html: no.html");
  }

  /** A guide that nobody finds is of no use. */
  @Test
  void everyGuideIsLinkedFromTheReadme() throws IOException {
    String readme = Files.readString(Path.of("..", "README.md"));
    String results = Files.readString(Path.of("results.md"));
    try (Stream<Path> guides = Files.list(Path.of("."))) {
      for (Path guide : guides.filter(path -> path.toString().endsWith(".md")).toList()) {
        assertThat(readme + results).contains(guide.getFileName().toString());
      }
    }
  }
}
