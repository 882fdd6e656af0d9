package io.pseed.converter.demo;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.util.List;
import org.junit.jupiter.api.Test;

class DemoTest {
  @Test
  void comparesOnManyDifferentSentences() throws IOException {
    List<String> sentences = resource("sentences.txt").lines().toList();
    assertThat(sentences).hasSizeGreaterThanOrEqualTo(300).doesNotHaveDuplicates();
    assertThat(sentences).allSatisfy(s -> assertThat(s.split(" ").length).isGreaterThan(4));
    assertThat(resource("LICENSE-wordnet.txt")).contains("Princeton University");
  }

  private static String resource(String name) throws IOException {
    try (InputStream in = Demo.class.getResourceAsStream(name)) {
      assertThat(in).isNotNull();
      return new String(in.readAllBytes(), StandardCharsets.UTF_8);
    }
  }
}
