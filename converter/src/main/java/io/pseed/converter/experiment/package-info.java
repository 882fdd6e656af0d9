/**
 * Experiments that anyone can repeat with one command: what the codec reaches on a source whose
 * limit is known. They call the real encoder and decoder; nothing but the command calls them.
 */
package io.pseed.converter.experiment;
