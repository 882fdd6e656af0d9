package io.pseed.converter.encode;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.pseed.codec.trellis.TrellisCode;
import java.util.Arrays;
import java.util.BitSet;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

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

  private static byte[] encode(TrellisCode code, int rate, float[] targets, byte[] weights) {
    byte[] payload = new byte[(targets.length * rate + 7) / 8];
    new TrellisSearch(code, rate)
        .encode(targets, 0, targets.length, payload, 0, new float[targets.length], weights);
    return payload;
  }

  private static byte[] weights(int n, long seed) {
    Random random = new Random(seed);
    byte[] weights = new byte[n];
    for (int i = 0; i < n; i++) {
      weights[i] = (byte) (1 + random.nextInt(TrellisSearch.FULL_WEIGHT));
    }
    return weights;
  }

  /** The metric as its description says, in 64 bits. */
  private record Metric(TrellisCode code, int rate) {
    private static final int[] UNIT = {64, 32, 16, 16, 4, 2, 1, 1};

    long cost(float target, int weight, int state) {
      int unit = UNIT[rate - 1];
      long wanted = (long) Math.floor((double) target / unit + 0.5);
      wanted = Math.max(-28672 / unit, Math.min(28672 / unit, wanted));
      long x = wanted - Math.floorDiv(code.code(state) + unit / 2, unit);
      long cost = rate <= 4 ? x * x : Math.min(x * x, 1000000 + 4 * Math.abs(x));
      return cost * weight / 64;
    }
  }

  /** Of all streams the one of least cost; of equal ones that of the lowest last states. */
  private static byte[] bestOfAllStreams(Metric metric, float[] targets, byte[] weights) {
    int n = targets.length;
    int rate = metric.rate;
    int mask = (1 << metric.code.bits()) - 1;
    long least = Long.MAX_VALUE;
    long best = 0;
    for (long all = 0; all < 1L << (n * rate); all++) {
      long cost = 0;
      for (int t = 0; t < n; t++) {
        int state = (int) (all >> ((n - 1 - t) * rate)) & mask;
        cost += metric.cost(targets[t], weights[t], state);
      }
      if (cost < least || (cost == least && lower(all, best, n, rate, mask))) {
        least = cost;
        best = all;
      }
    }
    return stream(best, n, rate);
  }

  private static boolean lower(long a, long b, int n, int rate, int mask) {
    for (int t = n - 1; t >= 0; t--) {
      int shift = (n - 1 - t) * rate;
      int difference = Long.compare((a >> shift) & mask, (b >> shift) & mask);
      if (difference != 0) {
        return difference < 0;
      }
    }
    return false;
  }

  private static byte[] stream(long all, int n, int rate) {
    byte[] stream = new byte[(n * rate + 7) / 8];
    int unused = stream.length * 8 - n * rate;
    for (int i = 0; i < stream.length; i++) {
      stream[i] = (byte) (all << unused >> (8 * (stream.length - 1 - i)));
    }
    return stream;
  }

  /** Viterbi's algorithm in 64 bits, without any of the search's shortcuts. */
  private static byte[] plainSearch(Metric metric, float[] targets, byte[] weights) {
    int n = targets.length;
    int states = 1 << metric.code.bits();
    int groups = states >> metric.rate;
    long[] metrics = new long[states];
    Arrays.fill(metrics, Long.MAX_VALUE / 2);
    metrics[0] = 0;
    int[][] predecessor = new int[n][groups];
    for (int t = 0; t < n; t++) {
      long[] next = new long[states];
      for (int group = 0; group < groups; group++) {
        int from = group;
        for (int s = group; s < states; s += groups) {
          from = metrics[s] < metrics[from] ? s : from;
        }
        predecessor[t][group] = from;
        for (int s = group << metric.rate; s < (group + 1) * (1 << metric.rate); s++) {
          next[s] = metrics[from] + metric.cost(targets[t], weights[t], s);
        }
      }
      metrics = next;
    }
    int state = 0;
    for (int s = 0; s < states; s++) {
      state = metrics[s] < metrics[state] ? s : state;
    }
    BitSet bits = new BitSet();
    for (int t = n - 1; t >= 0; t--) {
      for (int b = 0; b < metric.rate; b++) {
        bits.set(t * metric.rate + b, ((state >> (metric.rate - 1 - b)) & 1) != 0);
      }
      state = predecessor[t][state >> metric.rate];
    }
    byte[] stream = new byte[(n * metric.rate + 7) / 8];
    for (int b = bits.nextSetBit(0); b >= 0; b = bits.nextSetBit(b + 1)) {
      stream[b >> 3] |= (byte) (0x80 >> (b & 7));
    }
    return stream;
  }

  @ParameterizedTest
  @CsvSource({
    "8,1,13", "8,2,7", "9,3,5", "8,4,4", "10,4,3", "8,5,3", "8,6,2", "8,7,2", "8,8,2", "13,2,7"
  })
  void isTheBestOfAllStreamsByItsMetric(int bits, int rate, int n) {
    TrellisCode code = TrellisCode.of(bits, TrellisCode.LAW_RAYLEIGH, 0);
    Metric metric = new Metric(code, rate);
    byte[] full = new byte[n];
    Arrays.fill(full, (byte) TrellisSearch.FULL_WEIGHT);
    for (int trial = 0; trial < 6; trial++) {
      // The last trials: zeros, where many streams are equal, and targets outside.
      float[] targets = gaussian(n, trial == 4 ? 0 : trial == 5 ? 20000 : 4096, trial);
      assertThat(encode(code, rate, targets, null))
          .isEqualTo(bestOfAllStreams(metric, targets, full));
      byte[] weights = weights(n, trial);
      assertThat(encode(code, rate, targets, weights))
          .isEqualTo(bestOfAllStreams(metric, targets, weights));
    }
  }

  @ParameterizedTest
  @ValueSource(ints = {8, 9, 11, 12, 15, 16, 20})
  void isWhatAPlainSearchFinds(int bits) {
    TrellisCode code = TrellisCode.of(bits, TrellisCode.LAW_RAYLEIGH, 0);
    int n = bits < 16 ? 101 : 25;
    for (int rate = 1; rate <= 8; rate++) {
      Metric metric = new Metric(code, rate);
      float[] targets = gaussian(n, 4096, rate);
      for (int i = 0; i < n; i += 7) {
        // As far outside as can be, of both signs: the largest metrics.
        targets[i] = i % 2 == 0 ? 1e9f : -1e9f;
      }
      byte[] weights = weights(n, rate);
      assertThat(encode(code, rate, targets, weights))
          .as("rate %d", rate)
          .isEqualTo(plainSearch(metric, targets, weights));
      Arrays.fill(weights, (byte) TrellisSearch.FULL_WEIGHT);
      assertThat(encode(code, rate, targets, null))
          .as("rate %d", rate)
          .isEqualTo(plainSearch(metric, targets, weights));
    }
  }

  @Test
  void metricsOfEveryRateFitInto32Bits() {
    for (int bits = TrellisCode.MIN_L; bits <= TrellisCode.MAX_L; bits++) {
      for (int rate = 1; rate <= TrellisCode.MAX_RATE; rate++) {
        // The search's kernels for GPUs shift by an even number.
        int shift = rate + rate % 2;
        assertThat(TrellisSearch.largestDifference(bits, rate) << shift)
            .as("L = %d, k = %d", bits, rate)
            .isLessThan(1L << 31);
        int steps = (bits + rate - 1) / rate;
        assertThat(TrellisSearch.largestDifference(bits, rate))
            .isEqualTo((2 * steps + 1) * TrellisSearch.largestCost(rate));
      }
    }
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 2, 3, 4, 5, 6, 7, 8})
  void noCostIsAboveTheLargest(int rate) {
    long largest = 0;
    for (int bits : new int[] {8, 12, 20}) {
      TrellisCode code = TrellisCode.of(bits, TrellisCode.LAW_DISK, 255);
      Metric metric = new Metric(code, rate);
      for (int state = 0; state < 1 << bits; state++) {
        largest = Math.max(largest, metric.cost(1e9f, TrellisSearch.FULL_WEIGHT, state));
        largest = Math.max(largest, metric.cost(-1e9f, TrellisSearch.FULL_WEIGHT, state));
      }
    }
    assertThat(largest).isLessThanOrEqualTo(TrellisSearch.largestCost(rate));
    assertThat(largest).isGreaterThan(TrellisSearch.largestCost(rate) / 2);
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
      // The search's metric is in coarser units: the best stream to within a thousandth of a
      // deviation each.
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
      targets[i] = Math.signum(targets[i]) * 7 * TrellisCode.UNIT;
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
