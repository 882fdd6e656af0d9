package io.pseed.converter.calibrate;

import ai.onnxruntime.OnnxJavaType;
import ai.onnxruntime.OnnxTensor;
import ai.onnxruntime.OnnxValue;
import ai.onnxruntime.OrtEnvironment;
import ai.onnxruntime.OrtException;
import ai.onnxruntime.OrtSession;
import ai.onnxruntime.TensorInfo;
import io.pseed.converter.encode.Workers;
import io.pseed.converter.onnx.proto.GraphProto;
import io.pseed.converter.onnx.proto.ModelProto;
import io.pseed.converter.onnx.proto.NodeProto;
import io.pseed.converter.onnx.proto.TensorProto;
import io.pseed.converter.onnx.proto.ValueInfoProto;
import io.pseed.converter.source.SourceException;
import io.pseed.converter.source.SourceTensor;
import io.pseed.converter.source.TensorRole;
import io.pseed.converter.source.onnx.OnnxModelSource;
import io.pseed.format.DType;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.FloatBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;

/**
 * Runs a model on inputs and sums what quantization needs to know of every weight that a MatMul, a
 * Gemm or a Gather of the main graph uses; see {@link TensorStatistics}.
 *
 * <p>With x[t] the vectors that meet a weight in one run and g[t] the gradients, at what leaves it,
 * of a random combination of the model's outputs, the metric is the expectation of X^T (G G^T) X
 * and the columns' weights are the diagonal of that of G^T (X X^T) G. Where the graph cannot be
 * differentiated, all gradients count as one.
 */
public final class Calibrator {
  /** Longest input dimension that gets a whole metric. */
  private static final int LARGEST_METRIC = 4096;

  /** Longest run whose vectors are seen together; a longer one counts as several. */
  private static final int TOGETHER = 512;

  private static final long SEED = 0x70736565645F67L;

  private final OnnxModelSource source;
  private final Workers workers;
  private final Options options;

  /**
   * What the outputs' errors are worth.
   *
   * @param pooled combinations a run of the outputs' means over positions (for outputs of rank 3:
   *     sentence embeddings)
   * @param single combinations a run of all elements on their own
   */
  public record Options(int pooled, int single) {
    /** What {@code pseed convert} uses. */
    public static final Options DEFAULT = new Options(1, 1);
  }

  /** A calibrator of one model. */
  public Calibrator(OnnxModelSource source, Workers workers, Options options) {
    this.source = source;
    this.workers = workers;
    this.options = options;
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
    try {
      return new Run(inputs).all();
    } catch (OrtException e) {
      throw new SourceException(
          source.path(),
          "cannot be calibrated with " + inputs.description() + ": " + e.getMessage(),
          e);
    }
  }

  /** One calibration. */
  private final class Run {
    private final OrtEnvironment environment = OrtEnvironment.getEnvironment();
    private final CalibrationInputs inputs;
    private final List<String> notices = new ArrayList<>();
    private final List<Probe> probes;
    private final Map<String, long[]> weightShapes = new HashMap<>();
    private final Map<String, Accumulator> sums = new LinkedHashMap<>();
    private final Set<String> tooLarge = new HashSet<>();
    private final Map<String, double[]> columns = new HashMap<>();
    private final Map<String, double[]> rows = new HashMap<>();
    private final Map<String, long[]> counts = new ConcurrentHashMap<>();

    Run(CalibrationInputs inputs) {
      this.inputs = inputs;
      for (SourceTensor tensor : source.tensors()) {
        weightShapes.put(tensor.name(), tensor.shape());
      }
      this.probes = Probes.find(source.graph(), source.tensors());
    }

