package io.pseed.samples.search;

import ai.onnxruntime.OrtEnvironment;
import ai.onnxruntime.OrtException;
import dev.langchain4j.model.embedding.onnx.AbstractInProcessEmbeddingModel;
import dev.langchain4j.model.embedding.onnx.OnnxBertBiEncoder;
import dev.langchain4j.model.embedding.onnx.PoolingMode;
import io.pseed.onnx.PseedSession;
import java.io.IOException;
import java.io.InputStream;

/** all-MiniLM-L6-v2 from seeds. The rest is langchain4j: its encoder takes any session. */
public final class SeededEmbeddingModel extends AbstractInProcessEmbeddingModel {
  private final OnnxBertBiEncoder encoder;

  public SeededEmbeddingModel() throws IOException, OrtException {
    super(null);
    try (InputStream tokenizer =
        SeededEmbeddingModel.class.getResourceAsStream("/all-minilm-l6-v2-tokenizer.json")) {
      encoder =
          new OnnxBertBiEncoder(
              OrtEnvironment.getEnvironment(),
              PseedSession.open(SeededEmbeddingModel.class, "/minilm.pseed"),
              tokenizer,
              PoolingMode.MEAN);
    }
  }

  @Override
  protected OnnxBertBiEncoder model() {
    return encoder;
  }
}
