package io.pseed.converter.calibrate;

import io.pseed.format.View;
import java.util.List;

/**
 * One use of a matrix of weights in a graph: vectors x of {@code inputs} numbers meet a matrix of
 * {@code inputs} rows and {@code outputs} columns, and vectors y = x M come out. In a convolution
 * of several groups, each group has {@code outputs / groups} columns and vectors of its own.
 *
 * @param kind what the use is
 * @param input the value that meets the weight
 * @param output what comes out
 * @param inputs n: for a convolution, channels of a group times the kernel's size
 * @param outputs m, of all groups together
 * @param groups 1 but for convolutions
 * @param turned for {@link Kind#LINEAR}: the input has its vectors in columns, [..., n, positions]
 * @param outTurned the same of the output
 * @param window of a convolution; null for others
 * @param parts which weights the matrix consists of
 */
record Probe(
    Kind kind,
    String input,
    String output,
    int inputs,
    int outputs,
    int groups,
    boolean turned,
    boolean outTurned,
    ConvWindow window,
    List<Part> parts) {
  /** How a weight is used. */
  enum Kind {
    /** A product of matrices. */
    LINEAR,
    /** Rows of the weight, [rows, m], are looked up by number; n = 1. */
    LOOKUP,
    /** x: patches of the input [N, C, ...]; y: positions of the output. */
    CONV,
    /** x: positions of the input; y: patches of the output, which overlap. */
    CONV_TRANSPOSE
  }

  /**
   * A weight that makes up columns of the matrix.
   *
   * @param weight its name
   * @param view the weight as a matrix of n rows
   * @param own columns of the use's matrix; null: all, in order
   * @param columns columns of the view that those are; null: all, in order
   */
  @SuppressWarnings("ArrayRecordComponent") // A value of this package alone; nobody changes it.
  record Part(String weight, View view, int[] own, int[] columns) {}

  Probe {
    parts = List.copyOf(parts);
  }

  /** The same with the parts, once they are known. */
  Probe of(List<Part> found) {
    return new Probe(
        kind, input, output, inputs, outputs, groups, turned, outTurned, window, found);
  }
}
