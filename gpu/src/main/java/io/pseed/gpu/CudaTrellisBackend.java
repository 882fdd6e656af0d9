package io.pseed.gpu;

import io.pseed.converter.encode.BackendException;
import io.pseed.converter.encode.EncoderBackend;
import io.pseed.converter.encode.SearchRequest;
import io.pseed.converter.encode.poincare.MatrixRows;
import io.pseed.converter.encode.poincare.ShapeTotals;
import java.io.IOException;
import java.io.InterruptedIOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.FloatBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.function.Consumer;
import java.util.function.LongConsumer;
import java.util.stream.Collectors;
import jcuda.driver.CUfunction;

/**
 * The search on NVIDIA devices. A request goes to the device with the least work, in pieces that
 * its memory holds; each piece has a lane of its own, so that many run at a time. Launches last
 * about a quarter of a second: between them there is time to tell how far it is, to stop, and for
 * the screen of a desktop.
 */
public final class CudaTrellisBackend implements EncoderBackend {
  /** How long a launch should last. */
  private static final double LAUNCH_MS = 250;

  /** Rows with feedback of the first launch, whose time nobody knows. */
  private static final int FIRST_ROWS = 8;

  private final List<Use> devices = new ArrayList<>();
  private final String name;
  private final Thread hook;
  private volatile Consumer<CudaDevice.Span> clock = span -> {};

  /** A device and the weights that are in work on it. */
  private static final class Use {
    private final CudaDevice device;
    private final SelfCheck check;
    private final ShapeSummation summation;
    private long weights;
    private boolean lost;

    Use(CudaDevice device, SelfCheck check) {
      this.device = device;
      this.check = check;
      this.summation = new ShapeSummation(device);
    }
  }

  private CudaTrellisBackend(List<CudaDevice> opened) {
    for (CudaDevice device : opened) {
      SelfCheck check =
          new SelfCheck(request -> search(device, SearchUnit.of(request), weights -> {}));
      devices.add(new Use(device, check));
    }
    this.name =
        opened.stream()
            .map(d -> "cuda:" + d.properties().number() + " (" + d.properties().name() + ")")
            .collect(Collectors.joining(" and "));
    // Ctrl-C: what the driver keeps of a process that ends in the middle of a launch is its own
    // affair, but pinned memory and contexts are given back in order where that can be.
    this.hook = new Thread(this::closeDevices, "pseed-cuda-close");
    Runtime.getRuntime().addShutdownHook(hook);
  }

  /**
   * Opens devices.
   *
   * @param memory bytes of each device's memory to use at most; empty: 80 % of what is free
   */
  public static CudaTrellisBackend open(List<CudaDriver.Properties> chosen, OptionalLong memory)
      throws CudaFailure {
    List<CudaDevice> opened = new ArrayList<>();
    CudaFailure first = null;
    for (CudaDriver.Properties properties : chosen) {
      try {
        opened.add(CudaDevice.open(properties, memory));
      } catch (CudaFailure e) {
        first = first == null ? e : first;
      }
    }
    if (opened.isEmpty()) {
      throw first == null ? new CudaFailure("has no device") : first;
    }
    return new CudaTrellisBackend(opened);
  }

  @Override
  public String name() {
    return name;
  }

  @Override
  public int tensorsAtOnce() {
    return CudaDevice.LANES * devices.size();
  }

  @Override
  public void prepare(int seedBits) {
    for (Use use : devices) {
      Thread thread =
          new Thread(
              () -> {
                SearchKernel kernel =
                    SearchKernel.of(seedBits, 2, use.device.properties().sharedPerBlock());
                use.device.prepare(kernel.text());
              },
              "pseed-cuda-prepare");
      thread.setDaemon(true);
      thread.start();
    }
  }

  /** The devices, in use. */
  List<CudaDevice> devices() {
    return devices.stream().map(use -> use.device).toList();
  }

  /** Tells when each launch ran, from the thread that waited for it. */
  void onLaunch(Consumer<CudaDevice.Span> listener) {
    clock = listener;
  }

  @Override
  public void search(SearchRequest request, LongConsumer progress)
      throws IOException, BackendException {
    onDevice(
        (long) request.rows() * request.cols(),
        use -> {
          SearchUnit unit = SearchUnit.of(request);
          for (SearchUnit.Bucket bucket : unit.buckets()) {
            use.check.require(request.code().bits(), bucket.leastRate(), bucket.mostRate());
          }
          search(use.device, unit, progress);
          return null;
        });
  }