    Calibration all() throws IOException, OrtException {
      GradientGraph.Result gradients = differentiate();
      Map<String, String> exposed = new LinkedHashMap<>();
      ModelProto model = expose(gradients.model(), exposed);
      boolean sensitive = !gradients.gradients().isEmpty();
      if (!gradients.missing().isEmpty()) {
        notices.add(
            "no derivative is known of "
                + gradients.missing()
                + ": behind it, weights count by their inputs' energy alone");
      }
      try (OrtSession plain =
              SourceSession.open(environment, source, source.graph(), workers.threads());
          OrtSession session = SourceSession.open(environment, source, model, workers.threads())) {
        for (int i = 0; i < inputs.size(); i++) {
          Map<String, OnnxTensor> made = inputs.make(environment, i);
          try {
            one(plain, session, gradients, exposed, made, i, sensitive);
          } finally {
            made.values().forEach(OnnxTensor::close);
          }
        }
      }
      return new Calibration(statistics(gradients), inputs.description(), notices);
    }

    /** Shapes are taken from the first run. */
    private GradientGraph.Result differentiate() throws IOException, OrtException {
      ModelProto graph = source.graph();
      GraphProto.Builder open = graph.getGraph().toBuilder();
      Set<String> outputs = new LinkedHashSet<>();
      graph.getGraph().getOutputList().forEach(o -> outputs.add(o.getName()));
      Set<String> real = new LinkedHashSet<>();
      for (NodeProto node : graph.getGraph().getNodeList()) {
        for (String name : node.getOutputList()) {
          if (!name.isEmpty() && !outputs.contains(name)) {
            open.addOutput(ValueInfoProto.newBuilder().setName(name));
          }
        }
      }
      Map<String, long[]> shapes = new HashMap<>();
      Map<String, float[]> scalars = new HashMap<>();
      for (SourceTensor tensor : source.tensors()) {
        if (tensor.dtype() == DType.F32) {
          shapes.put(tensor.name(), tensor.shape());
        }
      }
      for (TensorProto tensor : graph.getGraph().getInitializerList()) {
        if (tensor.getDataType() == TensorProto.DataType.FLOAT_VALUE) {
          shapes.put(
              tensor.getName(), tensor.getDimsList().stream().mapToLong(Long::longValue).toArray());
        }
        constant(tensor.getName(), tensor, scalars);
      }
      for (NodeProto node : graph.getGraph().getNodeList()) {
        if (node.getOpType().equals("Constant") && node.getOutputCount() == 1) {
          GraphNodes.attribute(node, "value")
              .ifPresent(value -> constant(node.getOutput(0), value.getT(), scalars));
        }
      }
      Map<String, OnnxTensor> made = inputs.make(environment, 0);
      try (OrtSession session =
              SourceSession.open(
                  environment,
                  source,
                  graph.toBuilder().setGraph(open).build(),
                  workers.threads());
          OrtSession.Result result = session.run(made)) {
        for (Map.Entry<String, OnnxValue> entry : result) {
          if (entry.getValue().getInfo() instanceof TensorInfo info
              && info.type == OnnxJavaType.FLOAT) {
            shapes.put(entry.getKey(), info.getShape());
            if (outputs.contains(entry.getKey())) {
              real.add(entry.getKey());
            }
          }
        }
        for (Map.Entry<String, OnnxTensor> input : made.entrySet()) {
          if (input.getValue().getInfo().type == OnnxJavaType.FLOAT) {
            shapes.put(input.getKey(), input.getValue().getInfo().getShape());
          }
        }
      } finally {
        made.values().forEach(OnnxTensor::close);
      }
      Set<String> wanted = new LinkedHashSet<>();
      for (Probe probe : probes) {
        if (shapes.containsKey(probe.output())) {
          wanted.add(probe.output());
        }
      }
      return new GradientGraph(graph, shapes, scalars).differentiate(wanted, real);
    }

    private void constant(String name, TensorProto tensor, Map<String, float[]> scalars) {
      ByteBuffer raw = tensor.getRawData().asReadOnlyByteBuffer().order(ByteOrder.LITTLE_ENDIAN);
      if (tensor.getDataType() == TensorProto.DataType.FLOAT_VALUE) {
        if (raw.remaining() == 4) {
          scalars.put(name, new float[] {raw.getFloat(0)});
        } else if (tensor.getFloatDataCount() == 1) {
          scalars.put(name, new float[] {tensor.getFloatData(0)});
        }
      } else if (tensor.getDataType() == TensorProto.DataType.INT64_VALUE) {
        int n = raw.remaining() >= 8 ? raw.remaining() / 8 : tensor.getInt64DataCount();
        if (n >= 1 && n <= 8) {
          float[] values = new float[n];
          for (int i = 0; i < n; i++) {
            values[i] = raw.remaining() >= 8 ? raw.getLong(8 * i) : tensor.getInt64Data(i);
          }
          scalars.put(name, values);
        }
      }
    }

