package io.pseed.converter.verify;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import io.pseed.converter.source.SourceTensor;
import io.pseed.converter.source.TensorRole;
import io.pseed.converter.verify.RoundToNearest.Channels;
import io.pseed.format.DType;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import org.junit.jupiter.api.Test;

/** Against sums made by hand. */
class RoundToNearestTest {
  @SuppressWarnings("ArrayRecordComponent")
  private record Tensor(TensorRole role, DType dtype, long... dims) implements SourceTensor {
    @Override
    public String name() {
      return "t";
    }

    @Override
    public long[] shape() {
      return dims.clone();
    }

    @Override
    public long byteSize() {
      long n = 1;
      for (long dim : dims) {
        n *= dim;
      }
      return dtype.byteSize(n);
    }

    @Override
    public void read(long offset, ByteBuffer dst) {
      throw new UnsupportedOperationException();
    }
  }

  private static float[] rounded(RoundToNearest kind, Tensor tensor, float... values) {
    ByteBuffer bytes = ByteBuffer.allocate(4 * values.length).order(ByteOrder.LITTLE_ENDIAN);
    bytes.asFloatBuffer().put(values);
    kind.apply(tensor, bytes);
    float[] out = new float[values.length];
    bytes.asFloatBuffer().get(out);
    return out;
  }

  private static long bytes(RoundToNearest kind, Tensor tensor) {
    return kind.bytes(tensor, Channels.of(tensor));
  }

  @Test
  void bytesAreCounted() {
    Tensor matrix = new Tensor(TensorRole.MATMUL, DType.F32, 48, 96);
    assertThat(bytes(RoundToNearest.FP16, matrix)).isEqualTo(2 * 48 * 96);
    assertThat(bytes(RoundToNearest.INT8, matrix)).isEqualTo(48 * 96 + 4 * 96);
    // 96 channels of 48 weights: 24 bytes, and two groups, the second of 16 weights.
    assertThat(bytes(RoundToNearest.INT4, matrix)).isEqualTo(96 * (24 + 2 * 2));
    Tensor table = new Tensor(TensorRole.EMBEDDING, DType.F32, 200, 48);
    assertThat(bytes(RoundToNearest.INT8, table)).isEqualTo(200 * 48 + 4 * 200);
    Tensor odd = new Tensor(TensorRole.LINEAR_TRANSPOSED, DType.F32, 3, 33);
    assertThat(bytes(RoundToNearest.INT4, odd)).isEqualTo(3 * (17 + 2 * 2));
  }

  @Test
  void int8HasOneScaleForEachColumnOfAMatMul() {
    // Columns (127, 63.4) and (2, 1): scales 1 and 2/127.
    float[] out =
        rounded(
            RoundToNearest.INT8, new Tensor(TensorRole.MATMUL, DType.F32, 2, 2), 127, 2, 63.4f, 1);
    float scale = (float) (2 / 127.0);
    assertThat(out).containsExactly(127, 127 * scale, 63, 64 * scale);
  }

  @Test
  void int8HasOneScaleForEachRowOfATable() {
    float[] out =
        rounded(
            RoundToNearest.INT8,
            new Tensor(TensorRole.EMBEDDING, DType.F32, 2, 2),
            127,
            2.4f,
            0,
            0);
    assertThat(out).containsExactly(127, 2, 0, 0);
  }

  @Test
  void channelsOfAConvTransposeLieInTheMiddle() {
    // [input 2, output 2, kernel 2]: channel 0 has elements 0, 1, 4, 5.
    Channels channels = Channels.of(new Tensor(TensorRole.CONV_TRANSPOSE, DType.F32, 2, 2, 2));
    assertThat(new long[] {channels.count(), channels.length()}).containsExactly(2, 4);
    long[] places = new long[8];
    for (int c = 0; c < 2; c++) {
      for (int i = 0; i < 4; i++) {
        places[4 * c + i] = channels.at(c, i);
      }
    }
    assertThat(places).containsExactly(0, 1, 4, 5, 2, 3, 6, 7);
  }

  @Test
  void int4PutsTheLargestAtMinusEight() {
    float[] values = new float[33];
    values[0] = 4;
    values[1] = -3.4f;
    values[2] = 0.2f;
    values[3] = -4;
    values[32] = -0.125f;
    float[] out =
        rounded(RoundToNearest.INT4, new Tensor(TensorRole.EMBEDDING, DType.F32, 1, 33), values);
    // The first group's step is 4 / -8: levels -8, 7 (6.8), 0 (-0.4), and 8 cut to 7.
    assertThat(out[0]).isEqualTo(4);
    assertThat(out[1]).isEqualTo(-3.5f);
    assertThat(out[2]).isEqualTo(0);
    assertThat(out[3]).isEqualTo(-3.5f);
    assertThat(out[32]).isEqualTo(-0.125f);
  }

  @Test
  void halfFloatsAreNearestAndClamped() {
    float[] out =
        rounded(
            RoundToNearest.FP16,
            new Tensor(TensorRole.OTHER, DType.F32, 3),
            1.0004883f,
            1e6f,
            -0.1f);
    assertThat(out[0]).isEqualTo(1);
    assertThat(out[1]).isEqualTo(65504);
    assertThat(out[2]).isCloseTo(-0.099976f, within(1e-6f));
  }
}
