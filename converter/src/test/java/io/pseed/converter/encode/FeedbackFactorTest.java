package io.pseed.converter.encode;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class FeedbackFactorTest {
  /** The file's bytes hang on the order of sums: many columns at a time give the bits of one. */
  @ParameterizedTest
  @ValueSource(ints = {1, 2, 7, 8, 9, 16, 61, 200})
  void columnsAtATimeGiveTheBitsOfColumnsOneByOne(int n) {
    double[] h = positive(n);
    assertThat(FeedbackFactor.factor(h, n)).isEqualTo(oneByOne(h, n));
  }

  @Test
  void productOfTheFactorIsTheReversedMatrix() {
    int n = 37;
    double[] h = positive(n);
    double[] l = FeedbackFactor.factor(h, n);
    for (int i = 0; i < n; i++) {
      for (int j = 0; j < n; j++) {
        double sum = 0;
        for (int k = 0; k <= Math.min(i, j); k++) {
          sum += l[i * n + k] * l[j * n + k];
        }
        double expected = h[(n - 1 - i) * n + n - 1 - j];
        assertThat(Math.abs(sum - expected)).isLessThan(1e-11 * n);
      }
    }
  }

  @Test
  void whatIsNotPositiveIsRefused() {
    double[] h = positive(12);
    h[3 * 12 + 3] = -1;
    assertThatThrownBy(() -> FeedbackFactor.factor(h, 12))
        .hasMessage("the metric is not positive at row 8");
  }

  private static double[] positive(int n) {
    Random random = new Random(n);
    double[] h = new double[n * n];
    for (int i = 0; i < n; i++) {
      for (int j = 0; j < i; j++) {
        h[i * n + j] = random.nextGaussian() / n;
        h[j * n + i] = h[i * n + j];
      }
      h[i * n + i] = 1 + random.nextDouble();
    }
    return h;
  }

  private static double[] oneByOne(double[] h, int n) {
    double[] l = new double[n * n];
    for (int i = 0; i < n; i++) {
      for (int j = 0; j <= i; j++) {
        l[i * n + j] = h[(n - 1 - i) * n + n - 1 - j];
      }
    }
    for (int k = 0; k < n; k++) {
      l[k * n + k] = Math.sqrt(l[k * n + k]);
      for (int i = k + 1; i < n; i++) {
        l[i * n + k] /= l[k * n + k];
        for (int j = k + 1; j <= i; j++) {
          l[i * n + j] -= l[i * n + k] * l[j * n + k];
        }
      }
    }
    return l;
  }
}
