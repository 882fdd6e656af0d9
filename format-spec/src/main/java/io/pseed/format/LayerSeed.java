package io.pseed.format;

/**
 * A layer's Poincaré seed as a record stores it (specification, sections 3 and 6.3).
 *
 * @param seed the 64 bits; 0: none
 * @param amplitude what a code is multiplied with; at most 2^64 in magnitude
 * @param shift a code is round(value * 2^shift); -64 to 64
 */
public record LayerSeed(long seed, float amplitude, int shift) {
  /** Largest magnitude of an amplitude, a tile's too: weights stay finite. */
  public static final float LARGEST_AMPLITUDE = 0x1p64f;

  /** No layer seed. */
  public static final LayerSeed NONE = new LayerSeed(0, 0f, 0);

  /** Whether there is one. */
  public boolean isPresent() {
    return seed != 0;
  }
}
