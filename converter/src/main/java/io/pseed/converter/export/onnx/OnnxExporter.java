package io.pseed.converter.export.onnx;

import com.google.protobuf.ByteString;
import io.pseed.codec.TensorDecoder;
import io.pseed.codec.poincare.PoincareDecoder;
import io.pseed.codec.trellis.TrellisBody;
import io.pseed.converter.onnx.proto.AttributeProto;
import io.pseed.converter.onnx.proto.FunctionProto;
import io.pseed.converter.onnx.proto.GraphProto;
import io.pseed.converter.onnx.proto.ModelProto;
import io.pseed.converter.onnx.proto.NodeProto;
import io.pseed.converter.onnx.proto.OperatorSetIdProto;
import io.pseed.converter.onnx.proto.TensorProto;
import io.pseed.converter.onnx.proto.TensorShapeProto;
import io.pseed.converter.onnx.proto.TypeProto;
import io.pseed.converter.onnx.proto.ValueInfoProto;
import io.pseed.converter.source.onnx.OnnxModels;
import io.pseed.format.Codec;
import io.pseed.format.CorruptException;
import io.pseed.format.DType;
import io.pseed.format.PseedException;
import io.pseed.format.PseedReader;
import io.pseed.format.SectionEntry;
import io.pseed.format.TensorEntry;
import io.pseed.format.TensorRecord;
import io.pseed.format.View;
import io.pseed.onnx.RecordDecoder;
import io.pseed.onnx.ShapeConstants;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
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
import java.util.stream.Stream;

/**
 * Writes one ONNX model from a {@code .pseed} file, self-contained or with its seeds left in that
 * file. It opens in every ONNX Runtime from 1.20 on, in any language, with nothing registered; its
 * weights are bit for bit those of {@link TensorDecoder}.
 *
 * <p>A tensor of seeds becomes a node {@code io.pseed.SeedDecode} whose input is the tensor's
 * record. The model also defines that operator, as a function of standard operators: ONNX Runtime
 * inlines it and folds it to a constant when it loads the model, so nothing is decoded when the
 * model runs. (With graph optimizations switched off it is decoded in every run.) Where a program
 * registers a native operator of that name, ONNX Runtime takes it instead. Tensors of another
 * structure call {@code SeedDecode_1}, {@code SeedDecode_2} and so on; their record says the same
 * to a native operator.
 */
public final class OnnxExporter {
  /** Domain of the operators that decode. */
  public static final String DOMAIN = "io.pseed";

  /** Operator of the first structure; others have {@code _1}, {@code _2} ... behind it. */
  public static final String OPERATOR = "SeedDecode";

  /** Model-local functions came with this version of the IR. */
  private static final long FUNCTIONS_IR = 8;

  /** From this version on, initializers need not be graph inputs. */
  private static final long FREE_INITIALIZERS_IR = 4;

  /** The functions use Einsum. */
  private static final long FUNCTIONS_OPSET = 12;

  /**
   * Bytes of vectors that are stored as they are. A call that decodes takes more (9 KB each for 49
   * vectors of all-MiniLM-L6-v2), and ONNX Runtime looks at each when it loads a model.
   */
  private static final long LARGEST_SHORT = 1 << 13;

  /** What ONNX Runtime folds at most, in bytes of one value. */
  private static final long LARGEST_FOLDED = 1L << 30;

  /** What protobuf takes at most. */
  private static final long LARGEST_MODEL = Integer.MAX_VALUE - (1L << 16);

  private final PseedReader reader;
  private final RecordDecoder decoder;
  private final PayloadBytes payloads;
  private final ModelProto.Builder model;
  private final SharedConstants constants;
  private final LateConstants late;
  private final Map<ByteString, String> functionNames = new LinkedHashMap<>();
  private final List<FunctionProto> functions = new ArrayList<>();
  private final List<NodeProto> decodeNodes = new ArrayList<>();
  private final Set<String> computed = new HashSet<>();
  private final List<OnnxExport.DenseTensor> dense = new ArrayList<>();
  private final String whyNoFunctions;
  private long tensorBytes;
  private int seeded;
  private int raw;

