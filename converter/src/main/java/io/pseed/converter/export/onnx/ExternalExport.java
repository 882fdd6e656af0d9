package io.pseed.converter.export.onnx;

import com.google.protobuf.CodedInputStream;
import com.google.protobuf.ExtensionRegistryLite;
import com.google.protobuf.InvalidProtocolBufferException;
import com.google.protobuf.WireFormat;
import io.pseed.converter.onnx.proto.ModelProto;
import io.pseed.converter.onnx.proto.StringStringEntryProto;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.Optional;

/**
 * Which {@code .pseed} file an exported model belongs to. A model with external data says it in its
 * metadata, because the file may be replaced by another conversion: ONNX Runtime would then read
 * other bytes at the same places and not notice.
 *
 * @param location the file, relative to the model's folder
 * @param digest SHA-256 as {@link io.pseed.format.PseedReader#digest()} gives it
 */
public record ExternalExport(String location, String digest) {
  /** Key of the model's metadata for {@link #location}. */
  public static final String LOCATION_KEY = "io.pseed.file";

  /** Key of the model's metadata for {@link #digest}. */
  public static final String DIGEST_KEY = "io.pseed.digest";

  static void describe(ModelProto.Builder model, String location, String digest) {
    for (int i = model.getMetadataPropsCount() - 1; i >= 0; i--) {
      String key = model.getMetadataProps(i).getKey();
      if (key.equals(LOCATION_KEY) || key.equals(DIGEST_KEY)) {
        model.removeMetadataProps(i);
      }
    }
    model.addMetadataProps(entry(LOCATION_KEY, location));
    model.addMetadataProps(entry(DIGEST_KEY, digest));
  }

  private static StringStringEntryProto entry(String key, String value) {
    return StringStringEntryProto.newBuilder().setKey(key).setValue(value).build();
  }

  /**
   * What a model says of its file; reads the metadata and skips the graph.
   *
   * @return empty where {@code file} is no ONNX model or not one with seeds in another file
   */
  public static Optional<ExternalExport> of(Path file) throws IOException {
    if (!Files.isRegularFile(file)) {
      return Optional.empty();
    }
    String location = null;
    String digest = null;
    try (InputStream bytes = Files.newInputStream(file)) {
      CodedInputStream in = CodedInputStream.newInstance(bytes);
      in.setSizeLimit(Integer.MAX_VALUE);
      for (int tag = in.readTag(); tag != 0; tag = in.readTag()) {
        if (WireFormat.getTagFieldNumber(tag) != ModelProto.METADATA_PROPS_FIELD_NUMBER
            || WireFormat.getTagWireType(tag) != WireFormat.WIRETYPE_LENGTH_DELIMITED) {
          if (!in.skipField(tag)) {
            return Optional.empty();
          }
          continue;
        }
        StringStringEntryProto entry =
            in.readMessage(
                StringStringEntryProto.parser(), ExtensionRegistryLite.getEmptyRegistry());
        location = entry.getKey().equals(LOCATION_KEY) ? entry.getValue() : location;
        digest = entry.getKey().equals(DIGEST_KEY) ? entry.getValue() : digest;
      }
    } catch (InvalidProtocolBufferException e) {
      // A checkpoint, or anything else; whoever reads it says what is wrong with it.
      return Optional.empty();
    }
    return location == null || digest == null
        ? Optional.empty()
        : Optional.of(new ExternalExport(location, digest));
  }

  /**
   * Where a model at {@code model} finds the file.
   *
   * @throws InvalidPathException where the model names something that is no path
   */
  public Path file(Path model) {
    return model.toAbsolutePath().resolveSibling(location).normalize();
  }
}
