package io.pseed.converter.inputs;

import ai.djl.huggingface.tokenizers.Encoding;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Random;

/**
 * Puts other words of the vocabulary in place of half of a text's words, so that a few hundred
 * texts tell of more words than they have: what stands around a word stays as it is in texts, the
 * word is drawn. After the word dropout of Iyyer et al., "Deep Unordered Composition Rivals
 * Syntactic Methods" (ACL 2015), with words drawn instead of left out.
 *
 * <p>Vocabularies are sorted by frequency, roughly; the word of rank r is drawn about 1 / (r + 100)
 * times as often as all (Zipf's law with Mandelbrot's shift): frequent words are in the texts
 * anyway. Drawn words are whole words of letters: no pieces, no marks, no numbers.
 */
final class WordReplacement {
  /** Share of the words that are replaced. */
  private static final double SHARE = 0.5;

  /** Mandelbrot's shift. */
  private static final double SHIFT = 100;

  /** Fewer words are no vocabulary to draw from. */
  private static final int FEWEST = 100;

  /** Letters of a word: a single one is a character of a script, not a word. */
  private static final int SHORTEST = 2;

  /** What stands before a piece that begins a word: of SentencePiece, of byte-level BPE. */
  private static final List<String> STARTS = List.of("\u2581", "\u0120");

  /** What stands before a piece that continues a word: of WordPiece. */
  private static final String CONTINUES = "##";

  /** Where words begin with a mark, at least one in so many pieces does. */
  private static final int MARKED = 10;

  private static final long SEED = 0x70736565645F77L;

  private final long[] words;

  private WordReplacement(long[] words) {
    this.words = words;
  }

  /**
   * The words of a vocabulary.
   *
   * @param rows of the table in which tokens are looked up; 0: not known
   */
  static WordReplacement of(Vocabulary vocabulary, long rows) {
    Map<Long, String> pieces = vocabulary.pieces();
    if (vocabulary.isChinese()) {
      // Single characters are its words, and no order tells which are frequent.
      return new WordReplacement(new long[0]);
    }
    String start = "";
    for (String mark : STARTS) {
      long marked = pieces.values().stream().filter(piece -> piece.startsWith(mark)).count();
      start = marked * MARKED > pieces.size() ? mark : start;
    }
    List<Long> words = new ArrayList<>();
    for (Map.Entry<Long, String> entry : pieces.entrySet()) {
      long number = entry.getKey();
      String piece = entry.getValue();
      if (number >= 0
          && (rows == 0 || number < rows)
          && piece.startsWith(start)
          && piece.length() >= start.length() + SHORTEST
          && letters(piece.substring(start.length()))) {
        words.add(number);
      }
    }
    return new WordReplacement(words.stream().mapToLong(word -> word).toArray());
  }

  private static boolean letters(String word) {
    return word.codePoints().allMatch(Character::isLetter);
  }

  /** Numbers of the words that are drawn, the most frequent first. */
  List<Long> words() {
    return Arrays.stream(words).boxed().toList();
  }

  /** Whether there are words to draw. */
  boolean possible() {
    return words.length >= FEWEST;
  }

  /**
   * The tokens of a text with words replaced; a word takes one token then. The same text, place and
   * copy always give the same tokens.
   *
   * @param text its place among the texts, from 0
   * @param copy number of the copy, from 0
   */
  long[] replaced(Encoding encoding, int text, int copy) {
    Random random = new Random(SEED + 1009L * text + copy);
    // Neighbouring seeds give neighbouring first numbers.
    random.nextLong();
    long[] ids = encoding.getIds();
    long[] wordOf = encoding.getWordIds();
    long[] out = new long[ids.length];
    int length = 0;
    for (int first = 0; first < ids.length; ) {
      int end = first + 1;
      while (wordOf[first] >= 0 && end < ids.length && wordOf[end] == wordOf[first]) {
        end++;
      }
      if (wordOf[first] >= 0
          && isWord(encoding.getTokens(), first, end)
          && random.nextDouble() < SHARE) {
        out[length++] = words[rank(random.nextDouble())];
      } else {
        System.arraycopy(ids, first, out, length, end - first);
        length += end - first;
      }
      first = end;
    }
    return Arrays.copyOf(out, length);
  }

  private static boolean isWord(String[] pieces, int first, int end) {
    for (int i = first; i < end; i++) {
      String piece = pieces[i];
      for (String start : STARTS) {
        piece = piece.startsWith(start) ? piece.substring(start.length()) : piece;
      }
      piece = piece.startsWith(CONTINUES) ? piece.substring(CONTINUES.length()) : piece;
      if (!letters(piece)) {
        return false;
      }
    }
    return true;
  }

  private int rank(double u) {
    double rank = SHIFT * (StrictMath.exp(u * StrictMath.log(words.length / SHIFT + 1)) - 1);
    return (int) Math.min(words.length - 1, rank);
  }
}
