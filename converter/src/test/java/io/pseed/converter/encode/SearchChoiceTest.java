package io.pseed.converter.encode;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.pseed.onnx.SearchLibrary;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class SearchChoiceTest {
  @TempDir Path dir;

  @AfterEach
  void clear() {
    System.clearProperty(SearchChoice.PROPERTY);
  }

  @Test
  void thePropertyChooses() throws Exception {
    assertThat(SearchChoice.ofThisProcess()).isEqualTo(SearchChoice.AUTO);
    System.setProperty(SearchChoice.PROPERTY, "java");
    assertThat(SearchChoice.ofThisProcess()).isEqualTo(SearchChoice.JAVA);
    SearchChoice.requirePossible();
    System.setProperty(SearchChoice.PROPERTY, "native");
    assertThat(SearchChoice.ofThisProcess()).isEqualTo(SearchChoice.NATIVE);
    for (String wrong : List.of("Java", "", "cuda")) {
      System.setProperty(SearchChoice.PROPERTY, wrong);
      assertThatThrownBy(SearchChoice::requirePossible)
          .isInstanceOf(IOException.class)
          .hasMessage(
              "the system property io.pseed.search is '%s', expected auto, java or native", wrong);
    }
  }

  @Test
  void searchesAreWhatWasChosen() {
    int[] codes = new int[1 << 12];
    assertThat(SearchChoice.JAVA.search(12, 3, codes, 1)).isInstanceOf(JavaPathSearch.class);
    // 2^4 groups fill a register; 2^3 do not.
    assertThat(SearchChoice.NATIVE.search(8, 5, new int[256], 1))
        .isInstanceOf(JavaPathSearch.class);
    if (SearchLibrary.unavailable().isEmpty()) {
      assertThat(SearchChoice.AUTO.search(12, 8, codes, 1)).isNotInstanceOf(JavaPathSearch.class);
      assertThat(SearchChoice.NATIVE.search(12, 8, codes, 1)).isNotInstanceOf(JavaPathSearch.class);
    } else {
      assertThat(SearchChoice.AUTO.search(12, 8, codes, 1)).isInstanceOf(JavaPathSearch.class);
      assertThatThrownBy(() -> SearchChoice.NATIVE.search(12, 8, codes, 1))
          .isInstanceOf(IllegalStateException.class);
    }
  }

  /** In a process of its own: a library is looked for once. */
  @Test
  void withoutALibraryJavaStandsInAndOneSentenceSaysSo() throws Exception {
    Path none = dir.resolve("none.so");
    String reason =
        "the system property io.pseed.jni.library is '"
            + none
            + "', which does not exist; name the library that you built, or leave the property out"
            + " to use the one of the artifact";
    assertThat(child("auto", none))
        .containsExactly(
            String.valueOf(paths(SearchChoice.JAVA)),
            "Optional[the search ran in Java, several times slower than native code, to the same"
                + " bytes: "
                + reason
                + "]");
    assertThat(child("java", none))
        .containsExactly(String.valueOf(paths(SearchChoice.JAVA)), "Optional.empty");
    assertThat(child("native", none))
        .containsExactly("the system property io.pseed.search is 'native', but " + reason);
    Path text = Files.writeString(dir.resolve("text.so"), "no library");
    assertThat(child("auto", text)).hasSize(2).element(1).asString().contains("text.so");
  }

  /** Encodes and says what there is to say. */
  static final class Child {
    public static void main(String[] args) {
      try {
        SearchChoice.requirePossible();
        System.out.println(paths(SearchChoice.ofThisProcess()));
        System.out.println(SearchChoice.notice());
      } catch (IOException e) {
        System.out.println(e.getMessage());
      }
    }
  }

  /** The path of one segment. */
  private static List<Integer> paths(SearchChoice choice) {
    Random random = new Random(1);
    int[] codes = random.ints(1 << 10, -200, 200).toArray();
    int[] states = new int[50];
    choice
        .search(10, 2, codes, 1 << 20)
        .find(random.ints(50, -300, 300).toArray(), null, 50, states);
    List<Integer> list = new ArrayList<>();
    for (int state : states) {
      list.add(state);
    }
    return list;
  }

  private List<String> child(String choice, Path library) throws Exception {
    Process process =
        new ProcessBuilder(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-cp",
                System.getProperty(
                    "surefire.test.class.path", System.getProperty("java.class.path")),
                "-D" + SearchChoice.PROPERTY + "=" + choice,
                "-D" + SearchLibrary.PROPERTY + "=" + library,
                Child.class.getName())
            .redirectError(ProcessBuilder.Redirect.INHERIT)
            .start();
    String out = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    assertThat(process.waitFor()).isZero();
    return out.lines().toList();
  }
}