    /** Adds outputs for what meets the weights; the names that they get are put in the map. */
    private ModelProto expose(ModelProto model, Map<String, String> exposed) {
      GraphProto.Builder graph = model.getGraph().toBuilder();
      for (Probe probe : probes) {
        if (!exposed.containsKey(probe.input())) {
          String name = "pseed.probe." + exposed.size();
          exposed.put(probe.input(), name);
          graph.addNode(
              NodeProto.newBuilder()
                  .setOpType("Identity")
                  .setName(name)
                  .addInput(probe.input())
                  .addOutput(name));
          graph.addOutput(ValueInfoProto.newBuilder().setName(name));
        }
      }
      return model.toBuilder().setGraph(graph).build();
    }

    private void one(
        OrtSession plain,
        OrtSession session,
        GradientGraph.Result gradients,
        Map<String, String> exposed,
        Map<String, OnnxTensor> made,
        int index,
        boolean sensitive)
        throws IOException, OrtException {
      Set<String> fetched = new LinkedHashSet<>(exposed.values());
      fetched.addAll(gradients.gradients().values());
      Map<String, float[]> inputsOf = new HashMap<>();
      Map<String, int[]> lookups = new HashMap<>();
      Map<String, List<float[]>> gradientsOf = new HashMap<>();
      int passes = sensitive ? options.pooled + options.single : 1;
      try (OrtSession.Result outputs = plain.run(made)) {
        for (int pass = 0; pass < passes; pass++) {
          Map<String, OnnxTensor> feeds = new LinkedHashMap<>(made);
          List<OnnxTensor> own = new ArrayList<>();
          try {
            Random random = new Random(SEED + 1009L * index + pass);
            for (Map.Entry<String, String> entry : gradients.cotangents().entrySet()) {
              OnnxTensor output = (OnnxTensor) outputs.get(entry.getKey()).orElseThrow();
              OnnxTensor cotangent = cotangent(output, pass < options.pooled, random);
              own.add(cotangent);
              feeds.put(entry.getValue(), cotangent);
            }
            try (OrtSession.Result result = session.run(feeds, fetched)) {
              for (Map.Entry<String, String> entry : exposed.entrySet()) {
                if (pass == 0) {
                  take(
                      (OnnxTensor) result.get(entry.getValue()).orElseThrow(),
                      entry.getKey(),
                      inputsOf,
                      lookups);
                }
              }
              for (Map.Entry<String, String> entry : gradients.gradients().entrySet()) {
                gradientsOf
                    .computeIfAbsent(entry.getKey(), key -> new ArrayList<>())
                    .add(floats((OnnxTensor) result.get(entry.getValue()).orElseThrow()));
              }
            }
          } finally {
            own.forEach(OnnxTensor::close);
          }
        }
      }
      sum(inputsOf, lookups, gradientsOf);
    }

