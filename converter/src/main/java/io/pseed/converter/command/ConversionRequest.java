package io.pseed.converter.command;

import java.nio.file.Path;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.OptionalLong;

/**
 * A conversion as a user asks for it. At most one of {@code bits} and {@code targetSize} is given;
 * with neither, a bound searches the smallest file that reaches it, and without a bound 4 bits a
 * weight are taken. A plan excludes all of them.
 *
 * @param bits bits a weight, 1 to 8
 * @param targetSize bytes of the whole file at most
 * @param minCosine smallest mean cosine of the outputs to the original's
 * @param seedBits bits of a weight's seed, 8 to 20
 * @param layerSeeds whether seeds for whole smooth layers are looked for
 * @param plan a plan to replay
 * @param calibrate what shows which weights matter
 * @param judge who judges
 * @param inputs how data becomes inputs
 * @param threads threads that search
 * @param device where streams are searched; it decides nothing about the bytes
 */
public record ConversionRequest(
    OptionalDouble bits,
    OptionalLong targetSize,
    OptionalDouble minCosine,
    int seedBits,
    boolean layerSeeds,
    Optional<Path> plan,
    CalibrationSettings calibrate,
    JudgeSettings judge,
    InputSettings inputs,
    int threads,
    DeviceSetting device) {
  /** Bits a weight where nobody says. */
  public static final double USUAL_BITS = 4;

  /** Bits of a weight's seed where nobody says. */
  public static final int USUAL_SEED_BITS = 12;
}
