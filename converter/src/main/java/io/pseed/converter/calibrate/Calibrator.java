package io.pseed.converter.calibrate;

import ai.onnxruntime.OnnxJavaType;
import ai.onnxruntime.OnnxTensor;
import ai.onnxruntime.OrtEnvironment;
import ai.onnxruntime.OrtException;
import ai.onnxruntime.OrtSession;
import com.sun.management.OperatingSystemMXBean;
import io.pseed.converter.encode.Workers;
import io.pseed.converter.source.SourceException;
import io.pseed.converter.source.SourceTensor;
import io.pseed.converter.source.onnx.OnnxModelSource;
import io.pseed.format.TensorRecord;
import io.pseed.onnx.OrtRuntime;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.FloatBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;

/**
 * Runs a model on inputs and sums what quantization needs to know of every weight that a product, a
 * convolution or a look-up uses; see {@link TensorStatistics}.
 *
 * <p>With x[t] the vectors that meet a weight in one run and g[t] the gradients, at what leaves it,
 * of a random combination of the model's outputs, the metric is the expectation of X^T (G G^T) X
 * and the columns' weights are the diagonal of that of G^T (X X^T) G. Where the graph cannot be
 * differentiated, all gradients count as one.
 *
 * <p>Sums are made in the order of the inputs and ONNX Runtime uses one thread a run, so that the
 * number of threads does not matter.
 */
public final class Calibrator {
  /** Longest input dimension that gets a whole metric; a multiple of the longest rotation. */
  private static final int LARGEST_METRIC = 4096;

  /** Smallest block that a metric is cut into: the longest rotation. */
  private static final int SMALLEST_BLOCK = 128;

  /** Share of the heap that the sums may take: encoding needs copies of the larger ones. */
  private static final int HEAP_SHARE = 4;

  /** Numbers of activations and gradients that are fetched together: 256 MB. */
  private static final long FETCHED = 1L << 26;

  /**
   * Values of a run that are more numbers (1 GB) have so many positions that one combination of the
   * outputs is enough; two would take twice the time.
   */
  private static final long MANY = 1L << 28;

  /** Kinds of inputs (branches, fixed shapes) whose sessions are kept open. */
  private static final int KINDS = 4;

  private static final long SEED = 0x70736565645F67L;

  private final OnnxModelSource source;
  private final Workers workers;
  private final Options options;
  private final Limits limits;

  /**
   * What the outputs' errors are worth.
   *
   * @param mean of models that take tokens, combinations a run of the outputs' means over
   *     positions: one of the two usual embeddings of a text
   * @param first the same of the outputs at the first position: the other one
   * @param single combinations a run of all elements on their own; of models that take no tokens,
   *     {@code mean} more of these, but one alone where a run is large
   */
  public record Options(int mean, int first, int single) {
    /** What {@code pseed convert} uses. */
    public static final Options DEFAULT = new Options(1, 1, 1);
  }

  /**
   * What there is room for.
   *
   * @param heap bytes of Java's heap, for sums
   * @param machine bytes of memory, for the runs in ONNX Runtime
   * @param large activations of a convolution that are more numbers stay in the runtime: it makes
   *     the kernel's gradient, which is all that is asked of them
   */
  record Limits(long heap, long machine, long large) {
    /** 4 MB. */
    private static final long LARGE = 1L << 20;

    /** A run with gradients takes so many times what its values take; measured on IS-Net. */
    private static final int WITH_GRADIENTS = 3;

    static Limits here() {
      long heap = Runtime.getRuntime().maxMemory();
      return new Limits(
          heap,
          ManagementFactory.getOperatingSystemMXBean() instanceof OperatingSystemMXBean system
              ? system.getTotalMemorySize()
              : heap,
          LARGE);
    }

    /** Whether a run of so many numbers can be differentiated, in half of the memory. */
    boolean differentiates(long numbers) {
      return atOnce(numbers) > 0;
    }

