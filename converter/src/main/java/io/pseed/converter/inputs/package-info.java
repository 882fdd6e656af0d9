/**
 * Where the inputs come from that a model is calibrated and judged with: the user's arrays, texts
 * and images, the texts that ship, or inputs made from the graph's signature. May call the formats
 * of {@code source}; {@code verify} and the command call it.
 */
package io.pseed.converter.inputs;
