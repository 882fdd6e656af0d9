package io.pseed.converter.report;

import com.fasterxml.jackson.databind.node.ObjectNode;
import io.pseed.converter.verify.Judgement;
import io.pseed.converter.verify.Quality;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * All that a report says. It holds no clock: the same values give the same page.
 *
 * @param command which command made it
 * @param source the original
 * @param target the file
 * @param plan summary of the plan as the file carries it; null where it carries none
 * @param tensors in file order
 * @param judgement what the judge found; empty where nothing was judged
 * @param notJudged why nothing was judged; empty where something was
 * @param bound what the judge's figures must reach; empty where nothing was asked for
 * @param others the same model in other forms, judged in the same run
 * @param tries files that were made on the way to the chosen one
 * @param curve what files of other sizes are expected to lose
 * @param seconds of each part of the work, by its name, in order
 * @param notices sentences for the reader
 */
public record Report(
    String command,
    Source source,
    Target target,
    ObjectNode plan,
    List<Tensor> tensors,
    Optional<Judgement> judgement,
    String notJudged,
    Optional<Bound> bound,
    List<Other> others,
    List<Attempt> tries,
    Curve curve,
    Map<String, Double> seconds,
    List<String> notices) {
  /** Mean cosine of FP16 below which the inputs are no judges. */
  public static final double TRUSTED_FP16 = 0.999;

  public Report {
    tensors = List.copyOf(tensors);
    others = List.copyOf(others);
    tries = List.copyOf(tries);
    seconds = new LinkedHashMap<>(seconds);
    notices = List.copyOf(notices);
  }

  /**
   * The original.
   *
   * @param name of its file, without folders
   * @param format {@code onnx} or {@code safetensors}
   * @param bytes of all files that it consists of
   */
  public record Source(String name, String format, long bytes) {}

  /**
   * The file.
   *
   * @param name without folders
   * @param bytes of the whole file
   * @param weights elements of all tensors
   * @param digest SHA-256, hexadecimal
   * @param producer program and version
   * @param graphBytes bytes that are no tensor: graph, header, padding
   */
  public record Target(
      String name, long bytes, long weights, String digest, String producer, long graphBytes) {
    /** Bits of the whole file a weight. */
    public double bitsPerWeight() {
      return 8.0 * bytes / Math.max(1, weights);
    }
  }

  /**
   * One tensor.
   *
   * @param name as the model has it: any text
   * @param reader the graph's node that reads it, where the tensor's own name tells no place; else
   *     empty
   * @param dtype its type
   * @param shape its dimensions
   * @param codec how it is stored
   * @param form the matrix, rotation and seeds in words; empty where it is lossless
   * @param layerSeed whether one seed carries part of the whole layer
   * @param bytes of its record
   * @param weights elements
   * @param bitsPerWeight of the record, side information included
   * @param snrDb signal to noise ratio in dB; infinite where lossless, NaN where unknown
   * @param share of the outputs' predicted error that this tensor causes; NaN where not predicted
   * @param why it is coded as it is
   */
  public record Tensor(
      String name,
      String reader,
      String dtype,
      List<Long> shape,
      String codec,
      String form,
      boolean layerSeed,
      long bytes,
      long weights,
      double bitsPerWeight,
      double snrDb,
      double share,
      String why) {
    public Tensor {
      shape = List.copyOf(shape);
    }

    /** Whether it comes back bit for bit. */
    public boolean lossless() {
      return codec.equals("raw");
    }
  }

  /**
   * What was asked for.
   *
   * @param minCosine smallest mean that passes; NaN for none
   * @param minWorst smallest value of a single input that passes; NaN for none
   */
  public record Bound(double minCosine, double minWorst) {
    /** Whether a measure passes. */
    public boolean passes(Quality quality) {
      return !(quality.mean() < minCosine) && !(quality.min() < minWorst);
    }

    /** Whether all measures that bounds hold for pass. */
    public boolean passes(Judgement judgement) {
      return judgement.bounded().stream().allMatch(this::passes);
    }
  }

  /**
   * The same model in another form.
   *
   * @param label its name
   * @param rule how it was made, as a phrase
   * @param bytes of its file
   * @param judgement by the same judge
   */
  public record Other(String label, String rule, long bytes, Judgement judgement) {}

  /**
   * A file made on the way.
   *
   * @param bytes its size
   * @param cosine its judged mean
   * @param passes whether it reached the bound
   */
  public record Attempt(long bytes, double cosine, boolean passes) {}

  /**
   * What other sizes are expected to lose.
   *
   * @param rule where the expectation comes from, as a sentence; empty where there is none
   * @param points sizes and cosines, by size
   */
  public record Curve(String rule, List<Point> points) {
    /** No expectation. */
    public static final Curve NONE = new Curve("", List.of());

    public Curve {
      points = List.copyOf(points);
    }
  }

  /**
   * A point of a curve.
   *
   * @param bytes of the file
   * @param cosine expected mean
   */
  public record Point(long bytes, double cosine) {}
}
