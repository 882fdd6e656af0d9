package io.pseed.converter.verify;

import ai.onnxruntime.OnnxTensor;
import ai.onnxruntime.OnnxValue;
import ai.onnxruntime.OrtEnvironment;
import ai.onnxruntime.OrtException;
import ai.onnxruntime.OrtSession;
import ai.onnxruntime.TensorInfo;
import io.pseed.converter.calibrate.CalibrationInputs;
import io.pseed.converter.inputs.UnsupportedModelException;
import io.pseed.converter.verify.Quality.Measure;
import io.pseed.onnx.OrtRuntime;
import java.io.IOException;
import java.nio.Buffer;
import java.nio.ByteBuffer;
import java.nio.FloatBuffer;
import java.nio.IntBuffer;
import java.nio.LongBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * Compares models with an original by what they answer. All are judged on the same inputs; what the
 * original answered is kept, as far as it is small, so that it runs once.
 */
public final class Judge {
  /** Bytes of the original's answers that are kept; inputs beyond run again for each model. */
  private static final long KEPT = 256L << 20;

  private static final String MASK = "attention_mask";

  /** Widths of sentence embeddings; narrower or wider last dimensions are classes or words. */
  private static final int NARROWEST_EMBEDDING = 32;

  private static final int WIDEST_EMBEDDING = 8192;

  private final OrtEnvironment environment = OrtRuntime.environment();
  private final OrtSession original;
  private final CalibrationInputs inputs;
  private final List<Map<String, Answer>> kept = new ArrayList<>();
  private long keptBytes;

  /**
   * A judge; the caller closes the session when all is judged.
   *
   * @param inputs that nothing which was fitted has met
   */
  public Judge(OrtSession original, CalibrationInputs inputs) {
    if (inputs.size() == 0) {
      throw new IllegalArgumentException("there are no inputs to judge with");
    }
    this.original = original;
    this.inputs = inputs;
  }

  /** An output of one run. */
  @SuppressWarnings("ArrayRecordComponent") // A value of this class alone; nobody changes it.
  private record Answer(long[] shape, double[] reals, byte[] others, int width) {
    boolean real() {
      return reals != null;
    }

    long bytes() {
      return real() ? 8L * reals.length : others.length;
    }
  }

  /** Sums over the runs. */
  private static final class Sums {
    private final List<Double> cosines = new ArrayList<>();
    private final List<Double> embeddings = new ArrayList<>();
    private boolean real = true;
    private double maxAbs;
    private double noise;
    private double signal;
  }

  /** The inputs. */
  public CalibrationInputs inputs() {
    return inputs;
  }

  /**
   * Runs the original, as far as its answers are kept: inputs that do not fit are found before
   * anything is made that they should judge.
   *
   * @throws IOException where an input cannot be read or does not fit
   * @throws UnsupportedModelException where the original does not run on one
   */
  public void prepare() throws IOException, OrtException, UnsupportedModelException {
    for (int i = kept.size(); i < inputs.size() && i == kept.size(); i++) {
      Map<String, OnnxTensor> made = inputs.make(environment, i);
      try {
        expected(i, made);
      } finally {
        made.values().forEach(OnnxTensor::close);
      }
    }
  }

  /**
   * Judges a model.
   *
   * @param other a model with the original's inputs and outputs
   * @throws UnsupportedModelException where the original does not run on the inputs, or no output
   *     is a tensor of numbers
   * @throws IOException where an input cannot be read or does not fit
   * @throws OrtException where the other model does not run
   */
  public Judgement judge(OrtSession other)
      throws IOException, OrtException, UnsupportedModelException {
    Map<String, Sums> all = new LinkedHashMap<>();
    for (int i = 0; i < inputs.size(); i++) {
      Map<String, OnnxTensor> made = inputs.make(environment, i);
      try {
        Map<String, Answer> expected = expected(i, made);
        Map<String, Answer> found = run(other, made);
        for (Map.Entry<String, Answer> entry : expected.entrySet()) {
          Answer answer = found.get(entry.getKey());
          if (answer != null) {
            compare(
                entry.getValue(),
                answer,
                mask(made.get(MASK)),
                all.computeIfAbsent(entry.getKey(), key -> new Sums()));
          }
        }
      } finally {
        made.values().forEach(OnnxTensor::close);
      }
    }
    if (all.isEmpty()) {
      throw new UnsupportedModelException("no output of the model is a tensor of numbers");
    }
    List<Quality> qualities = new ArrayList<>();
    all.forEach((name, sums) -> qualities.addAll(qualities(name, sums)));
    return new Judgement(inputs.description(), inputs.size(), inputs.origin(), qualities);
  }

