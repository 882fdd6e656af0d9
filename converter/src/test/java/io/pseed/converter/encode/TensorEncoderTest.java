package io.pseed.converter.encode;

import static org.assertj.core.api.Assertions.assertThat;

import io.pseed.codec.TensorDecoder;
import io.pseed.codec.trellis.Panels;
import io.pseed.codec.trellis.Scales;
import io.pseed.converter.plan.TensorPlan;
import io.pseed.converter.plan.TrellisPlan;
import io.pseed.converter.source.SourceTensor;
import io.pseed.converter.source.TensorRole;
import io.pseed.format.Codec;
import io.pseed.format.DType;
import io.pseed.format.Halfs;
import io.pseed.format.Limits;
import io.pseed.format.RecordPlace;
import io.pseed.format.TensorRecord;
import io.pseed.format.View;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.Channels;
import java.util.Optional;
import java.util.Random;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.IntRange;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

class TensorEncoderTest {
  /** A tensor in memory. */
  @SuppressWarnings("ArrayRecordComponent") // Nothing compares them.
  record MemoryTensor(String name, DType dtype, long[] shape, TensorRole role, ByteBuffer bytes)
      implements SourceTensor {
    static MemoryTensor of(DType dtype, float[] values, long... shape) {
      ByteBuffer bytes =
          ByteBuffer.allocate(values.length * dtype.bits() / 8).order(ByteOrder.LITTLE_ENDIAN);
      for (float value : values) {
        switch (dtype) {
          case F32 -> bytes.putFloat(value);
          case F16 -> bytes.putShort(Halfs.fromFloat(value));
          case BF16 -> bytes.putShort(Halfs.toBFloat16(value));
          default -> bytes.putDouble(value);
        }
      }
      return new MemoryTensor("w", dtype, shape, TensorRole.MATMUL, bytes.flip());
    }

    @Override
    public long byteSize() {
      return bytes.limit();
    }

    @Override
    public void read(long offset, ByteBuffer dst) {
      dst.put(bytes.slice((int) offset, dst.remaining()));
    }
  }

  private static float[] gaussian(int n, double sigma, long seed) {
    Random random = new Random(seed);
    float[] values = new float[n];
    for (int i = 0; i < n; i++) {
      values[i] = (float) (random.nextGaussian() * sigma);
    }
    return values;
  }

  private static TrellisPlan plan(View view, int seedBits, int rate, int rowLog2, int colLog2) {
    return new TrellisPlan(
        view,
        seedBits,
        0,
        0,
        rowLog2,
        colLog2,
        Optional.empty(),
        Optional.empty(),
        Panels.uniform(view.cols(), rate));
  }

  private static EncodedTensor encode(SourceTensor tensor, TensorPlan plan, int threads)
      throws IOException {
    try (Workers workers = new Workers(threads)) {
      return new TensorEncoder(workers).encode(tensor, plan, TensorScan.of(tensor), n -> {});
    }
  }

  private static ByteBuffer bytes(EncodedTensor encoded) throws IOException {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    encoded.record().writeTo(Channels.newChannel(out));
    assertThat(out.size()).isEqualTo(encoded.record().length());
    return ByteBuffer.wrap(out.toByteArray());
  }

  private static TensorRecord record(EncodedTensor encoded) throws IOException {
    return TensorRecord.parse(bytes(encoded), RecordPlace.standalone("test"), Limits.STANDARD);
  }

  private static double snrDb(SourceTensor tensor, ByteBuffer decoded) throws IOException {
    ByteBuffer original =
        ByteBuffer.allocate((int) tensor.byteSize()).order(ByteOrder.LITTLE_ENDIAN);
    tensor.read(0, original);
    double signal = 0;
    double noise = 0;
    int width = tensor.dtype().bits() / 8;
    for (int i = 0; i < decoded.limit(); i += width) {
      double a = WeightMatrix.element(original, tensor.dtype(), i);
      double b = WeightMatrix.element(decoded, tensor.dtype(), i);
      signal += a * a;
      noise += (a - b) * (a - b);
    }
    return 10 * Math.log10(signal / noise);
  }