  private OnnxExporter(PseedReader reader, ModelProto graph, PayloadBytes payloads)
      throws IOException {
    this.reader = reader;
    this.decoder = RecordDecoder.ofThisProcess();
    this.payloads = payloads;
    this.model = graph.toBuilder();
    this.constants = new SharedConstants(names(graph.getGraph()));
    this.late = new LateConstants(constants);
    this.whyNoFunctions = prepareVersions();
  }

  /**
   * Exports the file that {@code reader} has open. The records' checksums and those of the decoded
   * weights are verified on the way.
   *
   * @param target replaced by a rename when the model is complete
   * @throws ExportException where the file holds no ONNX graph, or the model would exceed the 2 GB
   *     of a protobuf file
   * @throws PseedException where the file is damaged
   */
  public static OnnxExport export(PseedReader reader, Path target) throws IOException {
    return export(reader, target, PayloadBytes.copied());
  }

  /**
   * Exports the file that {@code reader} has open, and leaves the seeds and the lossless tensors in
   * it: the model refers to them as ONNX external data, which ONNX Runtime maps. The model holds
   * graph, functions and tables, so it stays small however large the weights are. Both files belong
   * together: {@link ExternalExport} says whether they do.
   *
   * @param pseed the file that {@code reader} has open; in the folder of {@code target} or below it
   * @param target replaced by a rename when the model is complete
   * @throws ExportException as {@link #export(PseedReader, Path)}, and where {@code pseed} lies
   *     elsewhere or is another file
   */
  public static OnnxExport exportExternal(PseedReader reader, Path pseed, Path target)
      throws IOException {
    return exportExternal(reader, pseed, target, PayloadBytes.SMALLEST);
  }

  static OnnxExport exportExternal(PseedReader reader, Path pseed, Path target, int smallest)
      throws IOException {
    try (PseedReader same = PseedReader.open(pseed)) {
      if (!same.digest().equals(reader.digest())) {
        throw new ExportException(
            String.format(
                "%s: has digest %s, the file to be exported has %s; name the same file twice",
                pseed, same.digest(), reader.digest()));
      }
    }
    return export(reader, target, PayloadBytes.external(pseed, target, smallest));
  }

  private static OnnxExport export(PseedReader reader, Path target, PayloadBytes payloads)
      throws IOException {
    OnnxExporter exporter = new OnnxExporter(reader, graph(reader), payloads);
    ModelProto exported = exporter.build();
    AtomicFile.write(target, exported::writeTo);
    return new OnnxExport(
        target,
        exported.getSerializedSize(),
        exporter.seeded,
        exporter.raw,
        List.copyOf(exporter.dense),
        payloads.location(),
        payloads.referenced());
  }

  private static ModelProto graph(PseedReader reader) throws IOException {
    SectionEntry section = reader.header().section(SectionEntry.ONNX_GRAPH);
    if (section != null) {
      return GraphMetadata.model(reader, section);
    }
    throw new ExportException(
        reader.label()
            + ": holds "
            + reader.header().tensors().size()
            + " tensors and no ONNX graph (it was made from a checkpoint), so there is no model to"
            + " export; use 'pseed export --safetensors'");
  }

