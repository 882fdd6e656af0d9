package io.pseed.converter.export.onnx;

import com.google.protobuf.InvalidProtocolBufferException;
import io.pseed.converter.onnx.proto.ModelProto;
import io.pseed.converter.onnx.proto.StringStringEntryProto;
import io.pseed.converter.source.onnx.OnnxModels;
import io.pseed.format.CorruptException;
import io.pseed.format.PseedReader;
import io.pseed.format.SectionEntry;
import java.io.IOException;
import java.util.LinkedHashMap;
import java.util.Map;

/** What the user stored along with the weights. */
public final class GraphMetadata {
  private GraphMetadata() {}

  /**
   * The strings of the header and, where there is a graph, its {@code metadata_props}: a model's
   * strings stand in its graph only.
   *
   * @throws io.pseed.format.PseedException where the graph cannot be read
   */
  public static Map<String, String> of(PseedReader reader) throws IOException {
    Map<String, String> metadata = new LinkedHashMap<>(reader.header().metadata());
    SectionEntry section = reader.header().section(SectionEntry.ONNX_GRAPH);
    if (section != null) {
      for (StringStringEntryProto entry : model(reader, section).getMetadataPropsList()) {
        metadata.putIfAbsent(entry.getKey(), entry.getValue());
      }
    }
    return metadata;
  }

  /** The model in the section {@code onnx.graph}. */
  static ModelProto model(PseedReader reader, SectionEntry section) throws IOException {
    try {
      ModelProto model = ModelProto.parseFrom(reader.section(section));
      OnnxModels.requireOwnData(reader.label(), model);
      return model;
    } catch (InvalidProtocolBufferException e) {
      throw new CorruptException(
          reader.label() + ": section 'onnx.graph' is no ONNX model: " + e.getMessage(), e);
    }
  }
}
