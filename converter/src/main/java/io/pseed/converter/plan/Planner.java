package io.pseed.converter.plan;

import io.pseed.codec.hadamard.Hadamard;
import io.pseed.codec.trellis.Panels;
import io.pseed.codec.trellis.TrellisCode;
import io.pseed.converter.source.SourceTensor;
import io.pseed.converter.source.TensorSource;
import io.pseed.format.TensorRecord;
import io.pseed.format.View;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;

/**
 * Decides from names, types and shapes alone what is done with each tensor: which are coded, seen
 * as which matrix, at which rate. Reads no data, so a plan is there at once.
 */
public final class Planner {
  /**
   * Tensors with fewer elements are kept lossless: their side information and their share of the
   * file are not worth an error.
   */
  static final int SMALLEST_CODED = 4096;

  /** Shortest row worth a stream: its first weights have little choice. */
  private static final int SHORTEST_ROW = 32;

  /**
   * Elements above which a view is never transposed, so that bands can be read and written in
   * order.
   */
  private static final long LARGEST_TRANSPOSED = 1L << 26;

  private static final int LONGEST_ROW = 1 << 16;

  /** Shannon's bound on the signal to noise ratio of a bit, in dB. */
  private static final double SNR_PER_BIT = 6.02;

  /**
   * How far below Shannon's bound a tensor may come out before it gets a higher rate, in dB.
   * Rotated matrices lie 0.5 to 2 dB below it at up to five bits, and up to 1.2 dB more with each
   * bit above, where the seeds of L = 12 get short. What lies lower has outliers that no rotation
   * spread: kernels of depthwise convolutions, biases.
   */
  private static final double SNR_SLACK = 4;

  private static final double SNR_SLACK_PER_HIGH_BIT = 1.5;

  private final double bits;
  private final int seedBits;
  private final boolean layerSeeds;
  private final boolean boundErrors;

  /**
   * A planner of one rate for all.
   *
   * @param bits payload bits a weight, 1 to 8; between two integers the rows of each tensor are
   *     divided between both
   * @param seedBits L, 8 to 20
   * @param layerSeeds whether the encoder looks for layer seeds
   * @param boundErrors whether a tensor that comes out much worse than its rate allows gets a
   *     higher one; without it, the size of the file is known beforehand
   */
  public Planner(double bits, int seedBits, boolean layerSeeds, boolean boundErrors) {
    if (!(bits >= 1 && bits <= TrellisCode.MAX_RATE)) {
      throw new IllegalArgumentException("bits is " + bits + ", expected 1 to 8");
    }
    if (seedBits < TrellisCode.MIN_L || seedBits > TrellisCode.MAX_L) {
      throw new IllegalArgumentException("L is " + seedBits + ", expected 8 to 20");
    }
    this.bits = bits;
    this.seedBits = seedBits;
    this.layerSeeds = layerSeeds;
    this.boundErrors = boundErrors;
  }

  /** A plan for every tensor of the source. */
  public Plan plan(TensorSource source) {
    List<TensorPlan> plans = new ArrayList<>();
    for (SourceTensor tensor : source.tensors()) {
      plans.add(plan(tensor, source.quantized()));
    }
    return new Plan(plans);
  }

  private TensorPlan plan(SourceTensor tensor, boolean quantized) {
    long[] shape = tensor.shape();
    long elements = TensorRecord.elementCount(shape);
    if (!tensor.dtype().isCoded()) {
      return TensorPlan.raw(tensor.name(), tensor.dtype() + " is kept lossless");
    }
    if (quantized) {
      return TensorPlan.raw(tensor.name(), "the model is quantized already");
    }
    if (elements < SMALLEST_CODED) {
      return TensorPlan.raw(tensor.name(), "fewer than " + SMALLEST_CODED + " elements");
    }
    Optional<View> view = view(tensor, shape, elements);
    if (view.isEmpty()) {
      return TensorPlan.raw(
          tensor.name(), "shape " + Arrays.toString(shape) + " has no rows of " + SHORTEST_ROW);
    }
    return TensorPlan.trellis(tensor.name(), trellis(view.get()), layerSeeds)
        .withMinSnrDb(boundErrors ? minSnrDb() : TensorPlan.ANY_SNR);
  }