  private ModelProto build() throws IOException {
    Map<String, TensorEntry> inFile = new HashMap<>();
    for (TensorEntry tensor : reader.header().tensors()) {
      inFile.put(tensor.name(), tensor);
    }
    GraphProto.Builder graph = model.getGraphBuilder();
    List<TensorProto> initializers = new ArrayList<>();
    LoadSteps steps =
        new LoadSteps(
            constants,
            graph.getInitializerList().stream()
                .filter(OnnxModels::isPseed)
                .map(initializer -> inFile.get(initializer.getName()))
                .filter(tensor -> tensor != null && tensor.dtype().isCoded())
                .toList());
    for (TensorProto initializer : graph.getInitializerList()) {
      TensorProto kept = initializer;
      if (OnnxModels.isPseed(initializer)) {
        TensorEntry tensor = inFile.get(initializer.getName());
        if (tensor == null) {
          throw new CorruptException(
              reader.label()
                  + ": the ONNX graph refers to tensor '"
                  + initializer.getName()
                  + "', which the file does not hold");
        }
        requireSame(initializer, tensor);
        kept = tensor(initializer, tensor, steps);
      }
      if (kept != null) {
        initializers.add(kept);
        tensorBytes += kept.getSerializedSize() + 8L;
      }
      requireSize(tensorBytes + constants.bytes());
    }
    initializers.addAll(constants.initializers());
    graph.clearInitializer().addAllInitializer(initializers);

    List<NodeProto> nodes = new ArrayList<>(constants.nodes());
    nodes.addAll(decodeNodes);
    nodes.addAll(graph.getNodeList());
    graph.clearNode().addAllNode(nodes);

    List<ValueInfoProto> inputs = new ArrayList<>(graph.getInputList());
    inputs.removeIf(input -> computed.contains(input.getName()));
    graph.clearInput().addAllInput(inputs);

    Stream.of(steps.function(), late.function())
        .flatMap(Optional::stream)
        .forEach(f -> functions.add(f.toBuilder().addOpsetImport(standard()).build()));
    if (!functions.isEmpty()) {
      model.addAllFunctions(functions);
      model.addOpsetImport(OperatorSetIdProto.newBuilder().setDomain(DOMAIN).setVersion(1));
      model.setIrVersion(Math.max(model.getIrVersion(), FUNCTIONS_IR));
    }
    if (payloads.location() != null) {
      ExternalExport.describe(model, payloads.location(), reader.digest());
    }
    ModelProto built = model.build();
    requireSize(tensorBytes + constants.bytes() + built.getFunctionsCount() * (1L << 16));
    return built;
  }

  /** The initializer that a tensor becomes, or null where a node computes it. */
  private TensorProto tensor(TensorProto initializer, TensorEntry tensor, LoadSteps steps)
      throws IOException {
    TensorRecord record = reader.record(tensor);
    if (record.codec() == Codec.RAW
        && payloads.refers(tensor.decodedBytes())
        && !ShapeConstants.mayBe(tensor)) {
      // Only compared with its checksum: the bytes stay where they are.
      decoder.decodeTo(record, bytes -> {});
      raw++;
      return payloads.refer(
          initializer.toBuilder(), tensor.offset() + record.bodyOffset(), tensor.decodedBytes());
    }
    ByteBuffer elements = decoder.decode(record);
    if (record.codec() == Codec.RAW) {
      raw++;
      return withElements(initializer, elements);
    }
    String reason = whyNoFunctions;
    if (reason == null && tensor.elements() * 8 > LARGEST_FOLDED) {
      reason =
          String.format(
              "%d elements: ONNX Runtime folds values of at most 1 GiB when it loads a model",
              tensor.elements());
    }
    if (record.codec() == Codec.POINCARE) {
      boolean layerOnly = record.layerSeed().isPresent() && !hasTiles(record);
      if (reason == null && !layerOnly) {
        reason = "tiles of Poincaré seeds: standard operators do not give their exact values";
      }
      return dense(initializer, tensor, record, null, elements, reason, steps);
    }
    if (reason != null) {
      return dense(initializer, tensor, record, null, elements, reason, steps);
    }
    if (tensor.shape().length == 1 && tensor.decodedBytes() <= LARGEST_SHORT) {
      reason = "short vectors: nodes that decode them would take more than their elements";
      return dense(initializer, tensor, record, null, elements, reason, steps);
    }
    TrellisBody body = TrellisBody.parse(record);
    if (record.layerSeed().isPresent()) {
      return dense(initializer, tensor, record, body, elements, null, steps);
    }
    seeds(tensor, record, body, null, steps);
    return null;
  }

