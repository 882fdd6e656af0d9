package io.pseed.converter.encode;

import static org.assertj.core.api.Assertions.assertThat;

import io.pseed.codec.trellis.Panels;
import io.pseed.codec.trellis.Scales;
import io.pseed.codec.trellis.TrellisBody;
import io.pseed.codec.trellis.TrellisDecoder;
import io.pseed.converter.plan.TrellisPlan;
import io.pseed.format.View;
import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.Optional;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class FeedbackEncoderTest {
  private static final int ROWS = 96;
  private static final int COLS = 160;

  private final float[] weights = weights();
  private final ErrorMetric metric = metric(0);

  /** Inputs of low rank: most of an error can be hidden where no input points. */
  @Test
  void errorsCostLessWithFeedbackThanWithout() throws Exception {
    ErrorMetric none = new ErrorMetric(ROWS, new double[ROWS * ROWS], metric.columns(), 0);
    double without = cost(encode(none, Panels.uniform(COLS, 3), 1));
    double with = cost(encode(metric, Panels.uniform(COLS, 3), 1));
    assertThat(with).isLessThan(0.5 * without);
  }

  /** The forecast is for L = 12; these short rows at L = 10 cost somewhat more. */
  @ParameterizedTest
  @ValueSource(ints = {0, 1, 2, 3, 4, 5})
  void theForecastIsNearTheCost(int rate) throws Exception {
    for (double common : new double[] {0, 1, 10}) {
      ErrorMetric by = metric(common);
      Panels panels = Panels.uniform(COLS, rate);
      WeightMatrix matrix = WeightMatrix.of(ROWS, COLS, weights);
      ErrorForecast forecast =
          ErrorForecast.of(matrix, by, plan(panels), SampledEnergies.of(matrix, by));
      double expected =
          Arrays.stream(forecast.rows()).sum()
              * Arrays.stream(forecast.columns()).sum()
              * forecast.cost(rate);
      assertThat(cost(by, encode(by, panels, 1)) / expected).as("%s", common).isBetween(0.6, 2.0);
    }
  }

  @Test
  void theNumberOfThreadsDoesNotMatter() throws Exception {
    Panels panels = new Panels(false, new int[] {60, 40, 60}, new int[] {2, 4, 3});
    assertThat(encode(metric, panels, 3)).isEqualTo(encode(metric, panels, 1));
  }

  @Test
  void rowsMayHaveRatesOfTheirOwnNoneIncluded() throws Exception {
    Panels panels = new Panels(true, new int[] {10, 46, 40}, new int[] {0, 2, 5});
    Panels poorer = new Panels(true, new int[] {10, 46, 40}, new int[] {0, 2, 3});
    assertThat(cost(encode(metric, panels, 1))).isLessThan(cost(encode(metric, poorer, 1)));
  }

  @Test
  void zerosAreCodedInNoBits() throws Exception {
    Arrays.fill(weights, 0);
    TrellisBody body = encode(metric, Panels.uniform(COLS, 4), 1);
    assertThat(body.payload().remaining()).isZero();
    for (float value : decoded(body)) {
      assertThat(value == 0).isTrue();
    }
  }

  /** Diagonals of convolutions into which a way around them was folded lie beyond all codes. */
  @Test
  void whatSticksOutIsSharedOutAmongColumnsToo() throws Exception {
    TrellisPlan plan = plan(Panels.uniform(COLS, 3), 2, 0);
    assertThat(FeedbackEncoder.sticksOut(WeightMatrix.of(ROWS, COLS, weights), plan)).isFalse();
    for (int i = 0; i < ROWS; i += 17) {
      weights[i * COLS + i] = 300;
    }
    assertThat(FeedbackEncoder.sticksOut(WeightMatrix.of(ROWS, COLS, weights), plan)).isTrue();
    double before = cost(encode(metric, plan, 1));
    assertThat(cost(encode(metric, plan(Panels.uniform(COLS, 3), 2, 5), 1))).isLessThan(before);
  }

  private TrellisPlan plan(Panels panels) {
    return plan(panels, 5, 0);
  }

  private TrellisPlan plan(Panels panels, int rowBlockLog2, int colBlockLog2) {
    return new TrellisPlan(
        new View(ROWS, COLS, false),
        10,
        0,
        0,
        rowBlockLog2,
        colBlockLog2,
        Optional.of(Scales.F8),
        Optional.of(Scales.F8),
        panels);
  }

  private TrellisBody encode(ErrorMetric by, Panels panels, int threads) throws Exception {
    return encode(by, plan(panels), threads);
  }

  private TrellisBody encode(ErrorMetric by, TrellisPlan plan, int threads) throws Exception {
    try (Workers workers = new Workers(threads)) {
      TrellisEncoder.Coded coded =
          new FeedbackEncoder(new CpuBackend(workers))
              .encode(WeightMatrix.of(ROWS, COLS, weights), plan, by, n -> {});
      TrellisBody head = coded.head();
      ByteBuffer payload = coded.payload().get(0);
      return new TrellisBody(
          head.view(),
          head.code(),
          head.law(),
          head.kappa(),
          head.rowBlockLog2(),
          head.colBlockLog2(),
          head.rowScaleKind(),
          head.colScaleKind(),
          head.rowScales(),
          head.colScales(),
          head.panels(),
          null,
          payload);
    }
  }

  private static float[] decoded(TrellisBody body) {
    float[] out = new float[ROWS * COLS];
    new TrellisDecoder(body).decode(0, ROWS, out);
    return out;
  }

  private double cost(TrellisBody body) {
    return cost(metric, body);
  }

  private double cost(ErrorMetric by, TrellisBody body) {
    float[] decoded = decoded(body);
    double sum = 0;
    for (int j = 0; j < COLS; j++) {
      for (int i = 0; i < ROWS; i++) {
        for (int k = 0; k < ROWS; k++) {
          sum +=
              by.columns()[j]
                  * by.matrix()[i * ROWS + k]
                  * (decoded[i * COLS + j] - weights[i * COLS + j])
                  * (decoded[k * COLS + j] - weights[k * COLS + j]);
        }
      }
    }
    return sum;
  }

  /** Rows of very different size: their factors take part in the metric. */
  private static float[] weights() {
    Random random = new Random(1);
    float[] out = new float[ROWS * COLS];
    for (int i = 0; i < out.length; i++) {
      out[i] = (float) (random.nextGaussian() * (1 + 9 * (i / COLS % 7 == 0 ? 1 : 0)));
    }
    return out;
  }

  /** Inputs that share a part, {@code common} times as large as what tells them apart. */
  private static ErrorMetric metric(double common) {
    Random random = new Random(2);
    double[] shared = new double[ROWS];
    for (int i = 0; i < ROWS; i++) {
      shared[i] = common * random.nextGaussian();
    }
    double[] h = new double[ROWS * ROWS];
    for (int sample = 0; sample < 30; sample++) {
      double[] x = new double[ROWS];
      for (int i = 0; i < ROWS; i++) {
        x[i] = shared[i] + random.nextGaussian();
      }
      for (int i = 0; i < ROWS; i++) {
        for (int j = 0; j < ROWS; j++) {
          h[i * ROWS + j] += x[i] * x[j] / 30;
        }
      }
    }
    double[] columns = new double[COLS];
    for (int j = 0; j < COLS; j++) {
      columns[j] = 0.5 + random.nextDouble();
    }
    return new ErrorMetric(ROWS, h, columns, 0.01);
  }
}
