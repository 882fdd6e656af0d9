/**
 * The command {@code pseed}: reads arguments, calls one thing of the packages beside it, and turns
 * results into tables or JSON and failures into one sentence. Nothing calls this package.
 */
package io.pseed.converter.cli;