  @Override
  public Optional<ShapeTotals> shapeTotals(MatrixRows matrix) throws IOException, BackendException {
    return onDevice((long) matrix.rows() * matrix.cols(), use -> use.summation.totals(matrix));
  }

  /** What is done on one device. */
  private interface Work<T> {
    T run(Use use) throws CudaFailure, InterruptedException, IOException;
  }

  /** Does some weights' work on the device that has the least. */
  private <T> T onDevice(long weights, Work<T> work) throws IOException, BackendException {
    Use use = least();
    add(use, weights);
    try {
      return work.run(use);
    } catch (CudaFailure e) {
      throw new BackendException(e.getMessage(), lost(use, e));
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw (IOException) new InterruptedIOException("interrupted").initCause(e);
    } finally {
      add(use, -weights);
    }
  }

  private synchronized void add(Use use, long weights) {
    use.weights += weights;
  }

  private synchronized Use least() throws BackendException {
    Use best = null;
    for (Use use : devices) {
      if (!use.lost && (best == null || use.weights < best.weights)) {
        best = use;
      }
    }
    if (best == null) {
      throw new BackendException("is lost", true);
    }
    return best;
  }

  /** Whether no device is left. */
  private synchronized boolean lost(Use use, CudaFailure failure) {
    use.lost |= failure.lasting();
    return devices.stream().allMatch(other -> other.lost);
  }

  private void search(CudaDevice device, SearchUnit unit, LongConsumer progress)
      throws CudaFailure, InterruptedException {
    Layout layout = new Layout(device, unit);
    long limit = device.arena().limit();
    if (layout.bytes(1) > limit) {
      List<SearchUnit> halves =
          unit.halves()
              .orElseThrow(
                  () ->
                      new CudaFailure(
                          String.format(
                              "has no room for one panel of %d x %d weights: it takes %d MiB, %d"
                                  + " may be used",
                              unit.rows(),
                              unit.width(),
                              (layout.bytes(1) >> 20) + 1,
                              Math.max(0, limit >> 20)),
                          CudaFailure.OUT_OF_MEMORY));
      for (SearchUnit half : halves) {
        search(device, half, progress);
      }
      return;
    }
    CudaDevice.Lane lane = device.lane();
    try {
      new Run(device, lane, layout, progress).run(limit);
    } finally {
      device.giveBack(lane);
    }
  }

  /** What of a unit lies where in its slice of memory. */
  private static final class Layout {
    final SearchUnit unit;
    final List<SearchKernel> kernels = new ArrayList<>();
    final List<CUfunction> functions = new ArrayList<>();

    /** By bucket: blocks that run at a time, at most. */
    final int[] blocks;

    final long errors;
    final long factor;
    final long offsets;
    final long rates;
    final long weights;
    final long payload;
    final long counters;
    final long[] jobs;
    final long scratch;

    Layout(CudaDevice device, SearchUnit unit) throws CudaFailure {
      this.unit = unit;
      int seedBits = unit.code().bits();
      List<SearchUnit.Bucket> buckets = unit.buckets();
      blocks = new int[buckets.size()];
      jobs = new long[buckets.size()];
      long at = SearchLayout.round256(4 * unit.weightCount());
      errors = at;
      at += SearchLayout.round256(4 * unit.errorCount());
      factor = at;
      at += SearchLayout.round256(4L * unit.factor().length);
      offsets = at;
      at += SearchLayout.round256(8L * unit.offsets().length);
      rates = at;
      at += SearchLayout.round256(unit.rowRates().length);
      weights = at;
      at += SearchLayout.round256(unit.columnWeights().length);
      payload = at;
      at += SearchLayout.round256(unit.payloadBytes());
      counters = at;
      at += SearchLayout.round256(4L * buckets.size());
      for (int b = 0; b < buckets.size(); b++) {
        SearchUnit.Bucket bucket = buckets.get(b);
        SearchKernel kernel =
            SearchKernel.of(seedBits, bucket.leastRate(), device.properties().sharedPerBlock());
        CUfunction function = device.function(kernel.text());
        kernels.add(kernel);
        functions.add(function);
        blocks[b] =
            Math.min(
                bucket.count(),
                device.residentBlocks(
                    function,
                    kernel.threads(seedBits),
                    kernel.sharedBytes(seedBits, bucket.leastRate())));
        jobs[b] = at;
        at += SearchLayout.round256(bucket.jobs().remaining());
      }
      scratch = at;
    }

