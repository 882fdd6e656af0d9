package io.pseed.converter.encode;

import io.pseed.codec.trellis.TrellisCode;
import java.util.Arrays;

/**
 * Finds the stream whose codes come nearest to a row of numbers: a full Viterbi search over the 2^L
 * states of the trellis generator. Not normative: any stream is legal.
 *
 * <p>Arithmetic is in integers, so every machine and every backend finds the same path. A step
 * costs about 2^L additions and 2^L comparisons whatever the rate k is, because all 2^k successors
 * of a group of states have the same 2^k predecessors:
 *
 * <pre>
 * best[m]             = min over j of metric[j * 2^(L-k) + m]          m in 0 .. 2^(L-k) - 1, j in 0 .. 2^k - 1
 * metric'[m * 2^k + b] = best[m] + cost(target, code(m * 2^k + b))
 * </pre>
 *
 * The predecessor's number j rides in the metric's low k bits, so one minimum finds both; ties go
 * to the lowest j. At the end the least metric wins, of equal ones that of the lowest state.
 *
 * <p>Targets and codes are compared in units of 2^{6, 5, 4, 4, 2, 1, 0, 0} code units for k = 1 ..
 * 8, both rounded; targets are clamped to 7 standard deviations. A step costs the squared distance
 * x^2; for k &gt;= 5, where a square would be too large, at most 1000000 + 4 |x|; times weight /
 * 64, rounded down, where errors do not count alike.
 *
 * <p>Metrics are kept relative to that of state 0's group, and a path's spread is bounded by
 * ceil(L/k) steps of the largest cost, so 32 bits never overflow (see {@link #largestDifference}).
 *
 * <p>An instance holds the working memory of one thread.
 */
public final class TrellisSearch {
  private static final int WEIGHT_LOG2 = 6;

  /** The unit in which codes are compared, by rate: the metric of the largest errors still fits. */
  private static final int[] UNIT_LOG2 = {0, 6, 5, 4, 4, 2, 1, 0, 0};

  /** Targets are clamped to so many standard deviations. */
  private static final int REACH = 7;

  /** Bound on a code: the format's codes are of 15 bits. */
  private static final int LARGEST_CODE = 1 << 14;

  /** The first rate whose costs are bounded by a line. */
  private static final int FIRST_BOUNDED_RATE = 5;

  /** The line: its cost at distance 0, and the logarithm of its slope. */
  private static final int LINE = 1_000_000;

  private static final int LINE_SLOPE_LOG2 = 2;

  /** The weight of an error that counts in full. */
  public static final int FULL_WEIGHT = 1 << WEIGHT_LOG2;

  /** Pieces of the metric below this length are not worth a loop of their own. */
  private static final int SHORTEST_PIECE = 128;

  private final int bits;
  private final int rate;
  private final int states;
  private final int groups;

  /** Codes and targets are compared in units of 2^unitLog2 code units. */
  private final int unitLog2;

  /** Targets are clamped to it, in units of 2^unitLog2. */
  private final int limit;

  private final TrellisCode code;
  private final int[] codes;
  private final int[] cost;
  private final int[] best;

  /**
   * The metrics of all states, cut by the predecessor's number j into 2^k arrays of one index,
   * which is what the JIT of Java 17 makes vector code of; or in one array where the pieces would
   * be too short for that.
   */
  private final int[][] metric;

  private byte[] decisions = new byte[0];

  /**
   * A search at one rate.
   *
   * @param code the generator
   * @param rate k, 1 to 8
   */
  public TrellisSearch(TrellisCode code, int rate) {
    if (rate < 1 || rate > TrellisCode.MAX_RATE) {
      throw new IllegalArgumentException("rate " + rate + ", expected 1 to 8");
    }
    this.code = code;
    this.bits = code.bits();
    this.rate = rate;
    this.states = 1 << bits;
    this.groups = 1 << (bits - rate);
    this.unitLog2 = UNIT_LOG2[rate];
    this.limit = (REACH * TrellisCode.UNIT) >> unitLog2;
    this.codes = new int[states];
    short[] table = code.copyOfCodes();
    for (int s = 0; s < states; s++) {
      codes[s] = scaled(table[s]);
    }
    this.cost = new int[states];
    this.best = new int[groups];
    this.metric = groups >= SHORTEST_PIECE ? new int[1 << rate][groups] : new int[1][states];
  }

  private int scaled(int codeUnits) {
    return (codeUnits + (1 << unitLog2 >> 1)) >> unitLog2;
  }

  /** Bound on one step's cost. */
  static long largestCost(int rate) {
    long farthest = ((long) REACH * TrellisCode.UNIT + LARGEST_CODE) >> UNIT_LOG2[rate];
    long square = farthest * farthest;
    return rate < FIRST_BOUNDED_RATE
        ? square
        : Math.min(square, LINE + (farthest << LINE_SLOPE_LOG2));
  }