  /**
   * Stores a tensor that seeds alone do not give in standard operators: as the codes of its layer
   * seed (beside the trellis, if there is one) or as its elements, whichever is smaller.
   *
   * @param reason why codes are out of the question; null where they are not
   */
  private TensorProto dense(
      TensorProto initializer,
      TensorEntry tensor,
      TensorRecord record,
      TrellisBody body,
      ByteBuffer elements,
      String reason,
      LoadSteps steps)
      throws IOException {
    long codeBytes = 2 * tensor.elements();
    long trellisBytes = body == null ? 0 : tensor.length();
    if (reason != null || codeBytes + trellisBytes >= tensor.decodedBytes()) {
      String why =
          reason != null
              ? reason
              : "a layer seed: standard operators do not give its exact values, and its codes would"
                  + " take more than the elements";
      dense.add(
          new OnnxExport.DenseTensor(
              tensor.name(), tensor.decodedBytes(), OnnxExport.Form.ELEMENTS, why));
      return withElements(initializer, elements);
    }
    dense.add(
        new OnnxExport.DenseTensor(
            tensor.name(),
            codeBytes,
            OnnxExport.Form.CODES,
            "a layer seed: standard operators do not give its exact values"));
    String codes =
        constants.addOwn(
            tensor.name() + ".layer_codes",
            Protos.tensor(TensorProto.DataType.INT16, tensor.shape(), layerCodes(record)));
    if (body != null) {
      seeds(tensor, record, body, codes, steps);
      return null;
    }
    String prefix = "pseed." + tensor.name();
    String floats = constants.unique(prefix + ".layer");
    constants.node(
        Protos.node(
            constants.unique(floats + ".cast"),
            "Cast",
            List.of(codes),
            floats,
            Protos.number("to", TensorProto.DataType.FLOAT.getNumber())));
    String amplitude =
        constants.add("amplitude", Protos.floats(new long[] {1}, record.layerSeed().amplitude()));
    boolean cast = record.dtype() != DType.F32;
    String product = cast ? constants.unique(prefix + ".product") : tensor.name();
    constants.node(
        Protos.node(constants.unique(prefix + ".mul"), "Mul", List.of(floats, amplitude), product));
    if (cast) {
      constants.node(
          Protos.node(
              constants.unique(prefix + ".type"),
              "Cast",
              List.of(product),
              tensor.name(),
              Protos.number("to", Protos.type(record.dtype()).getNumber())));
    }
    computed.add(tensor.name());
    return null;
  }

  /** Adds the node that decodes a trellis record, and its function where it is a new one. */
  private void seeds(
      TensorEntry tensor,
      TensorRecord record,
      TrellisBody body,
      String layerCodes,
      LoadSteps steps) {
    String recordName =
        constants.addOwn(
            tensor.name(),
            payloads.tensor(
                TensorProto.DataType.UINT8,
                new long[] {tensor.length()},
                recordBytes(record, tensor.length()),
                tensor.offset()));
    FunctionBody call =
        new SeedDecode(
                constants,
                record,
                body,
                ExactSums.of(body),
                payloads.refers(tensor.length())
                    ? recordName
                    : late.of(recordName, tensor.length()),
                (type, dims, bytes, offset) ->
                    payloads.tensor(type, dims, bytes, tensor.offset() + offset),
                steps.of(tensor))
            .write(layerCodes);
    FunctionProto function = call.function();
    String name =
        functionNames.computeIfAbsent(
            function.toByteString(),
            key -> {
              int number = functionNames.size();
              String operator = number == 0 ? OPERATOR : OPERATOR + "_" + number;
              functions.add(
                  function.toBuilder()
                      .setName(operator)
                      .setDomain(DOMAIN)
                      .addOpsetImport(standard())
                      .build());
              return operator;
            });
    NodeProto node =
        call.call(constants.unique("pseed/" + tensor.name()), DOMAIN, name, tensor.name());
    decodeNodes.add(node);
    tensorBytes += node.getSerializedSize() + 8L;
    // Says type and shape to a runtime where a native operator without inference stands in.
    if (!describesValue(tensor.name())) {
      model.getGraphBuilder().addValueInfo(valueInfo(tensor));
    }
    computed.add(tensor.name());
    seeded++;
  }

