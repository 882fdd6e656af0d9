/**
 * The Maven plugin: goals gather parameters, call {@code io.pseed.converter.command}, and turn what
 * goes wrong into a sentence that names the XML tag. Nothing calls this package but Maven.
 */
package io.pseed.maven;