  /** Bound on the difference of two states that can both be reached. */
  private static long largestSpread(int bits, int rate) {
    return (bits + rate - 1) / rate * largestCost(rate);
  }

  /**
   * Bound on the difference of any two metrics, in units of 2^k: those of states that no stream
   * reaches in the first steps start above the largest spread and take part in fewer than ceil(L/k)
   * steps.
   */
  static long largestDifference(int bits, int rate) {
    return 2 * largestSpread(bits, rate) + largestCost(rate);
  }

  /**
   * Encodes one segment: a stream that starts from zero bits.
   *
   * @param targets in code units (4096 a standard deviation of the generator)
   * @param from first target
   * @param n number of targets, at least 1
   * @param payload receives ceil(n k / 8) bytes from {@code offset} on; they must be zero
   */
  public void encode(float[] targets, int from, int n, byte[] payload, int offset) {
    encode(targets, from, n, payload, offset, null);
  }

  /**
   * Like {@link #encode(float[], int, int, byte[], int)}, and tells what was found.
   *
   * @param found receives the n codes; may be null
   */
  public void encode(float[] targets, int from, int n, byte[] payload, int offset, float[] found) {
    encode(targets, from, n, payload, offset, found, null);
  }

  /**
   * Like {@link #encode(float[], int, int, byte[], int, float[])}, with errors that do not count
   * alike: neighbours in a stream share bits, so a weight that counts more takes them from those
   * that count less.
   *
   * @param weights of each squared error, 1 to {@link #FULL_WEIGHT}; null: all alike
   */
  public void encode(
      float[] targets, int from, int n, byte[] payload, int offset, float[] found, byte[] weights) {
    long decisionBytes = (long) groups * n;
    if (decisionBytes > Integer.MAX_VALUE - 64) {
      throw new IllegalArgumentException(
          "a segment of " + n + " weights is too long for L=" + bits + ", k=" + rate);
    }
    if (decisions.length < decisionBytes) {
      decisions = new byte[(int) decisionBytes];
    }
    int unreachable = (int) (largestSpread(bits, rate) + 1) << rate;
    for (int[] piece : metric) {
      Arrays.fill(piece, unreachable);
    }
    metric[0][0] = 0;
    float unit = 1f / (1 << unitLog2);
    for (int t = 0; t < n; t++) {
      int target = Math.round(targets[from + t] * unit);
      int clamped = Math.max(-limit, Math.min(limit, target));
      if (weights == null || weights[t] == FULL_WEIGHT) {
        costs(clamped);
      } else {
        costs(clamped, weights[t]);
      }
      choose(t * groups);
      extend();
    }
    int state = bestState();
    for (int t = n - 1; t >= 0; t--) {
      put(payload, offset, (long) t * rate, state & (1 << rate) - 1);
      if (found != null) {
        found[t] = code.code(state);
      }
      int group = state >> rate;
      state = (decisions[t * groups + group] & 0xFF) << (bits - rate) | group;
    }
  }

  private int bestState() {
    int state = 0;
    int least = metric[0][0];
    int length = metric[0].length;
    for (int p = 0; p < metric.length; p++) {
      for (int i = 0; i < length; i++) {
        if (metric[p][i] < least) {
          least = metric[p][i];
          state = p * length + i;
        }
      }
    }
    return state;
  }

  /** The cost of every state's code, shifted left by k. */
  private void costs(int target) {
    if (rate < FIRST_BOUNDED_RATE) {
      squares(target, codes, cost, rate);
    } else {
      bounded(target, codes, cost, rate);
    }
  }

  /** The same, for an error that counts less. */
  private void costs(int target, int weight) {
    if (rate < FIRST_BOUNDED_RATE) {
      squares(target, codes, cost, rate, weight);
    } else {
      bounded(target, codes, cost, rate, weight);
    }
  }

  private static void squares(int target, int[] c, int[] out, int shift) {
    for (int s = 0; s < out.length; s++) {
      int x = target - c[s];
      out[s] = (x * x) << shift;
    }
  }

  private static void squares(int target, int[] c, int[] out, int shift, int weight) {
    for (int s = 0; s < out.length; s++) {
      int x = target - c[s];
      out[s] = ((x * x * weight) >> WEIGHT_LOG2) << shift;
    }
  }