  private OperatorSetIdProto standard() {
    return OperatorSetIdProto.newBuilder().setDomain("").setVersion(opset()).build();
  }

  private boolean describesValue(String name) {
    GraphProto.Builder graph = model.getGraphBuilder();
    return graph.getValueInfoList().stream().anyMatch(value -> value.getName().equals(name))
        || graph.getOutputList().stream().anyMatch(value -> value.getName().equals(name));
  }

  private static ValueInfoProto valueInfo(TensorEntry tensor) {
    TensorShapeProto.Builder shape = TensorShapeProto.newBuilder();
    for (long dim : tensor.shape()) {
      shape.addDim(TensorShapeProto.Dimension.newBuilder().setDimValue(dim));
    }
    return ValueInfoProto.newBuilder()
        .setName(tensor.name())
        .setType(
            TypeProto.newBuilder()
                .setTensorType(
                    TypeProto.Tensor.newBuilder()
                        .setElemType(Protos.type(tensor.dtype()).getNumber())
                        .setShape(shape)))
        .build();
  }

  /** The record as it stands in the file. */
  private static ByteBuffer recordBytes(TensorRecord record, long length) {
    ByteBuffer bytes = ByteBuffer.allocate((int) length).order(ByteOrder.LITTLE_ENDIAN);
    for (ByteBuffer part :
        TensorRecord.assemble(
            record.codec(),
            record.dtype(),
            record.shape(),
            record.layerSeed(),
            record.decodedCrc(),
            List.of(record.body()))) {
      bytes.put(part.duplicate());
    }
    return bytes.flip();
  }

  /** The codes of a record's layer seed in the order of the tensor's elements. */
  private static ByteBuffer layerCodes(TensorRecord record) throws PseedException {
    View view = View.parse(record);
    ByteBuffer codes = Protos.buffer((int) (2 * record.elements()));
    float[] row = new float[view.cols()];
    for (int r = 0; r < view.rows(); r++) {
      PoincareDecoder.fill(
          record.layerSeed().seed(),
          1f,
          record.layerSeed().shift(),
          view.rows(),
          view.cols(),
          r,
          r + 1,
          row,
          0);
      for (int c = 0; c < row.length; c++) {
        codes.putShort((int) (2 * view.element(r, c)), (short) row[c]);
      }
    }
    return codes;
  }

  private static boolean hasTiles(TensorRecord record) {
    return record.body().getInt(View.LENGTH) != 0;
  }

  private static TensorProto withElements(TensorProto initializer, ByteBuffer elements) {
    return initializer.toBuilder()
        .clearExternalData()
        .clearDataLocation()
        .setRawData(Protos.bytes(elements))
        .build();
  }

  private void requireSame(TensorProto initializer, TensorEntry tensor) throws CorruptException {
    long[] dims = initializer.getDimsList().stream().mapToLong(Long::longValue).toArray();
    if (!Arrays.equals(dims, tensor.shape())
        || !OnnxModels.dataType(tensor.dtype()).equals(Optional.of(initializer.getDataType()))) {
      throw new CorruptException(
          String.format(
              "%s: tensor '%s' is %s %s, the ONNX graph expects element type %d %s",
              reader.label(),
              tensor.name(),
              tensor.dtype(),
              Arrays.toString(tensor.shape()),
              initializer.getDataType(),
              Arrays.toString(dims)));
    }
  }

