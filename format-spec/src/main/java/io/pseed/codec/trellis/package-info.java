/**
 * The trellis codec's decoder: a weight is generated from the last L bits of a stream that advances
 * k bits a weight (specification, section 8). For {@code io.pseed.codec} and for encoders; knows
 * nothing of files.
 */
package io.pseed.codec.trellis;
