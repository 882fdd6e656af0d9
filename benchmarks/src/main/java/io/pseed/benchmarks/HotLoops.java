package io.pseed.benchmarks;

import io.pseed.codec.TensorDecoder;
import io.pseed.codec.hadamard.PairedHadamard;
import io.pseed.converter.Converter;
import io.pseed.converter.ProgressListener;
import io.pseed.converter.bench.MatMulModel;
import io.pseed.converter.encode.Workers;
import io.pseed.converter.plan.Planner;
import io.pseed.converter.source.onnx.OnnxModelSource;
import io.pseed.format.Limits;
import io.pseed.format.PseedReader;
import io.pseed.format.TensorRecord;
import io.pseed.onnx.RecordDecoder;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Random;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ForkJoinPool;
import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OperationsPerInvocation;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;
import org.openjdk.jmh.annotations.Warmup;

/**
 * Operations are weights, so scores are millions of weights a second, on one thread. The bound of
 * decoding is what memory takes: {@link #memoryWrite} writes as many floats and computes nothing.
 */
@BenchmarkMode(Mode.Throughput)
@OutputTimeUnit(TimeUnit.MICROSECONDS)
@Warmup(iterations = 3, time = 2)
@Measurement(iterations = 5, time = 2)
@Fork(1)
public class HotLoops {
  private static final int SIDE = 1024;
  private static final int WEIGHTS = SIDE * SIDE;

  /** A record of a Gaussian matrix, with rotated rows and columns. */
  @State(Scope.Benchmark)
  public static class Seeds {
    /** Bits a weight. */
    @Param({"2", "4"})
    public int rate;

    /** L. */
    @Param({"12"})
    public int seedBits;

    private final ByteBuffer out = ByteBuffer.allocateDirect(WEIGHTS * Float.BYTES);
    private TensorRecord record;
    private RecordDecoder decoder;
    private ForkJoinPool one;

    /** Converts. */
    @Setup
    public void make() throws IOException {
      Path folder = Files.createTempDirectory("benchmark");
      Path model = folder.resolve("model.onnx");
      Path pseed = folder.resolve("model.pseed");
      MatMulModel.write(model, SIDE);
      try (OnnxModelSource source = OnnxModelSource.open(model);
          Workers workers = new Workers(1)) {
        new Converter(workers, ProgressListener.NONE)
            .convert(source, new Planner(rate, seedBits, false, false).plan(source), pseed);
      }
      try (PseedReader reader =
          PseedReader.of(ByteBuffer.wrap(Files.readAllBytes(pseed)), "seeds", Limits.STANDARD)) {
        record = reader.record(reader.header().tensors().get(0));
      }
      Files.delete(model);
      Files.delete(pseed);
      Files.delete(folder);
      decoder = RecordDecoder.ofThisProcess();
      one = new ForkJoinPool(1);
    }

    /** Ends the thread. */
    @TearDown
    public void end() {
      one.shutdown();
    }
  }

  /** From the record to checked elements: what loading does. */
  @Benchmark
  @OperationsPerInvocation(WEIGHTS)
  public ByteBuffer decode(Seeds seeds) throws InterruptedException, ExecutionException {
    return seeds.one.submit(() -> TensorDecoder.of(seeds.record).decode()).get();
  }

  /** The same where there is native code for it, else Java again. */
  @Benchmark
  @OperationsPerInvocation(WEIGHTS)
  public ByteBuffer decodeNative(Seeds seeds) throws InterruptedException, ExecutionException {
    return seeds
        .one
        .submit(
            () -> {
              seeds.decoder.decode(seeds.record, seeds.out);
              return seeds.out;
            })
        .get();
  }

  /** 128 rows of the matrix. */
  @State(Scope.Thread)
  public static class Rows {
    private static final int ROWS = 128;
    private final int[] lower = new int[SIDE];
    private final int[] upper = new int[SIDE];
    private final long[][] pairs = new long[ROWS / 2][SIDE];

    /** Codes. */
    @Setup
    public void fill() {
      Random random = new Random(1);
      Arrays.setAll(lower, i -> random.nextInt(1 << 14));
      Arrays.setAll(upper, i -> -random.nextInt(1 << 14));
    }
  }

  /** Blocks of 128 along the rows. */
  @Benchmark
  @OperationsPerInvocation(Rows.ROWS * SIDE)
  public long[][] hadamardAlong(Rows rows) {
    for (long[] pair : rows.pairs) {
      PairedHadamard.alongRow(rows.lower, rows.upper, pair, SIDE, 7);
    }
    return rows.pairs;
  }

  /** Blocks of 128 across the rows, but for the step within a pair. */
  @Benchmark
  @OperationsPerInvocation(Rows.ROWS * SIDE)
  public long[][] hadamardAcross(Rows rows) {
    PairedHadamard.acrossPairs(rows.pairs, SIDE, 6);
    return rows.pairs;
  }

  /** Floats that no cache holds. */
  @State(Scope.Thread)
  public static class Memory {
    private static final int FLOATS = 1 << 26;
    private final float[] target = new float[FLOATS];
    private float value;
  }

  /** The bound: the weights written, and nothing else. */
  @Benchmark
  @OperationsPerInvocation(Memory.FLOATS)
  public float[] memoryWrite(Memory memory) {
    Arrays.fill(memory.target, memory.value++);
    return memory.target;
  }
}
