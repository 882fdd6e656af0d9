/**
 * Conformance: the vectors in {@code testdata}, a slow decoder written from the specification text,
 * a generator of odd files, and damage. Nothing here uses the encoder.
 */
package io.pseed.vectors;
