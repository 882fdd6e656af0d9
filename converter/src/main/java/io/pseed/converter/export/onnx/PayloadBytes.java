package io.pseed.converter.export.onnx;

import io.pseed.converter.onnx.proto.StringStringEntryProto;
import io.pseed.converter.onnx.proto.TensorProto;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.TreeMap;

/**
 * How bytes of the {@code .pseed} file come into a model: copied, or as ONNX external data that
 * points into the file. Pieces below {@link #SMALLEST} are always copied: a reference takes about
 * as much, and ONNX Runtime infers shapes from small constants that stand in the model only.
 *
 * <pre>
 * model.onnx    graph, functions, tables
 *   record of w   location "model.pseed", offset O,            length N ─────────┐
 *   row scales    location "model.pseed", offset O + 40 + ..., length 2 n ────┐  │
 * model.pseed   prefix | ... | record of w at O: head | view | scales ... | payload | crc | ...
 * </pre>
 */
final class PayloadBytes {
  /** ONNX's own tools leave tensors below this size in the model. */
  static final int SMALLEST = 1024;

  private static final PayloadBytes COPIED = new PayloadBytes(null, Integer.MAX_VALUE);

  private final String location;
  private final int smallest;

  /** Extents that are referred to: end by begin; none overlaps another in part. */
  private final TreeMap<Long, Long> extents = new TreeMap<>();

  private PayloadBytes(String location, int smallest) {
    this.location = location;
    this.smallest = smallest;
  }

  static PayloadBytes copied() {
    return COPIED;
  }

  /**
   * References into {@code pseed} from a model at {@code target}.
   *
   * @param smallest bytes of the smallest piece that is referred to
   * @throws ExportException where ONNX Runtime would not follow the reference
   */
  static PayloadBytes external(Path pseed, Path target, int smallest) throws IOException {
    Path folder = target.toAbsolutePath().getParent();
    if (folder == null || !Files.isDirectory(folder)) {
      throw new IOException(target + ": its folder does not exist; create it first");
    }
    // ONNX Runtime follows links before it judges, so links are followed here.
    Path realFolder = folder.toRealPath();
    Path realFile = pseed.toRealPath();
    if (!realFile.startsWith(realFolder)) {
      boolean link = Files.isSymbolicLink(pseed);
      throw new ExportException(
          pseed
              + ": "
              + (link ? "is a link to " + realFile + ", which" : "")
              + (link ? " lies" : "lies")
              + " outside of "
              + realFolder
              + ", the folder of "
              + target.getFileName()
              + "; ONNX Runtime reads external data only from the model's folder and the folders"
              + " below it, so write the model beside the .pseed file, or copy that file there");
    }
    StringBuilder location = new StringBuilder();
    for (Path name : realFolder.relativize(realFile)) {
      location.append(location.isEmpty() ? "" : "/").append(name);
    }
    // This very word says in the graph of a .pseed file that the file itself holds the tensor.
    return new PayloadBytes(
        location.toString().equals("pseed") ? "./pseed" : location.toString(), smallest);
  }

  /** The file as the model names it, or null where everything is copied. */
  String location() {
    return location;
  }

  /** Bytes of the file that the model refers to; what is referred to twice counts once. */
  long referenced() {
    long sum = 0;
    long end = 0;
    for (var extent : extents.entrySet()) {
      sum += Math.max(0, extent.getValue() - Math.max(end, extent.getKey()));
      end = Math.max(end, extent.getValue());
    }
    return sum;
  }

  /** Whether a piece of that size stays in the file. */
  boolean refers(long length) {
    return location != null && length >= smallest;
  }

  /**
   * A tensor without name.
   *
   * @param bytes its elements, for a copy; not copied here
   * @param offset where they stand in the file
   */
  TensorProto tensor(TensorProto.DataType type, long[] dims, ByteBuffer bytes, long offset) {
    if (!refers(bytes.remaining())) {
      return Protos.tensor(type, dims, bytes);
    }
    TensorProto.Builder tensor =
        TensorProto.newBuilder()
            .addAllDims(Arrays.stream(dims).boxed().toList())
            .setDataType(type.getNumber());
    return refer(tensor, offset, bytes.remaining());
  }

  /** Makes a tensor with type and dimensions a reference. */
  TensorProto refer(TensorProto.Builder tensor, long offset, long length) {
    extents.merge(offset, offset + length, Math::max);
    return tensor
        .clearRawData()
        .clearExternalData()
        .setDataLocation(TensorProto.DataLocation.EXTERNAL)
        .addExternalData(entry("location", location))
        .addExternalData(entry("offset", Long.toString(offset)))
        .addExternalData(entry("length", Long.toString(length)))
        .build();
  }

  private static StringStringEntryProto entry(String key, String value) {
    return StringStringEntryProto.newBuilder().setKey(key).setValue(value).build();
  }
}