    /** How many such runs there is room for, in half of the memory. */
    long atOnce(long numbers) {
      return machine / 2 / WITH_GRADIENTS / Float.BYTES / numbers;
    }
  }

  /** What of an output counts in a pass. */
  private enum Pooling {
    MEAN,
    FIRST,
    NONE
  }

  /** A calibrator of one model. */
  public Calibrator(OnnxModelSource source, Workers workers, Options options) {
    this(source, workers, options, Limits.here());
  }

  /** The same with other limits. */
  Calibrator(OnnxModelSource source, Workers workers, Options options, Limits limits) {
    this.source = source;
    this.workers = workers;
    this.options = options;
    this.limits = limits;
  }

  /**
   * Runs the model on all inputs.
   *
   * @throws SourceException where the model does not run on them; the message says what ONNX
   *     Runtime said
   */
  public Calibration run(CalibrationInputs inputs) throws IOException {
    if (inputs.size() == 0) {
      throw new IllegalArgumentException("there are no inputs to calibrate with");
    }
    Run run = new Run(inputs);
    try {
      return run.all();
    } catch (OrtException e) {
      throw refused(inputs, e);
    } finally {
      run.close();
    }
  }

  private SourceException refused(CalibrationInputs inputs, OrtException e) {
    return new SourceException(
        source.path(),
        "cannot be calibrated with " + inputs.description() + ": " + e.getMessage(),
        e);
  }

  /** The numbers of a tensor of reals. */
  static float[] floats(OnnxTensor tensor) {
    FloatBuffer buffer = tensor.getFloatBuffer();
    float[] all = new float[buffer.remaining()];
    buffer.get(all);
    return all;
  }

  /** One run's inputs, and what became of them. */
  private static final class Item {
    final int index;
    final Map<String, OnnxTensor> made;
    Specialised kind;
    Map<String, Specialised.Output> outputs;
    final Map<String, float[]> reals = new HashMap<>();
    final Map<String, long[]> shapes = new HashMap<>();
    final Map<String, int[]> numbers = new HashMap<>();
    final Map<String, List<float[]>> gradients = new HashMap<>();
    final Map<String, List<float[]>> vectors = new LinkedHashMap<>();
    final Map<String, List<float[]>> kernels = new LinkedHashMap<>();

    Item(int index, Map<String, OnnxTensor> made) {
      this.index = index;
      this.made = made;
    }

    void forget() {
      reals.clear();
      shapes.clear();
      numbers.clear();
      gradients.clear();
      vectors.clear();
      kernels.clear();
    }
  }

  /** One calibration. */
  private final class Run {
    private final OrtEnvironment environment = OrtRuntime.environment();
    private final CalibrationInputs inputs;
    private final Set<String> notices = new LinkedHashSet<>();
    private final List<Specialised> kinds = new ArrayList<>();
    private final Map<String, WeightSums> matrices = new LinkedHashMap<>();
    private final Map<String, WeightSums> tables = new LinkedHashMap<>();
    private final Map<String, double[]> vectors = new LinkedHashMap<>();
    private final Map<String, Integer> notFinite = Collections.synchronizedMap(new TreeMap<>());
    private final Set<String> missing = new TreeSet<>();
    private final Map<String, Integer> wide = new LinkedHashMap<>();
    private int limit = LARGEST_METRIC;
    private boolean tokens;
    private boolean many;

    Run(CalibrationInputs inputs) {
      this.inputs = inputs;
    }

    void close() {
      for (Specialised kind : kinds) {
        try {
          kind.close();
        } catch (OrtException e) {
          // What was computed is not affected.
          notices.add("a session did not close: " + e.getMessage());
        }
      }
    }

    Calibration all() throws IOException, OrtException {
      int next = 0;
      while (next < inputs.size()) {
        List<Item> batch = new ArrayList<>();
        try {
          do {
            batch.add(new Item(next, inputs.make(environment, next)));
            choose(batch.get(batch.size() - 1));
            next++;
          } while (next < inputs.size() && batch.size() < atOnce(batch));
          together(batch);
        } finally {
          batch.forEach(item -> item.made.values().forEach(OnnxTensor::close));
        }
        while (kinds.size() > KINDS) {
          kinds.remove(0).close();
        }
      }
      return new Calibration(statistics(), inputs.description(), List.copyOf(notices));
    }

