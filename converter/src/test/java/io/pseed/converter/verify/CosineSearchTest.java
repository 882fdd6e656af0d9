package io.pseed.converter.verify;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.function.DoubleUnaryOperator;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.DoubleRange;
import net.jqwik.api.constraints.Scale;
import org.junit.jupiter.api.Test;

/** With files that exist only as numbers. */
class CosineSearchTest {
  private static final class Stub implements CosineSearch.Files {
    private final DoubleUnaryOperator loss;
    private final DoubleUnaryOperator predicted;
    private final List<Double> knobs = new ArrayList<>();

    Stub(DoubleUnaryOperator loss, DoubleUnaryOperator predicted) {
      this.loss = loss;
      this.predicted = predicted;
    }

    @Override
    public double lowest() {
      return 1;
    }

    @Override
    public double highest() {
      return 8;
    }

    @Override
    public double predicted(double knob) {
      return predicted.applyAsDouble(knob);
    }

    @Override
    public long bytes(double knob) {
      return Math.round(1e6 * knob);
    }

    @Override
    public CosineSearch.Try encode(double knob) {
      assertThat(knob).isBetween(1.0, 8.0);
      knobs.add(knob);
      return new CosineSearch.Try(knob, bytes(knob), 1 - loss.applyAsDouble(knob));
    }
  }

  /** A loss of 6 dB a bit that is 1 - bound at {@code knob}. */
  private static DoubleUnaryOperator reaching(double knob, double bound) {
    return k -> (1 - bound) * Math.pow(4, knob - k);
  }

  @Test
  void aRightPredictionNeedsOneTry() throws IOException {
    DoubleUnaryOperator truth = reaching(3.3, 0.99);
    CosineSearch.Result result = CosineSearch.smallest(new Stub(truth, truth), 0.99);
    assertThat(result.tries()).hasSize(1);
    assertThat(result.found().orElseThrow().knob()).isBetween(3.3, 3.34);
  }

  @Test
  void aWrongFactorIsLearntFromOneMiss() throws IOException {
    DoubleUnaryOperator truth = reaching(3.3, 0.99);
    for (double factor : new double[] {0.1, 0.5, 3, 20}) {
      Stub stub = new Stub(truth, k -> factor * truth.applyAsDouble(k));
      CosineSearch.Result result = CosineSearch.smallest(stub, 0.99);
      assertThat(result.tries()).hasSizeLessThanOrEqualTo(3);
      assertThat(result.found().orElseThrow().knob()).isBetween(3.3, 3.34);
    }
  }

  /** Whatever the slope, up to a bit from the truth at both ends. */
  @Property(tries = 300)
  void monotoneLossesAreFoundWithBoundedTries(
      @ForAll @DoubleRange(min = 1.2, max = 7.8) double knob,
      @ForAll @DoubleRange(min = 0.8, max = 0.99999) @Scale(5) double bound,
      @ForAll @DoubleRange(min = 0.5, max = 2) double slope,
      @ForAll @DoubleRange(min = 0.01, max = 100) double factor)
      throws IOException {
    Stub stub =
        new Stub(k -> (1 - bound) * Math.pow(4, slope * (knob - k)), k -> factor * Math.pow(4, -k));
    CosineSearch.Result result = CosineSearch.smallest(stub, bound);
    assertThat(stub.knobs).hasSizeLessThanOrEqualTo(CosineSearch.MOST_TRIES);
    CosineSearch.Try found = result.found().orElseThrow();
    assertThat(found.cosine()).isGreaterThanOrEqualTo(bound);
    assertThat(found.knob()).isBetween(knob, 1.07 * knob);
    assertThat(result.tries()).contains(found);
  }

  @Test
  void aUselessPredictionCostsTriesOnly() throws IOException {
    Stub stub = new Stub(reaching(5, 0.99), k -> 1);
    CosineSearch.Try found = CosineSearch.smallest(stub, 0.99).found().orElseThrow();
    assertThat(found.knob()).isBetween(5.0, 8.0);
    assertThat(stub.knobs).hasSizeLessThanOrEqualTo(CosineSearch.MOST_TRIES);
  }

  @Test
  void whatCannotBeReachedIsTriedWithTheMostBits() throws IOException {
    for (double factor : new double[] {1e-6, 1, 1e6}) {
      Stub stub = new Stub(k -> 0.2, k -> factor * Math.pow(4, -k));
      CosineSearch.Result result = CosineSearch.smallest(stub, 0.9);
      assertThat(result.found()).isEmpty();
      assertThat(stub.knobs).contains(8.0).hasSizeLessThanOrEqualTo(CosineSearch.MOST_TRIES);
    }
  }

  @Test
  void whatTheFewestBitsReachTakesThem() throws IOException {
    Stub stub = new Stub(k -> 1e-6, k -> Math.pow(4, -k));
    CosineSearch.Result result = CosineSearch.smallest(stub, 0.9);
    assertThat(result.found().orElseThrow().knob()).isEqualTo(1);
  }

  @Test
  void noiseLeavesAPassingFile() throws IOException {
    DoubleUnaryOperator truth = reaching(4, 0.99);
    Stub stub = new Stub(k -> truth.applyAsDouble(k) * (1 + 0.3 * Math.sin(1000 * k)), truth);
    CosineSearch.Try found = CosineSearch.smallest(stub, 0.99).found().orElseThrow();
    assertThat(found.cosine()).isGreaterThanOrEqualTo(0.99);
    assertThat(found.knob()).isBetween(3.7, 4.6);
  }
}
