package io.pseed.converter.calibrate;

import ai.djl.huggingface.tokenizers.Encoding;
import ai.djl.huggingface.tokenizers.HuggingFaceTokenizer;
import ai.onnxruntime.OnnxTensor;
import ai.onnxruntime.OrtEnvironment;
import ai.onnxruntime.OrtException;
import java.io.IOException;
import java.nio.LongBuffer;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/** Texts, one a run, cut into tokens by a {@code tokenizer.json}. */
public final class TextInputs implements CalibrationInputs {
  /** Longest input, in tokens. */
  private static final int LONGEST = 128;

  private final String description;
  private final Set<String> names;
  private final long[][] ids;

  /**
   * Cuts all texts.
   *
   * @param names inputs of the model, among {@code input_ids}, {@code attention_mask}, {@code
   *     token_type_ids} and {@code position_ids}
   * @throws IOException where the tokenizer cannot be read
   * @throws IllegalArgumentException where the model wants another input
   */
  public TextInputs(String description, Set<String> names, List<String> texts, Path tokenizer)
      throws IOException {
    for (String name : names) {
      if (!Set.of("input_ids", "attention_mask", "token_type_ids", "position_ids").contains(name)) {
        throw new IllegalArgumentException(
            "the model has an input '"
                + name
                + "', which texts cannot fill; give its inputs as .npz");
      }
    }
    this.description = description;
    this.names = Set.copyOf(names);
    this.ids = new long[texts.size()][];
    try (HuggingFaceTokenizer cutter =
        HuggingFaceTokenizer.newInstance(
            tokenizer,
            Map.of(
                "truncation", "true", "maxLength", String.valueOf(LONGEST), "padding", "false"))) {
      for (int i = 0; i < ids.length; i++) {
        Encoding encoding = cutter.encode(texts.get(i));
        ids[i] = encoding.getIds();
      }
    }
  }

  @Override
  public String description() {
    return description;
  }

  @Override
  public int size() {
    return ids.length;
  }

  @Override
  public Map<String, OnnxTensor> make(OrtEnvironment environment, int index) throws OrtException {
    int n = ids[index].length;
    Map<String, OnnxTensor> inputs = new LinkedHashMap<>();
    for (String name : names) {
      long[] values = new long[n];
      for (int i = 0; i < n; i++) {
        values[i] =
            switch (name) {
              case "input_ids" -> ids[index][i];
              case "attention_mask" -> 1;
              case "position_ids" -> i;
              default -> 0;
            };
      }
      inputs.put(
          name, OnnxTensor.createTensor(environment, LongBuffer.wrap(values), new long[] {1, n}));
    }
    return inputs;
  }
}