  /** The bound in dB, to a tenth: it stands in plans. */
  private double minSnrDb() {
    double slack = SNR_SLACK + SNR_SLACK_PER_HIGH_BIT * Math.max(0, bits - 5);
    return Math.round(10 * (SNR_PER_BIT * bits - slack)) / 10.0;
  }

  private TrellisPlan trellis(View view) {
    return new TrellisPlan(
        view,
        seedBits,
        TrellisCode.LAW_RAYLEIGH,
        0,
        Hadamard.largestLog2(view.rows(), Hadamard.MAX_LOG2),
        Hadamard.largestLog2(view.cols(), Hadamard.MAX_LOG2),
        Optional.empty(),
        Optional.empty(),
        panels(view));
  }

  /**
   * One rate, or rows of the next lower and next higher one in the right proportion; long rows are
   * cut where a search needs it.
   */
  private Panels panels(View view) {
    int low = (int) Math.floor(bits);
    int highRows = (int) Math.round((bits - low) * view.rows());
    int longest = SegmentLimit.longest(seedBits, low);
    if (highRows == 0 && view.cols() > longest) {
      int count = (view.cols() + longest - 1) / longest;
      int[] lengths = new int[count];
      Arrays.fill(lengths, longest);
      lengths[count - 1] = view.cols() - longest * (count - 1);
      int[] rates = new int[count];
      Arrays.fill(rates, low);
      return new Panels(false, lengths, rates);
    }
    if (highRows == 0) {
      return Panels.uniform(view.cols(), low);
    }
    if (highRows == view.rows()) {
      return Panels.uniform(view.cols(), low + 1);
    }
    return new Panels(true, new int[] {highRows, view.rows() - highRows}, new int[] {low + 1, low});
  }

  /**
   * The matrix: input dimension by output dimension where the role tells, turned where the rows
   * would be too short to code well, and never transposed where the tensor is large.
   */
  static Optional<View> view(SourceTensor tensor, long[] shape, long elements) {
    View natural =
        switch (tensor.role()) {
          case MATMUL, EMBEDDING -> split(shape, elements, shape.length - 1, false);
          case LINEAR_TRANSPOSED, CONV -> split(shape, elements, first(shape), true);
          case CONV_TRANSPOSE -> split(shape, elements, 1, false);
          case OTHER -> split(shape, elements, shape.length - 1, false);
        };
    View turned = split(shape, elements, first(shape), natural == null || !natural.transposed());
    View flat = flat(elements);
    View best = null;
    for (View view : new View[] {natural, turned, flat}) {
      if (view != null && quality(view, elements) > (best == null ? 0 : quality(best, elements))) {
        best = view;
      }
    }
    return Optional.ofNullable(best);
  }

  /**
   * How many dimensions the first ones make that are not of size 1 alone: weights of recurrent
   * layers have their directions first, and a single row would have a factor for each element.
   */
  private static int first(long[] shape) {
    int at = 1;
    while (at < shape.length && shape[at - 1] == 1) {
      at++;
    }
    return at;
  }

  /** 0: unusable; more is better. The first of equals is taken. */
  private static int quality(View view, long elements) {
    if (view.cols() < SHORTEST_ROW
        || view.cols() > LONGEST_ROW
        || (view.transposed() && elements > LARGEST_TRANSPOSED)) {
      return 0;
    }
    return (view.cols() >= 96 ? 4 : 1) + (view.cols() % 8 == 0 ? 2 : 0);
  }

  /** The first {@code at} dimensions against the others; transposed: the others are the rows. */
  private static View split(long[] shape, long elements, int at, boolean transposed) {
    long first = 1;
    for (int i = 0; i < Math.min(Math.max(at, 0), shape.length); i++) {
      first *= shape[i];
    }
    long second = elements / first;
    if (first > Integer.MAX_VALUE || second > Integer.MAX_VALUE) {
      return null;
    }
    return transposed
        ? new View((int) second, (int) first, true)
        : new View((int) first, (int) second, false);
  }

  /** Any rows that divide the elements: for vectors and odd shapes. */
  private static View flat(long elements) {
    for (int cols = 1024; cols >= SHORTEST_ROW; cols--) {
      if (elements % cols == 0 && elements / cols <= Integer.MAX_VALUE) {
        return new View((int) (elements / cols), cols, false);
      }
    }
    return null;
  }
}
