package io.pseed.converter.source.onnx;

import com.google.protobuf.ByteString;
import com.google.protobuf.CodedInputStream;
import com.google.protobuf.InvalidProtocolBufferException;
import com.google.protobuf.UnsafeByteOperations;
import io.pseed.converter.onnx.proto.AttributeProto;
import io.pseed.converter.onnx.proto.FunctionProto;
import io.pseed.converter.onnx.proto.GraphProto;
import io.pseed.converter.onnx.proto.ModelProto;
import io.pseed.converter.onnx.proto.NodeProto;
import io.pseed.converter.onnx.proto.SparseTensorProto;
import io.pseed.converter.onnx.proto.StringStringEntryProto;
import io.pseed.converter.onnx.proto.TensorProto;
import io.pseed.converter.onnx.proto.TensorProto.DataLocation;
import io.pseed.converter.onnx.proto.TensorProto.DataType;
import io.pseed.converter.source.SourceException;
import io.pseed.format.CorruptException;
import io.pseed.format.DType;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * What reading and exporting ONNX models share: parsing with clear errors, element types, the
 * initializers that stand in a {@code .pseed} file, and putting their data back.
 *
 * <p>Every method that takes a {@code file} uses it only to name it in messages.
 */
public final class OnnxModels {
  /** Name of the container's section that holds the graph (specification, section 2.2). */
  public static final String GRAPH_SECTION = "onnx.graph";

  /** {@code location} of the external data of an initializer that is a tensor of the container. */
  public static final String PSEED_LOCATION = "pseed";

  /** Key of {@code external_data} under which the location stands. */
  static final String LOCATION_KEY = "location";

  /** What protobuf can hold in one message. */
  static final long MAX_MODEL_BYTES = Integer.MAX_VALUE;

  private static final DType[] BY_DATA_TYPE = new DType[DataType.INT2_VALUE + 1];
  private static final Map<DType, Integer> DATA_TYPES = new EnumMap<>(DType.class);

  static {
    map(DataType.FLOAT_VALUE, DType.F32);
    map(DataType.UINT8_VALUE, DType.U8);
    map(DataType.INT8_VALUE, DType.I8);
    map(DataType.UINT16_VALUE, DType.U16);
    map(DataType.INT16_VALUE, DType.I16);
    map(DataType.INT32_VALUE, DType.I32);
    map(DataType.INT64_VALUE, DType.I64);
    map(DataType.BOOL_VALUE, DType.BOOL);
    map(DataType.FLOAT16_VALUE, DType.F16);
    map(DataType.DOUBLE_VALUE, DType.F64);
    map(DataType.UINT32_VALUE, DType.U32);
    map(DataType.UINT64_VALUE, DType.U64);
    map(DataType.COMPLEX64_VALUE, DType.C64);
    map(DataType.COMPLEX128_VALUE, DType.C128);
    map(DataType.BFLOAT16_VALUE, DType.BF16);
    map(DataType.FLOAT8E4M3FN_VALUE, DType.F8_E4M3);
    map(DataType.FLOAT8E4M3FNUZ_VALUE, DType.F8_E4M3FNUZ);
    map(DataType.FLOAT8E5M2_VALUE, DType.F8_E5M2);
    map(DataType.FLOAT8E5M2FNUZ_VALUE, DType.F8_E5M2FNUZ);
    map(DataType.UINT4_VALUE, DType.U4);
    map(DataType.INT4_VALUE, DType.I4);
    map(DataType.FLOAT4E2M1_VALUE, DType.F4);
    map(DataType.FLOAT8E8M0_VALUE, DType.F8_E8M0);
  }

  private OnnxModels() {}

  private static void map(int dataType, DType dtype) {
    BY_DATA_TYPE[dataType] = dtype;
    DATA_TYPES.put(dtype, dataType);
  }

  /** Gives the data of a tensor of the container. */
  @FunctionalInterface
  public interface TensorData {
    /**
     * The elements of the tensor, row-major and little-endian, from the buffer's position to its
     * limit. The buffer is not copied: its content must stay as it is as long as the model that it
     * went into is in use.
     *
     * @param name name of the tensor
     */
    ByteBuffer of(String name) throws IOException;
  }

  /**
   * Parses a model.
   *
   * @throws SourceException if the bytes are no ONNX model; the message says what they seem to be
   */
  public static ModelProto parse(Path file, byte[] model) throws SourceException {
    return parse(file, UnsafeByteOperations.unsafeWrap(model));
  }

