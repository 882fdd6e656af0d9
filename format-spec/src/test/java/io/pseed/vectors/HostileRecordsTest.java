package io.pseed.vectors;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assertions.assertTimeoutPreemptively;

import io.pseed.codec.TensorDecoder;
import io.pseed.format.Limits;
import io.pseed.format.OverLimitException;
import io.pseed.format.PseedException;
import io.pseed.format.RecordPlace;
import io.pseed.format.TensorRecord;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.Arrays;
import org.junit.jupiter.api.Test;

/** Legal records that are built to cost much. */
class HostileRecordsTest {
  @Test
  void aPanelForEachOfManyColumnsTakesLinearTime() {
    int cols = 300_000;
    int[] lengths = new int[cols];
    Arrays.fill(lengths, 1);
    Trellis trellis = new Trellis(1, cols).bits(8).columnPanels(lengths, new int[cols]);
    Arrays.fill(trellis.rates, 1);
    Rng rng = Rng.of("many panels");
    byte[] record =
        Rec.undecoded(Rec.TRELLIS, 1, new long[] {cols}, Rec.Seed.NONE, trellis.body(rng));
    assertTimeoutPreemptively(
        Duration.ofSeconds(10), () -> assertThat(TensorDecoder.of(parse(record))).isNotNull());
  }

  @Test
  void aScaleForMoreRowsThanAnArrayTakesIsOverTheLimit() {
    int rows = Integer.MAX_VALUE;
    byte[] body =
        Rec.view(rows, 1, false)
            .u8(8)
            .zeros(7)
            .u32(1)
            .zeros(4)
            .u32(1)
            .zeros(4)
            .f32(1f)
            .f32(1f)
            .toArray();
    byte[] record = Rec.undecoded(Rec.TRELLIS, 4, new long[] {rows}, Rec.Seed.NONE, body);
    assertThatThrownBy(() -> TensorDecoder.of(parse(record)))
        .isInstanceOf(OverLimitException.class)
        .hasMessageContaining("2147483647 x 1");
  }

  /** 2 GiB and more cannot be one array, whatever the limits say. */
  @Test
  void moreBytesThanAnArrayTakesAreOverTheLimit() {
    byte[] body = Rec.view(1 << 15, 1 << 15, false).zeros(8).toArray();
    Rec.Seed seed = new Rec.Seed(12L << 16, 1f, 0);
    byte[] record = Rec.undecoded(Rec.POINCARE, 1, new long[] {1 << 30}, seed, body);
    assertThatThrownBy(() -> TensorDecoder.of(parse(record)).decode())
        .isInstanceOf(OverLimitException.class)
        .hasMessageContaining("4294967296");
  }

  /** One code above 32767 among many bands: the exception comes when no task writes any more. */
  @Test
  void aFailureInOneBandIsReportedOnce() {
    Rng rng = Rng.of("failure");
    int rows = 600;
    int cols = 400;
    Bytes body = Rec.view(rows, cols, false).u32(1).u32(cols);
    Rec.Seed good = Poincare.seed(10, 1, cols, 10, rng);
    for (int row = 0; row < rows; row++) {
      Poincare.tile(body, row == 555 ? new Rec.Seed(good.bits(), 1f, good.shift() + 20) : good);
    }
    byte[] record =
        Rec.undecoded(Rec.POINCARE, 1, new long[] {rows, cols}, Rec.Seed.NONE, body.toArray());
    assertThatThrownBy(() -> TensorDecoder.of(parse(record)).decode())
        .isInstanceOf(PseedException.class)
        .hasMessageContaining("tile 555");
  }

  private static TensorRecord parse(byte[] record) throws PseedException {
    return TensorRecord.parse(
        ByteBuffer.wrap(record), RecordPlace.standalone("record"), Limits.STANDARD);
  }
}
