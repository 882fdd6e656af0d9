package io.pseed.converter.inputs;

import ai.onnxruntime.OnnxJavaType;
import ai.onnxruntime.OnnxTensor;
import ai.onnxruntime.OnnxValue;
import ai.onnxruntime.OrtEnvironment;
import ai.onnxruntime.OrtException;
import ai.onnxruntime.OrtSession;
import io.pseed.converter.calibrate.CalibrationInputs;
import io.pseed.converter.inputs.InputSignature.Input;
import io.pseed.onnx.OrtRuntime;
import java.nio.ByteBuffer;
import java.nio.FloatBuffer;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Random;

/**
 * Inputs for a model of which nothing is known but its graph: token numbers that its table has and
 * that fall like words, masks, positions; pictures; sounds in pieces, with the state that the model
 * gives back from piece to piece; plausible sizes. The same number gives the same inputs
 * everywhere.
 *
 * <p>They exercise a model, they are no data: what they say of an error is a hint.
 */
public final class GeneratedInputs implements CalibrationInputs {
  private static final long SEED = 0x70736565645F31L;

  /** Where the numbers of inputs for judging begin. */
  private static final int JUDGING = 1_000_000;

  /** Multiplications that all runs together may take, about. */
  private static final double WORK = 1e11;

  private static final int FEWEST = 8;
  private static final int MOST = 1024;

  /** A picture has many places; its gradients take several times what a run takes. */
  private static final int MOST_PICTURES = 48;

  /** Runs that continue one recording. */
  private static final int PIECES = 16;

  /** Tokens, special ones counted. */
  private static final int SHORTEST_TEXT = 8;

  private static final int LONGEST_TEXT = 48;

  /** Heights and widths that are tried, in this order, where a model leaves them open. */
  private static final int[][] PICTURES = {{224, 224}, {48, 320}, {640, 640}};

  /** The same for models that answer with a picture: of detection, segmentation, restoration. */
  private static final int[][] SCENES = {{320, 480}, {640, 640}, {224, 224}};

  /** The same for models that answer with a sequence: readers of lines. */
  private static final int[][] LINES = {{48, 320}, {32, 320}, {224, 224}};

  private final InputSignature signature;
  private final Map<String, long[]> told;
  private final int size;
  private final int first;
  private final int profile;
  private final boolean halfRate;
  private final Map<String, String> states;
  private final List<Map<String, float[]>> recorded;

  /**
   * Inputs for a model. Where {@link #profiles()} is not 1 or the model hands on a state, {@link
   * #thatRun} finds out more.
   *
   * @param told shapes by input name, where the user knows better; -1 for dimensions that stay open
   * @param size how many; 0: as many as the model's size and its inputs allow
   * @throws UnsupportedModelException where an input is no tensor of numbers, or there is none of a
   *     name in {@code told}
   */
  public GeneratedInputs(InputSignature signature, Map<String, long[]> told, int size)
      throws UnsupportedModelException {
    this(
        signature,
        Map.copyOf(told),
        size == 0 ? usualSize(signature, told) : size,
        0,
        0,
        false,
        states(signature),
        List.of());
    for (String name : told.keySet()) {
      if (signature.input(name) == null) {
        throw new UnsupportedModelException(
            "the model has no input '" + name + "'; its inputs are " + signature.names());
      }
    }
    for (Input input : signature.inputs()) {
      if (input.type() == OnnxJavaType.UNKNOWN) {
        throw new UnsupportedModelException(
            "input '"
                + input.name()
                + "' is no tensor of numbers, so no values can be made for it");
      }
      if (!input.ranked() && !told.containsKey(input.name())) {
        throw new UnsupportedModelException(
            "the graph does not say how many dimensions input '" + input.name() + "' has");
      }
    }
  }

