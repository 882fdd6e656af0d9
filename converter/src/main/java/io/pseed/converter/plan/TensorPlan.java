package io.pseed.converter.plan;

import io.pseed.format.Codec;

/**
 * What is done with one tensor.
 *
 * @param name the tensor
 * @param codec {@code RAW} or {@code TRELLIS}; the encoder may use {@code POINCARE} in place of the
 *     latter where a layer seed alone is as good
 * @param reason why a tensor is kept lossless; empty for others
 * @param layerSeed whether the encoder looks for a layer seed
 * @param minSnrDb signal to noise ratio in dB that the coded tensor must reach: below it the
 *     encoder takes the next higher rate, and beyond the highest one the tensor stays lossless;
 *     negative infinity for no bound
 * @param trellis how it is coded; null for {@code RAW}
 */
public record TensorPlan(
    String name,
    Codec codec,
    String reason,
    boolean layerSeed,
    double minSnrDb,
    TrellisPlan trellis) {
  /** No bound on the error. */
  public static final double ANY_SNR = Double.NEGATIVE_INFINITY;

  /** Lossless, and why. */
  public static TensorPlan raw(String name, String reason) {
    return new TensorPlan(name, Codec.RAW, reason, false, ANY_SNR, null);
  }

  /** Coded by the trellis. */
  public static TensorPlan trellis(String name, TrellisPlan trellis, boolean layerSeed) {
    return new TensorPlan(name, Codec.TRELLIS, "", layerSeed, ANY_SNR, trellis);
  }

  /** The same with a bound on the error. */
  public TensorPlan withMinSnrDb(double bound) {
    return new TensorPlan(name, codec, reason, layerSeed, bound, trellis);
  }
}
