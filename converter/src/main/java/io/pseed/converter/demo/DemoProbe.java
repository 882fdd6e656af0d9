package io.pseed.converter.demo;

import ai.onnxruntime.OrtException;
import ai.onnxruntime.OrtSession;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.pseed.onnx.OrtRuntime;
import io.pseed.onnx.PseedSession;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;

/**
 * Measures one variant of the model in a process of its own: arguments are the kind of file ({@code
 * onnx} or {@code pseed}), the file, the tokenizer, a file of sentences and the file for the
 * result.
 */
public final class DemoProbe {
  private static final int LOADS = 5;
  private static final int WARM_UP_RUNS = 20;
  private static final int TIMED_RUNS = 100;
  private static final Path STATUS = Path.of("/proc/self/status");

  private DemoProbe() {}

  /** Runs the measurement. */
  public static void main(String[] args) throws IOException, OrtException {
    boolean pseed = args[0].equals("pseed");
    Path model = Path.of(args[1]);
    List<String> sentences = Files.readAllLines(Path.of(args[3]), StandardCharsets.UTF_8);
    ObjectNode result = new JsonMapper().createObjectNode();
    double[] loadMs = new double[LOADS];
    try (SentenceEncoder encoder = new SentenceEncoder(Path.of(args[2]))) {
      OrtSession session = null;
      for (int i = 0; i < LOADS; i++) {
        if (session != null) {
          session.close();
        }
        long start = System.nanoTime();
        session = open(pseed, model);
        loadMs[i] = (System.nanoTime() - start) / 1e6;
        if (i == 0) {
          // What an application sees: one load, one run. More loads would count twice.
          encoder.encode(session, sentences.get(0));
          result.put("peakKiB", peakKiB());
          result.put("firstLoadMs", loadMs[0]);
        }
      }
      Arrays.sort(loadMs);
      result.put("loadMs", loadMs[LOADS / 2]);
      result.put("latencyMs", latencyMs(encoder, session, sentences.get(0)));
      ArrayNode embeddings = result.putArray("embeddings");
      for (String sentence : sentences) {
        ArrayNode row = embeddings.addArray();
        for (float value : encoder.encode(session, sentence)) {
          row.add(value);
        }
      }
      session.close();
    }
    Files.writeString(Path.of(args[4]), result.toString(), StandardCharsets.UTF_8);
    // Libraries of the tokenizer may have left threads behind.
    System.exit(0);
  }

  private static OrtSession open(boolean pseed, Path model) throws IOException, OrtException {
    if (pseed) {
      return PseedSession.open(model);
    }
    try (OrtSession.SessionOptions options = new OrtSession.SessionOptions()) {
      return OrtRuntime.environment().createSession(model.toString(), options);
    }
  }

  private static double latencyMs(SentenceEncoder encoder, OrtSession session, String sentence)
      throws OrtException {
    for (int i = 0; i < WARM_UP_RUNS; i++) {
      encoder.encode(session, sentence);
    }
    double[] times = new double[TIMED_RUNS];
    for (int i = 0; i < times.length; i++) {
      long start = System.nanoTime();
      encoder.encode(session, sentence);
      times[i] = (System.nanoTime() - start) / 1e6;
    }
    Arrays.sort(times);
    return times[times.length / 2];
  }

  /** Largest resident memory of this process so far; -1 where the system does not tell. */
  private static long peakKiB() throws IOException {
    if (!Files.isReadable(STATUS)) {
      return -1;
    }
    for (String line : Files.readAllLines(STATUS, StandardCharsets.UTF_8)) {
      if (line.startsWith("VmHWM:")) {
        return Long.parseLong(line.replaceAll("\\D", ""));
      }
    }
    return -1;
  }
}
