package io.pseed.gpu;

import io.pseed.codec.TensorDecoder;
import io.pseed.codec.trellis.Panels;
import io.pseed.codec.trellis.Scales;
import io.pseed.codec.trellis.TrellisBody;
import io.pseed.codec.trellis.TrellisCode;
import io.pseed.converter.Converter;
import io.pseed.converter.ProgressListener;
import io.pseed.converter.Sources;
import io.pseed.converter.bench.DeviceBench;
import io.pseed.converter.encode.BackendException;
import io.pseed.converter.encode.CpuBackend;
import io.pseed.converter.encode.EncoderBackend;
import io.pseed.converter.encode.SearchRequest;
import io.pseed.converter.encode.Workers;
import io.pseed.converter.plan.Planner;
import io.pseed.converter.source.TensorSource;
import io.pseed.format.Codec;
import io.pseed.format.DType;
import io.pseed.format.LayerSeed;
import io.pseed.format.Limits;
import io.pseed.format.PseedException;
import io.pseed.format.RecordPlace;
import io.pseed.format.TensorRecord;
import io.pseed.format.View;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Random;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.function.Consumer;
import java.util.function.IntFunction;

/**
 * The speed of search and decoding on a device, beside its bounds and beside the CPU. Times of
 * kernels are those of CUDA events: from when the first begins to when the last ends.
 */
public final class CudaBench implements DeviceBench {
  /** Weights of a request without feedback: as the converter makes them. */
  private static final int GROUP_WEIGHTS = 1 << 22;

  /** Kernels of a line of the table run about so long, at half of their bound at the most. */
  private static final double SECONDS = 0.25;

  /** States that a thread of the CPU goes through for a line. */
  private static final double CPU_STATES = 1e8;

  private static final List<Integer> QUICK_LENGTHS = List.of(12, 16, 20);

  /** Columns of the matrices, and their rows with feedback. */
  private final int cols;

  private final int panel;
  private final int decoded;
  private final double seconds;
  private final double cpuStates;
  private final List<Integer> lengths;
  private Consumer<String> line;
  private CudaDriver.Properties device;
  private boolean quick;
  private float[] targets;
  private int threads;

  /** Made by the service loader. */
  public CudaBench() {
    this(4096, 1024, 8192, SECONDS, CPU_STATES, List.of(8, 12, 14, 16, 18, 20));
  }

  /** For tests: small matrices and few seed lengths. */
  CudaBench(
      int cols, int panel, int decoded, double seconds, double cpuStates, List<Integer> lengths) {
    this.lengths = lengths;
    this.cols = cols;
    this.panel = panel;
    this.decoded = decoded;
    this.seconds = seconds;
    this.cpuStates = cpuStates;
  }

  @Override
  public String kind() {
    return "cuda";
  }

  @Override
  public void run(Settings settings, Consumer<String> lines)
      throws IOException, DeviceBenchException, InterruptedException {
    line = lines;
    quick = settings.quick();
    threads = Runtime.getRuntime().availableProcessors();
    device = device(settings.device());
    line.accept(
        String.format(
            Locale.ROOT,
            "%s; driver of CUDA %d.%d; %.0f GB/s of memory; CPU: %d threads of %s",
            device,
            CudaDriver.get().version() / 1000,
            CudaDriver.get().version() % 1000 / 10,
            device.bytesPerSecond() / 1e9,
            threads,
            System.getProperty("os.arch")));
    line.accept("");
    try (CudaTrellisBackend backend = CudaTrellisBackend.open(List.of(device), settings.memory())) {
      searches(backend);
      miniLm(backend);
      if (settings.model().isPresent()) {
        model(backend, settings.model().get());
      }
    } catch (CudaFailure | BackendException e) {
      throw new DeviceBenchException(device.name() + " " + e.getMessage(), e);
    }
    try (CudaDecoder decoder = CudaDecoder.open(device.number(), settings.memory())) {
      decoding(decoder);
    } catch (CudaFailure e) {
      throw new DeviceBenchException(device.name() + " " + e.getMessage(), e);
    }
  }

  private static CudaDriver.Properties device(OptionalInt number) throws DeviceBenchException {
    CudaDriver driver = CudaDriver.get();
    if (driver.trouble().isPresent()) {
      throw new DeviceBenchException(driver.trouble().get(), null);
    }
    for (CudaDriver.Properties one : driver.devices()) {
      if (number.isPresent() ? one.number() == number.getAsInt() : one.unfit().isEmpty()) {
        if (one.unfit().isPresent()) {
          throw new DeviceBenchException(one + ": " + one.unfit().get(), null);
        }
        return one;
      }
    }
    throw new DeviceBenchException("no such device; there is " + driver.devices(), null);
  }

