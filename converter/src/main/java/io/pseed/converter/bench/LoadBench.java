package io.pseed.converter.bench;

import ai.onnxruntime.OnnxTensor;
import ai.onnxruntime.OrtEnvironment;
import ai.onnxruntime.OrtException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.pseed.converter.demo.ChildJvm;
import io.pseed.converter.export.onnx.OnnxExporter;
import io.pseed.converter.inputs.GeneratedInputs;
import io.pseed.converter.inputs.InputSignature;
import io.pseed.converter.inputs.UnsupportedModelException;
import io.pseed.converter.source.onnx.OnnxModelSource;
import io.pseed.format.PseedReader;
import io.pseed.onnx.OrtRuntime;
import io.pseed.onnx.PseedOpLibrary;
import io.pseed.onnx.RecordDecoder;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Base64;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.DoubleStream;

/** Measures what each way to load a model costs, each in processes of its own, in turn. */
public final class LoadBench {
  private static final Pattern DECODED = Pattern.compile("decoded (\\d+) records");
  private static final Pattern CLOSED =
      Pattern.compile("closed after (\\d+) runs; (\\d+) records were decoded .*?, (\\d+)");

  private final Path workDir;
  private final int[] batches;
  private final int threads;
  private final int rounds;
  private final Consumer<String> say;

  /**
   * One way, measured.
   *
   * @param name for the table
   * @param fileBytes everything that is shipped
   * @param firstLoadMs the first session of a process, in the quietest round: what else a machine
   *     does only adds to times
   * @param loadMs later ones, the shortest
   * @param latencyMs of one run, by batch size: the first decile, in the quietest round
   * @param peakBytes most resident memory after the first run; -1 unknown
   * @param steadyBytes memory of its own after the first run; -1 unknown
   * @param decoded what the runtime says of decoding
   */
  @SuppressWarnings("ArrayRecordComponent") // A row of a table; nobody changes it.
  public record Way(
      String name,
      long fileBytes,
      double firstLoadMs,
      double loadMs,
      double[] latencyMs,
      long peakBytes,
      long steadyBytes,
      String decoded) {}

  /**
   * What is measured.
   *
   * @param name for the table
   * @param way {@code plain}, {@code java} or {@code library}
   * @param file what is opened
   * @param bytes everything that is shipped
   */
  record Subject(String name, String way, Path file, long bytes) {}

  /**
   * @param workDir for exported models and answers; created where it is missing
   * @param batches first dimension of the inputs where the model leaves it open
   * @param threads of ONNX Runtime
   * @param rounds times that each way is measured
   */
  public LoadBench(Path workDir, int[] batches, int threads, int rounds, Consumer<String> say) {
    this.workDir = workDir;
    this.batches = batches.clone();
    this.threads = threads;
    this.rounds = rounds;
    this.say = say;
  }

  /**
   * Measures the original, the portable export, the Java runtime and the op library.
   *
   * @throws BenchException where a process that measures fails
   */
  public List<Way> run(Path original, Path pseed) throws IOException, OrtException {
    Files.createDirectories(workDir);
    Path exported = workDir.resolve("exported.onnx");
    try (PseedReader reader = PseedReader.open(pseed)) {
      OnnxExporter.export(reader, exported);
    }
    List<Subject> subjects = new ArrayList<>();
    subjects.add(new Subject("FP32 file", "plain", original, Files.size(original)));
    subjects.add(new Subject("portable .onnx", "plain", exported, Files.size(exported)));
    subjects.add(new Subject(".pseed in Java", "java", pseed, Files.size(pseed)));
    if (PseedOpLibrary.isAvailable()) {
      subjects.add(new Subject(".onnx, op library", "library", exported, Files.size(exported)));
    } else {
      say.accept("skipped: the op library, because " + PseedOpLibrary.unavailable().orElseThrow());
    }
    return measure(original, subjects);
  }

  /**
   * Measures models in turn, so that what else the machine does meets all of them.
   *
   * @param original makes the inputs
   */
  List<Way> measure(Path original, List<Subject> subjects) throws IOException, OrtException {
    List<String> inputs = inputs(original);
    List<List<JsonNode>> answers = new ArrayList<>();
    subjects.forEach(subject -> answers.add(new ArrayList<>()));
    for (int round = 1; round <= rounds; round++) {
      say.accept("measuring, round " + round + " of " + rounds);
      for (int i = 0; i < subjects.size(); i++) {
        answers.get(i).add(probe(subjects.get(i), inputs));
      }
    }
    List<Way> ways = new ArrayList<>();
    for (int i = 0; i < subjects.size(); i++) {
      Subject subject = subjects.get(i);
      List<JsonNode> found = answers.get(i);
      double[] latency = new double[batches.length];
      for (int b = 0; b < batches.length; b++) {
        int batch = b;
        latency[b] =
            least(found.stream().mapToDouble(n -> n.get("latencyMs").get(batch).asDouble()));
      }
      ways.add(
          new Way(
              subject.name,
              subject.bytes,
              least(found.stream().mapToDouble(n -> n.get("firstLoadMs").asDouble())),
              least(found.stream().mapToDouble(n -> n.get("loadMs").asDouble())),
              latency,
              bytes(found, "peakKiB"),
              bytes(found, "steadyKiB"),
              decoded(subject, inputs)));
    }
    return ways;
  }

