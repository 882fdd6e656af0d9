package io.pseed.converter.verify;

import io.pseed.format.Codec;

/**
 * How far a decoded tensor is from the original.
 *
 * @param name the tensor
 * @param codec how it is stored
 * @param snrDb signal to noise ratio in dB; infinite where it is equal
 * @param maxAbs largest difference of an element; 0 where it is equal
 */
public record WeightError(String name, Codec codec, double snrDb, double maxAbs) {}