  private void searches(CudaTrellisBackend backend)
      throws IOException, CudaFailure, BackendException, InterruptedException {
    Random random = new Random(1);
    targets = new float[Math.max(cols * cols, 1 << 24)];
    for (int i = 0; i < targets.length; i++) {
      targets[i] = (float) (random.nextGaussian() * TrellisCode.UNIT);
    }
    line.accept(
        "| search of "
            + cols
            + " columns in panels of "
            + panel
            + " | L | k | Mweights/s | bound | by | reached |"
            + " with copies | CPU |");
    line.accept("|---|---:|---:|---:|---:|---|---:|---:|---:|");
    int[] rates = quick ? new int[] {2, 4} : new int[] {1, 2, 3, 4, 5, 6, 7, 8};
    // What the ask is about comes first.
    for (int rate : new int[] {4, 2}) {
      line(backend, 16, rate, false, cols);
    }
    for (int rate : new int[] {4, 2}) {
      line(backend, 16, rate, true, quick ? cols / 16 : cols);
    }
    line(backend, 12, 4, true, quick ? cols / 16 : cols);
    line(backend, 20, 4, false, 0);
    for (int bits : lengths) {
      if (quick && !QUICK_LENGTHS.contains(bits)) {
        continue;
      }
      for (int rate : rates) {
        line(backend, bits, rate, false, 0);
        line(backend, bits, rate, true, 0);
      }
    }
  }

  /** Measures one kind of search. */
  private void line(
      CudaTrellisBackend backend, int seedBits, int rate, boolean feedback, int wantedRows)
      throws IOException, CudaFailure, BackendException, InterruptedException {
    CudaDevice opened = backend.devices().get(0);
    SearchKernel kernel = SearchKernel.of(seedBits, rate, device.sharedPerBlock());
    int resident =
        opened.residentBlocks(
            opened.function(kernel.text()),
            kernel.threads(seedBits),
            kernel.sharedBytes(seedBits, rate));
    double perSecond = Bound.ofSearch(device, seedBits, rate, feedback, 0).perSecond() / 2;
    int panels = cols / panel;
    int matrices = feedback ? Math.min(CudaDevice.LANES, (resident + panels - 1) / panels) : 1;
    int least = feedback ? 4 : (resident + 3) / 4;
    // Compiled, checked, warm; and how far from half of the bound it is.
    measure(backend, requests(seedBits, rate, feedback, matrices, least));
    if (wantedRows == 0) {
      perSecond =
          Math.min(
              perSecond,
              measure(backend, requests(seedBits, rate, feedback, matrices, least)).kernels);
    }
    int most = feedback ? cols : 1 << 16;
    int rows =
        wantedRows > 0 ? wantedRows : clamp(perSecond * seconds / matrices / cols, least, most);
    Bound bound = Bound.ofSearch(device, seedBits, rate, feedback, feedback ? rows / 2.0 : 0);
    List<SearchRequest> requests = requests(seedBits, rate, feedback, matrices, rows);
    Measured measured = measure(backend, requests);
    double cpu = cpu(seedBits, rate, feedback);
    line.accept(
        String.format(
            Locale.ROOT,
            "| %s, %d x %d rows | %d | %d | %.2f | %.1f | %s | %.0f %% | %.2f | %.4f |",
            feedback ? "LDLQ, weighted" : "data-free",
            requests.size(),
            requests.get(0).rows(),
            seedBits,
            rate,
            measured.kernels / 1e6,
            bound.perSecond() / 1e6,
            bound.by(),
            100 * measured.kernels / bound.perSecond(),
            measured.wall / 1e6,
            cpu / 1e6));
  }

  /** Matrices with feedback, or rows without it in as many requests as the converter makes. */
  private List<SearchRequest> requests(
      int seedBits, int rate, boolean feedback, int matrices, int rows) {
    List<SearchRequest> all = new ArrayList<>();
    if (feedback) {
      for (int m = 0; m < matrices; m++) {
        all.add(request(seedBits, rate, true, rows, cols, panel));
      }
    } else {
      int group = Math.min(rows, GROUP_WEIGHTS / cols);
      for (int row = 0; row < rows; row += group) {
        all.add(request(seedBits, rate, false, group, cols, panel));
      }
    }
    return all;
  }

  private static int clamp(double value, int least, int most) {
    return (int) Math.max(least, Math.min(most, value));
  }

