package io.pseed.converter.encode;

import java.util.Arrays;

/**
 * The search in Java: loops that Java 17's JIT makes vector code of. Finds what the native search
 * finds.
 */
final class JavaPathSearch implements PathSearch {
  static final int WEIGHT_LOG2 = 6;

  /** The first rate whose costs are bounded by a line. */
  static final int FIRST_BOUNDED_RATE = 5;

  /** The line: its cost at distance 0, and the logarithm of its slope. */
  static final int LINE = 1_000_000;

  static final int LINE_SLOPE_LOG2 = 2;

  /** Pieces of the metric below this length are not worth a loop of their own. */
  private static final int SHORTEST_PIECE = 128;

  private final int bits;
  private final int rate;
  private final int groups;
  private final int unreachable;
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
   * A search.
   *
   * @param codes of all states, in the metric's units
   * @param unreachable the metric of states at which no stream starts
   */
  JavaPathSearch(int bits, int rate, int[] codes, int unreachable) {
    this.bits = bits;
    this.rate = rate;
    this.groups = 1 << (bits - rate);
    this.unreachable = unreachable << rate;
    this.codes = codes;
    this.cost = new int[codes.length];
    this.best = new int[groups];
    this.metric = groups >= SHORTEST_PIECE ? new int[1 << rate][groups] : new int[1][codes.length];
  }

  @Override
  public void find(int[] targets, byte[] weights, int n, int[] states) {
    int decisionBytes = Math.multiplyExact(groups, n);
    if (decisions.length < decisionBytes) {
      decisions = new byte[decisionBytes];
    }
    for (int[] piece : metric) {
      Arrays.fill(piece, unreachable);
    }
    metric[0][0] = 0;
    for (int t = 0; t < n; t++) {
      if (weights == null || weights[t] == 1 << WEIGHT_LOG2) {
        costs(targets[t]);
      } else {
        costs(targets[t], weights[t]);
      }
      choose(t * groups);
      extend();
    }
    int state = bestState();
    for (int t = n - 1; t >= 0; t--) {
      states[t] = state;
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
   * TrellisSearch#largestDifference}).
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
}
