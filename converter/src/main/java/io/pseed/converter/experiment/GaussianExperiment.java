package io.pseed.converter.experiment;

import io.pseed.codec.TensorDecoder;
import io.pseed.converter.encode.EncodedTensor;
import io.pseed.converter.encode.TensorEncoder;
import io.pseed.converter.encode.TensorScan;
import io.pseed.converter.encode.Workers;
import io.pseed.converter.plan.Planner;
import io.pseed.converter.plan.TensorPlan;
import io.pseed.converter.source.SourceTensor;
import io.pseed.converter.source.TensorRole;
import io.pseed.converter.source.TensorSource;
import io.pseed.format.DType;
import io.pseed.format.Limits;
import io.pseed.format.PseedException;
import io.pseed.format.RecordPlace;
import io.pseed.format.TensorRecord;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.Channels;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.ForkJoinPool;
import java.util.function.Consumer;

/**
 * Codes independent normal weights at every rate and compares the error with Shannon's bound, which
 * no code can pass, and with rounding to the nearest of evenly spaced levels, which is what plain
 * quantisation does. Every bit of the record is counted.
 */
public final class GaussianExperiment {
  /** Weights of a row. */
  public static final int COLS = 384;

  /** Rows of the matrix by default. */
  public static final int ROWS = 384;

  /** Shannon: dB that a bit a weight can gain at most on a Gaussian source, 20 log10(2). */
  public static final double DB_PER_BIT = 20 * Math.log10(2);

  private static final long SOURCE_SEED = 20260101L;
  private static final int DECODE_RUNS = 9;
  private static final int MAX_RATE = 8;

  /**
   * One rate.
   *
   * @param rate k, payload bits a weight
   * @param seedBits L
   * @param bits bits a weight of the whole record
   * @param snrDb signal to noise ratio
   * @param encodeRate weights a second that one thread codes, the check by decoding included
   * @param decodeRate weights a second that one thread decodes, the checksum included
   * @param roundingBits bits a weight of rounding to the nearest of 2^k levels, one scale included
   * @param roundingSnrDb its signal to noise ratio at the step that suits this sample best
   */
  public record Row(
      int rate,
      int seedBits,
      double bits,
      double snrDb,
      double encodeRate,
      double decodeRate,
      double roundingBits,
      double roundingSnrDb) {
    /** Highest signal to noise ratio that any code of so many bits can have. */
    public double boundDb() {
      return DB_PER_BIT * bits;
    }

    /** What is missing to the bound. */
    public double gapDb() {
      return boundDb() - snrDb;
    }

    /** What rounding lacks to its bound. */
    public double roundingGapDb() {
      return DB_PER_BIT * roundingBits - roundingSnrDb;
    }
  }

  private GaussianExperiment() {}

  /**
   * Runs rates 1 to 8.
   *
   * @param rows rows of the matrix; fewer are quicker and noisier
   * @param progress is told each row when it is there
   */
  public static List<Row> run(int seedBits, int rows, Consumer<Row> progress) throws IOException {
    float[] weights = source(rows);
    SourceTensor tensor = new MemoryTensor("gaussian", rows, weights);
    TensorScan scan = TensorScan.of(tensor);
    List<Row> table = new ArrayList<>();
    try (Workers one = new Workers(1)) {
      TensorEncoder encoder = new TensorEncoder(one);
      // One small tensor first, so that the compiler's warm-up is not measured.
      SourceTensor small = new MemoryTensor("warm-up", 32, source(32));
      encoder.encode(small, plan(small, 4, seedBits), TensorScan.of(small), n -> {});
      for (int rate = 1; rate <= MAX_RATE; rate++) {
        TensorPlan plan = plan(tensor, rate, seedBits);
        long start = System.nanoTime();
        EncodedTensor encoded = encoder.encode(tensor, plan, scan, n -> {});
        double seconds = (System.nanoTime() - start) / 1e9;
        Row row =
            new Row(
                rate,
                seedBits,
                encoded.bitsPerWeight(),
                encoded.snrDb(),
                weights.length / seconds,
                decodeRate(encoded, weights.length),
                rate + 32.0 / weights.length,
                Rounding.bestSnrDb(weights, rate));
        table.add(row);
        progress.accept(row);
      }
    }
    return table;
  }

  private static float[] source(int rows) {
    Random random = new Random(SOURCE_SEED);
    float[] weights = new float[rows * COLS];
    for (int i = 0; i < weights.length; i++) {
      weights[i] = (float) random.nextGaussian();
    }
    return weights;
  }

