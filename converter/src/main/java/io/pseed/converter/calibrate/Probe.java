package io.pseed.converter.calibrate;

/**
 * One use of a weight in a graph.
 *
 * @param weight the initializer
 * @param kind what the use is
 * @param input the value that meets the weight: for {@link Kind#LINEAR} of shape [..., n], for
 *     {@link Kind#LOOKUP} the row numbers
 * @param output what comes out: [..., m]
 */
record Probe(String weight, Kind kind, String input, String output) {
  /** How a weight is used. */
  enum Kind {
    /** output = input * weight, weight seen as [n, m]. */
    LINEAR,
    /** Rows of the weight, [rows, m], are looked up. */
    LOOKUP
  }
}
