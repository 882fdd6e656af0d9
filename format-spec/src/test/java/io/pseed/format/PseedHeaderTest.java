package io.pseed.format;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.json.JsonMapper;
import java.nio.charset.StandardCharsets;
import java.util.List;
import org.junit.jupiter.api.Test;

class PseedHeaderTest {
  @Test
  void treesAreThoseOfTheMapper() throws Exception {
    for (String text :
        List.of(
            "",
            "  ",
            "null",
            "{}",
            "[]",
            "\"\\u00e4\\n\"",
            "[0,-1,2147483647,2147483648,-9223372036854775808,9223372036854775807]",
            "[9223372036854775808,-123456789012345678901234567890]",
            "[0.0,-0.0,1.5,1e-3,1e400,0.1]",
            "{\"a\":{\"b\":[true,false,null,{\"c\":[]}]},\"\":\"x\",\"d\":1}")) {
      assertThat(PseedHeader.tree(text)).as(text).isEqualTo(new JsonMapper().readTree(text));
    }
  }

  @Test
  void whatIsNoJsonIsRefused() {
    for (String text :
        List.of(
            "{",
            "[1,",
            "[1",
            "{\"a\"",
            "{\"a\":",
            "{\"a\":1,",
            "[1,]",
            "{,}",
            "nul",
            "1 2",
            "{}}",
            "{} x",
            "{\"a\":1,\"a\":2}",
            "[NaN]",
            "'a'",
            "[01]",
            "//",
            "]",
            "[1}",
            "[".repeat(65) + "]".repeat(65))) {
      assertThatThrownBy(() -> PseedHeader.tree(text))
          .as(text)
          .isInstanceOf(JsonProcessingException.class);
    }
  }

  /** JSON escapes no DEL and none of what is beside it in Latin 1; a fuzzer found that. */
  @Test
  void whatStandsInTheWrongPlaceMovesNoTerminalsCursor() {
    byte[] header = "\"pr\u007fdu\u009bcer\"".getBytes(StandardCharsets.UTF_8);
    assertThatThrownBy(() -> PseedHeader.parse(header, "a.pseed", 128, Limits.STANDARD))
        .isInstanceOf(CorruptException.class)
        .hasMessage(
            "a.pseed: JSON header: header is \"pr\\u007fdu\\u009bcer\", expected an object");
  }
}
