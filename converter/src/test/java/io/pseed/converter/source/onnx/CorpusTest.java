package io.pseed.converter.source.onnx;

import static org.assertj.core.api.Assertions.assertThat;

import ai.onnxruntime.OnnxJavaType;
import ai.onnxruntime.OnnxSequence;
import ai.onnxruntime.OnnxTensor;
import ai.onnxruntime.OnnxTensorLike;
import ai.onnxruntime.OnnxValue;
import ai.onnxruntime.OrtEnvironment;
import ai.onnxruntime.OrtException;
import ai.onnxruntime.OrtSession;
import com.google.protobuf.ByteString;
import com.google.protobuf.InvalidProtocolBufferException;
import io.pseed.converter.Converter;
import io.pseed.converter.ProgressListener;
import io.pseed.converter.encode.Workers;
import io.pseed.converter.export.onnx.OnnxExporter;
import io.pseed.converter.onnx.proto.AttributeProto;
import io.pseed.converter.onnx.proto.GraphProto;
import io.pseed.converter.onnx.proto.ModelProto;
import io.pseed.converter.onnx.proto.NodeProto;
import io.pseed.converter.onnx.proto.TensorProto;
import io.pseed.converter.onnx.proto.TypeProto;
import io.pseed.converter.onnx.proto.ValueInfoProto;
import io.pseed.converter.plan.Plan;
import io.pseed.converter.plan.TensorPlan;
import io.pseed.converter.source.SourceTensor;
import io.pseed.format.CodedElements;
import io.pseed.format.DType;
import io.pseed.format.PseedReader;
import io.pseed.onnx.PseedSession;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.stream.Stream;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * ONNX's own test models (Debian's libonnx-testdata) on the lossless way: every weight out of the
 * model, as raw records into a {@code .pseed} file, exported to ONNX again and opened in Java. Both
 * must give the original's outputs bit for bit, in the same runtime.
 *
 * <p>Each model runs twice: as it is, and with its inputs as weights, since most of these models
 * test one operator and have none. Sequences and optional values, and numbers that Java cannot
 * feed, are made of tensors by nodes that are put in front, in the original as well.
 *
 * <p>Runs where the system property {@code pseed.test.onnxdata} names the folder; {@code
 * .ci/corpus} fetches it.
 */
@Tag("ort")
class CorpusTest {
  private static final String PROPERTY = "pseed.test.onnxdata";
  private static final OrtEnvironment ENVIRONMENT = OrtEnvironment.getEnvironment();

  /** Tolerances of ONNX's own runner. */
  private static final double RELATIVE = 1e-3;

  private static final double ABSOLUTE = 1e-7;

  @TempDir Path temp;

  private final Map<String, Integer> counts = new TreeMap<>();
  private final Map<String, List<String>> names = new TreeMap<>();
  private final List<String> failed = new ArrayList<>();
  private long weights;
  private long weightBytes;
  private int compared;

  /** A model and what it is fed with. */
  @SuppressWarnings("ArrayRecordComponent")
  private record Subject(byte[] model, List<Feed> feeds) {}

  /** One data set: inputs by name, and what the authors of the model expect. */
  private record Feed(Map<String, TensorProto> inputs, List<TensorProto> expected) {}

  @Test
  void losslessWay() throws Exception {
    String folder = System.getProperty(PROPERTY, "");
    boolean there = !folder.isEmpty() && Files.isDirectory(Path.of(folder));
    if (!there) {
      System.out.println("SKIPPED: ONNX's test models; the property " + PROPERTY + " names none");
    }
    Assumptions.assumeTrue(there, PROPERTY);
    List<Path> models;
    try (Stream<Path> files = Files.walk(Path.of(folder))) {
      models = files.filter(f -> f.toString().endsWith(".onnx")).sorted().toList();
    }
    assertThat(models).hasSizeGreaterThanOrEqualTo(1000);
    try (Workers workers = new Workers(1)) {
      for (Path file : models) {
        String name = String.valueOf(file.getParent().getFileName());
        check(workers, name, file, false);
        check(workers, name, file, true);
      }
    }
    System.out.printf(
        "libonnx-testdata in ONNX Runtime %s: %d models, %d tensors of %d bytes through .pseed, %d"
            + " outputs compared bit for bit%n",
        ENVIRONMENT.getVersion(), models.size(), weights, weightBytes, compared);
    counts.forEach((what, count) -> System.out.println("  " + what + ": " + count));
    names.forEach((what, list) -> System.out.println("  " + what + ": " + String.join(", ", list)));
    assertThat(failed).isEmpty();
  }

