package io.pseed.converter.cli;

import java.util.ArrayList;
import java.util.List;

/** A table of text: the first column to the left, columns of numbers to the right. */
final class Table {
  private final List<String[]> rows = new ArrayList<>();
  private final boolean[] left;

  /**
   * A table with a line of titles.
   *
   * @param titles a title that starts with {@code <} stands, with its column, to the left
   */
  Table(String... titles) {
    left = new boolean[titles.length];
    String[] head = titles.clone();
    for (int i = 0; i < head.length; i++) {
      left[i] = head[i].startsWith("<");
      head[i] = left[i] ? head[i].substring(1) : head[i];
    }
    rows.add(head);
  }

  Table row(String... cells) {
    if (cells.length != left.length) {
      throw new IllegalArgumentException(cells.length + " cells, expected " + left.length);
    }
    rows.add(cells);
    return this;
  }

  /** The lines, each indented by two blanks, with no blanks at their ends. */
  List<String> lines() {
    int[] widths = new int[left.length];
    for (String[] row : rows) {
      for (int i = 0; i < row.length; i++) {
        widths[i] = Math.max(widths[i], row[i].codePointCount(0, row[i].length()));
      }
    }
    List<String> lines = new ArrayList<>();
    for (String[] row : rows) {
      StringBuilder line = new StringBuilder(" ");
      for (int i = 0; i < row.length; i++) {
        String fill = " ".repeat(widths[i] - row[i].codePointCount(0, row[i].length()));
        line.append(i == 0 ? " " : "  ").append(left[i] ? row[i] + fill : fill + row[i]);
      }
      lines.add(line.toString().stripTrailing());
    }
    return lines;
  }

  void print(Console console) {
    lines().forEach(line -> console.line("%s", line));
  }
}
