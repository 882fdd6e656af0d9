package io.pseed.gpu;

import static org.assertj.core.api.Assertions.assertThat;

import io.pseed.codec.trellis.Panels;
import io.pseed.codec.trellis.TrellisCode;
import io.pseed.converter.encode.TrellisSearch;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;

/**
 * The file of searches that the kernels must repeat, {@code src/test/vectors/search.bin}: made by
 * the Java search, read by {@code search_test.cpp}. {@code -Dpseed.vectors=write} makes it anew.
 */
class SearchVectorsTest {
  private static final Path FILE = Path.of("src/test/vectors/search.bin");

  @Test
  void fileHoldsWhatTheJavaSearchFinds() throws IOException {
    byte[] made = make();
    if ("write".equals(System.getProperty("pseed.vectors"))) {
      Files.createDirectories(FILE.getParent());
      Files.write(FILE, made);
    }
    assertThat(Files.readAllBytes(FILE)).as("%s", FILE).isEqualTo(made);
  }

  private static byte[] make() {
    ByteBuffer out = ByteBuffer.allocate(1 << 20).order(ByteOrder.LITTLE_ENDIAN);
    SplittableRandom random = new SplittableRandom(5);
    for (int bits : new int[] {8, 10, 11, 12, 13, 14, 16}) {
      for (int rate = 1; rate <= TrellisCode.MAX_RATE; rate++) {
        for (boolean weighted : new boolean[] {false, true}) {
          vector(out, bits, rate, bits > 13 ? 70 : 150 + rate, weighted, random);
        }
      }
    }
    vector(out, 18, 3, 20, true, random);
    byte[] bytes = new byte[out.position()];
    out.flip().get(bytes);
    return bytes;
  }

  private static void vector(
      ByteBuffer out, int bits, int rate, int n, boolean weighted, SplittableRandom random) {
    float[] targets = new float[n];
    byte[] weights = weighted ? new byte[n] : null;
    for (int i = 0; i < n; i++) {
      double sum = -6;
      for (int j = 0; j < 12; j++) {
        sum += random.nextDouble();
      }
      // Halves of a unit too, whose rounding is a matter of agreement, and values out of reach.
      targets[i] =
          switch (i % 16) {
            case 3 -> (float) Math.rint(sum * 64) * 64 + 32;
            case 9 -> (float) sum * 60000;
            default -> (float) sum * TrellisCode.UNIT;
          };
      if (weights != null) {
        weights[i] = (byte) (1 + random.nextInt(TrellisSearch.FULL_WEIGHT));
      }
    }
    byte[] payload = new byte[Panels.segmentBytes(n, rate)];
    new TrellisSearch(TrellisCode.of(bits, TrellisCode.LAW_RAYLEIGH, 0), rate)
        .encode(targets, 0, n, payload, 0, null, weights);
    out.putInt(bits).putInt(rate).putInt(n).putInt(weighted ? 1 : 0);
    for (float target : targets) {
      out.putFloat(target);
    }
    if (weights != null) {
      out.put(weights);
    }
    out.put(payload);
  }
}