  private void count(String form, String result) {
    counts.merge(form + ", " + result, 1, Integer::sum);
  }

  private void check(Workers workers, String name, Path file, boolean frozen) {
    String form = frozen ? "inputs as weights" : "as it is";
    try {
      count(form, compare(workers, name, file, frozen));
    } catch (IOException | OrtException | RuntimeException | AssertionError e) {
      count(form, "FAILED");
      failed.add(name + " (" + form + "): " + e);
    }
  }

  private String compare(Workers workers, String name, Path file, boolean frozen)
      throws IOException, OrtException {
    Optional<Subject> made = subject(file, frozen);
    if (made.isEmpty()) {
      return "not made, an input has no data";
    }
    Subject subject = made.get();
    Path pseed = temp.resolve("model.pseed");
    Path exported = temp.resolve("model.onnx");
    OnnxModelSource source = OnnxModelSource.openTakingAll(file, subject.model);
    List<TensorPlan> plans = new ArrayList<>();
    for (SourceTensor tensor : source.tensors()) {
      plans.add(TensorPlan.raw(tensor.name(), "corpus"));
      weights++;
      weightBytes += tensor.byteSize();
    }
    new Converter(workers, ProgressListener.NONE).convert(source, new Plan(plans), pseed);
    try (PseedReader reader = PseedReader.open(pseed)) {
      OnnxExporter.export(reader, exported);
    }
    sameWeights(source, exported);
    List<Map<String, Object>> expected;
    try (OrtSession.SessionOptions options = options();
        OrtSession original = ENVIRONMENT.createSession(subject.model, options)) {
      expected = run(original, subject.feeds);
      boolean repeats = expected.equals(run(original, subject.feeds));
      if (!repeats) {
        return "random by itself, weights equal";
      }
    } catch (OrtException e) {
      if (!frozen) {
        names.computeIfAbsent("refused: " + reason(e), k -> new ArrayList<>()).add(name);
      }
      return "refused by the runtime, weights equal";
    }
    try (OrtSession.SessionOptions options = options();
        OrtSession session = ENVIRONMENT.createSession(exported.toString(), options)) {
      assertThat(run(session, subject.feeds)).as("exported").isEqualTo(expected);
    }
    try (OrtSession session = PseedSession.builder().configure(CorpusTest::set).open(pseed)) {
      assertThat(run(session, subject.feeds)).as("PseedSession").isEqualTo(expected);
    }
    compared += expected.stream().mapToInt(Map::size).sum();
    boolean met = true;
    for (int i = 0; i < expected.size(); i++) {
      met &= meets(new ArrayList<>(expected.get(i).values()), subject.feeds.get(i).expected);
    }
    return met ? "equal, and as its authors expect" : "equal, the runtime differs from its authors";
  }

  /** What the runtime says of the original, without the names of this model. */
  private static String reason(OrtException refusal) {
    String message = String.valueOf(refusal.getMessage());
    for (String known : List.of("NOT_IMPLEMENTED", "not a registered function")) {
      if (message.contains(known)) {
        return known;
      }
    }
    return message.replaceAll("\\s+", " ").replaceAll("(.{150}).*", "$1 ...");
  }

  /** Every weight stands in the exported model with the source's bits. */
  private static void sameWeights(OnnxModelSource source, Path exported) throws IOException {
    Map<String, TensorProto> found = new HashMap<>();
    for (TensorProto tensor :
        ModelProto.parseFrom(Files.readAllBytes(exported)).getGraph().getInitializerList()) {
      found.put(tensor.getName(), tensor);
    }
    for (SourceTensor tensor : source.tensors()) {
      TensorProto exportedTensor = found.get(tensor.name());
      assertThat(exportedTensor).as(tensor.name()).isNotNull();
      assertThat(elements(exported, exportedTensor))
          .as(tensor.name())
          .isEqualTo(OnnxRuns.bytes(tensor));
    }
  }

  // What is run

