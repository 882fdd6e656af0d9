/**
 * Plans: what is done with each tensor, as values that can be printed, saved, edited and replayed.
 * Reads no weights.
 */
package io.pseed.converter.plan;