  private static List<Quality> qualities(String name, Sums sums) {
    List<Quality> qualities = new ArrayList<>();
    double relative = sums.noise == 0 ? 0 : Math.sqrt(sums.noise / sums.signal);
    if (!sums.embeddings.isEmpty()) {
      qualities.add(
          Quality.of(name, Measure.EMBEDDING, array(sums.embeddings), sums.maxAbs, relative));
    }
    qualities.add(
        Quality.of(
            name,
            sums.real ? Measure.COSINE : Measure.EQUAL,
            array(sums.cosines),
            sums.maxAbs,
            relative));
    return qualities;
  }

  private static double[] array(List<Double> values) {
    return values.stream().mapToDouble(v -> v).toArray();
  }

  private Map<String, Answer> expected(int index, Map<String, OnnxTensor> made)
      throws OrtException, UnsupportedModelException {
    if (index < kept.size()) {
      return kept.get(index);
    }
    Map<String, Answer> answers;
    try {
      answers = run(original, made);
    } catch (OrtException e) {
      throw new UnsupportedModelException(
          "the original does not run on input "
              + index
              + " of "
              + inputs.description()
              + " ("
              + e.getMessage()
              + ")");
    }
    long bytes = answers.values().stream().mapToLong(Answer::bytes).sum();
    if (index == kept.size() && keptBytes + bytes <= KEPT) {
      kept.add(answers);
      keptBytes += bytes;
    }
    return answers;
  }

  private static Map<String, Answer> run(OrtSession session, Map<String, OnnxTensor> made)
      throws OrtException {
    Map<String, Answer> answers = new LinkedHashMap<>();
    try (OrtSession.Result result = session.run(made)) {
      for (Map.Entry<String, OnnxValue> entry : result) {
        if (entry.getValue() instanceof OnnxTensor tensor) {
          TensorInfo info = tensor.getInfo();
          switch (info.type) {
            case FLOAT, FLOAT16, BFLOAT16 ->
                answers.put(entry.getKey(), new Answer(info.getShape(), floats(tensor), null, 0));
            case DOUBLE ->
                answers.put(entry.getKey(), new Answer(info.getShape(), doubles(tensor), null, 0));
            case STRING, UNKNOWN -> {
              // Nothing to be compared by numbers.
            }
            default ->
                answers.put(
                    entry.getKey(),
                    new Answer(info.getShape(), null, bytes(tensor), info.type.size));
          }
        }
      }
    }
    return answers;
  }

  private static void compare(Answer expected, Answer found, long[][] mask, Sums sums) {
    if (!expected.real() || !found.real()) {
      sums.real = false;
      sums.cosines.add(
          expected.real() == found.real()
              ? equalShare(expected.others, found.others, expected.width)
              : 0);
      return;
    }
    sums.cosines.add(cosine(expected.reals, found.reals));
    if (expected.reals.length != found.reals.length) {
      sums.maxAbs = Double.POSITIVE_INFINITY;
      return;
    }
    for (int i = 0; i < expected.reals.length; i++) {
      double difference = found.reals[i] - expected.reals[i];
      if (Double.compare(found.reals[i], expected.reals[i]) == 0) {
        difference = 0;
      } else if (!Double.isFinite(difference)) {
        difference = Double.POSITIVE_INFINITY;
      }
      sums.maxAbs = Math.max(sums.maxAbs, Math.abs(difference));
      sums.noise += difference * difference;
      sums.signal += Double.isFinite(expected.reals[i]) ? expected.reals[i] * expected.reals[i] : 0;
    }
    if (isSequence(expected.shape, mask)) {
      int length = (int) expected.shape[1];
      int width = (int) expected.shape[2];
      for (int b = 0; b < mask.length; b++) {
        sums.embeddings.add(
            cosine(
                pooled(expected.reals, b, length, width, mask[b]),
                pooled(found.reals, b, length, width, mask[b])));
      }
    }
  }

