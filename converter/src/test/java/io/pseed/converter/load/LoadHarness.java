package io.pseed.converter.load;

import ai.onnxruntime.OnnxTensor;
import ai.onnxruntime.OrtEnvironment;
import ai.onnxruntime.OrtException;
import ai.onnxruntime.OrtLoggingLevel;
import ai.onnxruntime.OrtSession;
import io.pseed.converter.Converter;
import io.pseed.converter.ProgressListener;
import io.pseed.converter.bench.MatMulModel;
import io.pseed.converter.encode.Workers;
import io.pseed.converter.export.onnx.OnnxExporter;
import io.pseed.converter.plan.Planner;
import io.pseed.converter.source.onnx.OnnxModelSource;
import io.pseed.format.PseedReader;
import io.pseed.onnx.OrtRuntime;
import io.pseed.onnx.PseedOpLibrary;
import io.pseed.onnx.PseedSession;
import java.io.IOException;
import java.nio.FloatBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicReference;
import java.util.stream.Stream;

/**
 * Many loads: at the same time, and one after the other. Every run must give the bits of the first;
 * heap, resident memory, file descriptors, threads and files must not grow. For a session in Java
 * and for the op library.
 *
 * <pre>
 * LoadHarness FOLDER SECONDS LOADS [THREADS]
 * </pre>
 *
 * Where a process holds more at the end, it exits with an error.
 */
public final class LoadHarness {
  private static final OrtEnvironment ENVIRONMENT = OrtRuntime.environment();
  private static final int SIZE = 512;
  private static final int INPUTS = 4;
  private static final int SAMPLES = 20;

  /** A descriptor that stays is in every look; the JVM's own threads open files for a moment. */
  private static final int LOOKS = 5;

  private static final long BETWEEN_LOOKS_MILLIS = 20;

  /** Growth of the heap, and of memory outside, that is no leak: caches of the JIT, arenas. */
  private static final long HEAP_GROWTH = 4L << 20;

  private static final long RESIDENT_GROWTH = 24L << 20;

  private final Path folder;
  private final Path pseed;
  private final Path exported;
  private final float[][] inputs = new float[INPUTS][];
  private final float[][] expected = new float[INPUTS][];
  private final List<String> troubles = new ArrayList<>();

  private LoadHarness(Path folder) {
    this.folder = folder;
    this.pseed = folder.resolve("model.pseed");
    this.exported = folder.resolve("model.onnx");
  }

  /** A way to open the model. */
  private enum Way {
    JAVA,
    LIBRARY
  }

  /** Arguments as above. */
  public static void main(String[] args) throws Exception {
    LoadHarness harness = new LoadHarness(Files.createDirectories(Path.of(args[0])));
    int threads = args.length > 3 ? Integer.parseInt(args[3]) : 64;
    harness.prepare();
    List<Way> ways = new ArrayList<>(List.of(Way.JAVA));
    if (PseedOpLibrary.isAvailable()) {
      ways.add(Way.LIBRARY);
    } else {
      System.out.println("SKIPPED: the op library, " + PseedOpLibrary.unavailable().orElseThrow());
    }
    for (Way way : ways) {
      harness.atOnce(way, threads, Double.parseDouble(args[1]));
      harness.inTurn(way, Integer.parseInt(args[2]));
    }
    if (!harness.troubles.isEmpty()) {
      harness.troubles.forEach(trouble -> System.err.println("FAILED: " + trouble));
      State.openFiles().forEach(file -> System.err.println("  open: " + file));
      System.exit(1);
    }
  }

  private void prepare() throws IOException, OrtException {
    Path original = folder.resolve("original.onnx");
    MatMulModel.write(original, SIZE);
    try (OnnxModelSource source = OnnxModelSource.open(original);
        Workers workers = new Workers(Runtime.getRuntime().availableProcessors())) {
      new Converter(workers, ProgressListener.NONE)
          .convert(source, new Planner(4, 12, true, true).plan(source), pseed);
    }
    try (PseedReader reader = PseedReader.open(pseed)) {
      OnnxExporter.export(reader, exported);
    }
    Random random = new Random(5);
    for (int i = 0; i < INPUTS; i++) {
      inputs[i] = new float[SIZE];
      for (int j = 0; j < SIZE; j++) {
        inputs[i][j] = (float) random.nextGaussian();
      }
    }
    // What is expected comes from the third way: the runtime itself decodes.
    try (OrtSession.SessionOptions options = options();
        OrtSession session = ENVIRONMENT.createSession(exported.toString(), options)) {
      for (int i = 0; i < INPUTS; i++) {
        expected[i] = run(session, i);
      }
    }
  }

