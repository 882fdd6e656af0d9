package io.pseed.samples.spring;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.langchain4j.data.embedding.Embedding;
import dev.langchain4j.model.embedding.EmbeddingModel;
import dev.langchain4j.model.embedding.onnx.allminilml6v2.AllMiniLmL6V2EmbeddingModel;
import dev.langchain4j.store.embedding.CosineSimilarity;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.springframework.beans.factory.annotation.Autowired;
import org.springframework.boot.test.context.SpringBootTest;
import org.springframework.boot.test.system.CapturedOutput;
import org.springframework.boot.test.system.OutputCaptureExtension;

@SpringBootTest(args = {"A dog chases a ball.", "A puppy runs after a toy."})
@ExtendWith(OutputCaptureExtension.class)
class ApplicationTest {
  private static final List<String> TEXTS =
      List.of("A dog chases a ball.", "A puppy runs after a toy.", "The bank raised its rates.");

  @Autowired private EmbeddingModel model;

  @Test
  void theBeanEmbedsAsTheOriginalDoes() {
    EmbeddingModel original = new AllMiniLmL6V2EmbeddingModel();
    for (String text : TEXTS) {
      double cosine =
          CosineSimilarity.between(original.embed(text).content(), model.embed(text).content());
      System.out.printf("cosine to FP32 %.4f: %s%n", cosine, text);
      assertTrue(cosine > 0.97, cosine + ": " + text);
    }
  }

  @Test
  void textsThatMeanTheSameAreNearer() {
    List<Embedding> all = TEXTS.stream().map(text -> model.embed(text).content()).toList();
    double alike = CosineSimilarity.between(all.get(0), all.get(1));
    double other = CosineSimilarity.between(all.get(0), all.get(2));
    assertTrue(alike > other + 0.2, alike + " and " + other);
  }

  @Test
  void theApplicationComparesItsArguments(CapturedOutput output) {
    double alike =
        CosineSimilarity.between(
            model.embed(TEXTS.get(0)).content(), model.embed(TEXTS.get(1)).content());
    String printed =
        output.getAll().lines().filter(l -> l.matches("\\d\\.\\d{3}")).findFirst().orElseThrow();
    assertEquals(alike, Double.parseDouble(printed), 0.001);
  }
}