  @ParameterizedTest
  @EnumSource(names = {"F32", "F16", "BF16", "F64"})
  void everyCodedTypeComesBackNearItsValues(DType dtype) throws IOException {
    MemoryTensor tensor = MemoryTensor.of(dtype, gaussian(64 * 96, 0.05, 1), 64, 96);
    TensorPlan plan = TensorPlan.trellis("w", plan(new View(64, 96, false), 10, 4, 6, 5), false);
    EncodedTensor encoded = encode(tensor, plan, 2);
    TensorRecord record = record(encoded);
    assertThat(record.dtype()).isEqualTo(dtype);
    double snr = snrDb(tensor, TensorDecoder.of(record).decode());
    assertThat(snr)
        .isGreaterThan(20)
        .isCloseTo(encoded.snrDb(), org.assertj.core.data.Offset.offset(0.01));
  }

  @Test
  void heavyTailsAndUnevenRowsAreSpreadByTheRotation() throws IOException {
    float[] values = gaussian(128 * 128, 1, 2);
    for (int i = 0; i < values.length; i++) {
      int row = i / 128;
      values[i] = values[i] * values[i] * values[i] * (1 + row * 0.1f);
    }
    MemoryTensor tensor = MemoryTensor.of(DType.F32, values, 128, 128);
    TensorPlan rotated =
        TensorPlan.trellis("w", plan(new View(128, 128, false), 10, 3, 7, 7), false);
    TensorPlan plain = TensorPlan.trellis("w", plan(new View(128, 128, false), 10, 3, 0, 0), false);
    assertThat(encode(tensor, rotated, 2).snrDb())
        .isGreaterThan(encode(tensor, plain, 2).snrDb() + 3);
  }

  @Test
  void transposedViewsGiveTheTensorsOrder() throws IOException {
    MemoryTensor tensor = MemoryTensor.of(DType.F32, gaussian(48 * 80, 1, 3), 48, 80);
    TensorPlan plan = TensorPlan.trellis("w", plan(new View(80, 48, true), 10, 4, 4, 4), false);
    assertThat(snrDb(tensor, TensorDecoder.of(record(encode(tensor, plan, 1))).decode()))
        .isGreaterThan(20);
  }

  @Test
  void zeroRowsStayExactlyZero() throws IOException {
    float[] values = gaussian(33 * 64, 1, 4);
    java.util.Arrays.fill(values, 5 * 64, 7 * 64, 0f);
    MemoryTensor tensor = MemoryTensor.of(DType.F32, values, 33, 64);
    TensorPlan plan = TensorPlan.trellis("w", plan(new View(33, 64, false), 10, 4, 0, 6), false);
    ByteBuffer decoded = TensorDecoder.of(record(encode(tensor, plan, 1))).decode();
    for (int i = 5 * 64; i < 7 * 64; i++) {
      assertThat(Math.abs(decoded.getFloat(4 * i))).isZero();
    }
  }

  @Test
  void aMatrixOfZerosTakesNoPayload() throws IOException {
    MemoryTensor tensor = MemoryTensor.of(DType.F32, new float[64 * 64], 64, 64);
    TensorPlan plan = TensorPlan.trellis("w", plan(new View(64, 64, false), 12, 4, 6, 6), true);
    EncodedTensor encoded = encode(tensor, plan, 1);
    assertThat(encoded.record().length()).isLessThan(300);
    assertThat(encoded.rmse()).isZero();
  }

