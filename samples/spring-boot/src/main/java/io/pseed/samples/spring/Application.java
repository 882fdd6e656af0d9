package io.pseed.samples.spring;

import dev.langchain4j.model.embedding.EmbeddingModel;
import dev.langchain4j.store.embedding.CosineSimilarity;
import java.util.List;
import java.util.Locale;
import org.springframework.boot.ApplicationArguments;
import org.springframework.boot.ApplicationRunner;
import org.springframework.boot.SpringApplication;
import org.springframework.boot.autoconfigure.SpringBootApplication;
import org.springframework.context.annotation.Bean;

/** Says how alike two texts are: {@code java -jar spring-boot-1.jar TEXT TEXT}. */
@SpringBootApplication
public class Application {
  public static void main(String[] args) {
    SpringApplication.run(Application.class, args);
  }

  @Bean
  ApplicationRunner compare(EmbeddingModel model) {
    return (ApplicationArguments arguments) -> {
      List<String> texts = arguments.getNonOptionArgs();
      if (texts.size() == 2) {
        System.out.printf(
            Locale.ROOT,
            "%.3f%n",
            CosineSimilarity.between(
                model.embed(texts.get(0)).content(), model.embed(texts.get(1)).content()));
      }
    };
  }
}
