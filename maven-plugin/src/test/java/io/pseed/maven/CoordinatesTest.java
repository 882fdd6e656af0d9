package io.pseed.maven;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class CoordinatesTest {
  @Test
  void areReadAsMavenWritesThem() throws Exception {
    assertThat(Coordinates.parse("g:a:1.0!/m/x.onnx"))
        .isEqualTo(new Coordinates("g", "a", "jar", "", Optional.of("1.0"), "m/x.onnx"));
    assertThat(Coordinates.parse("g:a:pseed:small:1!/").entry()).isEmpty();
    assertThat(Coordinates.parse("g:a!/x.onnx").version()).isEmpty();
    assertThat(Coordinates.parse("g:a:zip:1.0!/x.onnx").extension()).isEqualTo("zip");
    Coordinates full = Coordinates.parse("g:a:zip:models:1.0!/x.onnx");
    assertThat(full.classifier()).isEqualTo("models");
    assertThat(full.label()).isEqualTo("g:a:zip:models:1.0");
  }

  @ParameterizedTest
  @ValueSource(strings = {"g!/x", "!/x", "g:a:1!/ ", "g::1!/x", "g:a:b:c:d:e!/x", "g: a:1!/x"})
  void whatIsNoneIsASentenceThatNamesTheTag(String source) {
    assertThatThrownBy(() -> Coordinates.parse(source))
        .isInstanceOf(ConfigurationException.class)
        .hasMessageStartingWith("<source> " + source)
        .hasMessageContaining("group:artifact:version!/path");
  }

  @Test
  void aWindowsPathIsNone() {
    assertThat(Coordinates.are("C:\\models\\x.onnx")).isFalse();
    assertThat(Coordinates.are("src/main/models/what!.onnx")).isFalse();
    assertThat(Coordinates.are("g:a:1!/x.onnx")).isTrue();
  }
}
