package io.pseed.converter.export.onnx;

import static org.assertj.core.api.Assertions.assertThat;

import io.pseed.codec.trellis.TrellisBody;
import io.pseed.converter.export.onnx.TestTensors.Trellis;
import org.junit.jupiter.api.Test;

/** Where binary32 is proved to be exact, and where it is not. */
class ExactSumsTest {
  private static ExactSums of(Trellis trellis) throws Exception {
    return ExactSums.of(TrellisBody.parse(TestTensors.parse(trellis.make().record())));
  }

  @Test
  void smallBlocksAreExactWhateverTheCodes() throws Exception {
    assertThat(of(new Trellis("w", 128, 16).seeds(8).rate(8).blocks(7, 3).largestCodes()))
        .isEqualTo(ExactSums.AT_ONCE);
  }

  @Test
  void randomCodesNeedTwoStepsInLargeBlocks() throws Exception {
    assertThat(of(new Trellis("w", 128, 32).blocks(7, 5))).isEqualTo(ExactSums.AT_ONCE);
    assertThat(of(new Trellis("w", 128, 128).blocks(7, 7))).isEqualTo(ExactSums.ROWS_FIRST);
  }

  @Test
  void equalCodesNeedDouble() throws Exception {
    assertThat(of(new Trellis("w", 128, 128).seeds(8).rate(8).blocks(7, 7).largestCodes()))
        .isEqualTo(ExactSums.DOUBLE);
  }

  @Test
  void theWorstBandDecides() throws Exception {
    assertThat(
            of(
                new Trellis("w", 256, 128)
                    .seeds(8)
                    .panels(true, new int[] {128, 128}, new int[] {0, 8})
                    .blocks(7, 7)
                    .largestCodes()))
        .isEqualTo(ExactSums.DOUBLE);
  }
}