  private static void set(OrtSession.SessionOptions options) throws OrtException {
    options.setIntraOpNumThreads(1);
    options.setInterOpNumThreads(1);
    options.setSessionLogLevel(OrtLoggingLevel.ORT_LOGGING_LEVEL_ERROR);
  }

  private static OrtSession.SessionOptions options() throws OrtException {
    OrtSession.SessionOptions options = new OrtSession.SessionOptions();
    set(options);
    return options;
  }

  private OrtSession open(Way way) throws IOException, OrtException {
    if (way == Way.JAVA) {
      return PseedSession.builder().configure(LoadHarness::set).open(pseed);
    }
    try (OrtSession.SessionOptions options = options()) {
      PseedOpLibrary.register(options);
      return ENVIRONMENT.createSession(exported.toString(), options);
    }
  }

  private float[] run(OrtSession session, int input) throws OrtException {
    try (OnnxTensor tensor =
            OnnxTensor.createTensor(
                ENVIRONMENT, FloatBuffer.wrap(inputs[input]), new long[] {1, SIZE});
        OrtSession.Result result = session.run(Map.of("x", tensor))) {
      FloatBuffer buffer = ((OnnxTensor) result.get(0)).getFloatBuffer();
      float[] found = new float[buffer.remaining()];
      buffer.get(found);
      return found;
    }
  }

  /** Loads, runs all inputs and closes; false where a bit is wrong. */
  private boolean load(Way way) throws IOException, OrtException {
    try (OrtSession session = open(way)) {
      return right(session);
    }
  }

  private boolean right(OrtSession session) throws OrtException {
    for (int i = 0; i < INPUTS; i++) {
      if (!Arrays.equals(run(session, i), expected[i])) {
        return false;
      }
    }
    return true;
  }

  /** All threads load, run and close sessions of their own, and run one that they share. */
  private void atOnce(Way way, int threads, double seconds) throws Exception {
    for (int i = 0; i < 20; i++) {
      load(way);
    }
    State before = State.now(folder);
    AtomicLong loads = new AtomicLong();
    AtomicLong runs = new AtomicLong();
    AtomicLong wrong = new AtomicLong();
    AtomicReference<Exception> failure = new AtomicReference<>();
    long end = System.nanoTime() + (long) (seconds * 1e9);
    try (OrtSession shared = open(way)) {
      List<Thread> running = new ArrayList<>();
      for (int t = 0; t < threads; t++) {
        Thread thread =
            new Thread(
                () -> {
                  try {
                    while (System.nanoTime() < end && failure.get() == null) {
                      wrong.addAndGet(load(way) ? 0 : 1);
                      wrong.addAndGet(right(shared) ? 0 : 1);
                      loads.incrementAndGet();
                      runs.addAndGet(2 * INPUTS);
                    }
                  } catch (IOException | OrtException | RuntimeException e) {
                    failure.compareAndSet(null, e);
                  }
                });
        thread.start();
        running.add(thread);
      }
      for (Thread thread : running) {
        thread.join();
      }
    }
    State after = State.now(folder);
    String title = way + ", " + threads + " threads for " + Math.round(seconds) + " s";
    System.out.printf(
        "%s: %d loads, %d runs, %d with wrong bits%n  before: %s%n  after:  %s%n",
        title, loads.get(), runs.get(), wrong.get(), before, after);
    if (failure.get() != null) {
      troubles.add(title + ": " + failure.get());
    }
    if (loads.get() < threads) {
      troubles.add(title + ": only " + loads.get() + " loads, not one for each thread");
    }
    judge(title, wrong.get(), before, after, false);
  }