    /** How many inputs like these run at the same time. */
    private long atOnce(List<Item> batch) {
      long largest = batch.stream().mapToLong(item -> item.kind.numbers()).max().orElseThrow();
      return Math.min(workers.threads(), limits.atOnce(largest));
    }

    /** Runs a few inputs at the same time, and adds what they give in their order. */
    private void together(List<Item> batch) throws IOException, OrtException {
      tokens = batch.stream().anyMatch(Run::takesTokens);
      int most = 0;
      List<List<List<Probe>>> groups = new ArrayList<>();
      for (Item item : batch) {
        groups.add(item.kind.groups(FETCHED / batch.size(), passes(item.kind)));
        most = Math.max(most, groups.get(groups.size() - 1).size());
      }
      for (int g = 0; g < most; g++) {
        List<Workers.Task> tasks = new ArrayList<>();
        for (int i = 0; i < batch.size(); i++) {
          Item item = batch.get(i);
          if (g < groups.get(i).size()) {
            List<Probe> group = groups.get(i).get(g);
            boolean first = g == 0;
            tasks.add(
                () -> {
                  try {
                    fetch(item, group, first);
                  } catch (OrtException e) {
                    throw refused(inputs, e);
                  }
                });
          }
        }
        workers.run(tasks);
        for (int i = 0; i < batch.size(); i++) {
          if (g < groups.get(i).size()) {
            sum(batch.get(i), groups.get(i).get(g));
            batch.get(i).forget();
          }
        }
      }
    }

    /** Finds the kind of an input, or makes it; the last used stands last. */
    private void choose(Item item) throws IOException, OrtException {
      for (int k = kinds.size() - 1; k >= 0; k--) {
        Specialised kind = kinds.get(k);
        if (kind.general()) {
          item.kind = kind;
          return;
        }
        item.outputs = kind.run(item.made);
        if (item.outputs != null) {
          item.kind = kind;
          kinds.add(kinds.remove(k));
          return;
        }
      }
      item.kind = new Specialised(environment, source, item.made, limits);
      // What the first input decides holds for all, so that all runs count alike.
      many |= item.index == 0 && item.kind.numbers() > MANY;
      kinds.add(item.kind);
      prepare(item.kind);
    }

    private int passes(Specialised kind) {
      return kind.gradients().gradients().isEmpty() ? 1 : passes();
    }

    private int passes() {
      if (!tokens && many) {
        return 1;
      }
      return options.mean + (tokens ? options.first : 0) + options.single;
    }

    private Pooling pooling(int pass) {
      if (!tokens || pass >= options.mean + options.first) {
        return Pooling.NONE;
      }
      return pass < options.mean ? Pooling.MEAN : Pooling.FIRST;
    }

    /** Rows of whole numbers: texts. A single one is a rate or a length. */
    private static boolean takesTokens(Item item) {
      return item.made.values().stream()
          .map(OnnxTensor::getInfo)
          .anyMatch(
              info ->
                  info.getShape().length == 2
                      && (info.type == OnnxJavaType.INT64 || info.type == OnnxJavaType.INT32));
    }

    private static String key(Probe.Part part) {
      return part.weight();
    }

    private Map<String, WeightSums> sumsOf(Probe probe) {
      return probe.kind() == Probe.Kind.LOOKUP ? tables : matrices;
    }

