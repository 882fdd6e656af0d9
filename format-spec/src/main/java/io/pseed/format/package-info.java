/**
 * The {@code .pseed} container: reader, writer, records, element types, limits and errors. The
 * bytes are those of {@code spec/pseed-1.0.md}. Everything else in pseed may call this package; it
 * calls nothing but the JDK, Jackson and {@code io.pseed.codec}.
 */
package io.pseed.format;