  private SearchRequest request(
      int seedBits, int rate, boolean feedback, int rows, int width, int part) {
    int count = (width + part - 1) / part;
    int[] lengths = new int[count];
    int[] rates = new int[count];
    for (int p = 0; p < count; p++) {
      lengths[p] = Math.min(part, width - p * part);
      rates[p] = rate;
    }
    Optional<SearchRequest.Feedback> by = Optional.empty();
    if (feedback) {
      float[] factor = new float[rows * rows];
      for (int i = 0; i < factor.length; i++) {
        factor[i] = ((i * 7919) % 199 - 99) / 40000f;
      }
      List<byte[]> weights = new ArrayList<>();
      for (int length : lengths) {
        byte[] own = new byte[length];
        for (int j = 0; j < length; j++) {
          own[j] = (byte) (1 + j % 15);
        }
        weights.add(own);
      }
      by = Optional.of(new SearchRequest.Feedback(factor, rows, weights));
    }
    return SearchRequest.of(
        TrellisCode.of(seedBits, TrellisCode.LAW_RAYLEIGH, 0),
        new Panels(false, lengths, rates),
        0,
        rows,
        width,
        targets,
        by);
  }

  /**
   * Speeds in weights a second.
   *
   * @param kernels by the time from the first kernel's begin to the last one's end
   * @param wall by the clock on the wall, copies included
   */
  private record Measured(double kernels, double wall, double seconds) {}

  private Measured measure(CudaTrellisBackend backend, List<SearchRequest> requests)
      throws IOException, CudaFailure, BackendException, InterruptedException {
    double[] span = {Double.POSITIVE_INFINITY, 0};
    backend.devices().get(0).restartClock();
    backend.onLaunch(
        one -> {
          synchronized (span) {
            span[0] = Math.min(span[0], one.begin());
            span[1] = Math.max(span[1], one.end());
          }
        });
    long weights = 0;
    for (SearchRequest request : requests) {
      weights += (long) request.rows() * request.cols();
    }
    long start = System.nanoTime();
    ExecutorService pool =
        Executors.newFixedThreadPool(Math.min(CudaDevice.LANES, requests.size()));
    try {
      List<Future<?>> all = new ArrayList<>();
      for (SearchRequest request : requests) {
        all.add(
            pool.submit(
                () -> {
                  backend.search(request, n -> {});
                  return null;
                }));
      }
      for (Future<?> one : all) {
        one.get();
      }
    } catch (ExecutionException e) {
      if (e.getCause() instanceof BackendException failure) {
        throw failure;
      }
      throw new IOException(e.getCause());
    } finally {
      pool.shutdownNow();
      backend.onLaunch(one -> {});
    }
    double wall = (System.nanoTime() - start) / 1e9;
    return new Measured(weights / ((span[1] - span[0]) / 1e3), weights / wall, wall);
  }

  /** The CPU, all its threads, on a small sample; the second run counts. */
  private double cpu(int seedBits, int rate, boolean feedback) throws IOException {
    int n = clamp(cpuStates / (1 << seedBits), 32, 4096);
    int rows = feedback ? 2 : threads;
    int width = feedback ? n * threads : n;
    double best = 0;
    try (Workers workers = new Workers(threads)) {
      for (int i = 0; i < 2; i++) {
        SearchRequest request = request(seedBits, rate, feedback, rows, width, n);
        long start = System.nanoTime();
        new CpuBackend(workers).search(request, w -> {});
        best = Math.max(best, (double) rows * width / ((System.nanoTime() - start) / 1e9));
      }
    }
    return best;
  }

  /** All matrices of all-MiniLM-L6-v2 at once, each with feedback: a conversion's search. */
  private void miniLm(CudaTrellisBackend backend)
      throws IOException, CudaFailure, BackendException, InterruptedException {
    line.accept("");
    line.accept(
        "| all matrices of the shapes of all-MiniLM-L6-v2, 22.6 M weights, LDLQ | L | k | seconds |"
            + " Mweights/s | CPU, by a sample |");
    line.accept("|---|---:|---:|---:|---:|---:|");
    for (int bits : quick ? new int[] {12} : new int[] {12, 16}) {
      List<SearchRequest> all = new ArrayList<>();
      // Small ones for tests.
      int of = 4096 / cols;
      // The table of words by its transpose: 384 rows.
      all.add(request(bits, 4, true, 384 / of, 30522 / of, panel));
      all.add(request(bits, 4, true, 384 / of, 512 / of, 128));
      for (int layer = 0; layer < 6; layer++) {
        for (int i = 0; i < 4; i++) {
          all.add(request(bits, 4, true, 384 / of, 384 / of, 128));
        }
        all.add(request(bits, 4, true, 384 / of, 1536 / of, 128));
        all.add(request(bits, 4, true, 1536 / of, 384 / of, 128));
      }
      Measured measured = measure(backend, all);
      line.accept(
          String.format(
              Locale.ROOT,
              "| %d matrices at once | %d | 4 | %.2f | %.2f | %.4f |",
              all.size(),
              bits,
              measured.seconds,
              measured.wall / 1e6,
              cpu(bits, 4, true) / 1e6));
    }
  }