  private GeneratedInputs(
      InputSignature signature,
      Map<String, long[]> told,
      int size,
      int first,
      int profile,
      boolean halfRate,
      Map<String, String> states,
      List<Map<String, float[]>> recorded) {
    this.signature = signature;
    this.told = told;
    this.size = size;
    this.first = first;
    this.profile = profile;
    this.halfRate = halfRate;
    this.states = states;
    this.recorded = recorded;
  }

  /** State inputs, and the outputs whose names begin with theirs: h and hn, state and stateN. */
  private static Map<String, String> states(InputSignature signature) {
    Map<String, String> states = new LinkedHashMap<>();
    for (Input input : signature.inputs()) {
      signature
          .outputs()
          .forEach(
              (name, shape) -> {
                if (isState(signature, input)
                    && shape.size() == input.shape().size()
                    && !name.equals(input.name())
                    && name.startsWith(input.name())
                    && name.length() <= input.name().length() + 4) {
                  states.putIfAbsent(input.name(), name);
                }
              });
    }
    return states;
  }

  /** One of several inputs, whose width the graph says, and no picture. */
  private static boolean isState(InputSignature signature, Input input) {
    long[] shape = declared(input, Map.of());
    return input.type() == OnnxJavaType.FLOAT
        && signature.inputs().size() > 1
        && shape.length >= 2
        && shape[shape.length - 1] >= 0
        && !isPicture(shape);
  }

  /** The same with other sizes of pictures. */
  private GeneratedInputs with(
      int otherProfile, boolean otherRate, List<Map<String, float[]>> otherStates) {
    return new GeneratedInputs(
        signature, told, size, first, otherProfile, otherRate, states, otherStates);
  }

  /**
   * The same inputs in sizes that a model takes, with the states that it hands on: its graph may
   * demand what its signature hides.
   *
   * @throws UnsupportedModelException where it runs with none
   */
  public GeneratedInputs thatRun(OrtSession original) throws UnsupportedModelException {
    OrtEnvironment environment = OrtRuntime.environment();
    String refusal = "it has no outputs";
    for (int p = 0; p < profiles(); p++) {
      try {
        GeneratedInputs tried = with(p, false, List.of());
        tried.run(original, environment, 0);
        return tried.withRates(original, environment).withStates(original, environment);
      } catch (OrtException e) {
        refusal = e.getMessage();
      }
    }
    throw new UnsupportedModelException(
        "the original does not run on generated inputs (" + refusal + ")");
  }

  private void run(OrtSession session, OrtEnvironment environment, int index) throws OrtException {
    Map<String, OnnxTensor> made = make(environment, index);
    try (OrtSession.Result result = session.run(made)) {
      if (result.size() == 0) {
        throw new OrtException("it has no outputs");
      }
    } finally {
      made.values().forEach(OnnxTensor::close);
    }
  }

  /** Half the sampling rate in some recordings, where the model takes it. */
  private GeneratedInputs withRates(OrtSession session, OrtEnvironment environment) {
    if (signature.inputs().stream().noneMatch(GeneratedInputs::isRate)) {
      return this;
    }
    GeneratedInputs tried = with(profile, true, List.of());
    try {
      tried.run(session, environment, PIECES);
      return tried;
    } catch (OrtException e) {
      return this; // One rate is all that the model takes.
    }
  }

  private GeneratedInputs withStates(OrtSession session, OrtEnvironment environment)
      throws OrtException {
    if (states.isEmpty()) {
      return this;
    }
    List<Map<String, float[]>> all = new ArrayList<>();
    GeneratedInputs growing = with(profile, halfRate, all);
    for (int i = 0; i < size; i++) {
      if (i % PIECES == 0) {
        all.add(Map.of());
      }
      Map<String, OnnxTensor> made = growing.make(environment, i);
      try (OrtSession.Result result = session.run(made)) {
        Map<String, float[]> next = new HashMap<>();
        for (Map.Entry<String, String> state : states.entrySet()) {
          OnnxValue value = result.get(state.getValue()).orElse(null);
          if (value instanceof OnnxTensor tensor && tensor.getInfo().type == OnnxJavaType.FLOAT) {
            FloatBuffer numbers = tensor.getFloatBuffer();
            float[] kept = new float[numbers.remaining()];
            numbers.get(kept);
            next.put(state.getKey(), kept);
          }
        }
        if ((i + 1) % PIECES != 0) {
          all.add(next);
        }
      } finally {
        made.values().forEach(OnnxTensor::close);
      }
    }
    return growing;
  }

