/**
 * Reads safetensors checkpoints, single or sharded, as {@link io.pseed.converter.source} sources.
 * Every file is treated as hostile: nothing is allocated on the word of a number in it, and tensor
 * data stays on disk until it is asked for. The command and the planner may call it; of this
 * package, {@code io.pseed.converter.export} uses only the constants of {@link
 * io.pseed.converter.source.safetensors.SafetensorsFormat}.
 */
package io.pseed.converter.source.safetensors;
