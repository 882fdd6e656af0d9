/**
 * Benchmark of the ways to load a model: what each costs in time and memory, beside the original.
 * Called by the command.
 */
package io.pseed.converter.bench;
