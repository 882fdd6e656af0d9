/**
 * Writes weights back into other formats. Writers take bytes from whoever decodes them, in bounded
 * memory, and either leave a complete file or none. The command may call it; it knows no codec and
 * no source.
 */
package io.pseed.converter.export;
