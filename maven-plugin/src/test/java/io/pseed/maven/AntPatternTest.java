package io.pseed.maven;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class AntPatternTest {
  @ParameterizedTest
  @CsvSource({
    "*.onnx,          a.onnx,        true",
    "*.onnx,          b/a.onnx,      false",
    "*.onnx,          a.onnx.data,   false",
    "**/*.onnx,       a.onnx,        true",
    "**/*.onnx,       b/c/a.onnx,    true",
    "a/**/b.onnx,     a/b.onnx,      true",
    "a/**/b.onnx,     a/c/d/b.onnx,  true",
    "a/**/b.onnx,     ab.onnx,       false",
    "a/**,            a/b/c.onnx,    true",
    "a/,              a/b/c.onnx,    true",
    "model-?.onnx,    model-1.onnx,  true",
    "model-?.onnx,    model-12.onnx, false",
    "model-?.onnx,    model-/.onnx,  false",
    "(x).[o]nnx,      (x).[o]nnx,    true",
    "a.onnx,          axonnx,        false"
  })
  void matchesAsAnt(String pattern, String path, boolean matches) {
    assertThat(new AntPattern(pattern).matches(path)).isEqualTo(matches);
  }

  @ParameterizedTest
  @CsvSource({"src/m/*.onnx, src/m/", "src/**/m.onnx, src/", "*.onnx, ''", "a/b?c/d, a/"})
  void theBaseEndsBeforeTheFirstWildcard(String pattern, String base) {
    assertThat(AntPattern.base(pattern)).isEqualTo(base);
  }
}
