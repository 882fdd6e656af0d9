package io.pseed.vectors;

import io.pseed.codec.poincare.PoincareCodes;
import io.pseed.codec.poincare.PoincareGenerator;
import io.pseed.codec.poincare.PoincareSeed;

/** Chooses seeds that keep the encoder's rule of section 6.3, so that every decoder agrees. */
final class Poincare {
  private Poincare() {}

  /**
   * A random seed with that basis whose largest code on an m x n matrix has about {@code codeBits}
   * bits.
   */
  static Rec.Seed seed(int basis, int m, int n, int codeBits, Rng rng) {
    while (true) {
      long bits = (rng.next() & ~(15L << 16)) | ((long) basis << 16);
      Rec.Seed seed = scaled(bits, m, n, codeBits, rng.real(-14, -10));
      if (seed != null) {
        return seed;
      }
    }
  }

  /** The seed with a shift that gives codes of about {@code codeBits} bits; null if not safe. */
  static Rec.Seed scaled(long bits, int m, int n, int codeBits, float amplitude) {
    PoincareSeed seed = PoincareSeed.fromBits(bits);
    if (bits == 0) {
      return null;
    }
    PoincareGenerator generator = new PoincareGenerator(seed, m, n);
    double largest = PoincareCodes.marginOf(generator, 0).largest();
    int shift = largest == 0 ? codeBits : codeBits - 1 - Math.getExponent(largest);
    if (Math.abs(shift) > 64) {
      return null;
    }
    PoincareCodes.Margin margin = PoincareCodes.marginOf(generator, shift);
    boolean safe = margin.isSafe() && margin.distance() > 0x1p-21;
    return safe ? new Rec.Seed(bits, amplitude, shift) : null;
  }

  /** A body with tiles (section 7), each of a random basis; some are zero. */
  static Bytes tiles(Bytes view, int rows, int cols, int tileRows, int tileCols, Rng rng) {
    Bytes out = view.u32(tileRows).u32(tileCols);
    for (int top = 0; top < rows; top += tileRows) {
      for (int left = 0; left < cols; left += tileCols) {
        int height = Math.min(tileRows, rows - top);
        int width = Math.min(tileCols, cols - left);
        boolean zero = rng.below(5) == 0;
        tile(out, zero ? Rec.Seed.NONE : seed(rng.below(12), height, width, 10, rng));
      }
    }
    return out;
  }

  static Bytes tile(Bytes out, Rec.Seed seed) {
    return out.u64(seed.bits()).f32(seed.amplitude()).u8(seed.shift()).zeros(3);
  }
}