  /** Batch, positions that the mask names, width. */
  private static boolean isSequence(long[] shape, long[][] mask) {
    return shape.length == 3
        && mask.length > 0
        && shape[0] == mask.length
        && shape[1] == mask[0].length
        && shape[2] >= NARROWEST_EMBEDDING
        && shape[2] <= WIDEST_EMBEDDING;
  }

  private static double[] pooled(double[] values, int b, int length, int width, long[] mask) {
    double[] sum = new double[width];
    for (int t = 0; t < length; t++) {
      if (mask[t] != 0) {
        for (int d = 0; d < width; d++) {
          sum[d] += values[(b * length + t) * width + d];
        }
      }
    }
    return sum;
  }

  /** Rows of an attention mask; none where there is no such input. */
  private static long[][] mask(OnnxTensor tensor) {
    if (tensor == null || tensor.getInfo().getShape().length != 2) {
      return new long[0][];
    }
    int rows = (int) tensor.getInfo().getShape()[0];
    int cols = (int) tensor.getInfo().getShape()[1];
    long[][] mask = new long[rows][cols];
    Buffer buffer =
        switch (tensor.getInfo().type) {
          case INT64 -> tensor.getLongBuffer();
          case INT32 -> tensor.getIntBuffer();
          case FLOAT -> tensor.getFloatBuffer();
          default -> tensor.getByteBuffer();
        };
    for (int i = 0; i < rows * cols; i++) {
      long value;
      if (buffer instanceof LongBuffer longs) {
        value = longs.get(i);
      } else if (buffer instanceof IntBuffer ints) {
        value = ints.get(i);
      } else if (buffer instanceof FloatBuffer floats) {
        value = floats.get(i) == 0 ? 0 : 1;
      } else {
        value = ((ByteBuffer) buffer).get(i);
      }
      mask[i / cols][i % cols] = value;
    }
    return mask;
  }

  /** Also converts 16-bit floats. */
  private static double[] floats(OnnxTensor tensor) {
    FloatBuffer buffer = tensor.getFloatBuffer();
    double[] out = new double[buffer.remaining()];
    for (int i = 0; i < out.length; i++) {
      out[i] = buffer.get(i);
    }
    return out;
  }

  private static double[] doubles(OnnxTensor tensor) {
    double[] out = new double[tensor.getDoubleBuffer().remaining()];
    tensor.getDoubleBuffer().get(out);
    return out;
  }

  private static byte[] bytes(OnnxTensor tensor) {
    ByteBuffer buffer = tensor.getByteBuffer();
    byte[] out = new byte[buffer.remaining()];
    buffer.get(out);
    return out;
  }

  /** 1 for equal vectors, also of zeros; 0 where sizes differ or a number is not finite. */
  public static double cosine(double[] a, double[] b) {
    if (Arrays.equals(a, b)) {
      return 1;
    }
    if (a.length != b.length) {
      return 0;
    }
    double ab = 0;
    double aa = 0;
    double bb = 0;
    for (int i = 0; i < a.length; i++) {
      ab += a[i] * b[i];
      aa += a[i] * a[i];
      bb += b[i] * b[i];
    }
    double cosine = ab / Math.sqrt(aa * bb);
    return Double.isFinite(cosine) ? Math.min(1, cosine) : 0;
  }

  private static double equalShare(byte[] a, byte[] b, int width) {
    if (a.length != b.length) {
      return 0;
    }
    int count = a.length / width;
    int equal = 0;
    for (int i = 0; i < count; i++) {
      int at = i * width;
      equal += Arrays.equals(a, at, at + width, b, at, at + width) ? 1 : 0;
    }
    return count == 0 ? 1 : (double) equal / count;
  }
}
