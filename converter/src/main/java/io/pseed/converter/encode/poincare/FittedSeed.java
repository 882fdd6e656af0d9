package io.pseed.converter.encode.poincare;

/**
 * A seed with what a record stores beside it. It satisfies the encoder's rule of the specification,
 * section 6.3, for the matrix that it was found for. The errors are those of the decoded weights,
 * f32(code) * amplitude.
 *
 * @param seed the 64 bits, never 0
 * @param amplitude weight of code 1
 * @param shift scale of the codes, -64 to 64
 * @param rmse root of the mean squared error of the decoded weights
 * @param zeroRmse the same with all weights 0: the root mean square of the matrix
 */
public record FittedSeed(long seed, float amplitude, int shift, double rmse, double zeroRmse) {
  /** Part of the matrix's energy that the seed takes away, above 0 and at most 1. */
  public double relativeEnergyReduction() {
    double ratio = rmse / zeroRmse;
    return 1 - ratio * ratio;
  }
}
