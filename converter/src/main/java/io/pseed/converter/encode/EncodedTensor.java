package io.pseed.converter.encode;

import io.pseed.format.Codec;
import io.pseed.format.RecordContent;

/**
 * A tensor's record and what became of it.
 *
 * @param record the bytes
 * @param codec the codec that was used
 * @param layerSeed whether there is a layer seed
 * @param bitsPerWeight the record's bits, side information included, a weight
 * @param sigma root of the weights' mean square
 * @param rmse root of the mean square of decoded minus original; 0 for a lossless record
 * @param reason why it is lossless; empty for others
 * @param sourceCrc CRC-32C of the source's bytes
 */
public record EncodedTensor(
    RecordContent record,
    Codec codec,
    boolean layerSeed,
    double bitsPerWeight,
    double sigma,
    double rmse,
    String reason,
    int sourceCrc) {
  /** Signal to noise ratio in dB; infinite for a lossless record. */
  public double snrDb() {
    return rmse == 0 ? Double.POSITIVE_INFINITY : 20 * Math.log10(sigma / rmse);
  }
}
