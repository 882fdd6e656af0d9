package io.pseed.converter.inputs;

import ai.djl.huggingface.tokenizers.Encoding;
import ai.djl.huggingface.tokenizers.HuggingFaceTokenizer;
import ai.onnxruntime.OnnxTensor;
import ai.onnxruntime.OrtEnvironment;
import ai.onnxruntime.OrtException;
import io.pseed.converter.calibrate.CalibrationInputs;
import io.pseed.converter.inputs.InputSignature.Input;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.function.Predicate;

/** Texts, one a run, cut into tokens by a {@code tokenizer.json}. */
public final class TextInputs implements CalibrationInputs {
  /** Longest input, in tokens. */
  private static final int LONGEST = 128;

  /** Most bytes of a file of texts. */
  private static final long LARGEST_FILE = 1L << 28;

  private static final String SHIPPED = "/io/pseed/converter/calibrate/";

  private final String description;
  private final Origin origin;
  private final InputSignature signature;
  private final List<String> texts;
  private final Path tokenizer;
  private final long[][] ids;
  private final TextInputs apart;

  /**
   * The texts of a file, one a line, each once.
   *
   * @param most texts that are used, evenly spread over the file
   * @throws InputException where there are none, or the model takes what a tokenizer cannot give
   */
  public static TextInputs read(Path file, InputSignature signature, Path tokenizer, int most)
      throws IOException {
    if (Files.size(file) > LARGEST_FILE) {
      throw new InputException(
          file, "has " + Files.size(file) + " bytes, expected texts of at most " + LARGEST_FILE);
    }
    List<String> lines;
    try {
      lines = Files.readAllLines(file, StandardCharsets.UTF_8);
    } catch (CharacterCodingException e) {
      throw new InputException(file, "is no text in UTF-8; expected one text a line", e);
    }
    List<String> texts = distinct(lines);
    if (texts.isEmpty()) {
      throw new InputException(file, "has no texts; expected one a line");
    }
    List<String> used = spread(texts, most);
    String number = used.size() < texts.size() ? used.size() + " of the " + texts.size() : "";
    return new TextInputs(
        (number.isEmpty() ? String.valueOf(used.size()) : number)
            + (texts.size() == 1 ? " text of " : " texts of ")
            + file,
        Origin.GIVEN,
        signature,
        used,
        tokenizer,
        null,
        Cut.AS_IT_IS);
  }

  /**
   * The texts that ship, in {@code calibrate/texts.txt}, or {@code texts-zh.txt} where the
   * tokenizer is made for Chinese; {@link #split} judges with those of {@code held-out.txt} or
   * {@code held-out-zh.txt}, which no calibration meets.
   */
  public static TextInputs shipped(InputSignature signature, Path tokenizer, int most)
      throws IOException {
    boolean chinese = isChinese(tokenizer);
    TextInputs apart = heldOut(signature, tokenizer, most, chinese);
    return shipped("texts", "", signature, tokenizer, most, chinese, apart);
  }

  /** The texts that ship to judge with; {@link #shipped(InputSignature, Path, int)} has others. */
  public static TextInputs heldOut(InputSignature signature, Path tokenizer, int most)
      throws IOException {
    return heldOut(signature, tokenizer, most, isChinese(tokenizer));
  }

  private static TextInputs heldOut(
      InputSignature signature, Path tokenizer, int most, boolean chinese) throws IOException {
    return shipped("held-out", " held out", signature, tokenizer, most, chinese, null);
  }

  /** Whether Chinese texts are for it; that it is missing is said where it is opened. */
  private static boolean isChinese(Path tokenizer) throws IOException {
    return Files.isRegularFile(tokenizer) && Vocabulary.read(tokenizer).isChinese();
  }

  private static TextInputs shipped(
      String resource,
      String what,
      InputSignature signature,
      Path tokenizer,
      int most,
      boolean chinese,
      TextInputs apart)
      throws IOException {
    String file = SHIPPED + resource + (chinese ? "-zh.txt" : ".txt");
    List<String> lines;
    try (InputStream in = Objects.requireNonNull(TextInputs.class.getResourceAsStream(file))) {
      lines = new String(in.readAllBytes(), StandardCharsets.UTF_8).lines().toList();
    }
    List<String> texts = spread(distinct(lines), most);
    return new TextInputs(
        texts.size()
            + (chinese ? " varied Chinese texts" : " varied texts")
            + " that ship with pseed"
            + (what.isEmpty() ? "" : "," + what),
        Origin.SHIPPED,
        signature,
        texts,
        tokenizer,
        apart,
        Cut.AS_IT_IS);
  }

  private static List<String> distinct(List<String> lines) {
    return lines.stream()
        .map(String::strip)
        .filter(Predicate.not(String::isEmpty))
        .distinct()
        .toList();
  }

  private static List<String> spread(List<String> texts, int most) {
    int size = Math.min(most, texts.size());
    List<String> used = new ArrayList<>();
    for (int i = 0; i < size; i++) {
      used.add(texts.get((int) ((long) i * texts.size() / size)));
    }
    return used;
  }

  /** What tokens a text gives. */
  @FunctionalInterface
  private interface Cut {
    Cut AS_IT_IS = (encoding, text) -> encoding.getIds();

    long[] tokens(Encoding encoding, int text);
  }