  /** Loads in turn; the first fifth warms up. */
  private void inTurn(Way way, int loads) throws Exception {
    int wrong = 0;
    List<State> states = new ArrayList<>();
    long start = System.nanoTime();
    for (int i = 1; i <= loads; i++) {
      wrong += load(way) ? 0 : 1;
      if (i % Math.max(1, loads / SAMPLES) == 0) {
        states.add(State.now(folder));
      }
    }
    String title = way + ", " + loads + " loads in turn";
    State before = State.median(states.subList(states.size() / 5, states.size() * 2 / 5));
    State after = State.median(states.subList(states.size() * 4 / 5, states.size()));
    System.out.printf(
        Locale.ROOT,
        "%s: %.1f ms each, %d with wrong bits%n  second fifth: %s%n  last fifth:   %s%n",
        title,
        (System.nanoTime() - start) / 1e6 / loads,
        wrong,
        before,
        after);
    judge(title, wrong, before, after, true);
  }

  private void judge(String title, long wrong, State before, State after, boolean resident) {
    if (wrong > 0) {
      troubles.add(title + ": " + wrong + " loads gave other bits");
    }
    grown(title, "heap", before.heap, after.heap, HEAP_GROWTH);
    if (resident) {
      grown(title, "resident memory", before.resident, after.resident, RESIDENT_GROWTH);
    }
    grown(title, "file descriptors", before.descriptors, after.descriptors, 0);
    grown(title, "threads", before.threads, after.threads, resident ? 0 : 2);
    grown(title, "files", before.files, after.files, 0);
  }

  private void grown(String title, String what, long before, long after, long bound) {
    if (after - before > bound) {
      troubles.add(title + ": " + what + " grew from " + before + " to " + after);
    }
  }

  /** What a process holds; -1 where the system does not tell. */
  private record State(long heap, long resident, long descriptors, long threads, long files) {
    private static final Path DESCRIPTORS = Path.of("/proc/self/fd");

    static State now(Path folder) throws IOException, InterruptedException {
      long heap = Long.MAX_VALUE;
      Runtime runtime = Runtime.getRuntime();
      for (int i = 0; i < 3; i++) {
        System.gc();
        heap = Math.min(heap, runtime.totalMemory() - runtime.freeMemory());
      }
      long descriptors = entries(DESCRIPTORS);
      for (int look = 1; look < LOOKS; look++) {
        Thread.sleep(BETWEEN_LOOKS_MILLIS);
        descriptors = Math.min(descriptors, entries(DESCRIPTORS));
      }
      return new State(
          heap,
          status("VmRSS:") * 1024,
          descriptors,
          status("Threads:"),
          entries(Path.of(System.getProperty("java.io.tmpdir"))) + entries(folder));
    }

    static State median(List<State> states) {
      return new State(
          middle(states.stream().mapToLong(State::heap).sorted().toArray()),
          middle(states.stream().mapToLong(State::resident).sorted().toArray()),
          middle(states.stream().mapToLong(State::descriptors).sorted().toArray()),
          middle(states.stream().mapToLong(State::threads).sorted().toArray()),
          middle(states.stream().mapToLong(State::files).sorted().toArray()));
    }

    private static long middle(long[] sorted) {
      return sorted[sorted.length / 2];
    }

    /** What the descriptors of this process lead to; nothing where the system does not tell. */
    static List<String> openFiles() throws IOException {
      List<String> found = new ArrayList<>();
      if (Files.isDirectory(DESCRIPTORS)) {
        try (Stream<Path> descriptors = Files.list(DESCRIPTORS)) {
          for (Path descriptor : (Iterable<Path>) descriptors::iterator) {
            if (Files.isSymbolicLink(descriptor)) {
              found.add(descriptor.getFileName() + " " + Files.readSymbolicLink(descriptor));
            }
          }
        }
      }
      return found;
    }

    private static long entries(Path folder) throws IOException {
      if (!Files.isDirectory(folder)) {
        return -1;
      }
      try (Stream<Path> files = Files.list(folder)) {
        return files.count();
      }
    }

    private static long status(String line) throws IOException {
      Path status = Path.of("/proc/self/status");
      if (!Files.isReadable(status)) {
        return -1;
      }
      return Files.readAllLines(status, StandardCharsets.UTF_8).stream()
          .filter(text -> text.startsWith(line))
          .mapToLong(text -> Long.parseLong(text.replaceAll("\\D", "")))
          .findFirst()
          .orElse(-1);
    }

    @Override
    public String toString() {
      return String.format(
          Locale.ROOT,
          "heap %.1f MB, resident %.1f MB, %d file descriptors, %d threads, %d files",
          heap / 1e6,
          resident / 1e6,
          descriptors,
          threads,
          files);
    }
  }
}
