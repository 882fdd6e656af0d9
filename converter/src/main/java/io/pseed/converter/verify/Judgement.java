package io.pseed.converter.verify;

import io.pseed.converter.calibrate.CalibrationInputs.Origin;
import io.pseed.converter.verify.Quality.Measure;
import java.util.ArrayList;
import java.util.List;

/**
 * What a {@link Judge} found.
 *
 * @param inputs which inputs judged
 * @param runs how many
 * @param origin who made them: generated ones are no data
 * @param qualities all measures, in the order of the model's outputs
 */
public record Judgement(String inputs, int runs, Origin origin, List<Quality> qualities) {
  public Judgement {
    qualities = List.copyOf(qualities);
  }

  /** Whether the inputs were made from the graph's signature, so that no data judged. */
  public boolean generated() {
    return origin == Origin.GENERATED;
  }

  /**
   * The measures that bounds hold for: of each output of real numbers the embedding where there is
   * one, else the output itself; shares of equal elements only where no output is real.
   */
  public List<Quality> bounded() {
    List<Quality> bounded = new ArrayList<>();
    for (Quality quality : qualities) {
      boolean embedded =
          quality.measure() == Measure.COSINE
              && qualities.stream()
                  .anyMatch(
                      other ->
                          other.measure() == Measure.EMBEDDING
                              && other.output().equals(quality.output()));
      if (quality.measure() != Measure.EQUAL && !embedded) {
        bounded.add(quality);
      }
    }
    return bounded.isEmpty() ? qualities : List.copyOf(bounded);
  }

  /** The measure of {@link #bounded()} with the least mean. */
  public Quality worst() {
    Quality worst = bounded().get(0);
    for (Quality quality : bounded()) {
      worst = quality.mean() < worst.mean() ? quality : worst;
    }
    return worst;
  }

  /** Who judged, as a phrase: {@code 120 texts of notes.txt}. */
  public String judges() {
    if (generated()) {
      return runs
          + " generated inputs (made from the graph's signature, no real data; the seed is fixed)";
    }
    return inputs.startsWith(runs + " ") ? inputs : runs + " inputs, " + inputs;
  }
}