    /** Bytes with a share of the blocks that could run, one of each bucket at least. */
    long bytes(int share, int of) {
      long sum = scratch;
      for (int b = 0; b < blocks.length; b++) {
        sum += blocks(b, share, of) * scratchOf(b);
      }
      return sum;
    }

    /** Bytes with one block of each bucket. */
    long bytes(int one) {
      return bytes(0, one);
    }

    int blocks(int bucket, int share, int of) {
      return Math.max(1, (int) ((long) blocks[bucket] * share / of));
    }

    long scratchOf(int bucket) {
      return kernels.get(bucket).scratchBytes(unit.code().bits(), unit.buckets().get(bucket));
    }
  }

  /** A unit on its way over the device. */
  private final class Run {
    /** Blocks are reduced in steps of this share where memory is short. */
    private static final int STEPS = 64;

    private final CudaDevice device;
    private final CudaDevice.Lane lane;
    private final Layout layout;
    private final SearchUnit unit;
    private final LongConsumer progress;
    private DeviceArena.Slice<DevicePointer> slice;
    private long base;
    private long tables;
    private int share;

    Run(CudaDevice device, CudaDevice.Lane lane, Layout layout, LongConsumer progress) {
      this.device = device;
      this.lane = lane;
      this.layout = layout;
      this.unit = layout.unit;
      this.progress = progress;
    }

    void run(long limit) throws CudaFailure, InterruptedException {
      if (unit.buckets().isEmpty()) {
        progress.accept(unit.weightCount());
        return;
      }
      tables = device.tables(unit.code(), lane);
      try {
        // A few blocks would take memory for long; two units should fit beside one another.
        long least = layout.bytes(STEPS / 4, STEPS);
        least = least <= limit ? least : layout.bytes(1);
        long wanted = Math.max(least, Math.min(layout.bytes(STEPS, STEPS), limit / 2));
        slice = device.arena().take(least, wanted);
        try {
          share = STEPS;
          while (share > 0 && layout.bytes(share, STEPS) > slice.length()) {
            share--;
          }
          base = slice.memory().address() + slice.offset();
          upload();
          if (unit.feedback()) {
            rowByRow();
          } else {
            inAnyOrder();
          }
          lane.download(slice, layout.payload, unit.payloadBytes(), unit::takePayload);
        } finally {
          lane.settle();
          device.arena().give(slice);
        }
      } finally {
        device.doneWith(unit.code());
      }
    }

    private void upload() throws CudaFailure {
      int rowBytes = 4 * unit.width();
      lane.upload(slice, 0, 4 * unit.weightCount(), (to, at) -> targets(to, at, rowBytes));
      floats(layout.factor, unit.factor());
      long[] offsets = unit.offsets();
      lane.upload(
          slice,
          layout.offsets,
          8L * offsets.length,
          (to, at) -> to.asLongBuffer().put(offsets, (int) (at / 8), to.remaining() / 8));
      bytes(layout.rates, unit.rowRates());
      bytes(layout.weights, unit.columnWeights());
      lane.zero(slice, layout.payload, unit.payloadBytes());
    }

    /** Rows of the unit's columns, one behind another. */
    private void targets(ByteBuffer to, long at, int rowBytes) {
      FloatBuffer floats = to.asFloatBuffer();
      int row = (int) (at / rowBytes);
      int column = (int) (at % rowBytes) / 4;
      while (floats.hasRemaining()) {
        int n = Math.min(floats.remaining(), unit.width() - column);
        floats.put(unit.targets(), unit.targetOf(row) + column, n);
        row++;
        column = 0;
      }
    }

    private void floats(long offset, float[] values) throws CudaFailure {
      lane.upload(
          slice,
          offset,
          4L * values.length,
          (to, at) -> to.asFloatBuffer().put(values, (int) (at / 4), to.remaining() / 4));
    }

    private void bytes(long offset, byte[] values) throws CudaFailure {
      lane.upload(
          slice, offset, values.length, (to, at) -> to.put(values, (int) at, to.remaining()));
    }

    private void stopIfAsked() throws CudaFailure, InterruptedException {
      if (device.closing()) {
        throw new CudaFailure("was closed");
      }
      if (Thread.interrupted()) {
        throw new InterruptedException();
      }
    }

