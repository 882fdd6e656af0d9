package io.pseed.converter.verify;

/**
 * How near an output of a model is to the original's, over all inputs that judged.
 *
 * @param output the output's name
 * @param measure what its values are
 * @param values how many values there are: one an input, or one a row of a batch for embeddings
 * @param mean of the values
 * @param meanLow lower end of the mean's 95 % confidence interval; NaN for fewer than two values
 * @param meanHigh its upper end
 * @param low5 the quantile of 5 %
 * @param min the worst value
 * @param maxAbs largest difference of an element; infinite where one is not finite
 * @param relative root of the squared error's sum over the sum of the original's squares
 */
public record Quality(
    String output,
    Measure measure,
    int values,
    double mean,
    double meanLow,
    double meanHigh,
    double low5,
    double min,
    double maxAbs,
    double relative) {
  /** What is measured. */
  public enum Measure {
    /** Cosine between the whole output and the original's. */
    COSINE("cosine"),
    /** Cosine between the means of the output over the positions that the attention mask names. */
    EMBEDDING("embedding cosine"),
    /** Share of equal elements, for outputs that hold no real numbers. */
    EQUAL("equal elements");

    private final String label;

    Measure(String label) {
      this.label = label;
    }

    /** As reports name it. */
    public String label() {
      return label;
    }
  }

  /** The statistics of a measure's values. */
  static Quality of(
      String output, Measure measure, double[] values, double maxAbs, double relative) {
    double[] interval = Statistics.meanInterval(values);
    return new Quality(
        output,
        measure,
        values.length,
        Statistics.mean(values),
        interval[0],
        interval[1],
        Statistics.quantile(values, 0.05),
        Statistics.quantile(values, 0),
        maxAbs,
        relative);
  }
}