  /**
   * These texts, and behind them copies in which half of the words are others of the vocabulary:
   * few texts have few words, and the table of a model's words takes a large part of it.
   *
   * @param copies of each text, at least 0
   * @return these inputs alone where there are no copies, or where the tokenizer has no words
   */
  public CalibrationInputs withReplacedWords(int copies) throws IOException {
    WordReplacement words =
        WordReplacement.of(Vocabulary.read(tokenizer), signature.input("input_ids").tableRows());
    if (copies == 0 || !words.possible()) {
      return this;
    }
    List<CalibrationInputs> all = new ArrayList<>();
    for (int i = 0; i < copies; i++) {
      int copy = i;
      all.add(
          new TextInputs(
              description,
              origin,
              signature,
              texts,
              tokenizer,
              apart,
              (encoding, text) -> words.replaced(encoding, text, copy)));
    }
    return new ReplacedTexts(this, all);
  }

  private TextInputs(
      String description,
      Origin origin,
      InputSignature signature,
      List<String> texts,
      Path tokenizer,
      TextInputs apart,
      Cut cut)
      throws IOException {
    if (!signature.takesTokens()) {
      throw new InputException(
          "texts cannot fill the model's inputs, which are "
              + signature.text()
              + "; expected 'input_ids' and at most 'attention_mask', 'token_type_ids' and"
              + " 'position_ids'; give its inputs as .npz");
    }
    this.description = description;
    this.origin = origin;
    this.signature = signature;
    this.texts = texts;
    this.tokenizer = tokenizer;
    this.apart = apart;
    this.ids = new long[texts.size()][];
    long rows = signature.input("input_ids").tableRows();
    try (HuggingFaceTokenizer cutter = open(tokenizer)) {
      for (int i = 0; i < ids.length; i++) {
        Encoding encoding = cutter.encode(texts.get(i));
        long[] tokens = encoding.getIds();
        for (int t = 0; t < tokens.length; t++) {
          if (rows > 0 && (tokens[t] < 0 || tokens[t] >= rows)) {
            throw new InputException(
                tokenizer,
                "cuts '"
                    + encoding.getTokens()[t]
                    + "' as token "
                    + tokens[t]
                    + ", expected 0 to "
                    + (rows - 1)
                    + ", the rows of the model's table; give the tokenizer that belongs to the"
                    + " model");
          }
        }
        if (tokens.length == 0) {
          throw new InputException(
              tokenizer, "cuts the text '" + texts.get(i) + "' into no tokens");
        }
        ids[i] = cut.tokens(encoding, i);
      }
    }
    requireRoom(signature);
  }

  private void requireRoom(InputSignature signature) throws InputException {
    for (Input input : signature.inputs()) {
      long length = input.shape().size() == 2 ? input.shape().get(1) : -1;
      boolean batch = input.shape().size() == 2 && input.shape().get(0) <= 1;
      if (input.ranked() && (!batch || (length >= 0 && length < 2))) {
        throw new InputException(
            "the model's input '"
                + input.name()
                + "' is "
                + input.text()
                + ", expected [1, length] or [?, ?] for texts; give its inputs as .npz");
      }
    }
  }

  private static HuggingFaceTokenizer open(Path tokenizer) throws IOException {
    if (!Files.isRegularFile(tokenizer)) {
      throw new InputException(tokenizer, "no such file; expected the model's tokenizer.json");
    }
    TokenizerLibrary.prepare();
    try {
      return HuggingFaceTokenizer.newInstance(
          tokenizer,
          Map.of("truncation", "true", "maxLength", String.valueOf(LONGEST), "padding", "false"));
    } catch (IOException | RuntimeException e) {
      throw new InputException(
          tokenizer,
          "is no tokenizer.json that can be read: " + String.valueOf(e.getMessage()).strip(),
          e);
    }
  }

  @Override
  public String description() {
    return description;
  }

  @Override
  public Origin origin() {
    return origin;
  }

  @Override
  public int size() {
    return ids.length;
  }

  @Override
  public Split split(int judging) {
    if (apart == null) {
      return CalibrationInputs.super.split(judging);
    }
    return new Split(this, apart);
  }

  @Override
  public Map<String, OnnxTensor> make(OrtEnvironment environment, int index) throws OrtException {
    long[] tokens = ids[index];
    Map<String, OnnxTensor> tensors = new LinkedHashMap<>();
    try {
      for (Input input : signature.inputs()) {
        // A fixed length is filled up with padding, or cuts the text off.
        long fixed = input.shape().size() == 2 ? input.shape().get(1) : -1;
        int n = fixed >= 0 ? (int) fixed : tokens.length;
        ByteBuffer values = Values.allocate(input.type(), n);
        for (int i = 0; i < n; i++) {
          boolean there = i < tokens.length;
          long value =
              switch (input.name()) {
                case "input_ids" -> there ? tokens[i] : 0;
                case "attention_mask" -> there ? 1 : 0;
                case "position_ids" -> i;
                default -> 0;
              };
          if (input.real()) {
            Values.putReal(values, input.type(), (double) value);
          } else {
            Values.putInteger(values, input.type(), value);
          }
        }
        tensors.put(
            input.name(),
            OnnxTensor.createTensor(environment, values.flip(), new long[] {1, n}, input.type()));
      }
      return tensors;
    } catch (OrtException | RuntimeException e) {
      tensors.values().forEach(OnnxTensor::close);
      throw e;
    }
  }
}
