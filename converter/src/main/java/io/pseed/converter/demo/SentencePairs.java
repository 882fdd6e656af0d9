package io.pseed.converter.demo;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.function.Predicate;
import java.util.stream.Stream;

/**
 * Sentences and what a search with them should find, as a table of two or more columns: the last is
 * what is to be found, the one before it the sentence.
 *
 * @param name of the table
 * @param queries sentences, all different
 * @param answers as many; number i answers query i
 */
public record SentencePairs(String name, List<String> queries, List<String> answers) {
  /** Fewer are no search. */
  private static final int FEWEST = 2;

  /** Lists are copies. */
  public SentencePairs {
    queries = List.copyOf(queries);
    answers = List.copyOf(answers);
  }

  /**
   * Reads a table: one pair a line, columns divided by tabulators.
   *
   * @param known sentences that stay out, for calibration met them
   * @throws DemoException where a line has one column, or too few pairs are left
   */
  public static SentencePairs read(Path file, Set<String> known) throws IOException {
    List<String> lines;
    try {
      lines = Files.readAllLines(file, StandardCharsets.UTF_8);
    } catch (CharacterCodingException e) {
      throw new DemoException(file + ": is no text in UTF-8", e);
    }
    List<String> queries = new ArrayList<>();
    List<String> answers = new ArrayList<>();
    Set<String> met = new HashSet<>(known);
    for (int i = 0; i < lines.size(); i++) {
      String[] columns = lines.get(i).split("\t", -1);
      if (lines.get(i).isBlank()) {
        continue;
      }
      if (columns.length < 2) {
        throw new DemoException(
            file
                + ": line "
                + (i + 1)
                + " has one column, expected a sentence, a tabulator and what it should find");
      }
      String query = columns[columns.length - 2].strip();
      String answer = columns[columns.length - 1].strip();
      if (!query.isEmpty() && !answer.isEmpty() && met.add(query)) {
        queries.add(query);
        answers.add(answer);
      }
    }
    if (queries.size() < FEWEST) {
      throw new DemoException(
          file
              + ": has "
              + queries.size()
              + " pairs that calibration did not meet, expected at least "
              + FEWEST);
    }
    return new SentencePairs(String.valueOf(file.getFileName()), queries, answers);
  }

  /**
   * The texts of a file, one a line.
   *
   * @throws DemoException where it is no text
   */
  public static Set<String> texts(Path file) throws IOException {
    try (Stream<String> lines = Files.lines(file, StandardCharsets.UTF_8)) {
      Set<String> texts = new HashSet<>();
      lines.map(String::strip).filter(Predicate.not(String::isEmpty)).forEach(texts::add);
      return texts;
    } catch (UncheckedIOException e) {
      throw new DemoException(file + ": is no text in UTF-8", e);
    }
  }

  /**
   * Mean reciprocal rank: 1 where each query's answer is nearest to it, 1/2 where one other is
   * nearer, and so on.
   *
   * @param queries embeddings of length 1
   * @param answers as many, of length 1
   */
  static double meanReciprocalRank(List<float[]> queries, List<float[]> answers) {
    double sum = 0;
    for (int q = 0; q < queries.size(); q++) {
      double own = dot(queries.get(q), answers.get(q));
      int rank = 1;
      for (int a = 0; a < answers.size(); a++) {
        rank += a != q && dot(queries.get(q), answers.get(a)) > own ? 1 : 0;
      }
      sum += 1.0 / rank;
    }
    return sum / queries.size();
  }

  static double dot(float[] a, float[] b) {
    double sum = 0;
    for (int i = 0; i < a.length; i++) {
      sum += (double) a[i] * b[i];
    }
    return sum;
  }
}
