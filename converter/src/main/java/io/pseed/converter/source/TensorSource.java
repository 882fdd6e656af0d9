package io.pseed.converter.source;

import java.io.Closeable;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;

/** A file with weights, open for reading: an ONNX model or a safetensors checkpoint. */
public interface TensorSource extends Closeable {
  /** Short name of the kind of source: {@code onnx} or {@code safetensors}. */
  String format();

  /** The file that was opened (for a sharded checkpoint, its index). */
  Path path();

  /**
   * All files that it consists of: the model, then its external data; or the index, then all
   * shards. Whoever wants to know whether a source changed compares them.
   */
  default List<Path> files() {
    return List.of(path());
  }

  /** Bytes of all files that it consists of: the model with its external data, or all shards. */
  long bytes() throws IOException;

  /** All tensors worth a record, in file order, with unique names. */
  List<SourceTensor> tensors();

  /**
   * What the user stored along (safetensors {@code __metadata__}) and no section holds; empty where
   * there is none.
   */
  Map<String, String> metadata();

  /**
   * Sections that the container carries beside the tensors, by section name; for ONNX, {@code
   * onnx.graph}.
   */
  Map<String, byte[]> sections() throws IOException;

  /**
   * Sentences for the user about what was found, for example that the model is quantized already.
   */
  List<String> notices();

  /** Whether the source is quantized already, so that every tensor should be kept lossless. */
  boolean quantized();
}
