package io.pseed.onnx;

import ai.onnxruntime.OnnxJavaType;
import ai.onnxruntime.OnnxTensor;
import ai.onnxruntime.OnnxTensorLike;
import ai.onnxruntime.OrtEnvironment;
import ai.onnxruntime.OrtException;
import ai.onnxruntime.OrtSession;
import ai.onnxruntime.OrtSession.SessionOptions;
import io.pseed.format.CorruptException;
import io.pseed.format.Limits;
import io.pseed.format.PseedException;
import io.pseed.format.PseedReader;
import io.pseed.format.SectionEntry;
import io.pseed.format.TensorEntry;
import java.io.FileNotFoundException;
import java.io.IOException;
import java.io.InputStream;
import java.lang.ref.Reference;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.WeakHashMap;

/**
 * Opens a {@code .pseed} model as an ordinary {@link OrtSession}: nothing else in an application
 * changes.
 *
 * <pre>{@code
 * try (OrtSession session = PseedSession.open(Path.of("model.pseed"))) {
 *   session.run(inputs);
 * }
 *
 * OrtSession session =
 *     PseedSession.builder()
 *         .configure(options -> options.setIntraOpNumThreads(2))
 *         .limits(Limits.SMALL)
 *         .open(MyApp.class, "/models/model.pseed");
 * }</pre>
 *
 * <p>The weights are decoded by a {@link RecordDecoder}, on the common pool, and handed to ONNX
 * Runtime before it optimizes the graph. So results and latency are those of the plain model with
 * the same weights, and the session does not need the file any more. While a session opens, memory
 * holds the decoded weights twice, once in direct buffers (which {@code -XX:MaxDirectMemorySize}
 * bounds) and once in ONNX Runtime.
 *
 * <p>The decoder is native code of ours where the artifact has it for this platform, else Java, to
 * the same bits: the system property {@value RecordDecoder#PROPERTY} is {@code auto}, {@code
 * native} or {@code java}. Native code is unpacked as {@link PseedOpLibrary} says.
 *
 * <p>The caller closes the session. All methods may be called from several threads.
 */
public final class PseedSession {
  /**
   * Below this size a tensor goes into the graph: shapes may depend on it even where it is no list
   * of integers (scales of Resize), and ONNX Runtime refuses to be given what its optimizer has
   * removed meanwhile.
   */
  private static final long SMALLEST_INJECTED = 1024;

  /**
   * Weights that options given by the caller still point to: ONNX Runtime keeps the addresses in
   * the options, so the buffers must live as long as they do.
   */
  private static final Map<SessionOptions, List<ByteBuffer>> IN_OPTIONS =
      Collections.synchronizedMap(new WeakHashMap<>());

  private PseedSession() {}

  /**
   * Opens a file with the default environment, options and limits.
   *
   * @throws PseedException where the file is not one that this version takes
   * @throws NoGraphException where it holds no ONNX graph
   * @throws IOException where it cannot be read
   * @throws OrtException where ONNX Runtime refuses the model
   */
  public static OrtSession open(Path file) throws IOException, OrtException {
    return builder().open(file);
  }

  /** Opens a file in memory; see {@link #open(Path)}. */
  public static OrtSession open(byte[] file) throws IOException, OrtException {
    return builder().open(file);
  }

  /**
   * Opens a class-path resource; see {@link #open(Path)}.
   *
   * @param name as for {@link Class#getResource}: relative to the class's package, or absolute with
   *     a leading slash
   */
  public static OrtSession open(Class<?> anchor, String name) throws IOException, OrtException {
    return builder().open(anchor, name);
  }

  /**
   * Opens a class-path resource; see {@link #open(Path)}.
   *
   * @param name as for {@link ClassLoader#getResource}: absolute, without a leading slash
   */
  public static OrtSession open(ClassLoader loader, String name) throws IOException, OrtException {
    return builder().open(loader, name);
  }

  /** For another environment, options or limits. */
  public static Builder builder() {
    return new Builder();
  }

