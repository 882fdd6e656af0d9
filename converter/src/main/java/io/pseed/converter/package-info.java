/**
 * The pipeline: {@link io.pseed.converter.Sources} opens what holds weights, {@link
 * io.pseed.converter.Converter} makes a {@code .pseed} file of a source and a plan, tells a {@link
 * io.pseed.converter.ProgressListener} how far it is and returns a {@link
 * io.pseed.converter.ConversionResult}. Called by the command, by plugins and by tests; it prints
 * nothing.
 */
package io.pseed.converter;
