package io.pseed.converter.bench;

import ai.onnxruntime.OrtException;
import ai.onnxruntime.OrtLoggingLevel;
import ai.onnxruntime.OrtSession;
import io.pseed.converter.calibrate.CalibrationInputs;
import io.pseed.converter.demo.ModelTable.ModelFiles;
import io.pseed.converter.export.onnx.OnnxExporter;
import io.pseed.converter.inputs.GeneratedInputs;
import io.pseed.converter.inputs.InputSignature;
import io.pseed.converter.inputs.TextInputs;
import io.pseed.converter.inputs.UnsupportedModelException;
import io.pseed.converter.source.SourceTensor;
import io.pseed.converter.source.onnx.OnnxModelSource;
import io.pseed.converter.verify.Baselines;
import io.pseed.converter.verify.Judge;
import io.pseed.converter.verify.Judgement;
import io.pseed.converter.verify.RoundToNearest;
import io.pseed.format.PseedReader;
import io.pseed.format.TensorRecord;
import io.pseed.onnx.OrtRuntime;
import io.pseed.onnx.PseedOpLibrary;
import io.pseed.onnx.PseedSession;
import io.pseed.onnx.RecordDecoder;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Consumer;

/**
 * One model in every form side by side, in one run: size, fidelity, what loading and running cost,
 * how fast it is made and decoded.
 */
public final class PerformancePage {
  private static final int GENERATED = 32;
  private static final int TEXTS = 64;

  private final Path workDir;
  private final int[] rates;
  private final LoadBench loads;
  private final Conversion conversion;
  private final Consumer<String> say;

  /** Converts as the command does. */
  @FunctionalInterface
  public interface Conversion {
    /**
     * Converts.
     *
     * @param bits a weight
     * @return empty where the file was written, else what went wrong
     */
    Optional<String> convert(Path model, Optional<Path> tokenizer, int bits, Path target)
        throws IOException;
  }

  /**
   * One form of a model. What was not measured is NaN or -1.
   *
   * @param what which form
   * @param bytes everything that is shipped
   * @param mean cosine to FP32 of the worst output, over the runs
   * @param lowest of all runs
   * @param way what loading and running cost; empty where there is no file of that form
   * @param encode millions of weights made in a second
   * @param decode millions of weights decoded in a second, by one thread
   */
  public record Form(
      String what,
      long bytes,
      double mean,
      double lowest,
      Optional<LoadBench.Way> way,
      double encode,
      double decode) {}

  /**
   * A model's forms.
   *
   * @param weights of its float tensors
   * @param judged what was compared, on what
   */
  public record Page(String model, long weights, String judged, List<Form> forms) {
    /** Forms are a copy. */
    public Page {
      forms = List.copyOf(forms);
    }
  }

  private record Draft(
      String what,
      long bytes,
      Judgement judged,
      String way,
      Path file,
      double encode,
      double decode) {}

  /**
   * @param rates bits a weight of pseed's rows
   * @param batch first dimension of the inputs that are timed
   * @param threads of ONNX Runtime
   * @param rounds times that each form is loaded
   */
  public PerformancePage(
      Path workDir,
      int[] rates,
      int batch,
      int threads,
      int rounds,
      Conversion conversion,
      Consumer<String> say) {
    this.workDir = workDir;
    this.rates = rates.clone();
    this.loads = new LoadBench(workDir, new int[] {batch}, threads, rounds, say);
    this.conversion = conversion;
    this.say = say;
  }

  /**
   * Measures a model.
   *
   * @throws BenchException where a form cannot be made or measured
   */
  public Page run(ModelFiles model) throws IOException, OrtException {
    try (OnnxModelSource source = OnnxModelSource.open(model.original());
        OrtSession original = session(model.original())) {
      Judge judge = new Judge(original, inputs(source, original, model));
      long weights = 0;
      for (SourceTensor tensor : source.tensors()) {
        weights += tensor.dtype().isCoded() ? TensorRecord.elementCount(tensor.shape()) : 0;
      }
      List<Draft> drafts = new ArrayList<>();
      say.accept(model.name() + ": FP32, FP16, int8, int4");
      long size = Files.size(model.original());
      drafts.add(
          new Draft(
              "FP32",
              size,
              judge.judge(original),
              "plain",
              model.original(),
              Double.NaN,
              Double.NaN));
      Baselines rounded = new Baselines(source);
      for (RoundToNearest kind : RoundToNearest.values()) {
        drafts.add(rounded(kind, rounded, judge, source));
        if (kind == RoundToNearest.INT8 && model.shipped().isPresent()) {
          Path file = model.shipped().get();
          try (OrtSession session = session(file)) {
            drafts.add(
                new Draft(
                    "int8, as shipped",
                    Files.size(file),
                    judge.judge(session),
                    "plain",
                    file,
                    Double.NaN,
                    Double.NaN));
          }
        }
      }
      say.accept(model.name() + ": zstd -19");
      ZstdFile.Result packed = ZstdFile.measure(model.original(), workDir);
      drafts.add(
          new Draft(
              "FP32, zstd -19",
              packed.bytes(),
              judge.judge(original),
              "",
              model.original(),
              weights / 1e6 / packed.encodeSeconds(),
              weights / 1e6 / packed.decodeSeconds()));
      for (int bits : rates) {
        drafts.addAll(seeded(bits, model, judge, weights));
      }
      return new Page(model.name(), weights, judge.inputs().description(), forms(model, drafts));
    } catch (UnsupportedModelException e) {
      throw new BenchException(model.original() + ": " + e.getMessage());
    }
  }

