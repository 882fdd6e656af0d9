package io.pseed.converter.export.onnx;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import ai.onnxruntime.OnnxTensor;
import ai.onnxruntime.OrtEnvironment;
import ai.onnxruntime.OrtSession;
import io.pseed.converter.export.onnx.TestTensors.Tensor;
import io.pseed.converter.export.onnx.TestTensors.Trellis;
import io.pseed.format.Codec;
import io.pseed.format.DType;
import io.pseed.format.LayerSeed;
import io.pseed.format.Limits;
import io.pseed.format.PseedReader;
import io.pseed.format.PseedWriter;
import io.pseed.format.RecordContent;
import io.pseed.format.SectionEntry;
import io.pseed.format.TensorRecord;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.zip.CRC32C;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledIfSystemProperty;
import org.junit.jupiter.api.io.TempDir;

/**
 * Seeds and lossless tensors beyond 2 and 4 GiB of a file. Takes 5.4 GB of disk and 3 GB of heap:
 * {@code .ci/large-external}.
 */
@Tag("ort")
@EnabledIfSystemProperty(named = "pseed.large", matches = "true")
class LargeExternalTest {
  private static final OrtEnvironment ENV = OrtEnvironment.getEnvironment();
  private static final int ROWS = 1 << 18;
  private static final int COLS = 1 << 10;

  @TempDir Path folder;

  @Test
  void everyPlaceOfALargeFile() throws Exception {
    List<Tensor> tensors = new ArrayList<>();
    for (int i = 0; i < 5; i++) {
      tensors.add(
          new Tensor("large" + i, DType.F32, new long[] {ROWS, COLS}, List.of(), new byte[0]));
    }
    Tensor seeds = new Trellis("seeds", 512, 768).rate(3).blocks(6, 7).make();
    tensors.add(seeds);
    Path pseed = folder.resolve("model.pseed");
    try (PseedWriter writer = PseedWriter.create(pseed, "test")) {
      ByteBuffer body = ByteBuffer.allocate(4 * ROWS * COLS).order(ByteOrder.LITTLE_ENDIAN);
      for (int i = 0; i < 5; i++) {
        for (int r = 0; r < ROWS; r++) {
          body.putFloat(4 * r * COLS, value(i, r));
        }
        CRC32C crc = new CRC32C();
        crc.update(body.duplicate());
        writer.tensor(
            "large" + i,
            DType.F32,
            new long[] {ROWS, COLS},
            RecordContent.of(
                TensorRecord.assemble(
                    Codec.RAW,
                    DType.F32,
                    new long[] {ROWS, COLS},
                    LayerSeed.NONE,
                    (int) crc.getValue(),
                    List.of(body.duplicate()))),
            null,
            0);
      }
      writer.tensor("seeds", DType.F32, seeds.shape(), RecordContent.of(seeds.record()), null, 0);
      ByteBuffer graph = ByteBuffer.wrap(TestModels.model(tensors, 17).toByteArray());
      writer.section(SectionEntry.ONNX_GRAPH, null, graph);
      writer.finish("test", Map.of(), null, null);
    }
    Path model = folder.resolve("model.onnx");
    try (PseedReader reader = PseedReader.open(pseed, Limits.STANDARD)) {
      assertThat(reader.tensor("large2").offset()).isGreaterThan(1L << 31);
      assertThat(reader.tensor("seeds").offset()).isGreaterThan(5L << 30);
      Path inside = folder.resolve("inside.onnx");
      assertThatThrownBy(() -> OnnxExporter.export(reader, inside))
          .isInstanceOf(ExportException.class)
          .hasMessageContaining("protobuf allows less than 2 GB")
          .hasMessageContaining("leave the seeds in the .pseed file with --external");
      OnnxExport export = OnnxExporter.exportExternal(reader, pseed, model);
      assertThat(export.externalBytes())
          .isEqualTo(5L * 4 * ROWS * COLS + reader.tensor("seeds").length());
    }
    assertThat(Files.size(model)).isLessThan(1 << 20);

    long[] some = {0, 1, ROWS / 2, ROWS - 1};
    Map<String, OnnxTensor> inputs = new HashMap<>();
    for (Tensor tensor : tensors) {
      inputs.put(
          "index_" + tensor.name(),
          OnnxTensor.createTensor(ENV, tensor.equals(seeds) ? new long[] {0, 511} : some));
    }
    try (OrtSession session = ENV.createSession(model.toString());
        OrtSession.Result result = session.run(inputs)) {
      for (int i = 0; i < 5; i++) {
        float[][] rows = (float[][]) result.get("out_large" + i).orElseThrow().getValue();
        for (int r = 0; r < some.length; r++) {
          assertThat(rows[r][0])
              .as("large%d, row %d", i, some[r])
              .isEqualTo(value(i, (int) some[r]));
          assertThat(rows[r][COLS - 1]).isZero();
        }
      }
      ByteBuffer found = ((OnnxTensor) result.get("out_seeds").orElseThrow()).getByteBuffer();
      byte[] last = new byte[768 * 4];
      found.position(768 * 4).get(last);
      assertThat(last)
          .isEqualTo(Arrays.copyOfRange(seeds.decoded(), 511 * 768 * 4, seeds.decoded().length));
    }
    inputs.values().forEach(OnnxTensor::close);
  }

  private static float value(int tensor, int row) {
    return tensor * ROWS + row + 1;
  }
}