  @Override
  public String description() {
    return size + " inputs generated from the graph's signature";
  }

  @Override
  public Origin origin() {
    return Origin.GENERATED;
  }

  @Override
  public int size() {
    return size;
  }

  /** Judging gets other numbers, so calibration loses none. States start at zero there. */
  @Override
  public Split split(int judging) {
    return new Split(this, forJudging(judging));
  }

  /** Inputs that no calibration meets. */
  public GeneratedInputs forJudging(int count) {
    return new GeneratedInputs(
        signature, told, count, first + JUDGING, profile, halfRate, states, List.of());
  }

  /** How many sets of sizes there are to try; 1 where no size of a picture is open. */
  int profiles() {
    for (Input input : signature.inputs()) {
      long[] shape = declared(input, told);
      if (isPicture(shape) && (shape[height(shape)] < 0 || shape[height(shape) + 1] < 0)) {
        return PICTURES.length;
      }
    }
    return 1;
  }

  /** As many as {@link #WORK} allows: the model's weights are used at so many places in a run. */
  private static int usualSize(InputSignature signature, Map<String, long[]> told) {
    double places = 1;
    boolean pictures = false;
    for (Input input : signature.inputs()) {
      long[] shape = declared(input, told);
      if (isPicture(shape)) {
        pictures = true;
        int[] usual = pictures(signature)[0];
        int h = height(shape);
        // Most weights of a picture's model stand where it is 16 times smaller.
        places =
            Math.max(
                places,
                (double) (shape[h] < 0 ? usual[0] : shape[h])
                    * (shape[h + 1] < 0 ? usual[1] : shape[h + 1])
                    / 256);
      } else if (shape.length >= 2) {
        long along = shape[shape.length - 1 - (shape.length > 2 && input.real() ? 1 : 0)];
        double length = along < 0 ? (SHORTEST_TEXT + LONGEST_TEXT) / 2.0 : (double) along;
        places = Math.max(places, input.real() ? length / 16 : length);
      }
    }
    double runs = WORK / Math.max(1, signature.multiplied() * places);
    return (int) Math.max(FEWEST, Math.min(pictures ? MOST_PICTURES : MOST, runs));
  }

  private static long[] declared(Input input, Map<String, long[]> told) {
    return told.containsKey(input.name())
        ? told.get(input.name()).clone()
        : input.shape().stream().mapToLong(d -> d).toArray();
  }

  private static int[][] pictures(InputSignature signature) {
    for (List<Long> shape : signature.outputs().values()) {
      if (shape.size() == 4) {
        return SCENES;
      }
      if (shape.size() == 3) {
        return LINES;
      }
    }
    return PICTURES;
  }

  @Override
  public Map<String, OnnxTensor> make(OrtEnvironment environment, int index) throws OrtException {
    Run run = new Run(first + index);
    Map<String, OnnxTensor> tensors = new LinkedHashMap<>();
    try {
      for (Input input : signature.inputs()) {
        long[] shape = run.shape(input);
        tensors.put(
            input.name(),
            OnnxTensor.createTensor(
                environment, run.values(input, shape, index), shape, input.type()));
      }
      return tensors;
    } catch (OrtException | RuntimeException e) {
      tensors.values().forEach(OnnxTensor::close);
      throw e;
    }
  }

  /** Batch, one or three colours, height, width; or the colours last. */
  private static boolean isPicture(long[] shape) {
    return shape.length == 4
        && (shape[1] < 0 || shape[1] == 1 || shape[1] == 3 || shape[3] == 1 || shape[3] == 3);
  }

