package io.pseed.converter.encode;

import io.pseed.codec.trellis.TrellisCode;

/**
 * Finds the stream whose codes come nearest to a row of numbers: a full Viterbi search over the 2^L
 * states of the trellis generator. Not normative: any stream is legal.
 *
 * <p>Arithmetic is in integers, so every machine and every backend finds the same path: the search
 * library's native code, or loops in Java where there is none (see {@link PathSearch}). A step
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
  /** The unit in which codes are compared, by rate: the metric of the largest errors still fits. */
  private static final int[] UNIT_LOG2 = {0, 6, 5, 4, 4, 2, 1, 0, 0};

  /** Targets are clamped to so many standard deviations. */
  private static final int REACH = 7;

  /** Bound on a code: the format's codes are of 15 bits. */
  private static final int LARGEST_CODE = 1 << 14;

  /** The weight of an error that counts in full. */
  public static final int FULL_WEIGHT = 1 << JavaPathSearch.WEIGHT_LOG2;

  private final int bits;
  private final int rate;
  private final int groups;

  /** Codes and targets are compared in units of 2^unitLog2 code units. */
  private final int unitLog2;

  /** Targets are clamped to it, in units of 2^unitLog2. */
  private final int limit;

  private final TrellisCode code;
  private final PathSearch search;
  private int[] wanted = new int[0];
  private int[] path = new int[0];

  /**
   * A search at one rate.
   *
   * @param code the generator
   * @param rate k, 1 to 8
   */
  public TrellisSearch(TrellisCode code, int rate) {
    this(code, rate, SearchChoice.ofThisProcess());
  }

  TrellisSearch(TrellisCode code, int rate, SearchChoice choice) {
    if (rate < 1 || rate > TrellisCode.MAX_RATE) {
      throw new IllegalArgumentException("rate " + rate + ", expected 1 to 8");
    }
    this.code = code;
    this.bits = code.bits();
    this.rate = rate;
    this.groups = 1 << (bits - rate);
    this.unitLog2 = UNIT_LOG2[rate];
    this.limit = (REACH * TrellisCode.UNIT) >> unitLog2;
    int[] codes = new int[1 << bits];
    short[] table = code.copyOfCodes();
    for (int s = 0; s < codes.length; s++) {
      codes[s] = scaled(table[s]);
    }
    this.search = choice.search(bits, rate, codes, (int) largestSpread(bits, rate) + 1);
  }

  private int scaled(int codeUnits) {
    return (codeUnits + (1 << unitLog2 >> 1)) >> unitLog2;
  }

  /** Bound on one step's cost. */
  static long largestCost(int rate) {
    long farthest = ((long) REACH * TrellisCode.UNIT + LARGEST_CODE) >> UNIT_LOG2[rate];
    long square = farthest * farthest;
    return rate < JavaPathSearch.FIRST_BOUNDED_RATE
        ? square
        : Math.min(square, JavaPathSearch.LINE + (farthest << JavaPathSearch.LINE_SLOPE_LOG2));
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
    if (wanted.length < n) {
      wanted = new int[n];
      path = new int[n];
    }
    float unit = 1f / (1 << unitLog2);
    for (int t = 0; t < n; t++) {
      wanted[t] = Math.max(-limit, Math.min(limit, Math.round(targets[from + t] * unit)));
    }
    search.find(wanted, alike(weights, n) ? null : weights, n, path);
    for (int t = 0; t < n; t++) {
      put(payload, offset, (long) t * rate, path[t] & ((1 << rate) - 1));
      if (found != null) {
        found[t] = code.code(path[t]);
      }
    }
  }

  private static boolean alike(byte[] weights, int n) {
    if (weights != null) {
      for (int t = 0; t < n; t++) {
        if (weights[t] != FULL_WEIGHT) {
          return false;
        }
      }
    }
    return true;
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