  @ParameterizedTest
  @ValueSource(floats = {1e20f, 1e-20f})
  void magnitudesBeyondTheScalesStayLossless(float magnitude) throws IOException {
    MemoryTensor tensor = MemoryTensor.of(DType.F32, gaussian(64 * 64, magnitude, 5), 64, 64);
    TensorPlan plan = TensorPlan.trellis("w", plan(new View(64, 64, false), 12, 4, 6, 6), true);
    EncodedTensor encoded = encode(tensor, plan, 1);
    assertThat(encoded.codec()).isEqualTo(Codec.RAW);
    assertThat(encoded.reason()).contains("beyond the range of scales");
  }

  @Test
  void nanKeepsATensorLossless() throws IOException {
    float[] values = gaussian(64 * 64, 1, 5);
    values[77] = Float.NaN;
    MemoryTensor tensor = MemoryTensor.of(DType.F32, values, 64, 64);
    TensorPlan plan = TensorPlan.trellis("w", plan(new View(64, 64, false), 12, 4, 6, 6), true);
    EncodedTensor encoded = encode(tensor, plan, 1);
    assertThat(encoded.codec()).isEqualTo(Codec.RAW);
    assertThat(encoded.reason()).contains("1 elements are NaN");
    assertThat(TensorDecoder.of(record(encoded)).decode()).isEqualTo(tensor.bytes());
  }

  /** A few weights larger than the others, and nothing to rotate them away. */
  private static MemoryTensor outliers(float largest) {
    float[] values = gaussian(61 * 67, 1, 9);
    for (int i = 0; i < values.length; i += 401) {
      values[i] = largest;
    }
    return MemoryTensor.of(DType.F32, values, 61, 67);
  }

  @Test
  void aTensorBelowItsBoundGetsAHigherRate() throws IOException {
    MemoryTensor tensor = outliers(5);
    TensorPlan plan = TensorPlan.trellis("w", plan(new View(61, 67, false), 10, 3, 0, 0), false);
    EncodedTensor free = encode(tensor, plan, 1);
    double wanted = free.snrDb() + 2;
    EncodedTensor bound = encode(tensor, plan.withMinSnrDb(wanted), 1);
    assertThat(bound.codec()).isEqualTo(Codec.TRELLIS);
    assertThat(bound.snrDb()).isGreaterThanOrEqualTo(wanted);
    assertThat(bound.bitsPerWeight()).isGreaterThan(free.bitsPerWeight() + 0.9);
  }

  @Test
  void aTensorThatNoRateBringsToItsBoundStaysLossless() throws IOException {
    MemoryTensor tensor = outliers(10_000);
    TensorPlan plan =
        TensorPlan.trellis("w", plan(new View(61, 67, false), 10, 3, 0, 0), false).withMinSnrDb(60);
    EncodedTensor encoded = encode(tensor, plan, 1);
    assertThat(encoded.codec()).isEqualTo(Codec.RAW);
    assertThat(encoded.reason()).matches("[0-9.]+ dB at the highest rate, the plan asks for 60.0");
  }

  @Test
  void aSmoothLayerTakesASeedAndADecoderGetsItBack() throws IOException {
    int n = 64;
    float[] values = gaussian(n * n, 0.05, 6);
    for (int i = 0; i < n; i++) {
      for (int j = 0; j < n; j++) {
        double x = 2.0 * j / (n - 1) - 1;
        double y = 2.0 * i / (n - 1) - 1;
        values[i * n + j] += (float) (Math.exp(-2 * Math.hypot(x, y)) * Math.sin(Math.atan2(y, x)));
      }
    }
    MemoryTensor tensor = MemoryTensor.of(DType.F32, values, n, n);
    TrellisPlan trellis = plan(new View(n, n, false), 10, 2, 6, 6);
    EncodedTensor with = encode(tensor, TensorPlan.trellis("w", trellis, true), 1);
    EncodedTensor without = encode(tensor, TensorPlan.trellis("w", trellis, false), 1);
    assertThat(with.layerSeed()).isTrue();
    assertThat(with.snrDb())
        .as("without a seed %s", without.snrDb())
        .isGreaterThan(without.snrDb() + 5);
    assertThat(snrDb(tensor, TensorDecoder.of(record(with)).decode()))
        .isCloseTo(with.snrDb(), org.assertj.core.data.Offset.offset(0.01));
  }