  private Draft rounded(RoundToNearest kind, Baselines rounded, Judge judge, OnnxModelSource source)
      throws IOException, OrtException, UnsupportedModelException {
    Baselines.Baseline found = rounded.judge(judge, kind);
    if (kind != RoundToNearest.FP16) {
      return new Draft(
          kind.label() + ", rounded",
          found.bytes(),
          found.judgement(),
          "",
          null,
          Double.NaN,
          Double.NaN);
    }
    Path file = workDir.resolve("half.onnx");
    HalfModel.write(source, file);
    return new Draft(
        "FP16 weights", Files.size(file), found.judgement(), "plain", file, Double.NaN, Double.NaN);
  }

  /** The file in Java, and what is exported with the op library. */
  private List<Draft> seeded(int bits, ModelFiles model, Judge judge, long weights)
      throws IOException, OrtException, UnsupportedModelException {
    say.accept(model.name() + ": pseed at " + bits + " bits");
    Path pseed = workDir.resolve(model.name() + "-" + bits + ".pseed");
    Files.deleteIfExists(pseed);
    long start = System.nanoTime();
    Optional<String> refused = conversion.convert(model.original(), model.tokenizer(), bits, pseed);
    double seconds = (System.nanoTime() - start) / 1e9;
    if (refused.isPresent()) {
      throw new BenchException(model.name() + " at " + bits + " bits: " + refused.get());
    }
    Judgement judgement;
    try (OrtSession session = PseedSession.open(pseed)) {
      judgement = judge.judge(session);
    }
    Path exported = workDir.resolve(model.name() + "-" + bits + ".onnx");
    double decode;
    try (PseedReader reader = PseedReader.open(pseed)) {
      OnnxExporter.export(reader, exported);
      decode = new DecodeRate(reader).of(RecordDecoder.ofThisProcess()) / 1e6;
    }
    double encode = weights / 1e6 / seconds;
    String name = "pseed, " + bits + " bits";
    List<Draft> drafts = new ArrayList<>();
    drafts.add(new Draft(name, Files.size(pseed), judgement, "java", pseed, encode, decode));
    if (PseedOpLibrary.isAvailable()) {
      drafts.add(
          new Draft(
              name + ", op library",
              Files.size(exported),
              judgement,
              "library",
              exported,
              encode,
              Double.NaN));
    } else {
      say.accept("skipped: the op library, because " + PseedOpLibrary.unavailable().orElseThrow());
    }
    return drafts;
  }

  private List<Form> forms(ModelFiles model, List<Draft> drafts) throws IOException, OrtException {
    List<LoadBench.Subject> subjects = new ArrayList<>();
    for (Draft draft : drafts) {
      if (!draft.way.isEmpty()) {
        subjects.add(new LoadBench.Subject(draft.what, draft.way, draft.file, draft.bytes));
      }
    }
    Map<String, LoadBench.Way> ways = new HashMap<>();
    loads.measure(model.original(), subjects).forEach(way -> ways.put(way.name(), way));
    List<Form> forms = new ArrayList<>();
    for (Draft draft : drafts) {
      forms.add(
          new Form(
              draft.what,
              draft.bytes,
              draft.judged.worst().mean(),
              draft.judged.worst().min(),
              Optional.ofNullable(ways.get(draft.what)),
              draft.encode,
              draft.decode));
    }
    return forms;
  }

  private static CalibrationInputs inputs(
      OnnxModelSource source, OrtSession original, ModelFiles model)
      throws IOException, UnsupportedModelException {
    InputSignature signature = new InputSignature(source.graph());
    if (model.tokenizer().isPresent()) {
      return TextInputs.heldOut(signature, model.tokenizer().get(), TEXTS);
    }
    return new GeneratedInputs(signature, Map.of(), GENERATED)
        .forJudging(GENERATED)
        .thatRun(original);
  }

  private static OrtSession session(Path model) throws OrtException {
    try (OrtSession.SessionOptions options = new OrtSession.SessionOptions()) {
      options.setSessionLogLevel(OrtLoggingLevel.ORT_LOGGING_LEVEL_FATAL);
      return OrtRuntime.environment().createSession(model.toString(), options);
    }
  }
}