    /** Makes the sums of weights that were not met before. */
    private void prepare(Specialised kind) {
      missing.addAll(kind.gradients().missing());
      if (!limits.differentiates(kind.numbers())) {
        notices.add(
            "memory for gradients is short: the values of a run are "
                + kind.numbers() * Float.BYTES / (1 << 20)
                + " MB, gradients need three times that, and half of the machine's memory is "
                + limits.machine / 2 / (1 << 20)
                + " MB: weights count by their inputs' energy alone");
      }
      for (String value : kind.mixed()) {
        notices.add(
            "'"
                + value
                + "' holds weights in an order that no view has: they are coded without calibration");
      }
      List<Probe> fresh = new ArrayList<>();
      long numbers = 0;
      for (Probe probe : kind.probes()) {
        for (Probe.Part part : probe.parts()) {
          if (!sumsOf(probe).containsKey(key(part))) {
            fresh.add(probe);
            numbers += (long) part.view().rows() * Math.min(part.view().rows(), limit);
          }
        }
      }
      long most = limits.heap / HEAP_SHARE / Double.BYTES;
      while (numbers > most && limit > SMALLEST_BLOCK) {
        limit /= 2;
        numbers = 0;
        for (Probe probe : fresh) {
          for (Probe.Part part : probe.parts()) {
            numbers += (long) part.view().rows() * Math.min(part.view().rows(), limit);
          }
        }
      }
      if (limit < LARGEST_METRIC) {
        notices.add(
            "memory for metrics is short ("
                + limits.heap / (1 << 20)
                + " MB of heap): inputs of a weight are looked at in blocks of "
                + limit
                + "; more heap (java -Xmx) makes a better file");
      }
      for (Probe probe : kind.probes()) {
        for (Probe.Part part : probe.parts()) {
          boolean table = probe.kind() == Probe.Kind.LOOKUP;
          int n = part.view().rows();
          if (n > LARGEST_METRIC) {
            wide.putIfAbsent(part.weight(), n);
          }
          WeightSums sums =
              sumsOf(probe)
                  .computeIfAbsent(
                      key(part), key -> new WeightSums(part.view(), Math.min(n, limit), table));
          if (!sums.view().equals(part.view())) {
            notices.add(
                "'"
                    + part.weight()
                    + "' is used both as "
                    + sums.view().rows()
                    + " and as "
                    + n
                    + " inputs: only the first use counts");
          }
        }
      }
    }

    /**
     * Runs one input and fetches what meets the weights of a group, and the gradients.
     *
     * @param first whether the gradients of vectors and kernels are due as well
     */
    private void fetch(Item item, List<Probe> group, boolean first) throws OrtException {
      Specialised kind = item.kind;
      if (item.outputs == null) {
        item.outputs = kind.run(item.made);
      }
      Set<String> activations = new LinkedHashSet<>();
      Set<String> slopes = new LinkedHashSet<>();
      for (Probe probe : group) {
        activations.add(probe.input());
        if (kind.gradients().gradients().containsKey(probe.output())) {
          slopes.add(probe.output());
        }
      }
      Set<String> fetched = new LinkedHashSet<>();
      slopes.forEach(name -> fetched.add(kind.gradients().gradients().get(name)));
      Map<String, String> vectors = first ? kind.vectors() : Map.of();
      Map<String, String> kernels = first ? kind.kernels() : Map.of();
      fetched.addAll(vectors.values());
      fetched.addAll(kernels.values());
      int passes = fetched.isEmpty() ? 1 : passes(kind);
      for (int pass = 0; pass < passes; pass++) {
        Map<String, OnnxTensor> feeds = new LinkedHashMap<>(item.made);
        List<OnnxTensor> own = new ArrayList<>();
        Set<String> names = new LinkedHashSet<>(fetched);
        if (pass == 0) {
          activations.forEach(name -> names.add(kind.exposed(name)));
        }
        try {
          Random random = new Random(SEED + 1009L * item.index + pass);
          for (Map.Entry<String, String> entry : kind.gradients().cotangents().entrySet()) {
            OnnxTensor cotangent =
                cotangent(item.outputs.get(entry.getKey()), pooling(pass), random);
            own.add(cotangent);
            feeds.put(entry.getValue(), cotangent);
          }
          try (OrtSession.Result result = kind.session().run(feeds, names)) {
            if (pass == 0) {
              for (String name : activations) {
                take((OnnxTensor) result.get(kind.exposed(name)).orElseThrow(), name, item);
              }
            }
            for (String name : slopes) {
              String gradient = kind.gradients().gradients().get(name);
              OnnxTensor value = (OnnxTensor) result.get(gradient).orElseThrow();
              item.shapes.put(name, value.getInfo().getShape());
              item.gradients.computeIfAbsent(name, key -> new ArrayList<>()).add(floats(value));
            }
            collect(vectors, result, item.vectors);
            collect(kernels, result, item.kernels);
          }
        } finally {
          own.forEach(OnnxTensor::close);
        }
      }
    }

