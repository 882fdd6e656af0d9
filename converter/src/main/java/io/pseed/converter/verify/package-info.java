/**
 * Checks a {@code .pseed} file: that it is whole, how far its weights are from the original's, and
 * how far the outputs of the model are. Prints nothing; the command and the Maven plugin call it.
 */
package io.pseed.converter.verify;
