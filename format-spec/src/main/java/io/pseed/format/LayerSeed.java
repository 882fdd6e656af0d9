package io.pseed.format;

/**
 * A layer's Poincaré seed as a record stores it (specification, sections 3 and 6.3).
 *
 * @param seed the 64 bits; 0: none
 * @param amplitude what a code is multiplied with; finite
 * @param shift a code is round(value * 2^shift); -64 to 64
 */
public record LayerSeed(long seed, float amplitude, int shift) {
  /** No layer seed. */
  public static final LayerSeed NONE = new LayerSeed(0, 0f, 0);

  /** Whether there is one. */
  public boolean isPresent() {
    return seed != 0;
  }
}