    private static void collect(
        Map<String, String> outputs, OrtSession.Result result, Map<String, List<float[]>> found) {
      outputs.forEach(
          (name, output) ->
              found
                  .computeIfAbsent(name, key -> new ArrayList<>())
                  .add(floats((OnnxTensor) result.get(output).orElseThrow())));
    }

    /**
     * A random combination of an output's elements, so that the expected square of its change is
     * the change's energy relative to the output's.
     */
    private OnnxTensor cotangent(Specialised.Output output, Pooling pooling, Random random)
        throws OrtException {
      long[] shape = output.shape();
      float[] y = output.values();
      float[] v = new float[y.length];
      if (pooling != Pooling.NONE && shape.length == 3 && shape[1] > 1) {
        int steps = (int) shape[1];
        int width = (int) shape[2];
        int used = pooling == Pooling.FIRST ? 1 : steps;
        for (int b = 0; b < shape[0]; b++) {
          double[] mean = new double[width];
          for (int t = 0; t < used; t++) {
            for (int j = 0; j < width; j++) {
              mean[j] += y[(b * steps + t) * width + j] / (double) used;
            }
          }
          double norm = 0;
          for (double value : mean) {
            norm += value * value;
          }
          norm = Math.sqrt(norm);
          double[] u = new double[width];
          double along = 0;
          for (int j = 0; j < width; j++) {
            u[j] = random.nextGaussian();
            along += u[j] * mean[j] / norm;
          }
          for (int j = 0; j < width; j++) {
            double value = norm == 0 ? 0 : (u[j] - along * mean[j] / norm) / (norm * used);
            for (int t = 0; t < used; t++) {
              v[(b * steps + t) * width + j] = (float) value;
            }
          }
        }
      } else {
        double energy = 0;
        for (float value : y) {
          energy += (double) value * value;
        }
        double scale = energy > 0 && Double.isFinite(energy) ? 1 / Math.sqrt(energy) : 0;
        for (int i = 0; i < v.length; i++) {
          v[i] = (float) (random.nextGaussian() * scale);
        }
      }
      return OnnxTensor.createTensor(environment, FloatBuffer.wrap(v), shape);
    }

    private void take(OnnxTensor value, String name, Item item) {
      item.shapes.put(name, value.getInfo().getShape());
      switch (value.getInfo().type) {
        case INT64 -> {
          long[] all = new long[value.getLongBuffer().remaining()];
          value.getLongBuffer().get(all);
          item.numbers.put(name, Arrays.stream(all).mapToInt(i -> (int) i).toArray());
        }
        case INT32 -> {
          int[] all = new int[value.getIntBuffer().remaining()];
          value.getIntBuffer().get(all);
          item.numbers.put(name, all);
        }
        case FLOAT -> item.reals.put(name, floats(value));
        default -> {}
      }
    }