  private static TensorPlan plan(SourceTensor tensor, int rate, int seedBits) {
    return new Planner(rate, seedBits, false).plan(new OneTensor(tensor)).tensors().get(0);
  }

  /** Median of several runs on one thread. */
  private static double decodeRate(EncodedTensor encoded, int weights) throws IOException {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    encoded.record().writeTo(Channels.newChannel(bytes));
    TensorRecord record =
        TensorRecord.parse(
            ByteBuffer.wrap(bytes.toByteArray()).order(ByteOrder.LITTLE_ENDIAN),
            RecordPlace.standalone("record of the experiment"),
            Limits.STANDARD);
    TensorDecoder decoder = TensorDecoder.of(record);
    double[] seconds = new double[DECODE_RUNS];
    ForkJoinPool one = new ForkJoinPool(1);
    try {
      for (int i = 0; i < seconds.length; i++) {
        long start = System.nanoTime();
        PseedException failure = one.submit(() -> failureOf(decoder)).join();
        if (failure != null) {
          throw failure;
        }
        seconds[i] = (System.nanoTime() - start) / 1e9;
      }
    } finally {
      one.shutdown();
    }
    Arrays.sort(seconds);
    return weights / seconds[seconds.length / 2];
  }

  private static PseedException failureOf(TensorDecoder decoder) {
    try {
      decoder.decode();
      return null;
    } catch (PseedException e) {
      return e;
    }
  }

  /** Rounding to the nearest of 2^k evenly spaced levels, symmetric to zero. */
  static final class Rounding {
    private static final int STEPS = 60;
    private static final double GOLDEN = (Math.sqrt(5) - 1) / 2;

    private Rounding() {}

    /** The best there is on this sample: a golden-section search of the step. */
    static double bestSnrDb(float[] weights, int rate) {
      double low = 0.001;
      double high = 4;
      for (int i = 0; i < STEPS; i++) {
        double a = high - GOLDEN * (high - low);
        double b = low + GOLDEN * (high - low);
        if (noise(weights, rate, a) < noise(weights, rate, b)) {
          high = b;
        } else {
          low = a;
        }
      }
      double signal = 0;
      for (float weight : weights) {
        signal += (double) weight * weight;
      }
      return 10 * Math.log10(signal / noise(weights, rate, (low + high) / 2));
    }

    private static double noise(float[] weights, int rate, double step) {
      int half = 1 << (rate - 1);
      double sum = 0;
      for (float weight : weights) {
        double level = Math.floor(weight / step);
        level = Math.max(-half, Math.min(half - 1, level));
        double error = (level + 0.5) * step - weight;
        sum += error * error;
      }
      return sum;
    }
  }

  /** A matrix in memory. */
  private static final class MemoryTensor implements SourceTensor {
    private final String name;
    private final int rows;
    private final ByteBuffer bytes;

    MemoryTensor(String name, int rows, float[] weights) {
      this.name = name;
      this.rows = rows;
      this.bytes = ByteBuffer.allocate(4 * weights.length).order(ByteOrder.LITTLE_ENDIAN);
      bytes.asFloatBuffer().put(weights);
    }

    @Override
    public String name() {
      return name;
    }

    @Override
    public DType dtype() {
      return DType.F32;
    }

    @Override
    public long[] shape() {
      return new long[] {rows, COLS};
    }

    @Override
    public TensorRole role() {
      return TensorRole.MATMUL;
    }

    @Override
    public long byteSize() {
      return bytes.capacity();
    }

    @Override
    public void read(long offset, ByteBuffer dst) {
      dst.put(bytes.slice(Math.toIntExact(offset), dst.remaining()));
    }
  }

  /** A source of one tensor. */
  private record OneTensor(SourceTensor tensor) implements TensorSource {
    @Override
    public String format() {
      return "memory";
    }

    @Override
    public Path path() {
      return Path.of(tensor.name());
    }

    @Override
    public long bytes() {
      return tensor.byteSize();
    }

    @Override
    public List<SourceTensor> tensors() {
      return List.of(tensor);
    }

    @Override
    public Map<String, String> metadata() {
      return Map.of();
    }

    @Override
    public Map<String, byte[]> sections() {
      return Map.of();
    }

    @Override
    public List<String> notices() {
      return List.of();
    }

    @Override
    public boolean quantized() {
      return false;
    }

    @Override
    public void close() {}
  }
}
