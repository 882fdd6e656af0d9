package io.pseed.converter.inputs;

import java.util.Map;
import java.util.Random;

/**
 * Token numbers that fall like those of a text: vocabularies are sorted by frequency, so that the
 * word of rank r is met about 1 / (r + 2.7) times as often as all (Zipf's law with Mandelbrot's
 * shift); marks of punctuation stand between; special tokens stand at both ends.
 */
final class GeneratedTokens {
  /** Mandelbrot's shift. */
  private static final double SHIFT = 2.7;

  /**
   * What is known of a vocabulary.
   *
   * @param first special token at the start; -1: none
   * @param last special token at the end; -1: none
   * @param padding behind the end
   * @param words number of the most frequent word
   * @param end first number behind the words
   * @param comma most frequent mark within sentences; -1: not known
   * @param stop mark at the end of sentences; -1: not known
   * @param sorted whether words are sorted by frequency
   */
  private record Vocabulary(
      int first,
      int last,
      int padding,
      long words,
      long end,
      int comma,
      int stop,
      boolean sorted) {}

  /** Vocabularies by the rows of their tables. */
  private static final Map<Long, Vocabulary> KNOWN =
      Map.of(
          // BERT, uncased and cased, English
          30522L, new Vocabulary(101, 102, 0, 1996, 30522, 1010, 1012, true),
          28996L, new Vocabulary(101, 102, 0, 1103, 28996, 117, 119, true),
          // BERT, Chinese: characters are sorted by code point
          21128L, new Vocabulary(101, 102, 0, 671, 7992, 8024, 511, false),
          // RoBERTa and BART
          50265L, new Vocabulary(0, 2, 1, 5, 50260, 6, 4, true),
          // XLM-RoBERTa, and E5 on it
          250002L, new Vocabulary(0, 2, 1, 6, 250001, 4, 5, true),
          250037L, new Vocabulary(0, 2, 1, 6, 250001, 4, 5, true),
          // GPT-2
          50257L, new Vocabulary(-1, -1, 50256, 256, 50256, 11, 13, true),
          // LLaMA
          32000L, new Vocabulary(1, -1, 0, 259, 32000, 29892, 29889, true));

  private final Vocabulary vocabulary;
  private final long[] ids;

  /**
   * Draws a text.
   *
   * @param rows of the table
   * @param length tokens, special ones counted
   */
  GeneratedTokens(long rows, int length, Random random) {
    Vocabulary known = KNOWN.get(rows);
    vocabulary =
        known == null
            // Low numbers are those of special tokens and single letters.
            ? new Vocabulary(-1, -1, 0, rows > 10_000 ? 1_000 : 0, rows, -1, -1, true)
            : known;
    ids = new long[length];
    boolean mark = true;
    for (int i = 0; i < length; i++) {
      double u = random.nextDouble();
      double kind = random.nextDouble();
      if (i == 0 && vocabulary.first >= 0) {
        ids[i] = vocabulary.first;
      } else if (i == length - 1 && i > 0 && vocabulary.last >= 0) {
        ids[i] = vocabulary.last;
      } else if (!mark && vocabulary.comma >= 0 && kind < 0.12) {
        ids[i] = kind < 0.06 ? vocabulary.comma : vocabulary.stop;
        mark = true;
      } else {
        ids[i] = word(u);
        mark = false;
      }
    }
  }

  private long word(double u) {
    double count = (double) (vocabulary.end - vocabulary.words);
    double rank =
        vocabulary.sorted
            ? SHIFT * (StrictMath.exp(u * StrictMath.log(count / SHIFT + 1)) - 1)
            : u * count;
    return Math.min(vocabulary.end - 1, vocabulary.words + (long) rank);
  }

  /** The token at a place; padding behind the end. */
  long at(int place) {
    return place < ids.length ? ids[place] : vocabulary.padding;
  }
}
