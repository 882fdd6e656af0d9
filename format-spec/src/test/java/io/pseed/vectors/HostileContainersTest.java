package io.pseed.vectors;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.sun.management.ThreadMXBean;
import io.pseed.codec.TensorDecoder;
import io.pseed.format.Limits;
import io.pseed.format.OverLimitException;
import io.pseed.format.PseedException;
import io.pseed.format.PseedReader;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Containers that are built to cost much: what is refused has cost little by then. */
class HostileContainersTest {
  private static final ThreadMXBean THREADS = (ThreadMXBean) ManagementFactory.getThreadMXBean();

  private static long allocated() {
    long bytes = THREADS.getThreadAllocatedBytes(Thread.currentThread().getId());
    assertThat(bytes).as("this virtual machine counts allocations").isNotNegative();
    return bytes;
  }

  static List<Vector> invalid() {
    return InvalidVectors.all();
  }

  /** The thread that reads allocates a small multiple of the file, whatever the file says. */
  @ParameterizedTest
  @MethodSource("invalid")
  void whatIsRefusedHasCostLittle(Vector vector) {
    long before = allocated();
    assertThatThrownBy(vector::read).isInstanceOf(PseedException.class);
    assertThat(allocated() - before)
        .as("bytes allocated for the %d bytes of %s", vector.bytes().length, vector.file())
        .isLessThan((32L << 20) + 100L * vector.bytes().length);
  }

  /** Without limits on bytes sums still do not wrap: 2^64 bytes in all. */
  @Test
  void sumsOfSizesDoNotWrap() throws IOException {
    long half = 1L << 59;
    byte[] record = Rec.undecoded(Rec.RAW, 25, new long[] {half}, Rec.Seed.NONE, new byte[16]);
    Box box = new Box();
    for (int i = 0; i < 4; i++) {
      box.tensor("t" + i, "C128", new long[] {half}, record);
    }
    byte[] file = box.build();
    Limits almostNone = new Limits(Long.MAX_VALUE, Long.MAX_VALUE - 1, 1000, 1 << 20);
    assertThatThrownBy(() -> PseedReader.of(ByteBuffer.wrap(file), "sum", almostNone))
        .isInstanceOf(OverLimitException.class)
        .hasMessageContaining("tensor 't0'");
    try (PseedReader reader = PseedReader.of(ByteBuffer.wrap(file), "sum", Limits.LARGE)) {
      assertThatThrownBy(() -> TensorDecoder.of(reader.record(reader.tensor("t0"))).decode())
          .isInstanceOf(PseedException.class);
    }
  }

  @Test
  void moreEntriesThanTheLimit() {
    Box box = new Box();
    for (int i = 0; i < 10_001; i++) {
      box.section("s" + i, new byte[0], "");
    }
    byte[] file = box.build();
    assertThatThrownBy(() -> PseedReader.of(ByteBuffer.wrap(file), "many", Limits.SMALL))
        .isInstanceOf(OverLimitException.class)
        .hasMessageContaining("10001 tensors and sections, the limit is 10000");
  }

  @Test
  void aLongerHeaderThanTheLimit() {
    byte[] json = new byte[10_000_001];
    Arrays.fill(json, (byte) ' ');
    byte[] file = new Box().build(json);
    long before = allocated();
    assertThatThrownBy(() -> PseedReader.of(ByteBuffer.wrap(file), "long", Limits.SMALL))
        .isInstanceOf(OverLimitException.class)
        .hasMessageContaining("JSON header of 10000001 bytes");
    assertThat(allocated() - before).isLessThan(1 << 20);
  }
}