    /**
     * A random combination of an output's elements, so that the expected square of its change is
     * the change's energy relative to the output's.
     */
    private OnnxTensor cotangent(OnnxTensor output, boolean pooled, Random random)
        throws OrtException {
      long[] shape = output.getInfo().getShape();
      float[] y = floats(output);
      float[] v = new float[y.length];
      if (pooled && shape.length == 3 && shape[1] > 1) {
        int steps = (int) shape[1];
        int width = (int) shape[2];
        for (int b = 0; b < shape[0]; b++) {
          double[] mean = new double[width];
          for (int t = 0; t < steps; t++) {
            for (int j = 0; j < width; j++) {
              mean[j] += y[(b * steps + t) * width + j] / (double) steps;
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
            double value = norm == 0 ? 0 : (u[j] - along * mean[j] / norm) / (norm * steps);
            for (int t = 0; t < steps; t++) {
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

    private void take(
        OnnxTensor value, String name, Map<String, float[]> reals, Map<String, int[]> numbers) {
      switch (value.getInfo().type) {
        case INT64 -> {
          long[] all = new long[value.getLongBuffer().remaining()];
          value.getLongBuffer().get(all);
          numbers.put(name, Arrays.stream(all).mapToInt(i -> (int) i).toArray());
        }
        case INT32 -> {
          int[] all = new int[value.getIntBuffer().remaining()];
          value.getIntBuffer().get(all);
          numbers.put(name, all);
        }
        default -> reals.put(name, floats(value));
      }
    }

    private float[] floats(OnnxTensor tensor) {
      FloatBuffer buffer = tensor.getFloatBuffer();
      float[] all = new float[buffer.remaining()];
      buffer.get(all);
      return all;
    }

    private void sum(
        Map<String, float[]> inputsOf,
        Map<String, int[]> lookups,
        Map<String, List<float[]>> gradientsOf)
        throws IOException {
      Map<String, List<Probe>> byWeight = new LinkedHashMap<>();
      for (Probe probe : probes) {
        byWeight.computeIfAbsent(probe.weight(), key -> new ArrayList<>()).add(probe);
      }
      List<Workers.Task> tasks = new ArrayList<>();
      for (List<Probe> uses : byWeight.values()) {
        for (Probe probe : uses) {
          prepare(probe, inputsOf, gradientsOf);
        }
        tasks.add(
            () -> {
              for (Probe probe : uses) {
                if (sums.containsKey(probe.weight())) {
                  List<float[]> g = gradientsOf.getOrDefault(probe.output(), List.of());
                  if (probe.kind() == Probe.Kind.LOOKUP) {
                    lookup(probe, lookups.get(probe.input()), g);
                  } else {
                    linear(probe, inputsOf.get(probe.input()), g);
                  }
                }
              }
            });
      }
      workers.run(tasks);
    }

    /** Makes the sums of a weight, where its size allows. */
    private void prepare(
        Probe probe, Map<String, float[]> inputsOf, Map<String, List<float[]>> gradientsOf) {
      if (sums.containsKey(probe.weight())) {
        return;
      }
      long[] shape = weightShapes.get(probe.weight());
      int size;
      int other;
      if (probe.kind() == Probe.Kind.LOOKUP) {
        if (!gradientsOf.containsKey(probe.output())) {
          return;
        }
        size = (int) shape[1];
        other = (int) shape[0];
      } else {
        if (!inputsOf.containsKey(probe.input())) {
          return;
        }
        size = inputSize(probe, shape);
        other = (int) (shape[0] * shape[1] / size);
      }
      if (size > LARGEST_METRIC) {
        if (tooLarge.add(probe.weight())) {
          notices.add(
              "'"
                  + probe.weight()
                  + "' has "
                  + size
                  + " inputs, more than "
                  + LARGEST_METRIC
                  + ": it is coded without calibration");
        }
        return;
      }
      sums.put(probe.weight(), new Accumulator(size));
      (probe.kind() == Probe.Kind.LOOKUP ? rows : columns).put(probe.weight(), new double[other]);
    }

    /** The dimension of a linear weight that meets the input, from the node that uses it. */
    private int inputSize(Probe probe, long[] shape) {
      for (SourceTensor tensor : source.tensors()) {
        if (tensor.name().equals(probe.weight())) {
          return (int) (tensor.role() == TensorRole.LINEAR_TRANSPOSED ? shape[1] : shape[0]);
        }
      }
      throw new IllegalStateException(probe.weight());
    }

    private void linear(Probe probe, float[] x, List<float[]> gradients) {
      Accumulator sum = sums.get(probe.weight());
      double[] weights = columns.get(probe.weight());
      int n = sum.size();
      int m = weights.length;
      int total = x.length / n;
      for (int first = 0; first < total; first += TOGETHER) {
        int count = Math.min(TOGETHER, total - first);
        float[] part =
            total <= TOGETHER ? x : Arrays.copyOfRange(x, first * n, (first + count) * n);
        double[] k = new double[count * count];
        if (gradients.isEmpty()) {
          for (int t = 0; t < count; t++) {
            k[t * count + t] = 1;
          }
          Arrays.fill(weights, 1);
        } else {
          double[] inner = Accumulator.gram(part, count, n);
          for (float[] all : gradients) {
            float[] g =
                total <= TOGETHER ? all : Arrays.copyOfRange(all, first * m, (first + count) * m);
            double[] outer = Accumulator.gram(g, count, m);
            for (int i = 0; i < k.length; i++) {
              k[i] += outer[i];
            }
            float[] p = new float[count * m];
            for (int t = 0; t < count; t++) {
              for (int s = 0; s < count; s++) {
                Accumulator.axpy((float) inner[t * count + s], g, s * m, p, t * m, m);
              }
            }
            for (int t = 0; t < count; t++) {
              for (int j = 0; j < m; j++) {
                weights[j] += (double) p[t * m + j] * g[t * m + j];
              }
            }
          }
        }
        sum.add(part, count, k);
      }
    }

    private void lookup(Probe probe, int[] ids, List<float[]> gradients) {
      Accumulator sum = sums.get(probe.weight());
      double[] weights = rows.get(probe.weight());
      long[] times = counts.computeIfAbsent(probe.weight(), key -> new long[weights.length]);
      int m = sum.size();
      for (int id : ids) {
        times[id < 0 ? id + times.length : id]++;
      }
      for (float[] g : gradients) {
        for (int first = 0; first < ids.length; first += TOGETHER) {
          int count = Math.min(TOGETHER, ids.length - first);
          double[] k = new double[count * count];
          for (int t = 0; t < count; t++) {
            k[t * count + t] = 1;
            int id = ids[first + t] < 0 ? ids[first + t] + weights.length : ids[first + t];
            weights[id] += Accumulator.dot(g, (first + t) * m, g, (first + t) * m, m);
          }
          sum.add(Arrays.copyOfRange(g, first * m, (first + count) * m), count, k);
        }
      }
    }

    private Map<String, TensorStatistics> statistics(GradientGraph.Result gradients) {
      Map<String, TensorStatistics> found = new HashMap<>();
      int passes = options.pooled + options.single;
      for (Probe probe : probes) {
        Accumulator sum = sums.get(probe.weight());
        if (sum == null || found.containsKey(probe.weight()) || sum.samples() == 0) {
          continue;
        }
        boolean sensitive = gradients.gradients().containsKey(probe.output());
        double[] metric = sum.symmetric();
        double norm = 1.0 / inputs.size() / (sensitive ? passes : 1);
        double trace = 0;
        for (int i = 0; i < sum.size(); i++) {
          trace += metric[i * sum.size() + i];
        }
        if (trace == 0 || !Double.isFinite(trace)) {
          notices.add(
              "'" + probe.weight() + "' has no finite statistics: it is coded without calibration");
          continue;
        }
        if (probe.kind() == Probe.Kind.LOOKUP) {
          // The rows carry the size of the loss, the metric its shape.
          for (int i = 0; i < metric.length; i++) {
            metric[i] *= 1 / trace;
          }
          double[] rowWeights = rows.get(probe.weight());
          for (int i = 0; i < rowWeights.length; i++) {
            rowWeights[i] *= norm;
          }
          found.put(
              probe.weight(),
              new TensorStatistics(
                  probe.kind(),
                  sum.size(),
                  metric,
                  new double[0],
                  rowWeights,
                  counts.get(probe.weight()),
                  sum.samples(),
                  true));
          continue;
        }
        double[] weights = columns.get(probe.weight());
        double mean = Arrays.stream(weights).sum() / weights.length;
        for (int j = 0; j < weights.length; j++) {
          weights[j] = mean == 0 ? 1 : weights[j] / mean;
        }
        // A white error of variance 1 in all of W costs trace(metric) * m: see TensorStatistics.
        for (int i = 0; i < metric.length; i++) {
          metric[i] *= norm / (sensitive ? weights.length : 1);
        }
        found.put(
            probe.weight(),
            new TensorStatistics(
                probe.kind(),
                sum.size(),
                metric,
                weights,
                new double[0],
                new long[0],
                sum.samples(),
                sensitive));
      }
      return found;
    }
  }
}
