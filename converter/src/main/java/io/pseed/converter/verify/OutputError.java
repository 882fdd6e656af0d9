package io.pseed.converter.verify;

/**
 * How far an output of the model is from the original's, over all runs.
 *
 * @param name the output
 * @param real whether it holds real numbers; otherwise the cosines are shares of equal elements
 * @param meanCosine mean over the runs
 * @param minCosine of the worst run
 */
public record OutputError(String name, boolean real, double meanCosine, double minCosine) {}
