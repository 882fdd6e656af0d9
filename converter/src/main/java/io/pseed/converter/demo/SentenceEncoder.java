package io.pseed.converter.demo;

import ai.djl.huggingface.tokenizers.Encoding;
import ai.djl.huggingface.tokenizers.HuggingFaceTokenizer;
import ai.onnxruntime.OnnxTensor;
import ai.onnxruntime.OrtException;
import ai.onnxruntime.OrtSession;
import io.pseed.converter.inputs.TokenizerLibrary;
import io.pseed.onnx.OrtRuntime;
import java.io.IOException;
import java.nio.FloatBuffer;
import java.nio.LongBuffer;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * From a sentence to its embedding: the mean of the last layer over the tokens, or what stands at
 * the first token, of length 1.
 */
final class SentenceEncoder implements AutoCloseable {
  private static final int MAX_TOKENS = 128;

  private final HuggingFaceTokenizer tokenizer;

  private final boolean firstToken;

  SentenceEncoder(Path tokenizerFile) throws IOException {
    this(tokenizerFile, false);
  }

  SentenceEncoder(Path tokenizerFile, boolean firstToken) throws IOException {
    TokenizerLibrary.prepare();
    this.firstToken = firstToken;
    this.tokenizer =
        HuggingFaceTokenizer.builder()
            .optTokenizerPath(tokenizerFile)
            .optMaxLength(MAX_TOKENS)
            .optTruncation(true)
            .optPadding(false)
            .build();
  }

  float[] encode(OrtSession session, String sentence) throws OrtException {
    Encoding encoding = tokenizer.encode(sentence);
    Map<String, long[]> values =
        Map.of(
            "input_ids", encoding.getIds(),
            "attention_mask", encoding.getAttentionMask(),
            "token_type_ids", encoding.getTypeIds());
    Map<String, OnnxTensor> inputs = new LinkedHashMap<>();
    try {
      for (String name : session.getInputNames()) {
        long[] numbers = values.get(name);
        if (numbers == null) {
          throw new IllegalStateException("the model asks for an unknown input '" + name + "'");
        }
        inputs.put(
            name,
            OnnxTensor.createTensor(
                OrtRuntime.environment(),
                LongBuffer.wrap(numbers),
                new long[] {1, numbers.length}));
      }
      try (OrtSession.Result result = session.run(inputs)) {
        return pooled((OnnxTensor) result.get(0));
      }
    } finally {
      inputs.values().forEach(OnnxTensor::close);
    }
  }

  /** Every token counts: a single sentence has no padding. */
  private float[] pooled(OnnxTensor lastLayer) {
    long[] shape = lastLayer.getInfo().getShape();
    int tokens = firstToken ? 1 : (int) shape[1];
    int width = (int) shape[2];
    FloatBuffer values = lastLayer.getFloatBuffer();
    double[] sum = new double[width];
    for (int i = 0; i < tokens * width; i++) {
      sum[i % width] += values.get(i);
    }
    double squares = 0;
    for (double value : sum) {
      squares += value * value;
    }
    float[] embedding = new float[width];
    for (int i = 0; i < width; i++) {
      embedding[i] = (float) (sum[i] / Math.sqrt(squares));
    }
    return embedding;
  }

  @Override
  public void close() {
    tokenizer.close();
  }
}