  static ModelProto parse(Path file, ByteString bytes) throws SourceException {
    ModelProto model;
    try {
      CodedInputStream in = bytes.newCodedInput();
      // Weights stay views of the file's bytes; bounds nesting at protobuf's default of 100.
      in.enableAliasing(true);
      model = ModelProto.parseFrom(in);
      in.checkLastTagWas(0);
    } catch (InvalidProtocolBufferException e) {
      String kind = FileKinds.describe(bytes);
      String found = kind.equals(FileKinds.UNKNOWN) ? kind + " (" + e.getMessage() + ")" : kind;
      throw new SourceException(
          file, "is not an ONNX model: expected a protobuf ModelProto, found " + found, e);
    } catch (IOException e) {
      throw new SourceException(file, "cannot be read: " + e.getMessage(), e);
    }
    if (!model.hasGraph() || model.getIrVersion() < 1) {
      throw new SourceException(
          file,
          "is not an ONNX model: expected a protobuf ModelProto with ir_version and graph, found "
              + FileKinds.describe(bytes));
    }
    return model;
  }

  /** Serializes a model; equal models give equal bytes. */
  public static byte[] serialize(ModelProto model) {
    // No message of onnx_ir.proto has a map field, so the order of fields is fixed already.
    return model.toByteArray();
  }

  /**
   * The element type of a number of {@code TensorProto.DataType}; empty for strings and unknown.
   */
  public static Optional<DType> dtype(int dataType) {
    return dataType >= 0 && dataType < BY_DATA_TYPE.length
        ? Optional.ofNullable(BY_DATA_TYPE[dataType])
        : Optional.empty();
  }

  /** The number of {@code TensorProto.DataType}; empty for types that ONNX does not have. */
  public static Optional<Integer> dataType(DType dtype) {
    return Optional.ofNullable(DATA_TYPES.get(dtype));
  }

  /** Whether the tensor's data stand in the container. */
  public static boolean isPseed(TensorProto tensor) {
    if (tensor.getDataLocation() != DataLocation.EXTERNAL) {
      return false;
    }
    for (StringStringEntryProto entry : tensor.getExternalDataList()) {
      if (entry.getKey().equals(LOCATION_KEY)) {
        return entry.getValue().equals(PSEED_LOCATION);
      }
    }
    return false;
  }

  /** The initializers whose data stand in the container, in the graph's order. */
  public static List<TensorProto> pseedInitializers(ModelProto model) {
    List<TensorProto> found = new ArrayList<>();
    for (TensorProto tensor : model.getGraph().getInitializerList()) {
      if (isPseed(tensor)) {
        found.add(tensor);
      }
    }
    return found;
  }

  /**
   * Bytes of the tensor's elements, from its dimensions and element type.
   *
   * @throws SourceException if the element type is unknown, a dimension is negative or the size
   *     overflows; the message names the tensor
   */
  public static long byteSize(Path file, TensorProto tensor) throws SourceException {
    DType dtype =
        dtype(tensor.getDataType())
            .orElseThrow(
                () ->
                    new SourceException(
                        file,
                        "tensor '"
                            + tensor.getName()
                            + "': element type "
                            + tensor.getDataType()
                            + " is not known"));
    return byteSize(file, "tensor '" + tensor.getName() + "'", dtype, tensor.getDimsList());
  }

  static long byteSize(Path file, String label, DType dtype, List<Long> dims)
      throws SourceException {
    try {
      long elements = 1;
      boolean empty = false;
      for (long dim : dims) {
        if (dim < 0) {
          throw new SourceException(
              file, label + ": dimensions " + dims + " have a negative one; expected 0 or more");
        }
        empty |= dim == 0;
        elements = Math.multiplyExact(elements, Math.max(dim, 1));
      }
      return empty ? 0 : dtype.byteSizeExact(elements);
    } catch (ArithmeticException e) {
      throw new SourceException(
          file, label + ": the size of dimensions " + dims + " does not fit 64 bits", e);
    }
  }

  /**
   * Puts the data back: the plain model that a {@code .pseed} file stands for, for models below 2
   * GiB.
   *
   * @param file the container, named in messages
   * @param graph content of the section {@link #GRAPH_SECTION}
   * @param data gives each tensor of the container
   * @return the model with {@code raw_data} where the section refers to the container
   * @throws SourceException if the section is no model, two initializers ask for one name, a
   *     tensor's data has another length than its dimensions say, or the model would exceed 2 GiB
   * @throws IOException as {@code data} throws it
   */
  public static ModelProto restore(Path file, byte[] graph, TensorData data) throws IOException {
    ModelProto model = parse(file, graph);
    requireOwnData(file.toString(), model);
    long total = graph.length;
    Set<String> names = new HashSet<>();
    GraphProto.Builder out = model.getGraph().toBuilder();
    for (int i = 0; i < out.getInitializerCount(); i++) {
      TensorProto tensor = out.getInitializer(i);
      if (!isPseed(tensor)) {
        continue;
      }
      if (!names.add(tensor.getName())) {
        throw new SourceException(file, "two initializers are named '" + tensor.getName() + "'");
      }
      long expected = byteSize(file, tensor);
      total = Math.addExact(total, expected + 16);
      if (expected > MAX_MODEL_BYTES || total > MAX_MODEL_BYTES) {
        throw new SourceException(
            file,
            "the model would exceed 2 GiB at tensor '"
                + tensor.getName()
                + "', more than one ONNX file can hold; keep its weights as external data");
      }
      ByteBuffer bytes = data.of(tensor.getName());
      if (bytes.remaining() != expected) {
        throw new SourceException(
            file,
            "tensor '"
                + tensor.getName()
                + "': found "
                + bytes.remaining()
                + " bytes of data, expected "
                + expected);
      }
      out.setInitializer(i, withRawData(tensor, UnsafeByteOperations.unsafeWrap(bytes)));
    }
    return model.toBuilder().setGraph(out).build();
  }

