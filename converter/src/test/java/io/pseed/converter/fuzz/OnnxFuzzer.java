package io.pseed.converter.fuzz;

import io.pseed.converter.onnx.proto.ModelProto;
import io.pseed.converter.source.SourceException;
import io.pseed.converter.source.SourceTensor;
import io.pseed.converter.source.onnx.OnnxModelSource;
import io.pseed.converter.source.onnx.OnnxModels;
import io.pseed.format.CorruptException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;

/** Fuzz target: any bytes as an ONNX model. Run by {@code .ci/fuzz}. */
public final class OnnxFuzzer {
  private static final Path FILE = Path.of("fuzz.onnx");
  private static final int LARGEST = 1 << 20;

  private OnnxFuzzer() {}

  /** What the fuzzer calls. */
  public static void fuzzerTestOneInput(byte[] data) {
    try (OnnxModelSource source = OnnxModelSource.open(FILE, data.clone(), Optional.empty())) {
      Map<String, ByteBuffer> weights = new HashMap<>();
      for (SourceTensor tensor : source.tensors()) {
        if (tensor.byteSize() > LARGEST) {
          throw new AssertionError(tensor + " has more bytes than the model");
        }
        ByteBuffer bytes = ByteBuffer.allocate((int) tensor.byteSize());
        tensor.read(0, bytes);
        weights.put(tensor.name(), bytes.flip());
      }
      source.notices();
      byte[] graph = source.sections().get(OnnxModels.GRAPH_SECTION);
      OnnxModels.requireOwnData("fuzz", ModelProto.parseFrom(graph));
      OnnxModels.restore(FILE, graph, weights::get);
    } catch (SourceException e) {
      if (!e.getMessage().startsWith("fuzz.onnx: ")) {
        throw new AssertionError("the message does not begin with the file", e);
      }
    } catch (CorruptException e) {
      throw new AssertionError("the source gave a graph that its reader refuses", e);
    } catch (IOException e) {
      throw new AssertionError("another kind of error", e);
    }
  }
}
