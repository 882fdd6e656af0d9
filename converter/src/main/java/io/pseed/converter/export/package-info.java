/**
 * Writes weights back into other formats. Writers take bytes from whoever decodes them, in bounded
 * memory, and either leave a complete file or none. The command may call it; it knows no codec, and
 * of the sources only the constants of {@link
 * io.pseed.converter.source.safetensors.SafetensorsFormat}.
 */
package io.pseed.converter.export;
