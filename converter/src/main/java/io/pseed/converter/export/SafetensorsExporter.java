package io.pseed.converter.export;

import io.pseed.converter.export.onnx.GraphMetadata;
import io.pseed.format.PseedReader;
import io.pseed.format.TensorEntry;
import io.pseed.onnx.RecordDecoder;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * Decodes a {@code .pseed} file into a safetensors file, tensor after tensor, in memory that does
 * not grow with the file. The metadata of the {@code .pseed} file are kept; {@code pseed.producer}
 * and {@code pseed.digest} tell which file the weights come from.
 */
public final class SafetensorsExporter {
  private SafetensorsExporter() {}

  /**
   * Writes the target, or nothing.
   *
   * @return bytes of the new file
   * @throws io.pseed.format.PseedException where the file is damaged
   * @throws ExportException where the target cannot be written or the format cannot hold a tensor
   */
  public static long export(PseedReader reader, Path target) throws IOException {
    List<SafetensorsWriter.Entry> entries = new ArrayList<>();
    Map<String, TensorEntry> tensors = new LinkedHashMap<>();
    for (TensorEntry tensor : reader.header().tensors()) {
      entries.add(SafetensorsWriter.Entry.of(tensor.name(), tensor.dtype(), tensor.shape()));
      tensors.put(tensor.name(), tensor);
    }
    Map<String, String> metadata = GraphMetadata.of(reader);
    metadata.put("pseed.producer", reader.header().producer());
    metadata.put("pseed.digest", reader.digest());
    RecordDecoder decoder = RecordDecoder.ofThisProcess();
    try (SafetensorsWriter writer = SafetensorsWriter.create(target, entries, metadata)) {
      for (SafetensorsWriter.Entry entry : writer.entries()) {
        decoder.decodeTo(
            reader.record(tensors.get(entry.name())), bytes -> writer.write(entry.name(), bytes));
      }
      writer.finish();
    }
    return Files.size(target);
  }
}
