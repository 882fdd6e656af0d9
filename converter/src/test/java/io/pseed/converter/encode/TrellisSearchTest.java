package io.pseed.converter.encode;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.pseed.codec.trellis.TrellisCode;
import java.util.Arrays;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class TrellisSearchTest {
  /** Reads a stream as the specification says, bit by bit. */
  private static double squaredError(TrellisCode code, int rate, float[] targets, byte[] payload) {
    long state = 0;
    double sum = 0;
    for (int t = 0; t < targets.length; t++) {
      for (int b = 0; b < rate; b++) {
        int bit = t * rate + b;
        state = state << 1 | (payload[bit >> 3] >> (7 - (bit & 7)) & 1);
      }
      double error = targets[t] - code.code((int) (state & ((1 << code.bits()) - 1)));
      sum += error * error;
    }
    return sum;
  }

  private static float[] gaussian(int n, double sigma, long seed) {
    Random random = new Random(seed);
    float[] values = new float[n];
    for (int i = 0; i < n; i++) {
      values[i] = (float) (random.nextGaussian() * sigma);
    }
    return values;
  }

  private static byte[] encode(TrellisCode code, int rate, float[] targets) {
    byte[] payload = new byte[(targets.length * rate + 7) / 8];
    new TrellisSearch(code, rate).encode(targets, 0, targets.length, payload, 0);
    return payload;
  }

  @ParameterizedTest
  @CsvSource({"8,1,12", "8,2,6", "9,3,4", "10,4,3", "8,5,2", "8,6,2", "8,7,2", "8,8,2"})
  void findsTheBestOfAllStreams(int bits, int rate, int n) {
    TrellisCode code = TrellisCode.of(bits, TrellisCode.LAW_RAYLEIGH, 0);
    for (int trial = 0; trial < 20; trial++) {
      float[] targets = gaussian(n, 4096, trial);
      double best = Double.MAX_VALUE;
      byte[] stream = new byte[(n * rate + 7) / 8];
      int unused = stream.length * 8 - n * rate;
      for (int all = 0; all < 1 << (n * rate); all++) {
        for (int i = 0; i < stream.length; i++) {
          stream[i] = (byte) (all << unused >> (8 * (stream.length - 1 - i)));
        }
        best = Math.min(best, squaredError(code, rate, targets, stream));
      }
      double found = squaredError(code, rate, targets, encode(code, rate, targets));
      // The search's metric is in coarser units and linear for far codes: the best stream to within
      // a thousandth of a deviation each.
      assertThat(found).isLessThanOrEqualTo(best * 1.02 + n * 16.0);
    }
  }

  @ParameterizedTest
  @CsvSource({"12,1,0.5", "12,2,1.0", "12,3,1.2", "12,4,1.2"})
  void errorsThatCountLessLeaveBitsToTheOthers(int bits, int rate, double gain) {
    TrellisCode code = TrellisCode.of(bits, TrellisCode.LAW_RAYLEIGH, 0);
    float[] targets = gaussian(2000, 4096, 4);
    byte[] weights = new byte[targets.length];
    for (int t = 0; t < weights.length; t++) {
      weights[t] = (byte) (t % 3 == 0 ? TrellisSearch.FULL_WEIGHT : 4);
    }
    byte[] payload = new byte[(targets.length * rate + 7) / 8];
    float[] found = new float[targets.length];
    new TrellisSearch(code, rate).encode(targets, 0, targets.length, payload, 0, found, weights);
    float[] even = new float[targets.length];
    byte[] other = new byte[payload.length];
    new TrellisSearch(code, rate).encode(targets, 0, targets.length, other, 0, even);
    double db =
        10 * Math.log10(weighted(targets, even, weights) / weighted(targets, found, weights));
    assertThat(db).isGreaterThan(gain);
    double sum = 0;
    for (int t = 0; t < found.length; t++) {
      sum += (double) (targets[t] - found[t]) * (targets[t] - found[t]);
    }
    assertThat(squaredError(code, rate, targets, payload)).isEqualTo(sum);
  }

  @Test
  void fullWeightsAreNoWeights() {
    TrellisCode code = TrellisCode.of(10, TrellisCode.LAW_RAYLEIGH, 0);
    float[] targets = gaussian(500, 4096, 5);
    byte[] weights = new byte[targets.length];
    Arrays.fill(weights, (byte) TrellisSearch.FULL_WEIGHT);
    byte[] payload = new byte[125];
    new TrellisSearch(code, 2).encode(targets, 0, 500, payload, 0, null, weights);
    assertThat(payload).isEqualTo(encode(code, 2, targets));
  }

  private static double weighted(float[] targets, float[] found, byte[] weights) {
    double sum = 0;
    for (int t = 0; t < targets.length; t++) {
      sum += weights[t] * (double) (targets[t] - found[t]) * (targets[t] - found[t]);
    }
    return sum;
  }

  @ParameterizedTest
  @CsvSource({
    "12,1,5.2",
    "12,2,10.9",
    "12,3,16.5",
    "12,4,22.0",
    "12,5,27.5",
    "12,6,33",
    "12,7,38",
    "12,8,43.5",
    "8,1,4.8",
    "8,2,9.7",
    "8,4,20.0",
    "10,3,15.6",
    "14,2,11.0",
    "13,4,22.0"
  })
  void comesNearShannonsBound(int bits, int rate, double snrDb) {
    TrellisCode code = TrellisCode.of(bits, TrellisCode.LAW_RAYLEIGH, 0);
    double signal = 0;
    double noise = 0;
    for (int row = 0; row < 8; row++) {
      float[] targets =
          gaussian(384, TrellisCode.UNIT / (double) TrellisEncoder.gain(bits, rate), row);
      for (float target : targets) {
        signal += (double) target * target;
      }
      noise += squaredError(code, rate, targets, encode(code, rate, targets));
    }
    assertThat(10 * Math.log10(signal / noise)).isGreaterThan(snrDb);
  }

  @ParameterizedTest
  @CsvSource({"8,8", "20,1", "12,7", "12,4", "15,6", "20,3", "11,1"})
  void staysInRangeOnTargetsFarOutside(int bits, int rate) {
    TrellisCode code = TrellisCode.of(bits, TrellisCode.LAW_RAYLEIGH, 0);
    int n = 48;
    float[] targets = new float[n];
    for (int i = 0; i < n; i++) {
      targets[i] = i % 3 == 0 ? 1e9f : i % 3 == 1 ? -1e9f : 0f;
    }
    byte[] far = encode(code, rate, targets);
    for (int i = 0; i < n; i++) {
      targets[i] = Math.signum(targets[i]) * 8 * TrellisCode.UNIT;
    }
    assertThat(far).isEqualTo(encode(code, rate, targets));
    // A path that overflowed would be no better than any other.
    assertThat(squaredError(code, rate, targets, far))
        .isLessThan(squaredError(code, rate, targets, new byte[far.length]));
  }

  @Test
  void sameInstanceGivesTheSameStreamTwice() {
    TrellisCode code = TrellisCode.of(12, TrellisCode.LAW_RAYLEIGH, 0);
    TrellisSearch search = new TrellisSearch(code, 3);
    float[] targets = gaussian(100, 4096, 1);
    byte[] first = new byte[38];
    byte[] second = new byte[38];
    search.encode(targets, 0, 100, first, 0);
    search.encode(gaussian(57, 9000, 2), 0, 57, new byte[30], 0);
    search.encode(targets, 0, 100, second, 0);
    assertThat(second).isEqualTo(first);
  }

  @Test
  void refusesRatesOutsideOfTheFormat() {
    TrellisCode code = TrellisCode.of(12, TrellisCode.LAW_RAYLEIGH, 0);
    assertThatThrownBy(() -> new TrellisSearch(code, 0)).hasMessage("rate 0, expected 1 to 8");
    assertThatThrownBy(() -> new TrellisSearch(code, 9)).hasMessage("rate 9, expected 1 to 8");
  }
}
