package io.pseed.converter.inputs;

import com.fasterxml.jackson.core.JacksonException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Collections;
import java.util.Map;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.function.IntPredicate;

/**
 * What a tokenizer cuts texts into.
 *
 * @param pieces by number
 */
record Vocabulary(SortedMap<Long, String> pieces) {
  /** One piece in so many has an ideograph at least. */
  private static final int IDEOGRAPHS = 4;

  /** One piece in so many has kana at most: BERT's Chinese vocabulary has some. */
  private static final int KANA = 20;

  Vocabulary {
    pieces = Collections.unmodifiableSortedMap(pieces);
  }

  /**
   * Reads a vocabulary.
   *
   * @param tokenizer a {@code tokenizer.json}
   * @throws InputException where it is no JSON
   */
  static Vocabulary read(Path tokenizer) throws IOException {
    JsonNode root;
    try {
      root = new JsonMapper().readTree(tokenizer.toFile());
    } catch (JacksonException e) {
      throw new InputException(tokenizer, "is no JSON: " + e.getOriginalMessage(), e);
    }
    SortedMap<Long, String> pieces = new TreeMap<>();
    JsonNode vocabulary = root.path("model").path("vocab");
    if (vocabulary.isObject()) {
      for (Map.Entry<String, JsonNode> entry : vocabulary.properties()) {
        pieces.put(entry.getValue().asLong(), entry.getKey());
      }
    } else {
      // Unigram: pairs of a piece and its score, in the order of their numbers.
      for (int i = 0; i < vocabulary.size(); i++) {
        pieces.put((long) i, vocabulary.get(i).path(0).asText());
      }
    }
    return new Vocabulary(pieces);
  }

  /**
   * Whether it is made for Chinese: 69 % of the pieces of BERT's Chinese vocabulary have an
   * ideograph, 1.6 % of its English one. Japanese vocabularies have kana beside theirs.
   */
  boolean isChinese() {
    return count(Character::isIdeographic) * IDEOGRAPHS >= pieces.size()
        && count(Vocabulary::isKana) * KANA < pieces.size();
  }

  private static boolean isKana(int codePoint) {
    Character.UnicodeScript script = Character.UnicodeScript.of(codePoint);
    return script == Character.UnicodeScript.HIRAGANA || script == Character.UnicodeScript.KATAKANA;
  }

  private long count(IntPredicate character) {
    return pieces.values().stream().filter(piece -> piece.codePoints().anyMatch(character)).count();
  }
}