    /** Adds one input's vectors, every weight on its own. */
    private void sum(Item item, List<Probe> group) throws IOException {
      item.vectors.forEach(this::sumVector);
      Map<String, List<Runnable>> byWeight = new LinkedHashMap<>();
      Map<String, List<WeightSums.Use>> uses = new LinkedHashMap<>();
      Map<String, Boolean> finite = new HashMap<>();
      item.reals.forEach((name, values) -> finite.put(name, finite(values)));
      for (Probe probe : group) {
        List<float[]> gradients = item.gradients.getOrDefault(probe.output(), List.of());
        boolean good =
            finite.getOrDefault(probe.input(), true) && gradients.stream().allMatch(Run::finite);
        for (Probe.Part part : probe.parts()) {
          WeightSums sums = sumsOf(probe).get(key(part));
          if (!sums.view().equals(part.view())) {
            continue;
          }
          if (!good) {
            notFinite.merge(part.weight(), 1, Integer::sum);
          } else if (probe.kind() == Probe.Kind.LOOKUP) {
            int[] rows = item.numbers.get(probe.input());
            if (rows != null && !gradients.isEmpty()) {
              List<Vectors> slopes =
                  gradients.stream().map(g -> Vectors.rows(g, probe.outputs())).toList();
              byWeight
                  .computeIfAbsent(part.weight(), key -> new ArrayList<>())
                  .add(() -> sums.lookup(rows, slopes));
            }
          } else if (item.reals.containsKey(probe.input())) {
            uses.computeIfAbsent(part.weight(), key -> new ArrayList<>())
                .add(use(item, probe, part, gradients));
          }
        }
      }
      item.kernels.forEach(
          (weight, gradients) -> {
            if (gradients.stream().allMatch(Run::finite)) {
              long positions = item.kind.positions(weight);
              byWeight
                  .computeIfAbsent(weight, key -> new ArrayList<>())
                  .add(() -> matrices.get(weight).add(gradients, positions));
            } else {
              notFinite.merge(weight, 1, Integer::sum);
            }
          });
      uses.forEach(
          (weight, all) ->
              byWeight
                  .computeIfAbsent(weight, key -> new ArrayList<>())
                  .add(() -> matrices.get(weight).add(sameKind(all))));
      List<Workers.Task> tasks = new ArrayList<>();
      byWeight.values().forEach(work -> tasks.add(() -> work.forEach(Runnable::run)));
      workers.run(tasks);
    }

    private void sumVector(String name, List<float[]> gradients) {
      if (!gradients.stream().allMatch(Run::finite)) {
        notFinite.merge(name, 1, Integer::sum);
        return;
      }
      for (float[] gradient : gradients) {
        double[] squares = vectors.computeIfAbsent(name, key -> new double[gradient.length]);
        for (int j = 0; j < squares.length; j++) {
          squares[j] += (double) gradient[j] * gradient[j];
        }
      }
    }

    /** Uses with gradients count alone where there are some. */
    private static List<WeightSums.Use> sameKind(List<WeightSums.Use> uses) {
      List<WeightSums.Use> sensitive =
          uses.stream().filter(use -> !use.gradients().isEmpty()).toList();
      return sensitive.isEmpty() ? uses : sensitive;
    }

    private static boolean finite(float[] values) {
      float zero = 0;
      for (float value : values) {
        zero += value * 0;
      }
      return zero == 0;
    }

    private WeightSums.Use use(Item item, Probe probe, Probe.Part part, List<float[]> gradients) {
      float[] x = item.reals.get(probe.input());
      int n = probe.inputs();
      int m = probe.outputs();
      if (probe.kind() == Probe.Kind.LINEAR) {
        int places = places(x.length / n, probe.turned(), item.shapes.get(probe.input()));
        Vectors in = probe.turned() ? Vectors.columns(x, n, places) : Vectors.rows(x, n);
        List<Vectors> out = new ArrayList<>();
        for (float[] g : gradients) {
          out.add(probe.outTurned() ? Vectors.columns(g, m, places) : Vectors.rows(g, m));
        }
        return new WeightSums.Use(probe, part, in, out);
      }
      long[] xs = item.shapes.get(probe.input());
      int rank = xs.length - 2;
      int[] ones = new int[rank];
      Arrays.fill(ones, 1);
      ConvWindow unit = new ConvWindow(ones, ones, ones, new int[rank], new int[rank]);
      boolean forward = probe.kind() == Probe.Kind.CONV;
      ConvWindow in = forward ? probe.window() : unit;
      int[] places = in.places(xs);
      List<Vectors> out = new ArrayList<>();
      for (float[] g : gradients) {
        out.add(
            Vectors.patches(
                g,
                item.shapes.get(probe.output()),
                forward ? unit : probe.window(),
                places,
                probe.groups()));
      }
      return new WeightSums.Use(
          probe, part, Vectors.patches(x, xs, in, places, probe.groups()), out);
    }

