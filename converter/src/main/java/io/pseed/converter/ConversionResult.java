package io.pseed.converter;

import io.pseed.format.Codec;
import io.pseed.format.DType;
import java.nio.file.Path;
import java.util.List;

/**
 * What a conversion made.
 *
 * @param target the new file
 * @param sourceBytes bytes of the source (all shards and external data that it names)
 * @param targetBytes bytes of the new file
 * @param weights number of elements of all tensors
 * @param tensors one for each tensor, in file order
 * @param resumed number of tensors taken over from an interrupted run
 * @param notices sentences for the user
 * @param seconds time of the whole conversion
 * @param searchedWeights elements that were searched for seeds in this run
 */
public record ConversionResult(
    Path target,
    long sourceBytes,
    long targetBytes,
    long weights,
    List<TensorResult> tensors,
    int resumed,
    List<String> notices,
    double seconds,
    long searchedWeights) {
  /**
   * One tensor of the new file.
   *
   * @param name its name
   * @param dtype its type
   * @param shape its dimensions
   * @param codec how it is stored
   * @param layerSeed whether a layer seed is part of it
   * @param bytes bytes of its record
   * @param bitsPerWeight those bytes in bits a weight
   * @param snrDb signal to noise ratio in dB; infinite where lossless
   * @param reason why it is lossless; empty for others
   */
  @SuppressWarnings("ArrayRecordComponent") // A value for reports; nobody changes it.
  public record TensorResult(
      String name,
      DType dtype,
      long[] shape,
      Codec codec,
      boolean layerSeed,
      long bytes,
      double bitsPerWeight,
      double snrDb,
      String reason) {}
}