  /** The dimension of the height; the width follows. */
  private static int height(long[] shape) {
    return (shape[1] != 1 && shape[1] != 3) && (shape[3] == 1 || shape[3] == 3) ? 1 : 2;
  }

  private static boolean isRate(Input input) {
    String name = input.name().toLowerCase(Locale.ROOT);
    return !input.real() && (name.equals("sr") || name.contains("sample_rate"));
  }

  /** The inputs of one run. */
  private final class Run {
    private final int number;
    private final Random random;
    private final int length;
    private final int rate;
    private final int soundLength;
    private final int second;
    private final Map<String, Long> named = new HashMap<>();

    Run(int number) {
      this.number = number;
      this.random = new Random(SEED + number);
      this.length = SHORTEST_TEXT + random.nextInt(LONGEST_TEXT - SHORTEST_TEXT + 1);
      // Every eighth text is a pair.
      this.second = number % 8 == 7 ? length * 2 / 3 : length;
      this.rate = halfRate && number / PIECES % 4 == 1 ? 8_000 : 16_000;
      this.soundLength = rate * 32 / 1000;
    }

    /** Open dimensions: 1 for the batch, a sensible size elsewhere; equal names are equal. */
    long[] shape(Input input) {
      long[] shape = declared(input, told);
      for (int d = 0; d < shape.length; d++) {
        if (shape[d] < 0) {
          String name = d < input.dimensions().size() ? input.dimensions().get(d) : "";
          long open = open(input, d, shape, name.toLowerCase(Locale.ROOT));
          // A question mark is what exporters write that know no name.
          shape[d] =
              name.isEmpty() || name.equals("?") ? open : named.computeIfAbsent(name, key -> open);
        }
      }
      return shape;
    }

    private long open(Input input, int d, long[] shape, String name) {
      if (name.contains("batch") || (d == 0 && shape.length > 1)) {
        return 1;
      }
      if (states.containsKey(input.name())) {
        return 1;
      }
      if (name.contains("past") && !name.contains("+")) {
        return 0;
      }
      if (isPicture(shape) && (input.real() || input.type() == OnnxJavaType.UINT8)) {
        int h = height(shape);
        return d < h || d > h + 1 ? 3 : pictures(signature)[profile][d - h];
      }
      if (input.real() && (sounds(name) || shape.length == 2)) {
        return soundLength;
      }
      return length;
    }

    private static boolean sounds(String name) {
      return name.contains("sample")
          || name.contains("audio")
          || name.contains("wave")
          || name.contains("speech");
    }

    ByteBuffer values(Input input, long[] shape, int index) {
      int count = Math.toIntExact(Values.count(shape));
      ByteBuffer out = Values.allocate(input.type(), count);
      if (states.containsKey(input.name())) {
        state(out, input, count, index);
      } else if (isPicture(shape) && (input.real() || input.type() == OnnxJavaType.UINT8)) {
        picture(out, input, shape);
      } else if (input.real()) {
        reals(out, input, shape, count);
      } else {
        integers(out, input, shape, count);
      }
      return out.flip();
    }

    /** What the model gave in the run before; without it zeros, and small numbers now and then. */
    private void state(ByteBuffer out, Input input, int count, int index) {
      float[] before = index < recorded.size() ? recorded.get(index).get(input.name()) : null;
      boolean start = number % PIECES == 0 || index < recorded.size();
      for (int i = 0; i < count; i++) {
        double value = 0;
        if (before != null && before.length == count) {
          value = before[i];
        } else if (!start) {
          value = 0.3 * random.nextGaussian();
        }
        Values.putReal(out, input.type(), Math.max(-1e4, Math.min(1e4, value)));
      }
    }

