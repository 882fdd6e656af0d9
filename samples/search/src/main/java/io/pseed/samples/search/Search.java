package io.pseed.samples.search;

import dev.langchain4j.data.embedding.Embedding;
import dev.langchain4j.data.segment.TextSegment;
import dev.langchain4j.model.embedding.EmbeddingModel;
import dev.langchain4j.store.embedding.CosineSimilarity;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;

/** Finds the lines of a handbook that answer questions: {@code Search QUESTION...}. */
public final class Search {
  private static final int SHOWN = 3;

  private final EmbeddingModel model;
  private final List<TextSegment> lines;
  private final List<Embedding> embeddings;

  Search(EmbeddingModel model) throws IOException {
    this.model = model;
    try (InputStream in = Search.class.getResourceAsStream("/handbook.txt")) {
      lines =
          new String(in.readAllBytes(), StandardCharsets.UTF_8)
              .lines()
              .map(TextSegment::from)
              .toList();
    }
    embeddings = model.embedAll(lines).content();
  }

  /** A line, and how near it is to the question. */
  record Hit(String line, double score) {}

  public static void main(String[] args) throws Exception {
    Search search = new Search(new SeededEmbeddingModel());
    for (String question : args) {
      System.out.println(question);
      for (Hit hit : search.nearest(question).subList(0, SHOWN)) {
        System.out.printf("  %.3f  %s%n", hit.score, hit.line);
      }
    }
  }

  /** All lines, the nearest first. */
  List<Hit> nearest(String question) {
    Embedding asked = model.embed(question).content();
    List<Hit> hits = new ArrayList<>();
    for (int i = 0; i < lines.size(); i++) {
      hits.add(new Hit(lines.get(i).text(), CosineSimilarity.between(asked, embeddings.get(i))));
    }
    hits.sort(Comparator.comparingDouble(Hit::score).reversed());
    return hits;
  }
}