    private static int places(int positions, boolean turned, long[] shape) {
      return turned && shape.length > 1 && shape[shape.length - 1] > 0
          ? (int) shape[shape.length - 1]
          : positions;
    }

    private Map<String, TensorStatistics> statistics() {
      if (!missing.isEmpty()) {
        notices.add(
            "no derivative is known of "
                + missing
                + ": behind it, weights count by their inputs' energy alone");
      }
      if (!wide.isEmpty()) {
        String first = wide.keySet().iterator().next();
        notices.add(
            "'"
                + first
                + "'"
                + (wide.size() > 1 ? " and " + (wide.size() - 1) + " more weights have" : " has")
                + " more than "
                + LARGEST_METRIC
                + " inputs, up to "
                + Collections.max(wide.values())
                + ": they are looked at in blocks of "
                + limit);
      }
      notFinite.forEach(
          (weight, times) ->
              notices.add(
                  "what meets '"
                      + weight
                      + "' was not finite in "
                      + times
                      + " of "
                      + inputs.size()
                      + " runs: those do not count"));
      Map<String, TensorStatistics> found = new HashMap<>();
      int passes = passes();
      Set<String> names = new LinkedHashSet<>(matrices.keySet());
      names.addAll(tables.keySet());
      for (String name : names) {
        WeightSums matrix = matrices.get(name);
        WeightSums table = tables.get(name);
        WeightSums sums = matrix == null || matrix.runs() == 0 ? table : matrix;
        if (sums == null || sums.runs() == 0) {
          continue;
        }
        if (matrix != null && table != null && sums == matrix && table.runs() > 0) {
          if (matrix.view().equals(table.view()) && matrix.sensitive()) {
            matrix.join(table);
          } else {
            notices.add("'" + name + "' is both a matrix and a table: only the matrix counts");
          }
        }
        double norm = 1.0 / inputs.size() / (sums.sensitive() ? passes : 1);
        TensorStatistics statistics = sums.statistics(norm);
        if (statistics == null) {
          notices.add(
              "'" + name + "' has no effect on these inputs: it is coded without calibration");
        } else {
          found.put(name, statistics);
        }
      }
      vectors.forEach(
          (name, squares) -> {
            double norm = 1.0 / inputs.size() / passes;
            double[] each = Arrays.stream(squares).map(square -> square * norm).toArray();
            if (!found.containsKey(name) && Arrays.stream(each).sum() > 0) {
              found.put(name, TensorStatistics.ofVector(each, inputs.size()));
            }
          });
      long unmet = 0;
      long all = 0;
      List<String> unseen = new ArrayList<>();
      for (SourceTensor tensor : source.tensors()) {
        if (tensor.dtype().isCoded() && tensor.shape().length > 1) {
          long elements = TensorRecord.elementCount(tensor.shape());
          all += elements;
          if (!names.contains(tensor.name()) && !vectors.containsKey(tensor.name())) {
            unmet += elements;
            unseen.add(tensor.name());
          }
        }
      }
      if (unmet > 0) {
        notices.add(
            unseen.size()
                + " matrices with "
                + Math.round(100.0 * unmet / all)
                + " % of the weights were not met in a way that can be calibrated ("
                + String.join(", ", unseen.subList(0, Math.min(3, unseen.size())))
                + (unseen.size() > 3 ? ", ..." : "")
                + ")");
      }
      return found;
    }
  }
}