  @Test
  void aLayerThatIsASeedNeedsNoStream() throws IOException {
    int n = 64;
    float[] values = new float[n * n];
    for (int i = 0; i < n; i++) {
      for (int j = 0; j < n; j++) {
        double x = 2.0 * j / (n - 1) - 1;
        double y = 2.0 * i / (n - 1) - 1;
        values[i * n + j] =
            (float)
                (Math.exp(-2 * Math.min(0.999999, Math.hypot(x, y)))
                    * Math.sin(Math.atan2(y, x) + 0.3));
      }
    }
    MemoryTensor tensor = MemoryTensor.of(DType.F32, values, n, n);
    TensorPlan plan = TensorPlan.trellis("w", plan(new View(n, n, false), 10, 4, 6, 6), true);
    EncodedTensor encoded = encode(tensor, plan, 1);
    assertThat(encoded.codec()).isEqualTo(Codec.POINCARE);
    assertThat(encoded.record().length()).isLessThan(100);
    assertThat(snrDb(tensor, TensorDecoder.of(record(encoded)).decode())).isGreaterThan(24);
  }

  @Property(tries = 40)
  void anyShapeAndRateRoundTripsWithAnyNumberOfThreads(
      @ForAll @IntRange(min = 1, max = 70) int rows,
      @ForAll @IntRange(min = 1, max = 70) int cols,
      @ForAll @IntRange(min = 1, max = 8) int rate,
      @ForAll @IntRange(min = 8, max = 11) int seedBits,
      @ForAll boolean transposed,
      @ForAll boolean byRows,
      @ForAll long seed)
      throws IOException {
    MemoryTensor tensor =
        MemoryTensor.of(DType.F32, gaussian(rows * cols, 3, seed), (long) rows * cols);
    View view = new View(rows, cols, transposed);
    int axis = byRows ? rows : cols;
    Panels panels =
        axis < 2
            ? new Panels(byRows, new int[] {axis}, new int[] {rate})
            : new Panels(byRows, new int[] {1, axis - 1}, new int[] {rate, rate % 8 + 1});
    TrellisPlan plan =
        new TrellisPlan(
            view,
            seedBits,
            0,
            0,
            Math.min(7, Integer.numberOfTrailingZeros(rows)),
            Math.min(7, Integer.numberOfTrailingZeros(cols)),
            Optional.of(Scales.ofId((int) Math.floorMod(seed, 5L))),
            Optional.of(Scales.ofId((int) Math.floorMod(seed >> 8, 5L))),
            panels);
    EncodedTensor one = encode(tensor, TensorPlan.trellis("w", plan, false), 1);
    EncodedTensor three = encode(tensor, TensorPlan.trellis("w", plan, false), 3);
    assertThat(bytes(three)).isEqualTo(bytes(one));
    ByteBuffer decoded = TensorDecoder.of(record(one)).decode();
    assertThat(decoded.limit()).isEqualTo(4 * rows * cols);
    assertThat(one.rmse()).isLessThan(1.2 * one.sigma());
  }

  @Test
  void theDefaultPlanHoldsTheGaussianTargetsAtFourBits() throws IOException {
    MemoryTensor tensor = MemoryTensor.of(DType.F32, gaussian(256 * 384, 1, 7), 256, 384);
    TensorPlan plan = TensorPlan.trellis("w", plan(new View(256, 384, false), 12, 4, 7, 7), true);
    EncodedTensor encoded = encode(tensor, plan, 2);
    double gap = 6.0206 * encoded.bitsPerWeight() - encoded.snrDb();
    assertThat(gap).isLessThan(1.65);
  }
}