  /**
   * Refuses the graph of a container that has external data elsewhere: whoever opens or exports it
   * would read files that the container's author named.
   *
   * @param file the container, named in messages
   * @throws CorruptException where a tensor has external data and is no initializer of the main
   *     graph with the location {@link #PSEED_LOCATION}
   */
  public static void requireOwnData(String file, ModelProto model) throws CorruptException {
    requireOwnData(file, model.getGraph(), true);
    for (FunctionProto function : model.getFunctionsList()) {
      requireOwnData(file, function.getNodeList());
      for (AttributeProto attribute : function.getAttributeProtoList()) {
        requireOwnData(file, attribute);
      }
    }
  }

  private static void requireOwnData(String file, GraphProto graph, boolean main)
      throws CorruptException {
    for (TensorProto tensor : graph.getInitializerList()) {
      requireOwnData(file, tensor, main);
    }
    for (SparseTensorProto tensor : graph.getSparseInitializerList()) {
      requireOwnData(file, tensor);
    }
    requireOwnData(file, graph.getNodeList());
  }

  private static void requireOwnData(String file, List<NodeProto> nodes) throws CorruptException {
    for (NodeProto node : nodes) {
      for (AttributeProto attribute : node.getAttributeList()) {
        requireOwnData(file, attribute);
      }
    }
  }

  private static void requireOwnData(String file, AttributeProto attribute)
      throws CorruptException {
    requireOwnData(file, attribute.getT(), false);
    for (TensorProto tensor : attribute.getTensorsList()) {
      requireOwnData(file, tensor, false);
    }
    requireOwnData(file, attribute.getSparseTensor());
    for (SparseTensorProto tensor : attribute.getSparseTensorsList()) {
      requireOwnData(file, tensor);
    }
    if (attribute.hasG()) {
      requireOwnData(file, attribute.getG(), false);
    }
    for (GraphProto graph : attribute.getGraphsList()) {
      requireOwnData(file, graph, false);
    }
  }

  private static void requireOwnData(String file, SparseTensorProto tensor)
      throws CorruptException {
    requireOwnData(file, tensor.getValues(), false);
    requireOwnData(file, tensor.getIndices(), false);
  }

  private static void requireOwnData(String file, TensorProto tensor, boolean mayBeHere)
      throws CorruptException {
    if (tensor.getDataLocation() != DataLocation.EXTERNAL) {
      return;
    }
    String found = "";
    boolean here = mayBeHere;
    for (StringStringEntryProto entry : tensor.getExternalDataList()) {
      if (entry.getKey().equals(LOCATION_KEY)) {
        found = entry.getValue();
        here &= found.equals(PSEED_LOCATION);
      }
    }
    if (!here || found.isEmpty()) {
      throw new CorruptException(
          String.format(
              "%s: the ONNX graph has a tensor '%s' with external data at location '%s', expected no"
                  + " external data but initializers with location '%s'",
              file, tensor.getName(), found, PSEED_LOCATION));
    }
  }

  /** The tensor with these data instead of whatever it had. */
  static TensorProto withRawData(TensorProto tensor, ByteString data) {
    return withoutData(tensor).setRawData(data).build();
  }

  /** The tensor as a reference to the container. */
  static TensorProto asPseed(TensorProto tensor, String name) {
    return withoutData(tensor)
        .setName(name)
        .setDataLocation(DataLocation.EXTERNAL)
        .addExternalData(
            StringStringEntryProto.newBuilder().setKey(LOCATION_KEY).setValue(PSEED_LOCATION))
        .build();
  }

  private static TensorProto.Builder withoutData(TensorProto tensor) {
    return tensor.toBuilder()
        .clearRawData()
        .clearFloatData()
        .clearDoubleData()
        .clearInt32Data()
        .clearInt64Data()
        .clearUint64Data()
        .clearStringData()
        .clearExternalData()
        .clearDataLocation();
  }
}