    /** All panels at a time, some rows a launch. */
    private void rowByRow() throws CudaFailure, InterruptedException {
      List<ByteBuffer> jobs = new ArrayList<>();
      for (SearchUnit.Bucket bucket : unit.buckets()) {
        jobs.add(copy(bucket.jobs()));
      }
      int count = FIRST_ROWS;
      for (int row = 0; row < unit.rows(); ) {
        stopIfAsked();
        int end = Math.min(unit.rows(), row + count);
        lane.zero(slice, layout.counters, 4L * jobs.size());
        for (int b = 0; b < jobs.size(); b++) {
          ByteBuffer list = jobs.get(b);
          for (int at = 0; at < list.limit(); at += SearchLayout.JOB_BYTES) {
            list.putInt(at + SearchLayout.JOB_ROWS, end);
            list.putInt(at + SearchLayout.JOB_FIRST_ROW, row);
          }
          uploadJobs(b, list);
        }
        for (int b = 0; b < jobs.size(); b++) {
          launch(b, 0, unit.buckets().get(b).count());
        }
        CudaDevice.Span span = lane.await(jobs.size());
        clock.accept(span);
        progress.accept((long) (end - row) * unit.width());
        row = end;
        count = next(count, span);
      }
    }

    /** Rate by rate, some jobs a launch. */
    private void inAnyOrder() throws CudaFailure, InterruptedException {
      long told = 0;
      long all = 0;
      for (SearchUnit.Bucket bucket : unit.buckets()) {
        all += bucket.count();
      }
      long done = 0;
      for (int b = 0; b < unit.buckets().size(); b++) {
        SearchUnit.Bucket bucket = unit.buckets().get(b);
        uploadJobs(b, copy(bucket.jobs()));
        int count = 2 * layout.blocks(b, share, STEPS);
        for (int job = 0; job < bucket.count(); ) {
          stopIfAsked();
          int n = Math.min(count, bucket.count() - job);
          lane.zero(slice, layout.counters, 4L * unit.buckets().size());
          launch(b, job, n);
          CudaDevice.Span span = lane.await(b, 1);
          clock.accept(span);
          job += n;
          done += n;
          long now = (long) ((double) unit.weightCount() * done / all);
          progress.accept(now - told);
          told = now;
          count = next(count, span);
        }
      }
      progress.accept(unit.weightCount() - told);
    }

    private ByteBuffer copy(ByteBuffer jobs) {
      ByteBuffer own = ByteBuffer.allocate(jobs.remaining()).order(ByteOrder.LITTLE_ENDIAN);
      return own.put(jobs.duplicate()).flip();
    }

    private void uploadJobs(int bucket, ByteBuffer list) throws CudaFailure {
      lane.upload(
          slice,
          layout.jobs[bucket],
          list.limit(),
          (to, at) -> to.put(list.slice((int) at, to.remaining())));
    }

    private int next(int count, CudaDevice.Span span) {
      double factor = LAUNCH_MS / Math.max(0.01, span.end() - span.begin());
      return (int) Math.max(1, Math.min(1 << 24, count * Math.min(8, factor)));
    }

    private void launch(int bucket, int firstJob, int count) throws CudaFailure {
      SearchUnit.Bucket of = unit.buckets().get(bucket);
      int seedBits = unit.code().bits();
      long scratch = layout.scratch;
      for (int b = 0; b < bucket; b++) {
        scratch += layout.blocks(b, share, STEPS) * layout.scratchOf(b);
      }
      ByteBuffer argument = lane.argument(bucket);
      argument.putLong(base + layout.jobs[bucket] + (long) firstJob * SearchLayout.JOB_BYTES);
      argument.putInt(count).putInt(0);
      argument.putLong(base + layout.counters + 4L * bucket);
      argument.putLong(base);
      argument.putLong(base + layout.errors);
      argument.putLong(base + layout.factor);
      argument.putLong(base + layout.offsets);
      argument.putLong(base + layout.rates);
      argument.putLong(base + layout.weights);
      argument.putLong(0);
      argument.putLong(tables);
      argument.putLong(base + layout.payload);
      argument.putLong(base + scratch);
      argument.putLong(layout.scratchOf(bucket));
      argument.putInt(seedBits).putInt(of.longest());
      argument.putLong(of.largestDecisionBytes(seedBits));
      SearchKernel kernel = layout.kernels.get(bucket);
      lane.launch(
          bucket,
          layout.functions.get(bucket),
          Math.min(count, layout.blocks(bucket, share, STEPS)),
          kernel.threads(seedBits),
          kernel.sharedBytes(seedBits, of.leastRate()));
    }
  }

  private void closeDevices() {
    devices.forEach(use -> use.device.close());
  }

  @Override
  public void close() {
    try {
      Runtime.getRuntime().removeShutdownHook(hook);
    } catch (IllegalStateException e) {
      // The hook runs already and does the same.
      return;
    }
    closeDevices();
  }
}
