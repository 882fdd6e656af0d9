package io.pseed.converter.command;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

class InspectionTest {
  @Test
  void aUsersStringTakesOneLine() {
    assertThat(Inspection.oneLine("a\nb\t\u001b[31mc ")).isEqualTo("a b [31mc");
    assertThat(Inspection.oneLine("x".repeat(100))).isEqualTo("x".repeat(100));
    assertThat(Inspection.oneLine("\uD83D\uDE00".repeat(300)))
        .isEqualTo("\uD83D\uDE00".repeat(80) + "... (600 characters)");
  }
}
