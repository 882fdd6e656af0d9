package io.pseed.converter.cli;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

class InspectCommandTest {
  @Test
  void aUsersStringTakesOneLine() {
    assertThat(InspectCommand.oneLine("a\nb\t\u001b[31mc ")).isEqualTo("a b [31mc");
    assertThat(InspectCommand.oneLine("x".repeat(100))).isEqualTo("x".repeat(100));
    assertThat(InspectCommand.oneLine("\uD83D\uDE00".repeat(300)))
        .isEqualTo("\uD83D\uDE00".repeat(80) + "... (600 characters)");
  }
}