  private static Optional<Subject> subject(Path file, boolean frozen) throws IOException {
    ModelProto.Builder model = ModelProto.parseFrom(Files.readAllBytes(file)).toBuilder();
    GraphProto.Builder graph = model.getGraphBuilder();
    Set<String> initialized = new HashSet<>();
    graph.getInitializerList().forEach(tensor -> initialized.add(tensor.getName()));
    graph.getSparseInitializerList().forEach(s -> initialized.add(s.getValues().getName()));
    List<ValueInfoProto> open =
        graph.getInputList().stream().filter(i -> !initialized.contains(i.getName())).toList();
    List<Feed> feeds = new ArrayList<>();
    boolean changed = frozen;
    for (int set = 0; set < (frozen ? 1 : 100); set++) {
      Path folder = file.resolveSibling("test_data_set_" + set);
      if (!Files.isDirectory(folder)) {
        break;
      }
      Map<String, TensorProto> inputs = new LinkedHashMap<>();
      Front front = new Front(inputs);
      for (int i = 0; i < open.size(); i++) {
        Path data = folder.resolve("input_" + i + ".pb");
        if (!Files.exists(data)) {
          return Optional.empty();
        }
        front.input(open.get(i), ByteString.copyFrom(Files.readAllBytes(data)));
      }
      if (front.nodes.isEmpty() && !frozen) {
        feeds.add(new Feed(inputs, expected(folder, graph.getOutputList())));
        continue;
      }
      // The nodes in front depend on the data: the first set alone.
      changed = true;
      List<ValueInfoProto> kept =
          graph.getInputList().stream().filter(i -> initialized.contains(i.getName())).toList();
      graph.clearInput().addAllInput(kept);
      List<NodeProto> nodes = new ArrayList<>(front.nodes);
      nodes.addAll(graph.getNodeList());
      graph.clearNode().addAllNode(nodes);
      inputs.forEach(
          (name, tensor) -> {
            if (frozen || javaType(tensor).isEmpty()) {
              graph.addInitializer(tensor.toBuilder().setName(name));
            } else {
              graph.addInput(input(name, tensor));
            }
          });
      inputs.values().removeIf(tensor -> frozen || javaType(tensor).isEmpty());
      feeds.add(new Feed(inputs, expected(folder, graph.getOutputList())));
      break;
    }
    if (feeds.isEmpty()) {
      return Optional.empty();
    }
    if (changed) {
      // Before version 4 of the IR an initializer had to be an input as well.
      model.setIrVersion(Math.max(4, model.getIrVersion()));
    }
    byte[] bytes = changed ? model.build().toByteArray() : Files.readAllBytes(file);
    return Optional.of(new Subject(bytes, feeds));
  }

  private static ValueInfoProto input(String name, TensorProto tensor) {
    return ValueInfoProto.newBuilder()
        .setName(name)
        .setType(
            TypeProto.newBuilder()
                .setTensorType(TypeProto.Tensor.newBuilder().setElemType(tensor.getDataType())))
        .build();
  }

  /** Nodes that make sequences and optional values of tensors. */
  private static final class Front {
    private final Map<String, TensorProto> inputs;
    private final List<NodeProto> nodes = new ArrayList<>();

    Front(Map<String, TensorProto> inputs) {
      this.inputs = inputs;
    }

    /** The data of an input: a tensor, or the wire form of SequenceProto or OptionalProto. */
    void input(ValueInfoProto input, ByteString data) throws InvalidProtocolBufferException {
      value(input.getName(), input.getType(), data);
    }