  private String decoded(Subject subject, List<String> inputs) throws IOException {
    return switch (subject.way) {
      case "library" -> counted(subject, inputs);
      case "java" ->
          RecordDecoder.ofThisProcess().isNative() ? "at load, native" : "at load, in Java";
      default -> subject.name.startsWith("FP32") ? "-" : "folded at load";
    };
  }

  /** What the library logs of a session with ten runs. */
  private String counted(Subject subject, List<String> inputs) throws IOException {
    Path log = workDir.resolve("count.log");
    List<String> arguments =
        List.of("count", subject.file.toString(), "" + threads, "-", inputs.get(0));
    if (ChildJvm.run(workDir, log, LoadProbe.class, arguments) != 0) {
      throw new BenchException("the process that counts decoded records failed; see " + log);
    }
    String text = Files.readString(log, StandardCharsets.UTF_8);
    Matcher closed = CLOSED.matcher(text);
    Matcher decoded = DECODED.matcher(text);
    if (!closed.find()) {
      return decoded.find() ? decoded.group(1) + " records at load" : "folded at load";
    }
    return closed.group(2) + " at load, " + closed.group(3) + " in " + closed.group(1) + " runs";
  }

  private JsonNode probe(Subject subject, List<String> inputs) throws IOException {
    Path answer = workDir.resolve("probe.json");
    Path log = workDir.resolve("probe.log");
    Files.deleteIfExists(answer);
    List<String> arguments = new ArrayList<>();
    arguments.addAll(List.of(subject.way, subject.file.toString(), "" + threads));
    arguments.add(answer.toString());
    arguments.addAll(inputs);
    int code = ChildJvm.run(workDir, log, LoadProbe.class, arguments);
    if (code != 0 || !Files.exists(answer)) {
      throw new BenchException(
          "the process that measures '"
              + subject.name
              + "' ended with exit code "
              + code
              + "; see "
              + log);
    }
    return new JsonMapper().readTree(answer.toFile());
  }

  /** Files of inputs, one for each batch size. */
  private List<String> inputs(Path original) throws IOException, OrtException {
    List<String> files = new ArrayList<>();
    OrtEnvironment environment = OrtRuntime.environment();
    try (OnnxModelSource source = OnnxModelSource.open(original)) {
      InputSignature signature = new InputSignature(source.graph());
      for (int batch : batches) {
        Map<String, long[]> told = new HashMap<>();
        for (InputSignature.Input input : signature.inputs()) {
          long[] shape = input.shape().stream().mapToLong(Long::longValue).toArray();
          if (shape.length > 0 && shape[0] < 0) {
            shape[0] = batch;
            told.put(input.name(), shape);
          }
        }
        ArrayNode all = new JsonMapper().createArrayNode();
        Map<String, OnnxTensor> made = new GeneratedInputs(signature, told, 1).make(environment, 0);
        made.forEach((name, tensor) -> write(all.addObject(), name, tensor));
        made.values().forEach(OnnxTensor::close);
        Path file = workDir.resolve("inputs-" + batch + ".json");
        Files.writeString(file, all.toString(), StandardCharsets.UTF_8);
        files.add(file.toString());
      }
    } catch (UnsupportedModelException e) {
      throw new BenchException(original + ": " + e.getMessage());
    }
    return files;
  }

  private static void write(ObjectNode node, String name, OnnxTensor tensor) {
    ByteBuffer data = tensor.getByteBuffer();
    byte[] bytes = new byte[data.remaining()];
    data.get(bytes);
    node.put("name", name).put("type", tensor.getInfo().type.name());
    ArrayNode shape = node.putArray("shape");
    Arrays.stream(tensor.getInfo().getShape()).forEach(shape::add);
    node.put("data", Base64.getEncoder().encodeToString(bytes));
  }

  private static long bytes(List<JsonNode> answers, String member) {
    double kib = median(answers.stream().mapToDouble(n -> n.get(member).asDouble()));
    return kib < 0 ? -1 : (long) (kib * 1024);
  }

  private static double least(DoubleStream values) {
    return values.min().orElseThrow();
  }

  private static double median(DoubleStream values) {
    double[] sorted = values.sorted().toArray();
    return sorted[sorted.length / 2];
  }
}
