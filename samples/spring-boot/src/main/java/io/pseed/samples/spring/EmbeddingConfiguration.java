package io.pseed.samples.spring;

import ai.onnxruntime.OrtEnvironment;
import ai.onnxruntime.OrtException;
import ai.onnxruntime.OrtSession;
import dev.langchain4j.model.embedding.EmbeddingModel;
import dev.langchain4j.model.embedding.onnx.AbstractInProcessEmbeddingModel;
import dev.langchain4j.model.embedding.onnx.OnnxBertBiEncoder;
import dev.langchain4j.model.embedding.onnx.PoolingMode;
import io.pseed.onnx.PseedSession;
import java.io.IOException;
import java.io.InputStream;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;
import org.springframework.core.io.ClassPathResource;

/** The beans that an application needs to embed texts with a model from seeds. */
@Configuration(proxyBeanMethods = false)
public class EmbeddingConfiguration {
  @Bean(destroyMethod = "close")
  OrtSession minilm() throws IOException, OrtException {
    return PseedSession.open(EmbeddingConfiguration.class, "/minilm.pseed");
  }

  @Bean
  EmbeddingModel embeddingModel(OrtSession minilm) throws IOException {
    try (InputStream tokenizer =
        new ClassPathResource("all-minilm-l6-v2-tokenizer.json").getInputStream()) {
      OnnxBertBiEncoder encoder =
          new OnnxBertBiEncoder(
              OrtEnvironment.getEnvironment(), minilm, tokenizer, PoolingMode.MEAN);
      return new AbstractInProcessEmbeddingModel(null) {
        @Override
        protected OnnxBertBiEncoder model() {
          return encoder;
        }
      };
    }
  }
}