    private void value(String name, TypeProto type, ByteString data)
        throws InvalidProtocolBufferException {
      if (type.hasTensorType()) {
        TensorProto tensor = TensorProto.parseFrom(data);
        inputs.put(name, tensor);
        if (javaType(tensor).isEmpty()) {
          // A weight that a node passes on, since it cannot be fed.
          inputs.remove(name);
          inputs.put(name + ".fed", tensor);
          nodes.add(node("Identity", List.of(name + ".fed"), name));
        }
      } else if (type.hasSequenceType()) {
        // SequenceProto: 1 name, 2 element type, 3 tensors.
        List<ByteString> elements = Wire.messages(data, 3);
        List<String> made = new ArrayList<>();
        for (int i = 0; i < elements.size(); i++) {
          value(name + "." + i, type.getSequenceType().getElemType(), elements.get(i));
          made.add(name + "." + i);
        }
        if (made.isEmpty()) {
          int dtype = type.getSequenceType().getElemType().getTensorType().getElemType();
          nodes.add(
              node("SequenceEmpty", List.of(), name).toBuilder()
                  .addAttribute(
                      AttributeProto.newBuilder()
                          .setName("dtype")
                          .setType(AttributeProto.AttributeType.INT)
                          .setI(dtype))
                  .build());
        } else {
          nodes.add(node("SequenceConstruct", made, name));
        }
      } else if (type.hasOptionalType()) {
        // OptionalProto: 1 name, 2 element type, 3 tensor, 5 sequence.
        TypeProto element = type.getOptionalType().getElemType();
        List<ByteString> found = Wire.messages(data, element.hasTensorType() ? 3 : 5);
        if (found.isEmpty()) {
          nodes.add(
              node("Optional", List.of(), name).toBuilder()
                  .addAttribute(
                      AttributeProto.newBuilder()
                          .setName("type")
                          .setType(AttributeProto.AttributeType.TYPE_PROTO)
                          .setTp(element))
                  .build());
        } else {
          value(name + ".value", element, found.get(0));
          nodes.add(node("Optional", List.of(name + ".value"), name));
        }
      } else {
        throw new IllegalArgumentException("input '" + name + "' is of another type");
      }
    }

    private static NodeProto node(String operator, List<String> inputs, String output) {
      return NodeProto.newBuilder()
          .setOpType(operator)
          .setName("front." + output)
          .addAllInput(inputs)
          .addOutput(output)
          .build();
    }
  }

  /** Messages inside a message whose own type is not generated here. */
  private static final class Wire {
    private Wire() {}

    static List<ByteString> messages(ByteString data, int field)
        throws InvalidProtocolBufferException {
      return com.google.protobuf.UnknownFieldSet.parseFrom(data)
          .getField(field)
          .getLengthDelimitedList();
    }
  }

  private static List<TensorProto> expected(Path folder, List<ValueInfoProto> outputs)
      throws IOException {
    List<TensorProto> expected = new ArrayList<>();
    for (int i = 0; i < outputs.size(); i++) {
      Path data = folder.resolve("output_" + i + ".pb");
      boolean tensor = Files.exists(data) && outputs.get(i).getType().hasTensorType();
      expected.add(tensor ? TensorProto.parseFrom(Files.readAllBytes(data)) : null);
    }
    return expected;
  }

  // Runs

  private static void set(OrtSession.SessionOptions options) throws OrtException {
    options.setIntraOpNumThreads(1);
    options.setInterOpNumThreads(1);
    options.setSessionLogLevel(ai.onnxruntime.OrtLoggingLevel.ORT_LOGGING_LEVEL_FATAL);
  }

  private static OrtSession.SessionOptions options() throws OrtException {
    OrtSession.SessionOptions options = new OrtSession.SessionOptions();
    set(options);
    return options;
  }

  private static List<Map<String, Object>> run(OrtSession session, List<Feed> feeds)
      throws IOException, OrtException {
    List<Map<String, Object>> all = new ArrayList<>();
    for (Feed feed : feeds) {
      Map<String, OnnxTensorLike> inputs = new LinkedHashMap<>();
      try {
        for (Map.Entry<String, TensorProto> entry : feed.inputs.entrySet()) {
          inputs.put(entry.getKey(), tensor(entry.getValue()));
        }
        Map<String, Object> outputs = new LinkedHashMap<>();
        try (OrtSession.Result result = session.run(inputs)) {
          for (Map.Entry<String, OnnxValue> entry : result) {
            outputs.put(entry.getKey(), comparable(entry.getValue()));
          }
        }
        all.add(outputs);
      } finally {
        inputs.values().forEach(OnnxTensorLike::close);
      }
    }
    return all;
  }

  /** Type, shape and bits of an output. */
  private record Bits(OnnxJavaType type, List<Long> shape, ByteBuffer bytes) {}