    /** Half of the pictures as -1 to 1, half by ImageNet's mean and deviation: both are usual. */
    private void picture(ByteBuffer out, Input input, long[] shape) {
      int h = height(shape);
      int channels = (int) shape[h == 1 ? 3 : 1];
      int rows = Math.toIntExact(shape[h]);
      int columns = Math.toIntExact(shape[h + 1]);
      InputFiles.Levels levels =
          !input.real()
              ? InputFiles.Levels.BYTES
              : channels == 3 && number % 2 == 0
                  ? InputFiles.Levels.IMAGENET
                  : InputFiles.Levels.SIGNED;
      int plane = rows * columns;
      for (long b = 0; b < shape[0] && plane > 0; b++) {
        GeneratedImage image = new GeneratedImage(channels, rows, columns, random);
        for (int i = 0; i < channels * plane; i++) {
          int channel = h == 1 ? i % channels : i / plane;
          double level =
              levels.of(image.level(channel, h == 1 ? i / channels : i % plane), channel);
          if (input.real()) {
            Values.putReal(out, input.type(), level);
          } else {
            Values.putInteger(out, input.type(), Math.round(level));
          }
        }
      }
    }

    private void reals(ByteBuffer out, Input input, long[] shape, int count) {
      int width = shape.length == 0 ? 1 : (int) shape[shape.length - 1];
      String lower = input.name().toLowerCase(Locale.ROOT);
      if (lower.contains("mask")) {
        for (int i = 0; i < count; i++) {
          Values.putReal(out, input.type(), 1);
        }
        return;
      }
      boolean open = !input.shape().isEmpty() && input.shape().get(input.shape().size() - 1) < 0;
      if (sounds(lower) || (shape.length == 2 && open) || (width >= 400 && shape.length <= 3)) {
        sound(out, input, count, width);
        return;
      }
      // Features: along the dimension before the last they change slowly.
      double[] slow = new double[Math.max(1, width)];
      for (int i = 0; i < count; i++) {
        int at = i % Math.max(1, width);
        slow[at] = i < width ? random.nextGaussian() : 0.8 * slow[at] + 0.6 * random.nextGaussian();
        Values.putReal(out, input.type(), slow[at]);
      }
    }

    private void sound(ByteBuffer out, Input input, int count, int width) {
      int piece = states.isEmpty() ? 0 : number % PIECES;
      for (int done = 0; done < count; done += width) {
        Random recording = new Random(SEED - 1 - (number - piece) - 31L * done);
        double[] sound = GeneratedSound.of((piece + 1) * width, rate, recording);
        for (int i = 0; i < width; i++) {
          Values.putReal(out, input.type(), sound[piece * width + i]);
        }
      }
    }

    private void integers(ByteBuffer out, Input input, long[] shape, int count) {
      String lower = input.name().toLowerCase(Locale.ROOT);
      int width = shape.length == 0 ? 1 : (int) Math.max(1, shape[shape.length - 1]);
      int there = Math.min(length, width);
      GeneratedTokens tokens = null;
      for (int i = 0; i < count; i++) {
        int at = i % width;
        long value;
        if (lower.contains("use_cache")) {
          value = 0;
        } else if (input.type() == OnnxJavaType.BOOL || lower.contains("mask")) {
          value = shape.length < 2 || at < there ? 1 : 0;
        } else if (lower.contains("token_type") || lower.contains("segment")) {
          value = input.tableRows() > 1 && at >= second && at < there ? 1 : 0;
        } else if (lower.contains("position")) {
          value = input.tableRows() > 0 ? Math.min(at, input.tableRows() - 1) : at;
        } else if (isRate(input)) {
          value = rate;
        } else if (input.tableRows() > 0) {
          if (at == 0) {
            tokens = new GeneratedTokens(input.tableRows(), there, random);
          }
          value = tokens.at(at);
        } else if (lower.contains("length") || lower.contains("lens")) {
          value = length;
        } else {
          value = 1;
        }
        Values.putInteger(out, input.type(), value);
      }
    }
  }
}