  /** Sets options of a session. */
  @FunctionalInterface
  public interface OptionsConfigurer {
    /**
     * Called with fresh options, once for each session.
     *
     * @throws OrtException where an option cannot be set; opening fails with it
     */
    void configure(SessionOptions options) throws OrtException;
  }

  /** How a session is opened. One builder may open many sessions. Not for several threads. */
  public static final class Builder {
    private OrtEnvironment environment;
    private SessionOptions options;
    private OptionsConfigurer configurer;
    private Limits limits = Limits.STANDARD;

    private Builder() {}

    /** The environment; without this call {@link OrtRuntime#environment()}. */
    public Builder environment(OrtEnvironment environment) {
      this.environment = Objects.requireNonNull(environment, "environment");
      return this;
    }

    /** What the reader agrees to decode; without this call {@link Limits#STANDARD}. */
    public Builder limits(Limits limits) {
      this.limits = Objects.requireNonNull(limits, "limits");
      return this;
    }

    /**
     * Sets options on fresh {@link SessionOptions}, which are closed when the session is open. This
     * is the way to be preferred to {@link #options}.
     */
    public Builder configure(OptionsConfigurer configurer) {
      this.configurer = Objects.requireNonNull(configurer, "configurer");
      return this;
    }

    /**
     * Options that the caller made, for one session: the weights are added to them, so a second use
     * is refused with an {@link IllegalStateException}. They are untouched where decoding fails.
     * Close and drop them when the session is open: the decoded weights stay in memory as long as
     * the options are reachable.
     */
    public Builder options(SessionOptions options) {
      this.options = Objects.requireNonNull(options, "options");
      return this;
    }

    /** Opens a file; see {@link PseedSession#open(Path)}. */
    public OrtSession open(Path file) throws IOException, OrtException {
      RecordDecoder.prepare();
      try (PseedReader reader = PseedReader.open(file, limits)) {
        return open(reader);
      }
    }

    /** Opens a file in memory; see {@link PseedSession#open(byte[])}. */
    public OrtSession open(byte[] file) throws IOException, OrtException {
      return open(file, file.length + " bytes in memory");
    }

    /** Opens a class-path resource; see {@link PseedSession#open(Class, String)}. */
    public OrtSession open(Class<?> anchor, String name) throws IOException, OrtException {
      return open(anchor.getResourceAsStream(name), name, "the class path of " + anchor.getName());
    }

    /** Opens a class-path resource; see {@link PseedSession#open(ClassLoader, String)}. */
    public OrtSession open(ClassLoader loader, String name) throws IOException, OrtException {
      return open(loader.getResourceAsStream(name), name, "the class path of " + loader);
    }

    private OrtSession open(InputStream resource, String name, String where)
        throws IOException, OrtException {
      if (resource == null) {
        throw new FileNotFoundException(name + ": no such resource on " + where);
      }
      byte[] file;
      try (resource) {
        file = resource.readAllBytes();
      }
      return open(file, name);
    }

    private OrtSession open(byte[] file, String label) throws IOException, OrtException {
      RecordDecoder.prepare();
      try (PseedReader reader = PseedReader.of(ByteBuffer.wrap(file), label, limits)) {
        return open(reader);
      }
    }

    /**
     * Opens what a reader has open; the reader stays open and is not needed afterwards. Its own
     * limits hold, not those of this builder.
     */
    public OrtSession open(PseedReader reader) throws IOException, OrtException {
      if (options != null && configurer != null) {
        throw new IllegalStateException("options() and configure() were both called; use one");
      }
      if (options != null && IN_OPTIONS.containsKey(options)) {
        throw new IllegalStateException(
            "these SessionOptions already hold the weights of another session; make new ones for"
                + " each session, or use configure()");
      }
      OrtEnvironment env = environment == null ? OrtRuntime.environment() : environment;
      RecordDecoder decoder = RecordDecoder.ofThisProcess();
      if (options != null) {
        return Model.load(reader, decoder, WeightMemory.collected()).session(env, options, true);
      }
      // Closed in reverse: the options point to the weights.
      try (WeightMemory memory = WeightMemory.untilClosed(decoder);
          SessionOptions own = new SessionOptions()) {
        if (configurer != null) {
          configurer.configure(own);
        }
        return Model.load(reader, decoder, memory).session(env, own, false);
      }
    }
  }