  /** A model, from file to file, without calibration. */
  private void model(EncoderBackend backend, Path file) throws IOException {
    line.accept("");
    line.accept(
        "| " + file.getFileName() + ", from file to file, 4 bits | L | seconds | Mweights/s |");
    line.accept("|---|---:|---:|---:|");
    for (int bits : new int[] {12, 16}) {
      Path folder = Files.createTempDirectory("pseed-bench");
      Path target = folder.resolve("model.pseed");
      try (TensorSource source = Sources.open(file);
          Workers workers = new Workers(threads)) {
        long start = System.nanoTime();
        long weights =
            new Converter(workers, Optional.of(backend), ProgressListener.NONE)
                .convert(source, new Planner(4, bits, true, true).plan(source), target)
                .searchedWeights();
        double wall = (System.nanoTime() - start) / 1e9;
        line.accept(
            String.format(
                Locale.ROOT,
                "| on the device | %d | %.2f | %.2f |",
                bits,
                wall,
                weights / wall / 1e6));
      } finally {
        Files.deleteIfExists(target);
        Files.deleteIfExists(folder);
      }
    }
  }

  private void decoding(CudaDecoder decoder)
      throws PseedException, CudaFailure, InterruptedException {
    line.accept("");
    line.accept(
        "| decode, 4 bits, blocks of 128 x 128, "
            + decoded
            + " x "
            + decoded
            + " | L | GB/s written | of the memory's | CPU GB/s |");
    line.accept("|---|---:|---:|---:|---:|");
    for (DType type : List.of(DType.F32, DType.F16, DType.BF16)) {
      for (int bits : new int[] {12, 16}) {
        TensorRecord record = record(type, bits, decoded);
        CudaDecoder.Timed timed = decoder.trellis(record, quick ? 3 : 10);
        double perSecond = timed.tensor().bytes() / (timed.milliseconds() / 1e3);
        timed.tensor().close();
        line.accept(
            String.format(
                Locale.ROOT,
                "| to %s | %d | %.0f | %.0f %% | %.2f |",
                type,
                bits,
                perSecond / 1e9,
                100 * perSecond / device.bytesPerSecond(),
                cpuDecoding(record(type, bits, 1024)) / 1e9));
      }
    }
  }

  private static double cpuDecoding(TensorRecord record) throws PseedException {
    double best = 0;
    for (int i = 0; i < 5; i++) {
      long start = System.nanoTime();
      int[] bytes = {0};
      try {
        TensorDecoder.of(record).checksum(part -> bytes[0] += part.remaining());
      } catch (PseedException e) {
        throw e;
      } catch (IOException e) {
        throw new IllegalStateException("nothing is written", e);
      }
      best = Math.max(best, bytes[0] / ((System.nanoTime() - start) / 1e9));
    }
    return best;
  }

  /** A record of random streams. */
  static TensorRecord record(DType type, int seedBits, int size) throws PseedException {
    IntFunction<float[]> ones =
        n -> {
          float[] values = new float[n];
          Arrays.fill(values, 0.001f);
          return values;
        };
    byte[] payload = new byte[size / 2 * size];
    new Random(seedBits).nextBytes(payload);
    TrellisBody head =
        new TrellisBody(
            new View(size, size, false),
            TrellisCode.of(seedBits, TrellisCode.LAW_RAYLEIGH, 0),
            TrellisCode.LAW_RAYLEIGH,
            0,
            7,
            7,
            Scales.F32,
            Scales.F32,
            ones.apply(size),
            ones.apply(size),
            Panels.uniform(size, 4),
            null,
            ByteBuffer.allocate(0));
    List<ByteBuffer> parts =
        TensorRecord.assemble(
            Codec.TRELLIS,
            type,
            new long[] {size, size},
            LayerSeed.NONE,
            0,
            List.of(head.head(), ByteBuffer.wrap(payload)));
    ByteBuffer all = ByteBuffer.allocate(parts.stream().mapToInt(ByteBuffer::remaining).sum());
    parts.forEach(part -> all.put(part.duplicate()));
    return TensorRecord.parse(
        all.flip(), RecordPlace.standalone("a record of random streams"), Limits.LARGE);
  }
}
