package io.pseed.converter.source.safetensors;

import static io.pseed.converter.source.safetensors.RawFiles.tensor;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.pseed.converter.source.SourceException;
import io.pseed.converter.source.SourceTensor;
import io.pseed.converter.source.TensorRole;
import io.pseed.format.DType;
import java.io.RandomAccessFile;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class SafetensorsSourceTest {
  @TempDir Path folder;

  private Path file(String header, int dataBytes) throws Exception {
    return RawFiles.write(folder.resolve("model.safetensors"), header, dataBytes);
  }

  @Test
  void givesTensorsInOrderOfTheirData() throws Exception {
    Path path =
        file(
            "{"
                + tensor("last", "I16", "[2,1]", 6, 10)
                + ",\"__metadata__\":{\"format\":\"pt\",\"é\":\"\"},"
                + tensor("none", "F64", "[3,0]", 4, 4)
                + ","
                + tensor("scalar", "F32", "[]", 0, 4)
                + ","
                + tensor("four", "F4", "[4]", 4, 6)
                + "}   \n",
            10);

    try (SafetensorsSource source = SafetensorsSource.open(path)) {
      assertThat(source.format()).isEqualTo("safetensors");
      assertThat(source.path()).isEqualTo(path);
      assertThat(source.metadata()).hasSize(2).containsEntry("format", "pt").containsEntry("é", "");
      assertThat(source.sections()).isEmpty();
      assertThat(source.notices()).isEmpty();
      assertThat(source.quantized()).isFalse();
      assertThat(source.tensors())
          .extracting(SourceTensor::name)
          .containsExactly("scalar", "none", "four", "last");
      assertThat(source.tensors())
          .extracting(SourceTensor::dtype)
          .containsExactly(DType.F32, DType.F64, DType.F4, DType.I16);
      assertThat(source.tensors())
          .extracting(SourceTensor::byteSize)
          .containsExactly(4L, 0L, 2L, 4L);
      assertThat(source.tensors().get(0).shape()).isEmpty();
      assertThat(source.tensors().get(1).shape()).containsExactly(3, 0);
      assertThat(all(source.tensors().get(3))).containsExactly(6, 7, 8, 9);
      assertThat(all(source.tensors().get(1))).isEmpty();
    }
  }

  @Test
  void anEmptyCheckpointIsValid() throws Exception {
    try (SafetensorsSource source = SafetensorsSource.open(file("{}", 0))) {
      assertThat(source.tensors()).isEmpty();
      assertThat(source.metadata()).isEmpty();
    }
  }

  @Test
  void readsWhereAskedIntoAnyKindOfBuffer() throws Exception {
    Path path =
        file(
            "{" + tensor("a", "U8", "[4]", 0, 4) + "," + tensor("b", "U8", "[8]", 4, 12) + "}", 12);

    try (SafetensorsSource source = SafetensorsSource.open(path)) {
      SourceTensor b = source.tensors().get(1);
      ByteBuffer direct = ByteBuffer.allocateDirect(10).position(3).limit(6);
      b.read(2, direct);
      assertThat(direct.position()).isEqualTo(6);
      assertThat(direct.limit()).isEqualTo(6);
      assertThat(new byte[] {direct.get(3), direct.get(4), direct.get(5)}).containsExactly(6, 7, 8);
      assertThat(direct.get(2)).isZero();

      b.read(8, ByteBuffer.allocate(0));
      assertThatThrownBy(() -> b.read(7, ByteBuffer.allocate(2)))
          .isInstanceOf(IndexOutOfBoundsException.class);
      assertThatThrownBy(() -> b.read(-1, ByteBuffer.allocate(2)))
          .isInstanceOf(IndexOutOfBoundsException.class);
    }
  }

  @Test
  void readsFromSeveralThreads() throws Exception {
    int size = 3 * SafetensorsSource.SLICE_BYTES + 17;
    Path path = file("{" + tensor("a", "U8", "[" + size + "]", 0, size) + "}", size);

    ExecutorService threads = Executors.newFixedThreadPool(4);
    try (SafetensorsSource source = SafetensorsSource.open(path)) {
      SourceTensor tensor = source.tensors().get(0);
      List<Callable<Boolean>> readers = new ArrayList<>();
      for (int i = 0; i < 16; i++) {
        int offset = i * 1001;
        readers.add(
            () -> {
              ByteBuffer read = ByteBuffer.allocate(size - offset);
              tensor.read(offset, read);
              for (int j = 0; j < read.capacity(); j++) {
                if (read.get(j) != (byte) (offset + j)) {
                  return false;
                }
              }
              return true;
            });
      }
      for (Future<Boolean> reader : threads.invokeAll(readers)) {
        assertThat(reader.get()).isTrue();
      }
    } finally {
      threads.shutdownNow();
    }
  }

  @Test
  void readsNearTheEndOfAFileOf5GB() throws Exception {
    long size = 5L << 30;
    String header =
        "{"
            + tensor("big", "F32", "[1310720,1024]", 0, size)
            + ","
            + tensor("tail", "U8", "[3]", size, size + 3)
            + "}";
    Path path = folder.resolve("sparse.safetensors");
    try (RandomAccessFile sparse = new RandomAccessFile(path.toFile(), "rw")) {
      sparse.write(RawFiles.bytes(header.getBytes(StandardCharsets.UTF_8), 0));
      long data = sparse.getFilePointer();
      sparse.setLength(data + size + 3);
      sparse.seek(data + size - 2);
      sparse.write(new byte[] {1, 2, 3, 4, 5});
    }

    try (SafetensorsSource source = SafetensorsSource.open(path)) {
      SourceTensor big = source.tensors().get(0);
      assertThat(big.byteSize()).isEqualTo(size);
      ByteBuffer end = ByteBuffer.allocate(4);
      big.read(size - 4, end);
      assertThat(end.array()).containsExactly(0, 0, 1, 2);
      assertThat(all(source.tensors().get(1))).containsExactly(3, 4, 5);
    }
  }

  @Test
  void saysThatTheFileBecameShorter() throws Exception {
    Path path = file("{" + tensor("a", "U8", "[8]", 0, 8) + "}", 8);

    try (SafetensorsSource source = SafetensorsSource.open(path)) {
      try (FileChannel channel = FileChannel.open(path, StandardOpenOption.WRITE)) {
        channel.truncate(Files.size(path) - 3);
      }
      assertThatThrownBy(() -> all(source.tensors().get(0)))
          .isInstanceOf(SourceException.class)
          .hasMessageContaining(path + ": tensor 'a': the file ends before file offset")
          .hasMessageContaining("became shorter");
    }
  }

  @Test
  void saysThatItWasClosed() throws Exception {
    SafetensorsSource source =
        SafetensorsSource.open(file("{" + tensor("a", "U8", "[8]", 0, 8) + "}", 8));
    source.close();
    source.close();

    assertThatThrownBy(() -> all(source.tensors().get(0)))
        .isInstanceOf(SourceException.class)
        .hasMessageContaining("tensor 'a': the checkpoint was closed");
  }

  @ParameterizedTest
  @CsvSource({
    "model.layers.0.mlp.up_proj.weight, 2, LINEAR_TRANSPOSED",
    "lm_head.weight, 2, LINEAR_TRANSPOSED",
    "model.embed_tokens.weight, 2, EMBEDDING",
    "bert.Embeddings.word.weight, 2, EMBEDDING",
    "transformer.wte.weight, 2, EMBEDDING",
    "h.wpe.weight, 2, EMBEDDING",
    "conv1.weight, 4, CONV",
    "encoder.conv.weight, 3, CONV",
    "vision.patch_embed.proj.weight, 4, CONV",
    "norm.weight, 1, OTHER",
    "video.conv.weight, 5, OTHER",
    "scale.weight, 0, OTHER",
    "fc.bias, 2, OTHER",
    "myweight, 2, OTHER"
  })
  void guessesTheRole(String name, int dimensions, TensorRole expected) {
    assertThat(SafetensorsSource.role(name, dimensions)).isEqualTo(expected);
  }

  @ParameterizedTest
  @CsvSource({
    "fc.qweight, I32, fc.bias, true, named as in GPTQ and AWQ",
    "fc.qzeros, I32, fc.bias, true, named as in GPTQ and AWQ",
    "fc.weight, U32, fc.scales, true, U32 tensor 'fc.weight' has scales in 'fc.scales'",
    "fc.weight, I8, fc.weight_scale, true, I8 tensor 'fc.weight' has scales in 'fc.weight_scale'",
    "fc.weight, I8, fc.SCB, true, 'fc.SCB'",
    "fc.weight, F8_E4M3, fc.weight_scale_inv, true, F8_E4M3 tensor",
    "fc.weight_packed, I32, fc.weight_scale, true, I32 tensor",
    "fc.weight, I8, other.weight_scale, false, ''",
    "fc.weight, F32, fc.weight_scale, false, ''",
    "fc.mask, BOOL, fc.weight, false, ''",
  })
  void noticesQuantizedCheckpoints(
      String name, String dtype, String other, boolean expected, String why) throws Exception {
    int size = DType.valueOf(dtype).bits() / 8;
    Path path =
        file(
            "{"
                + tensor(name, dtype, "[1]", 0, size)
                + ","
                + tensor(other, "F32", "[1]", size, size + 4)
                + "}",
            size + 4);

    try (SafetensorsSource source = SafetensorsSource.open(path)) {
      assertThat(source.quantized()).isEqualTo(expected);
      if (expected) {
        assertThat(source.notices())
            .singleElement()
            .asString()
            .startsWith("The checkpoint is quantized already")
            .contains(why);
      } else {
        assertThat(source.notices()).isEmpty();
      }
    }
  }

  static byte[] all(SourceTensor tensor) throws Exception {
    ByteBuffer buffer = ByteBuffer.allocate(Math.toIntExact(tensor.byteSize()));
    tensor.read(0, buffer);
    return buffer.array();
  }
}
