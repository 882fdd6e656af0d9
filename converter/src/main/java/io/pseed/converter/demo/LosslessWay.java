package io.pseed.converter.demo;

import ai.onnxruntime.OnnxJavaType;
import ai.onnxruntime.OnnxTensor;
import ai.onnxruntime.OnnxValue;
import ai.onnxruntime.OrtEnvironment;
import ai.onnxruntime.OrtException;
import ai.onnxruntime.OrtLoggingLevel;
import ai.onnxruntime.OrtSession;
import io.pseed.converter.Converter;
import io.pseed.converter.ProgressListener;
import io.pseed.converter.encode.Workers;
import io.pseed.converter.export.onnx.OnnxExporter;
import io.pseed.converter.inputs.GeneratedInputs;
import io.pseed.converter.inputs.InputSignature;
import io.pseed.converter.inputs.UnsupportedModelException;
import io.pseed.converter.plan.Plan;
import io.pseed.converter.plan.TensorPlan;
import io.pseed.converter.source.onnx.OnnxModelSource;
import io.pseed.format.PseedReader;
import io.pseed.onnx.OrtRuntime;
import io.pseed.onnx.PseedSession;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;

/**
 * A model through a {@code .pseed} file that keeps every weight as it is: what the export and the
 * session in Java answer must be the original's answers, bit for bit, in the same runtime.
 */
final class LosslessWay {
  /** One thread: sums in a fixed order. */
  private static final int THREADS = 1;

  private LosslessWay() {}

  /**
   * What was compared.
   *
   * @param tensors that went through the file
   * @param bytes of these
   * @param outputs of all runs, of each of both ways
   * @param unequal of these
   * @param unequalPrepacked of these where the runtime may lay weights out anew at load, which it
   *     does for an LSTM only where they stand in the LSTM's own graph, and which changes last bits
   */
  record Outcome(int tensors, long bytes, int outputs, int unequal, int unequalPrepacked) {}

  /**
   * Converts without loss into {@code workDir}, which is left as it was, and compares.
   *
   * @param runs number of generated inputs
   * @throws UnsupportedModelException where no inputs can be made
   */
  static Outcome check(Path model, Path workDir, int runs)
      throws IOException, OrtException, UnsupportedModelException {
    Path pseed = workDir.resolve("lossless.pseed");
    Path exported = workDir.resolve("lossless.onnx");
    try (OnnxModelSource source = OnnxModelSource.open(model);
        Workers workers = new Workers(1)) {
      Plan plan =
          new Plan(
              source.tensors().stream()
                  .map(tensor -> TensorPlan.raw(tensor.name(), "asked for"))
                  .toList());
      new Converter(workers, ProgressListener.NONE).convert(source, plan, pseed);
      try (PseedReader reader = PseedReader.open(pseed)) {
        OnnxExporter.export(reader, exported);
      }
      InputSignature signature = new InputSignature(source.graph());
      int[] prepacked = compare(model, exported, pseed, signature, runs, LosslessWay::set);
      int[] plain = prepacked;
      if (prepacked[1] > 0) {
        plain = compare(model, exported, pseed, signature, runs, LosslessWay::setPlain);
      }
      long bytes = source.tensors().stream().mapToLong(tensor -> tensor.byteSize()).sum();
      return new Outcome(source.tensors().size(), bytes, plain[0], plain[1], prepacked[1]);
    } finally {
      Files.deleteIfExists(pseed);
      Files.deleteIfExists(exported);
    }
  }

  /** Number of outputs, and of those with other bits. */
  private static int[] compare(
      Path model,
      Path exported,
      Path pseed,
      InputSignature signature,
      int runs,
      PseedSession.OptionsConfigurer configurer)
      throws IOException, OrtException, UnsupportedModelException {
    OrtEnvironment environment = OrtRuntime.environment();
    try (OrtSession.SessionOptions options = new OrtSession.SessionOptions()) {
      configurer.configure(options);
      try (OrtSession original = environment.createSession(model.toString(), options);
          OrtSession written = environment.createSession(exported.toString(), options);
          OrtSession opened = PseedSession.builder().configure(configurer).open(pseed)) {
        GeneratedInputs inputs = new GeneratedInputs(signature, Map.of(), runs).thatRun(original);
        int outputs = 0;
        int unequal = 0;
        for (int i = 0; i < inputs.size(); i++) {
          Map<String, OnnxTensor> made = inputs.make(environment, i);
          try {
            List<Object> expected = run(original, made);
            for (OrtSession session : List.of(written, opened)) {
              List<Object> found = run(session, made);
              for (int k = 0; k < expected.size(); k++) {
                outputs++;
                unequal += expected.get(k).equals(found.get(k)) ? 0 : 1;
              }
            }
          } finally {
            made.values().forEach(OnnxTensor::close);
          }
        }
        return new int[] {outputs, unequal};
      }
    }
  }

  private static void setPlain(OrtSession.SessionOptions options) throws OrtException {
    set(options);
    options.addConfigEntry("session.disable_prepacking", "1");
  }

  private static void set(OrtSession.SessionOptions options) throws OrtException {
    options.setIntraOpNumThreads(THREADS);
    options.setInterOpNumThreads(THREADS);
    options.setSessionLogLevel(OrtLoggingLevel.ORT_LOGGING_LEVEL_FATAL);
  }

  /** Shape and bits of every output; what has no bits as text. */
  private static List<Object> run(OrtSession session, Map<String, OnnxTensor> inputs)
      throws OrtException {
    List<Object> outputs = new ArrayList<>();
    try (OrtSession.Result result = session.run(inputs)) {
      for (Map.Entry<String, OnnxValue> entry : result) {
        if (entry.getValue() instanceof OnnxTensor tensor
            && tensor.getInfo().type != OnnxJavaType.STRING) {
          ByteBuffer data = tensor.getByteBuffer();
          byte[] bytes = new byte[data.remaining()];
          data.get(bytes);
          outputs.add(
              List.of(
                  entry.getKey(),
                  Arrays.toString(tensor.getInfo().getShape()),
                  ByteBuffer.wrap(bytes)));
        } else {
          Object value = entry.getValue().getValue();
          outputs.add(
              value instanceof Object[] array ? Arrays.deepToString(array) : String.valueOf(value));
        }
      }
    }
    return outputs;
  }
}
