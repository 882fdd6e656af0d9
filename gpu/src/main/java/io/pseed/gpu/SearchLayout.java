package io.pseed.gpu;

import io.pseed.codec.trellis.TrellisCode;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/**
 * What the host and the kernels of the trellis search agree on: the Java twin of {@code
 * src/main/cuda/trellis_layout.h}, which describes it. All little-endian.
 */
final class SearchLayout {
  /** Bytes of a job. */
  static final int JOB_BYTES = 88;

  /** Bytes of the argument of a launch. */
  static final int ARGUMENT_BYTES = 128;

  /** No weights, no codes wanted. */
  static final long NONE = -1;

  /** Offset in a job of its number of rows. */
  static final int JOB_ROWS = 64;

  /** Offset in a job of the first row that is searched. */
  static final int JOB_FIRST_ROW = 76;

  /** Rows whose errors are fed back together. */
  static final int FEEDBACK_ROWS = 16;

  private static final int CHUNK = 64;
  private static final int[] UNIT_LOG2 = {0, 6, 5, 4, 4, 2, 1, 0, 0};

  private SearchLayout() {}

  /**
   * A job of all rows of a panel. Indexes count elements of the launch's arrays; see the header.
   */
  record Job(
      long targets,
      long errors,
      long factor,
      long offsets,
      long rates,
      long weights,
      int at,
      int stride,
      int rows,
      int n,
      int block) {
    void put(ByteBuffer out) {
      out.putLong(targets).putLong(errors).putLong(factor).putLong(offsets).putLong(rates);
      out.putLong(weights).putLong(NONE);
      out.putInt(at).putInt(stride).putInt(rows).putInt(n).putInt(block);
      out.putInt(0).putInt(rows).putInt(0);
    }
  }

  static long round256(long bytes) {
    return (bytes + 255) / 256 * 256;
  }

  /** Bytes of the decisions of one step. */
  static long decisionBytes(int seedBits, int rate) {
    long groups = 1L << (seedBits - rate);
    if (seedBits < 12 || rate >= 5) {
      return groups;
    }
    return rate >= 3 ? groups / 2 : rate == 2 ? groups / 4 : groups / 8;
  }

  /** The largest of them for rates from {@code least} to {@code most}. */
  static long largestDecisionBytes(int seedBits, int least, int most) {
    long largest = 0;
    for (int k = least; k <= most; k++) {
      largest = Math.max(largest, decisionBytes(seedBits, k));
    }
    return largest;
  }

  /** Bytes of the metrics of one block in device memory, of rates from the least on. */
  static long metricBytes(int seedBits, int leastRate) {
    return 8L << (seedBits - leastRate);
  }

  /** The same in shared memory, where a metric of rate 1 has 24 bits. */
  static int sharedMetricBytes(int seedBits, int leastRate) {
    return leastRate == 1 ? 6 << (seedBits - 1) : 8 << (seedBits - leastRate);
  }

  /**
   * Scratch bytes of one block.
   *
   * @param metricBytes of metrics that are not in shared memory
   */
  static long scratchBytes(long largestDecisionBytes, long longest, long metricBytes) {
    return round256(longest * largestDecisionBytes)
        + round256(longest * 4)
        + round256((longest / CHUNK + 2) * 4)
        + round256(metricBytes);
  }

  /** Bytes of the tables of a generator. */
  static long tableBytes(int seedBits) {
    return 18L << seedBits;
  }

  /** For k = 1 to 8 the codes of all states in the rate's units, then those in code units. */
  static ByteBuffer tables(TrellisCode code) {
    short[] codes = code.copyOfCodes();
    ByteBuffer out =
        ByteBuffer.allocate(Math.toIntExact(tableBytes(code.bits())))
            .order(ByteOrder.LITTLE_ENDIAN);
    for (int k = 1; k <= TrellisCode.MAX_RATE; k++) {
      int shift = UNIT_LOG2[k];
      int half = (1 << shift) >> 1;
      for (short value : codes) {
        out.putShort((short) ((value + half) >> shift));
      }
    }
    for (short value : codes) {
      out.putShort(value);
    }
    return out.flip();
  }
}
