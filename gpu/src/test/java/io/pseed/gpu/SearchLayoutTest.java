package io.pseed.gpu;

import static org.assertj.core.api.Assertions.assertThat;

import io.pseed.codec.trellis.TrellisCode;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import org.junit.jupiter.api.Test;

class SearchLayoutTest {
  @Test
  void jobsLieAsTheHeaderSays() {
    ByteBuffer out = ByteBuffer.allocate(SearchLayout.JOB_BYTES).order(ByteOrder.LITTLE_ENDIAN);
    new SearchLayout.Job(1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11).put(out);
    assertThat(out.hasRemaining()).isFalse();
    assertThat(out.getLong(48)).isEqualTo(SearchLayout.NONE);
    assertThat(out.getInt(SearchLayout.JOB_ROWS)).isEqualTo(9);
    assertThat(out.getInt(SearchLayout.JOB_FIRST_ROW)).isZero();
    // All rows: what is fed back goes as far.
    assertThat(out.getInt(80)).isEqualTo(9);
  }

  @Test
  void scratchIsWhatTheHeaderSays() {
    assertThat(SearchLayout.decisionBytes(11, 1)).isEqualTo(1024);
    assertThat(SearchLayout.decisionBytes(16, 1)).isEqualTo(4096);
    assertThat(SearchLayout.decisionBytes(16, 2)).isEqualTo(4096);
    assertThat(SearchLayout.decisionBytes(16, 3)).isEqualTo(4096);
    assertThat(SearchLayout.decisionBytes(16, 4)).isEqualTo(2048);
    assertThat(SearchLayout.decisionBytes(16, 5)).isEqualTo(2048);
    assertThat(SearchLayout.largestDecisionBytes(16, 4, 5)).isEqualTo(2048);
    assertThat(SearchLayout.scratchBytes(2048, 100, 0)).isEqualTo(204800 + 512 + 256);
    assertThat(SearchLayout.scratchBytes(2048, 100, 8)).isEqualTo(204800 + 512 + 256 + 256);
  }

  @Test
  void kernelsFitTheirMemory() {
    int h100 = 232448;
    assertThat(SearchKernel.of(11, 1, h100)).isEqualTo(SearchKernel.SMALL);
    assertThat(SearchKernel.of(12, 1, h100)).isEqualTo(SearchKernel.SHARED);
    assertThat(SearchKernel.of(16, 2, h100)).isEqualTo(SearchKernel.SHARED);
    assertThat(SearchKernel.of(16, 1, h100)).isEqualTo(SearchKernel.SHARED);
    assertThat(SearchKernel.SHARED.sharedBytes(16, 1)).isEqualTo(3 << 16);
    // 163 KiB a block, as on compute 8.0.
    assertThat(SearchKernel.of(16, 1, 166912)).isEqualTo(SearchKernel.MEMORY);
    assertThat(SearchKernel.of(16, 2, 166912)).isEqualTo(SearchKernel.SHARED);
    assertThat(SearchKernel.of(17, 8, h100)).isEqualTo(SearchKernel.MEMORY);
    // 64 KiB a block, as on compute 7.5.
    assertThat(SearchKernel.of(16, 3, 65536)).isEqualTo(SearchKernel.MEMORY);
    assertThat(SearchKernel.of(16, 4, 65536)).isEqualTo(SearchKernel.SHARED);
    assertThat(SearchKernel.SHARED.threads(16)).isEqualTo(512);
    assertThat(SearchKernel.SHARED.sharedBytes(16, 4)).isEqualTo(32768);
  }

  @Test
  void tablesHaveACodeForEachRateAndState() {
    TrellisCode code = TrellisCode.of(9, 0, 0);
    ByteBuffer tables = SearchLayout.tables(code);
    assertThat(tables.remaining()).isEqualTo(9 * 2 * 512);
    tables.order(ByteOrder.LITTLE_ENDIAN);
    for (int s = 0; s < 512; s++) {
      assertThat(tables.getShort(2 * s)).isEqualTo((short) ((code.code(s) + 32) >> 6));
      assertThat(tables.getShort(2 * (3 * 512 + s))).isEqualTo((short) ((code.code(s) + 8) >> 4));
      assertThat(tables.getShort(2 * (7 * 512 + s))).isEqualTo((short) code.code(s));
      assertThat(tables.getShort(2 * (8 * 512 + s))).isEqualTo((short) code.code(s));
    }
  }
}