  private static Object comparable(OnnxValue value) throws OrtException {
    if (value instanceof OnnxSequence sequence) {
      List<Object> elements = new ArrayList<>();
      for (OnnxValue element : sequence.getValue()) {
        elements.add(comparable(element));
        element.close();
      }
      return elements;
    }
    if (value instanceof OnnxTensor tensor && tensor.getInfo().type != OnnxJavaType.STRING) {
      ByteBuffer data = tensor.getByteBuffer();
      byte[] bytes = new byte[data.remaining()];
      data.get(bytes);
      List<Long> shape = Arrays.stream(tensor.getInfo().getShape()).boxed().toList();
      return new Bits(
          tensor.getInfo().type,
          shape,
          ByteBuffer.wrap(bytes).order(ByteOrder.nativeOrder()).asReadOnlyBuffer());
    }
    Object plain = value.getValue();
    return plain instanceof Object[] array ? Arrays.deepToString(array) : String.valueOf(plain);
  }

  private static Optional<OnnxJavaType> javaType(TensorProto tensor) {
    if (tensor.getDataType() == TensorProto.DataType.STRING_VALUE) {
      return Optional.of(OnnxJavaType.STRING);
    }
    return Optional.ofNullable(
        switch (OnnxModels.dtype(tensor.getDataType()).orElse(DType.C64)) {
          case F32 -> OnnxJavaType.FLOAT;
          case F64 -> OnnxJavaType.DOUBLE;
          case I64 -> OnnxJavaType.INT64;
          case I32 -> OnnxJavaType.INT32;
          case I16 -> OnnxJavaType.INT16;
          case I8 -> OnnxJavaType.INT8;
          case U8 -> OnnxJavaType.UINT8;
          case BOOL -> OnnxJavaType.BOOL;
          case F16 -> OnnxJavaType.FLOAT16;
          case BF16 -> OnnxJavaType.BFLOAT16;
          default -> null;
        });
  }

  private static OnnxTensor tensor(TensorProto proto) throws IOException, OrtException {
    long[] shape = proto.getDimsList().stream().mapToLong(Long::longValue).toArray();
    OnnxJavaType type = javaType(proto).orElseThrow();
    if (type == OnnxJavaType.STRING) {
      String[] strings =
          proto.getStringDataList().stream().map(ByteString::toStringUtf8).toArray(String[]::new);
      return OnnxTensor.createTensor(ENVIRONMENT, strings, shape);
    }
    ByteBuffer elements = elements(Path.of("input"), proto);
    ByteBuffer direct =
        ByteBuffer.allocateDirect(elements.remaining())
            .order(ByteOrder.nativeOrder())
            .put(elements)
            .flip();
    return OnnxTensor.createTensor(ENVIRONMENT, direct, shape, type);
  }

  private static ByteBuffer elements(Path file, TensorProto tensor) throws IOException {
    TensorReader.Inspection found =
        new TensorReader(file, Optional.empty()).inspect(tensor, tensor.getName());
    ByteBuffer out =
        ByteBuffer.allocate(Math.toIntExact(found.size())).order(ByteOrder.LITTLE_ENDIAN);
    found.bytes().read(0, out);
    return out.flip();
  }

  // What the authors of the models expect

  private static boolean meets(List<Object> outputs, List<TensorProto> expected)
      throws IOException {
    for (int i = 0; i < outputs.size(); i++) {
      TensorProto tensor = i < expected.size() ? expected.get(i) : null;
      if (tensor != null && outputs.get(i) instanceof Bits bits && !near(bits, tensor)) {
        return false;
      }
    }
    return true;
  }

  private static boolean near(Bits found, TensorProto expected) throws IOException {
    if (!found.shape.equals(expected.getDimsList())
        || !javaType(expected).equals(Optional.of(found.type))) {
      return false;
    }
    ByteBuffer wanted = elements(Path.of("output"), expected);
    DType dtype = OnnxModels.dtype(expected.getDataType()).orElseThrow();
    if (!dtype.isCoded()) {
      return wanted.equals(found.bytes);
    }
    ByteBuffer given = found.bytes.duplicate().order(ByteOrder.LITTLE_ENDIAN);
    for (int at = 0; at < wanted.limit(); at += dtype.bits() / 8) {
      double a = CodedElements.get(given, dtype, at);
      double b = CodedElements.get(wanted, dtype, at);
      boolean same = Double.compare(a, b) == 0 || (Double.isNaN(a) && Double.isNaN(b));
      if (!same && !(Math.abs(a - b) <= ABSOLUTE + RELATIVE * Math.abs(b))) {
        return false;
      }
    }
    return true;
  }
}