  /**
   * Absolute value and minimum are spelled out in shifts, because Java 17's JIT makes no vector
   * code of {@code Math.min} (eight times slower).
   */
  private static void bounded(int target, int[] c, int[] out, int shift) {
    for (int s = 0; s < out.length; s++) {
      int x = target - c[s];
      int sign = x >> 31;
      int line = LINE + (((x ^ sign) - sign) << LINE_SLOPE_LOG2);
      int below = x * x - line;
      out[s] = (line + (below & (below >> 31))) << shift;
    }
  }

  private static void bounded(int target, int[] c, int[] out, int shift, int weight) {
    for (int s = 0; s < out.length; s++) {
      int x = target - c[s];
      int sign = x >> 31;
      int line = LINE + (((x ^ sign) - sign) << LINE_SLOPE_LOG2);
      int below = x * x - line;
      out[s] = (((line + (below & (below >> 31))) * weight) >> WEIGHT_LOG2) << shift;
    }
  }

  /** The best predecessor of each group of states. */
  private void choose(int decisionOffset) {
    int count = 1 << rate;
    if (metric.length == 1) {
      chooseFlat(metric[0], best, groups, count);
    } else {
      System.arraycopy(metric[0], 0, best, 0, groups);
      for (int j = 1; j < count; j++) {
        lower(best, metric[j], j);
      }
    }
    int[] b = best;
    int low = count - 1;
    byte[] d = decisions;
    for (int g = 0; g < b.length; g++) {
      d[decisionOffset + g] = (byte) (b[g] & low);
    }
    int reference = b[0] & ~low;
    for (int g = 0; g < b.length; g++) {
      b[g] = (b[g] & ~low) - reference;
    }
  }

  /**
   * best[g] = min(best[g], m[g] + j); differences of metrics fit into an int (see {@link
   * #largestDifference}).
   */
  private static void lower(int[] best, int[] m, int j) {
    for (int g = 0; g < best.length; g++) {
      int difference = m[g] + j - best[g];
      best[g] += difference & (difference >> 31);
    }
  }

  private static void chooseFlat(int[] m, int[] best, int groups, int count) {
    System.arraycopy(m, 0, best, 0, groups);
    for (int j = 1; j < count; j++) {
      int first = j * groups;
      for (int g = 0; g < groups; g++) {
        best[g] = Math.min(best[g], m[first + g] + j);
      }
    }
  }

  /** The metric of every state: that of its group's best predecessor and its own cost. */
  private void extend() {
    int first = 0;
    for (int[] piece : metric) {
      switch (rate) {
        case 1 -> extendBy2(piece, best, cost, first);
        case 2 -> extendBy4(piece, best, cost, first);
        case 3 -> extendBy8(piece, best, cost, first);
        default -> extendBy16(piece, best, cost, first, rate);
      }
      first += piece.length;
    }
  }

  private static void extendBy2(int[] m, int[] best, int[] cost, int first) {
    for (int i = 0; i < m.length; i += 2) {
      int s = first + i;
      int base = best[s >> 1];
      m[i] = base + cost[s];
      m[i + 1] = base + cost[s + 1];
    }
  }

  private static void extendBy4(int[] m, int[] best, int[] cost, int first) {
    for (int i = 0; i < m.length; i += 4) {
      int s = first + i;
      int base = best[s >> 2];
      m[i] = base + cost[s];
      m[i + 1] = base + cost[s + 1];
      m[i + 2] = base + cost[s + 2];
      m[i + 3] = base + cost[s + 3];
    }
  }

  private static void extendBy8(int[] m, int[] best, int[] cost, int first) {
    for (int i = 0; i < m.length; i += 8) {
      int s = first + i;
      eight(m, i, best[s >> 3], cost, s);
    }
  }

  private static void extendBy16(int[] m, int[] best, int[] cost, int first, int rate) {
    for (int i = 0; i < m.length; i += 16) {
      int s = first + i;
      int base = best[s >> rate];
      eight(m, i, base, cost, s);
      eight(m, i + 8, base, cost, s + 8);
    }
  }

  private static void eight(int[] m, int i, int base, int[] cost, int s) {
    m[i] = base + cost[s];
    m[i + 1] = base + cost[s + 1];
    m[i + 2] = base + cost[s + 2];
    m[i + 3] = base + cost[s + 3];
    m[i + 4] = base + cost[s + 4];
    m[i + 5] = base + cost[s + 5];
    m[i + 6] = base + cost[s + 6];
    m[i + 7] = base + cost[s + 7];
  }

  /** Writes {@code rate} bits, most significant first, at a bit offset. */
  private void put(byte[] payload, int offset, long bit, int value) {
    int at = offset + (int) (bit >> 3);
    int shift = 16 - (int) (bit & 7) - rate;
    int word = value << shift;
    payload[at] |= (byte) (word >> 8);
    if ((word & 0xFF) != 0) {
      payload[at + 1] |= (byte) word;
    }
  }
}
