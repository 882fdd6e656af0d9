package io.pseed.converter.source.onnx;

import com.google.protobuf.ByteString;
import com.google.protobuf.UnsafeByteOperations;
import io.pseed.converter.onnx.proto.TensorProto;
import io.pseed.converter.onnx.proto.TensorProto.DataLocation;
import io.pseed.converter.source.SourceException;
import io.pseed.format.DType;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.Optional;

/** Finds and checks the data of a {@link TensorProto} in each of its storage forms. */
final class TensorReader {
  /** Most dimensions that a record can have (specification, section 3). */
  static final int MAX_RANK = 8;

  /** What external data may add to the graph when they have to be taken in. */
  private static final long MAX_INLINED_BYTES = 1L << 30;

  private final Path file;
  private final Optional<ExternalFiles> external;
  private long inlinedBytes;

  /** A tensor with checked data, or the reason why it cannot have a record. */
  record Inspection(DType dtype, long size, TensorBytes bytes, String reason) {
    static Inspection unfit(String reason) {
      return new Inspection(null, 0, null, reason);
    }

    boolean fit() {
      return reason == null;
    }
  }

  TensorReader(Path file, Optional<ExternalFiles> external) {
    this.file = file;
    this.external = external;
  }

  SourceException trouble(String label, String text) {
    return new SourceException(file, label + ": " + text);
  }

  Inspection inspect(TensorProto tensor, String label) throws SourceException {
    if (tensor.getDataType() == TensorProto.DataType.STRING_VALUE) {
      return Inspection.unfit("are strings");
    }
    Optional<DType> known = OnnxModels.dtype(tensor.getDataType());
    if (known.isEmpty()) {
      return Inspection.unfit("have the element type " + tensor.getDataType() + " of ONNX");
    }
    if (tensor.hasSegment()) {
      return Inspection.unfit("are cut into segments");
    }
    DType dtype = known.get();
    long size = OnnxModels.byteSize(file, label, dtype, tensor.getDimsList());
    TensorBytes bytes =
        tensor.getDataLocation() == DataLocation.EXTERNAL
            ? externalFiles(label).open(tensor, label, size)
            : embedded(tensor, dtype).named(file, label);
    if (bytes.size() != size) {
      throw new SourceException(
          file,
          label
              + ": found "
              + bytes.size()
              + " bytes of data, expected "
              + size
              + " for "
              + dtype
              + " "
              + tensor.getDimsList());
    }
    if (tensor.getDimsCount() > MAX_RANK) {
      return new Inspection(dtype, size, bytes, "have more than " + MAX_RANK + " dimensions");
    }
    return new Inspection(dtype, size, bytes, null);
  }

  private ExternalFiles externalFiles(String label) throws SourceException {
    return external.orElseThrow(
        () ->
            new SourceException(
                file,
                label + ": has external data, but the model was opened without a folder for them"));
  }

  /** Data in the message itself; raw data go before typed lists, as in ONNX Runtime. */
  private static TensorBytes embedded(TensorProto t, DType dtype) {
    if (t.hasRawData()) {
      return TensorBytes.raw(t.getRawData());
    }
    return switch (dtype) {
      case F32, C64 ->
          TensorBytes.typed(
              4,
              t.getFloatDataCount(),
              i -> Integer.toUnsignedLong(Float.floatToRawIntBits(t.getFloatData(i))));
      case F64, C128 ->
          TensorBytes.typed(
              8, t.getDoubleDataCount(), i -> Double.doubleToRawLongBits(t.getDoubleData(i)));
      case I64 -> TensorBytes.typed(8, t.getInt64DataCount(), t::getInt64Data);
      case U64 -> TensorBytes.typed(8, t.getUint64DataCount(), t::getUint64Data);
      case U32 -> TensorBytes.typed(4, t.getUint64DataCount(), t::getUint64Data);
      case I32 -> TensorBytes.typed(4, t.getInt32DataCount(), t::getInt32Data);
      case I16, U16, F16, BF16 -> TensorBytes.typed(2, t.getInt32DataCount(), t::getInt32Data);
      default -> TensorBytes.typed(1, t.getInt32DataCount(), t::getInt32Data);
    };
  }

  /**
   * The tensor as it may stay in the graph: external data are taken in, because the files beside
   * the model do not travel with the graph.
   */
  TensorProto inlined(TensorProto tensor, String label) throws IOException {
    if (tensor.getDataLocation() != DataLocation.EXTERNAL) {
      return tensor;
    }
    Inspection found = inspect(tensor, label);
    if (found.bytes() == null) {
      throw new SourceException(
          file,
          label
              + ": has external data that have to move into the graph, but they "
              + found.reason());
    }
    inlinedBytes += found.size();
    if (inlinedBytes > MAX_INLINED_BYTES) {
      throw new SourceException(
          file,
          label
              + ": the external data of tensors that have to stay in the graph exceed "
              + MAX_INLINED_BYTES
              + " bytes");
    }
    ByteBuffer data = ByteBuffer.allocate(Math.toIntExact(found.size()));
    found.bytes().read(0, data);
    ByteString bytes = UnsafeByteOperations.unsafeWrap(data.flip());
    return OnnxModels.withRawData(tensor, bytes);
  }
}
