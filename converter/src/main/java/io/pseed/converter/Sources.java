package io.pseed.converter;

import io.pseed.converter.source.SourceException;
import io.pseed.converter.source.TensorSource;
import io.pseed.converter.source.onnx.OnnxModelSource;
import io.pseed.converter.source.safetensors.SafetensorsFormat;
import io.pseed.converter.source.safetensors.SafetensorsSource;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;

/** Opens whatever holds weights: decides by name and content what it is. */
public final class Sources {
  private Sources() {}

  /**
   * Opens a checkpoint folder, a {@code .safetensors} file or its index, or an ONNX model.
   *
   * @throws SourceException where it is none of them; the message says what it seems to be
   */
  public static TensorSource open(Path path) throws IOException {
    if (!Files.exists(path)) {
      throw new SourceException(path, "no such file or folder");
    }
    if (!Files.isReadable(path)) {
      throw new SourceException(path, "cannot be read; check its permissions");
    }
    if (!Files.isDirectory(path) && !Files.isRegularFile(path)) {
      throw new SourceException(path, "is no regular file");
    }
    String name = path.toString();
    if (Files.isDirectory(path)
        || name.endsWith(SafetensorsFormat.FILE_SUFFIX)
        || name.endsWith(SafetensorsFormat.INDEX_SUFFIX)
        || looksLikeSafetensors(path)) {
      return SafetensorsSource.open(path);
    }
    return OnnxModelSource.open(path);
  }

  /** A header length that fits the file, then the JSON object. */
  private static boolean looksLikeSafetensors(Path file) throws IOException {
    byte[] start;
    try (InputStream in = Files.newInputStream(file)) {
      start = in.readNBytes(SafetensorsFormat.PREFIX_BYTES + 1);
    }
    if (start.length <= SafetensorsFormat.PREFIX_BYTES
        || start[SafetensorsFormat.PREFIX_BYTES] != '{') {
      return false;
    }
    long header = ByteBuffer.wrap(start).order(ByteOrder.LITTLE_ENDIAN).getLong(0);
    return header > 0 && header <= Files.size(file) - SafetensorsFormat.PREFIX_BYTES;
  }
}
