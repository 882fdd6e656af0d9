package io.pseed.samples.checkpoint;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.pseed.converter.Sources;
import io.pseed.converter.export.SafetensorsWriter;
import io.pseed.converter.source.SourceTensor;
import io.pseed.converter.source.TensorSource;
import io.pseed.format.DType;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** With the first layer of all-MiniLM-L6-v2: no package on Maven Central holds a checkpoint. */
class CheckpointTest {
  @TempDir static Path folder;

  private static Path checkpoint;

  @BeforeAll
  static void makeCheckpoint() throws IOException {
    Path onnx = folder.resolve("model.onnx");
    try (InputStream in = CheckpointTest.class.getResourceAsStream("/all-minilm-l6-v2.onnx")) {
      Files.copy(in, onnx);
    }
    checkpoint = folder.resolve("model.safetensors");
    try (TensorSource model = Sources.open(onnx)) {
      List<SourceTensor> tensors =
          model.tensors().stream()
              .filter(t -> t.dtype() == DType.F32)
              .filter(t -> t.name().matches("(encoder\\.layer\\.0|embeddings\\.(?!word)).*"))
              .toList();
      // The exporter of this model left matrices without names; the first six are the first
      // layer's.
      List<SourceTensor> matrices =
          model.tensors().stream()
              .filter(t -> !t.name().contains(".") && t.shape().length == 2)
              .limit(6)
              .toList();
      Map<String, SourceTensor> all = new LinkedHashMap<>();
      tensors.forEach(t -> all.put(t.name(), t));
      for (int i = 0; i < matrices.size(); i++) {
        all.put("encoder.layer.0.matrix." + i, matrices.get(i));
      }
      try (SafetensorsWriter writer =
          SafetensorsWriter.create(
              checkpoint,
              all.entrySet().stream()
                  .map(
                      e ->
                          SafetensorsWriter.Entry.of(
                              e.getKey(), e.getValue().dtype(), e.getValue().shape()))
                  .toList(),
              Map.of("format", "pt"))) {
        for (SafetensorsWriter.Entry entry : writer.entries()) {
          writer.write(entry.name(), bytes(all.get(entry.name())));
        }
        writer.finish();
      }
    }
  }

  @Test
  void comesBackAsNearAsItsBitsAllow() throws IOException {
    long size = Files.size(checkpoint);
    double before = 0;
    for (int bits : new int[] {3, 5}) {
      Path seeds = folder.resolve(bits + ".pseed");
      Path restored = folder.resolve(bits + ".safetensors");
      Checkpoint.main(
          new String[] {
            checkpoint.toString(), String.valueOf(bits), seeds.toString(), restored.toString()
          });
      double snr = compare(checkpoint, restored);
      System.out.printf(
          "%d bits: %,d bytes before, %,d as seeds, signal to noise ratio %.1f dB%n",
          bits, size, Files.size(seeds), snr);
      // Matrices are most of it; what is small stays as it was.
      assertTrue(Files.size(seeds) * 32.0 / size < bits + 1.5, Files.size(seeds) + " of " + size);
      // 6 dB a bit is what Shannon allows, and rounding is 5 dB worse.
      assertTrue(snr > 6.02 * bits - 4, snr + " dB");
      assertTrue(snr > before + 6, snr + " dB after " + before);
      before = snr;
    }
  }

  /** Names, types and shapes are equal; the ratio of what was to what changed, in dB. */
  private static double compare(Path original, Path restored) throws IOException {
    double signal = 0;
    double noise = 0;
    try (TensorSource a = Sources.open(original);
        TensorSource b = Sources.open(restored)) {
      assertEquals(
          a.tensors().stream().map(SourceTensor::name).toList(),
          b.tensors().stream().map(SourceTensor::name).toList());
      for (int i = 0; i < a.tensors().size(); i++) {
        SourceTensor was = a.tensors().get(i);
        SourceTensor is = b.tensors().get(i);
        assertEquals(was.dtype(), is.dtype());
        assertArrayEquals(was.shape(), is.shape());
        ByteBuffer x = bytes(was);
        ByteBuffer y = bytes(is);
        while (x.hasRemaining()) {
          double value = x.getFloat();
          double error = value - y.getFloat();
          signal += value * value;
          noise += error * error;
        }
      }
    }
    return 10 * Math.log10(signal / noise);
  }

  private static ByteBuffer bytes(SourceTensor tensor) throws IOException {
    ByteBuffer bytes =
        ByteBuffer.allocate(Math.toIntExact(tensor.byteSize())).order(ByteOrder.LITTLE_ENDIAN);
    tensor.read(0, bytes);
    return bytes.flip();
  }
}
