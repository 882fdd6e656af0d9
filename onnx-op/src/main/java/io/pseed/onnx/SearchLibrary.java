package io.pseed.onnx;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.IntBuffer;
import java.util.Optional;

/**
 * The encoder's search in native code, for the converter: Viterbi's algorithm over the states of
 * the trellis generator, all in integers, so that the path is the one that the converter's loops in
 * Java find. The library is unpacked and verified as that of {@link PseedOpLibrary}, and loaded at
 * the first use.
 *
 * <p>The system property {@value #PROPERTY} names a library of one's own build instead.
 *
 * <p>The static methods may be called from several threads; an instance belongs to one.
 */
public final class SearchLibrary {
  /** System property: the file of a library to be used instead of the one in the artifact. */
  public static final String PROPERTY = JniLibrary.PROPERTY;

  /** Groups of states fill a register of every instruction set. */
  private static final int MIN_GROUPS_LOG2 = 4;

  private final int bits;
  private final int rate;
  private final ByteBuffer memory;
  private ByteBuffer targets = direct(0);
  private ByteBuffer weights = direct(0);
  private ByteBuffer decisions = direct(0);

  /**
   * A search of one kind.
   *
   * @param bits L, 8 to 20
   * @param rate k, 1 to 8
   * @param codes of all 2^L states, in the metric's units
   * @param unreachable the metric of states at which no stream starts
   * @throws IllegalStateException where {@link #unavailable} has a reason
   * @throws IllegalArgumentException where {@link #supports} says no, or codes are too few
   */
  public SearchLibrary(int bits, int rate, int[] codes, int unreachable) {
    unavailable()
        .ifPresent(
            reason -> {
              throw new IllegalStateException(reason);
            });
    if (!supports(bits, rate) || codes.length != 1 << bits) {
      throw new IllegalArgumentException(
          "no search of " + codes.length + " states with L=" + bits + ", k=" + rate);
    }
    this.bits = bits;
    this.rate = rate;
    this.memory = direct(memoryBytes(bits, rate));
    ByteBuffer copy = direct(codes.length * Integer.BYTES);
    copy.asIntBuffer().put(codes);
    if (!prepare(memory, copy, bits, rate, unreachable)) {
      throw new IllegalStateException("the search library refuses its own size of memory");
    }
  }

  /** Whether there is a native search: groups of 2^k states must be 16 at least. */
  public static boolean supports(int bits, int rate) {
    return rate >= 1 && rate <= 8 && bits >= 8 && bits <= 20 && bits - rate >= MIN_GROUPS_LOG2;
  }

  /** Why there is no native search here; empty where there is one. Loads the library. */
  public static Optional<String> unavailable() {
    return JniLibrary.trouble().map(JniLibrary.Trouble::reason);
  }

  /** Values that one instruction works on; 16: AVX-512, 8: AVX2, 4: NEON or any other machine. */
  public static int valuesAtOnce() {
    return lanes();
  }

  /**
   * Searches one segment, a stream that starts from zero bits.
   *
   * @param wanted n targets in the metric's units, clamped
   * @param counts n weights of squared errors, 1 to 64; null: all 64
   * @param n at least 1; n 2^(L-k) is less than 2^31
   * @param states receives the n states of the path
   */
  public void find(int[] wanted, byte[] counts, int n, int[] states) {
    if (targets.capacity() < n * Integer.BYTES) {
      targets = direct(n * Integer.BYTES);
      weights = direct(n * Integer.BYTES);
    }
    int room = Math.multiplyExact(n, 1 << (bits - rate));
    if (decisions.capacity() < room) {
      // The old one may go before there is a new one.
      decisions = direct(0);
      decisions = direct(room);
    }
    targets.asIntBuffer().put(wanted, 0, n);
    if (counts != null) {
      IntBuffer to = weights.asIntBuffer();
      for (int t = 0; t < n; t++) {
        to.put(t, counts[t]);
      }
    }
    if (!search(memory, targets, counts == null ? null : weights, decisions, bits, rate, n)) {
      throw new IllegalArgumentException("a segment of " + n + " weights");
    }
    targets.asIntBuffer().get(states, 0, n);
  }

  private static ByteBuffer direct(int bytes) {
    return ByteBuffer.allocateDirect(bytes).order(ByteOrder.nativeOrder());
  }

  static native int lanes();

  private static native int memoryBytes(int bits, int rate);

  private static native boolean prepare(
      ByteBuffer memory, ByteBuffer codes, int bits, int rate, int unreachable);

  private static native boolean search(
      ByteBuffer memory,
      ByteBuffer targets,
      ByteBuffer weights,
      ByteBuffer decisions,
      int bits,
      int rate,
      int n);
}
