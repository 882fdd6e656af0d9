package io.pseed.codec.trellis;

import java.util.LinkedHashMap;
import java.util.Map;

/**
 * The generator of the trellis codec: from the last L bits of a stream, a seed, to an integer code
 * (specification, section 8.3). A seed is mixed by a bijection of its L bits; the upper half of the
 * result is a radius, the lower half an angle, and the code is radius times cosine. With the
 * Rayleigh law the codes of all seeds are Gaussian with a standard deviation of {@link #UNIT}.
 */
public final class TrellisCode {
  /** Code units of one standard deviation. */
  public static final int UNIT = 4096;

  /** Shortest and longest seed, in bits. */
  public static final int MIN_L = 8;

  /** Longest seed, in bits. */
  public static final int MAX_L = 20;

  /** Highest rate, in bits a weight. */
  public static final int MAX_RATE = 8;

  /** Radial law 0: Rayleigh. */
  public static final int LAW_RAYLEIGH = 0;

  /** Radial law 1: logarithm map of the Poincaré disk, tails by kappa. */
  public static final int LAW_DISK = 1;

  /**
   * The factors of the mix. Those of the usual lengths were searched for (specification, section
   * 14).
   */
  private static int factor1(int bits) {
    return bits == 12 ? 0x3FF : bits == 16 ? 0x5FFD : 0x2C1B3C6D;
  }

  private static int factor2(int bits) {
    return bits == 12 ? 0x5B7 : bits == 16 ? 0xFE1B : 0x297A2D39;
  }

  /** Most generators kept: at L = 20 one takes 2 MiB, and a hostile file may name 3000 of them. */
  static final int CACHE_SIZE = 16;

  /** The generators used last. */
  private static final Map<Integer, TrellisCode> CACHE =
      new LinkedHashMap<>(32, 0.75f, true) {
        private static final long serialVersionUID = 1L;

        @Override
        protected boolean removeEldestEntry(Map.Entry<Integer, TrellisCode> eldest) {
          return size() > CACHE_SIZE;
        }
      };

  private final int bits;
  private final short[] psi;
  private final short[] phi;
  private final short[] codes;

  private TrellisCode(int bits, int law, int kappa) {
    this.bits = bits;
    int radiusBits = bits / 2;
    int angleBits = bits - radiusBits;
    this.psi = radii(1 << radiusBits, law, kappa);
    this.phi = angles(1 << angleBits);
    this.codes = new short[1 << bits];
    for (int state = 0; state < codes.length; state++) {
      int h = mix(state, bits);
      int product = psi[h >> angleBits] * phi[h & ((1 << angleBits) - 1)];
      codes[state] = (short) ((product + (1 << 14)) >> 15);
    }
  }

  /**
   * The generator for seeds of {@code bits} bits.
   *
   * @param bits L, 8 to 20
   * @param law {@link #LAW_RAYLEIGH} or {@link #LAW_DISK}
   * @param kappa 1 to 255 with the disk's law, else 0
   */
  public static TrellisCode of(int bits, int law, int kappa) {
    if (bits < MIN_L || bits > MAX_L) {
      throw new IllegalArgumentException("seed of " + bits + " bits, expected 8 to 20");
    }
    if (law == LAW_RAYLEIGH ? kappa != 0 : law != LAW_DISK || kappa < 1 || kappa > 255) {
      throw new IllegalArgumentException("radial law " + law + " with kappa " + kappa);
    }
    int key = bits | law << 8 | kappa << 16;
    synchronized (CACHE) {
      TrellisCode code = CACHE.get(key);
      if (code == null) {
        code = new TrellisCode(bits, law, kappa);
        CACHE.put(key, code);
      }
      return code;
    }
  }

  /** Generators kept at the moment, for tests. */
  static int cached() {
    synchronized (CACHE) {
      return CACHE.size();
    }
  }

  /** L, the number of bits of a seed. */
  public int bits() {
    return bits;
  }

  /** The code of each state: 2^L values, |code| < 2^14. Shared: not to be changed. */
  short[] codes() {
    return codes;
  }

  /** The code of one state. */
  public int code(int state) {
    return codes[state];
  }

  /** A copy of the codes of all states, indexed by state. */
  public short[] copyOfCodes() {
    return codes.clone();
  }

  /** A copy of the radius table, in code units, with 2^floor(L/2) values. */
  public short[] copyOfRadii() {
    return psi.clone();
  }

  /** A copy of the cosine table, in units of 1/32767, with 2^ceil(L/2) values. */
  public short[] copyOfAngles() {
    return phi.clone();
  }

  /** The bijective mix of {@code bits} bits. */
  static int mix(int state, int bits) {
    int mask = (1 << bits) - 1;
    int radiusBits = bits / 2;
    int h = state * factor1(bits) & mask;
    h ^= h >> (radiusBits - 1);
    h = h * factor2(bits) & mask;
    h ^= h >> radiusBits;
    return h;
  }

  private static short[] radii(int n, int law, int kappa) {
    double[] radius = new double[n];
    double energy = 0;
    for (int i = 0; i < n; i++) {
      double u = (i + 0.5) / n;
      if (law == LAW_RAYLEIGH) {
        radius[i] = StrictMath.sqrt(-2 * StrictMath.log(1 - u));
      } else {
        double x = kappa / 256.0 * StrictMath.sqrt(u);
        radius[i] = 0.5 * StrictMath.log((1 + x) / (1 - x));
      }
      energy += radius[i] * radius[i];
    }
    double gain = law == LAW_RAYLEIGH ? 1 : StrictMath.sqrt(2 * n / energy);
    short[] table = new short[n];
    for (int i = 0; i < n; i++) {
      table[i] = (short) Math.min(16383, Math.round(UNIT * gain * radius[i]));
    }
    return table;
  }

  private static short[] angles(int n) {
    short[] table = new short[n];
    for (int a = 0; a < n; a++) {
      table[a] = (short) Math.round(32767 * StrictMath.cos(2 * Math.PI * (a + 0.25) / n));
    }
    return table;
  }
}