  /** A graph and its decoded weights. */
  private static final class Model {
    private final byte[] graph;
    private final Map<String, TensorEntry> entries;
    private final Map<String, ByteBuffer> weights;

    private Model(byte[] graph, Map<String, TensorEntry> entries, Map<String, ByteBuffer> weights) {
      this.graph = graph;
      this.entries = entries;
      this.weights = weights;
    }

    static Model load(PseedReader reader, RecordDecoder decoder, WeightMemory memory)
        throws IOException {
      GraphBytes graph = new GraphBytes(graphSection(reader), reader.label());
      graph.requireOwnData();
      Map<String, TensorEntry> inFile = new LinkedHashMap<>();
      for (TensorEntry tensor : reader.header().tensors()) {
        inFile.put(tensor.name(), tensor);
      }
      List<TensorEntry> needed = new ArrayList<>();
      for (String name : graph.references()) {
        TensorEntry tensor = inFile.get(name);
        if (tensor == null) {
          throw new CorruptException(
              String.format(
                  "%s: the ONNX graph refers to tensor '%s', which is not among the %d tensors of"
                      + " the file",
                  reader.label(), name, inFile.size()));
        }
        needed.add(tensor);
      }
      Map<String, ByteBuffer> weights = new WeightLoader(reader, decoder, memory).load(needed);
      Map<String, TensorEntry> entries = new LinkedHashMap<>();
      Map<String, ByteBuffer> embedded = new LinkedHashMap<>();
      for (TensorEntry tensor : needed) {
        if (JavaTypes.of(tensor.dtype()).isPresent()
            && tensor.elements() > 0
            && tensor.decodedBytes() >= SMALLEST_INJECTED
            && !ShapeConstants.mayBe(tensor)) {
          entries.put(tensor.name(), tensor);
        } else {
          // Its bytes go into the graph: shapes may depend on it, or the Java binding cannot make
          // such a tensor (8-bit floats, 4-bit integers, unsigned 16 to 64 bits, no elements).
          embedded.put(tensor.name(), weights.remove(tensor.name()));
        }
      }
      return new Model(graph.embed(embedded), entries, weights);
    }

    private static byte[] graphSection(PseedReader reader) throws IOException {
      for (SectionEntry section : reader.header().sections()) {
        if (section.name().equals(SectionEntry.ONNX_GRAPH)) {
          ByteBuffer bytes = reader.section(section);
          byte[] graph = new byte[bytes.remaining()];
          bytes.get(graph);
          return graph;
        }
      }
      throw new NoGraphException(reader.label(), reader.header().tensors().size());
    }

    OrtSession session(OrtEnvironment env, SessionOptions options, boolean optionsAreOfCaller)
        throws OrtException {
      Map<String, OnnxTensorLike> tensors = new LinkedHashMap<>();
      try {
        for (Map.Entry<String, TensorEntry> entry : entries.entrySet()) {
          OnnxJavaType type = JavaTypes.of(entry.getValue().dtype()).orElseThrow();
          tensors.put(
              entry.getKey(),
              OnnxTensor.createTensor(
                  env, weights.get(entry.getKey()), entry.getValue().shape(), type));
        }
        if (optionsAreOfCaller && !tensors.isEmpty()) {
          IN_OPTIONS.put(options, List.copyOf(weights.values()));
        }
        options.addExternalInitializers(tensors);
        return env.createSession(graph, options);
      } finally {
        tensors.values().forEach(OnnxTensorLike::close);
        Reference.reachabilityFence(weights);
      }
    }
  }
}
