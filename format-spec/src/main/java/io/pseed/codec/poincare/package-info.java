/**
 * Poincaré seeds: one 64-bit number that generates a value for every place of a matrix
 * (specification, sections 6 and 7). Fields, generator, integer codes with the margin rule, and the
 * decoder of layer seeds and tile grids. Needs the JDK and {@code io.pseed.format}'s errors;
 * readers, decoders and encoders call it.
 */
package io.pseed.codec.poincare;