  private void requireSize(long bytes) throws ExportException {
    if (bytes > LARGEST_MODEL) {
      throw new ExportException(
          String.format(
              "%s: as one ONNX model it takes more than %d bytes, protobuf allows less than 2 GB;"
                  + " %s, or open the .pseed file itself (PseedSession in Java)",
              reader.label(),
              LARGEST_MODEL,
              payloads.location() == null
                  ? "leave the seeds in the .pseed file with --external"
                  : "split the tensors that are stored as elements"));
    }
  }

  /**
   * Brings the model to versions that allow functions.
   *
   * @return null, or why that cannot be done
   */
  private String prepareVersions() {
    long opset = opset();
    if (opset < FUNCTIONS_OPSET - 1) {
      return String.format(
          "the model uses operator set %d, the portable decoder needs %d; convert the ONNX model to"
              + " a newer operator set first",
          opset, FUNCTIONS_OPSET);
    }
    if (opset < FUNCTIONS_OPSET) {
      if (model.getFunctionsCount() > 0) {
        return "the model uses operator set " + opset + " in functions of its own";
      }
      // Of all operators that changed in version 12 only Dropout lost something: its ratio became
      // an input, which does not matter at inference.
      model.setGraph(withoutDropoutRatio(model.getGraph()));
      for (OperatorSetIdProto.Builder set : model.getOpsetImportBuilderList()) {
        if (isStandard(set.getDomain())) {
          set.setVersion(FUNCTIONS_OPSET);
        }
      }
    }
    if (model.getIrVersion() < FREE_INITIALIZERS_IR) {
      // Old models list their constants as inputs. In a newer IR that would make them inputs with a
      // default, and nothing could be folded.
      Set<String> initializers = new HashSet<>();
      model.getGraph().getInitializerList().forEach(i -> initializers.add(i.getName()));
      List<ValueInfoProto> inputs = new ArrayList<>(model.getGraph().getInputList());
      inputs.removeIf(input -> initializers.contains(input.getName()));
      model.getGraphBuilder().clearInput().addAllInput(inputs);
    }
    return null;
  }

  private static GraphProto withoutDropoutRatio(GraphProto graph) {
    GraphProto.Builder out = graph.toBuilder();
    for (NodeProto.Builder node : out.getNodeBuilderList()) {
      for (int i = node.getAttributeCount() - 1; i >= 0; i--) {
        AttributeProto attribute = node.getAttribute(i);
        if (attribute.hasG()) {
          node.getAttributeBuilder(i).setG(withoutDropoutRatio(attribute.getG()));
        }
        if (node.getOpType().equals("Dropout")
            && isStandard(node.getDomain())
            && attribute.getName().equals("ratio")) {
          node.removeAttribute(i);
        }
      }
    }
    return out.build();
  }

  private long opset() {
    for (OperatorSetIdProto set : model.getOpsetImportList()) {
      if (isStandard(set.getDomain())) {
        return set.getVersion();
      }
    }
    return 1;
  }

  private static boolean isStandard(String domain) {
    return domain.isEmpty() || domain.equals("ai.onnx");
  }

  /** Every name that the graph and its subgraphs use. */
  private static Set<String> names(GraphProto graph) {
    Set<String> names = new HashSet<>();
    graph.getInitializerList().forEach(i -> names.add(i.getName()));
    graph.getInputList().forEach(i -> names.add(i.getName()));
    graph.getOutputList().forEach(o -> names.add(o.getName()));
    for (NodeProto node : graph.getNodeList()) {
      names.add(node.getName());
      names.addAll(node.getInputList());
      names.addAll(node.getOutputList());
      for (AttributeProto attribute : node.getAttributeList()) {
        if (attribute.hasG()) {
          names.addAll(names(attribute.getG()));
        }
        attribute.getGraphsList().forEach(g -> names.addAll(names(g)));
      }
    }
    return names;
  }
}
