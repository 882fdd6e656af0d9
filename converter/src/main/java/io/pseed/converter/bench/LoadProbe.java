package io.pseed.converter.bench;

import ai.onnxruntime.OnnxJavaType;
import ai.onnxruntime.OnnxTensor;
import ai.onnxruntime.OrtEnvironment;
import ai.onnxruntime.OrtException;
import ai.onnxruntime.OrtLoggingLevel;
import ai.onnxruntime.OrtSession;
import ai.onnxruntime.OrtSession.SessionOptions;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.pseed.onnx.OrtRuntime;
import io.pseed.onnx.PseedOpLibrary;
import io.pseed.onnx.PseedSession;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Base64;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * Measures one way to load a model, in a process of its own: arguments are the way, the file, the
 * number of threads, the file for the result and a file of inputs for each batch size. The way
 * {@code count} loads with the library and logs what it decodes.
 */
public final class LoadProbe {
  private static final int LOADS = 5;
  private static final int SHORTEST_SECONDS = 1;
  private static final int FEWEST_RUNS = 8;
  private static final int COUNTED_RUNS = 10;
  private static final Path STATUS = Path.of("/proc/self/status");

  private LoadProbe() {}

  /** Runs the measurement. */
  public static void main(String[] args) throws IOException, OrtException {
    String way = args[0];
    Path model = Path.of(args[1]);
    int threads = Integer.parseInt(args[2]);
    if (way.equals("count")) {
      count(model, threads, Path.of(args[4]));
      return;
    }
    ObjectNode result = new JsonMapper().createObjectNode();
    OrtEnvironment environment = OrtRuntime.environment();
    Map<String, OnnxTensor> first = inputs(environment, Path.of(args[4]));
    double[] loads = new double[LOADS];
    OrtSession session = null;
    for (int i = 0; i < LOADS; i++) {
      if (session != null) {
        session.close();
      }
      long start = System.nanoTime();
      session = open(way, model, threads, false);
      loads[i] = (System.nanoTime() - start) / 1e6;
      if (i == 0) {
        session.run(first).close();
        result.put("firstLoadMs", loads[0]);
        result.put("peakKiB", memory("VmHWM:"));
        System.gc();
        result.put("steadyKiB", memory("RssAnon:"));
      }
    }
    result.put("loadMs", Arrays.stream(loads, 1, LOADS).min().orElseThrow());
    ArrayNode latencies = result.putArray("latencyMs");
    for (int i = 4; i < args.length; i++) {
      latencies.add(latencyMs(session, inputs(environment, Path.of(args[i]))));
    }
    session.close();
    Files.writeString(Path.of(args[3]), result.toString(), StandardCharsets.UTF_8);
  }

  private static void count(Path model, int threads, Path inputs) throws IOException, OrtException {
    OrtEnvironment environment =
        OrtEnvironment.getEnvironment(OrtLoggingLevel.ORT_LOGGING_LEVEL_INFO, "bench");
    try (OrtSession session = open("library", model, threads, true)) {
      for (int i = 0; i < COUNTED_RUNS; i++) {
        session.run(inputs(environment, inputs)).close();
      }
    }
  }

  private static OrtSession open(String way, Path model, int threads, boolean verbose)
      throws IOException, OrtException {
    if (way.equals("java")) {
      return PseedSession.builder()
          .configure(options -> options.setIntraOpNumThreads(threads))
          .open(model);
    }
    try (SessionOptions options = new SessionOptions()) {
      options.setIntraOpNumThreads(threads);
      if (verbose) {
        options.setSessionLogLevel(OrtLoggingLevel.ORT_LOGGING_LEVEL_INFO);
      }
      if (way.equals("library")) {
        PseedOpLibrary.register(options);
      }
      return OrtRuntime.environment().createSession(model.toString(), options);
    }
  }

  /** What the fastest tenth of the runs of a second stays below; there are at least 8 runs. */
  private static double latencyMs(OrtSession session, Map<String, OnnxTensor> inputs)
      throws OrtException {
    double[] times = new double[1 << 16];
    int n = 0;
    long end = System.nanoTime() + SHORTEST_SECONDS * 1_000_000_000L;
    for (int warm = 0; warm < FEWEST_RUNS / 4; warm++) {
      session.run(inputs).close();
    }
    while (n < times.length && (n < FEWEST_RUNS || System.nanoTime() < end)) {
      long start = System.nanoTime();
      session.run(inputs).close();
      times[n++] = (System.nanoTime() - start) / 1e6;
    }
    Arrays.sort(times, 0, n);
    return times[n / 10];
  }

  /** What {@link LoadBench} wrote. */
  private static Map<String, OnnxTensor> inputs(OrtEnvironment environment, Path file)
      throws IOException, OrtException {
    Map<String, OnnxTensor> inputs = new LinkedHashMap<>();
    for (JsonNode node : new JsonMapper().readTree(file.toFile())) {
      byte[] bytes = Base64.getDecoder().decode(node.get("data").asText());
      ByteBuffer data =
          ByteBuffer.allocateDirect(bytes.length).order(ByteOrder.nativeOrder()).put(bytes).flip();
      long[] shape = new long[node.get("shape").size()];
      for (int i = 0; i < shape.length; i++) {
        shape[i] = node.get("shape").get(i).asLong();
      }
      inputs.put(
          node.get("name").asText(),
          OnnxTensor.createTensor(
              environment, data, shape, OnnxJavaType.valueOf(node.get("type").asText())));
    }
    return inputs;
  }

  /** A line of the process's status in KiB; -1 where the system does not tell. */
  private static long memory(String line) throws IOException {
    if (!Files.isReadable(STATUS)) {
      return -1;
    }
    return Files.readAllLines(STATUS, StandardCharsets.UTF_8).stream()
        .filter(text -> text.startsWith(line))
        .mapToLong(text -> Long.parseLong(text.replaceAll("\\D", "")))
        .findFirst()
        .orElse(-1);
  }
}
