package io.pseed.converter.command;

import static org.assertj.core.api.Assertions.assertThat;

import io.pseed.converter.SizeForecast;
import io.pseed.converter.calibrate.Calibration;
import io.pseed.converter.calibrate.RateAllocator;
import io.pseed.converter.calibrate.TensorStatistics;
import io.pseed.converter.cli.TinyModels;
import io.pseed.converter.plan.Plan;
import io.pseed.converter.plan.Planner;
import io.pseed.converter.source.SourceTensor;
import io.pseed.converter.source.TensorSource;
import io.pseed.converter.source.safetensors.SafetensorsSource;
import io.pseed.format.View;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class CodingTest {
  private static final int TENSORS = 12;
  private static final int ROWS = 96;
  private static final int COLS = 128;

  @TempDir Path dir;

  /** Tensors that all cost the same, so that their rates change at the same prices. */
  private static Calibration alike(TensorSource source) {
    double[] metric = new double[ROWS * ROWS];
    for (int i = 0; i < ROWS; i++) {
      metric[i * ROWS + i] = 1.0 / ROWS;
    }
    double[] columns = new double[COLS];
    Arrays.fill(columns, 1);
    Map<String, TensorStatistics> statistics = new HashMap<>();
    for (SourceTensor tensor : source.tensors()) {
      if (tensor.shape().length == 2) {
        statistics.put(
            tensor.name(),
            new TensorStatistics(
                new View(ROWS, COLS, false), false, ROWS, metric, columns, new long[0], 100, true));
      }
    }
    return new Calibration(statistics, "tests", List.of());
  }

  /** Whether no matrix is lossless yet, which takes four times the bytes of 8 bits. */
  private static boolean coded(Plan plan) {
    return plan.tensors().stream().filter(tensor -> tensor.trellis() != null).count() == TENSORS;
  }

  @Test
  void sizesHaveNoGapsWhereTensorsChangeAtOnePrice() throws IOException {
    Path file = TinyModels.safetensors(dir.resolve("c.safetensors"), TENSORS, ROWS);
    try (TensorSource source = SafetensorsSource.open(file)) {
      Plan base = new Planner(4, 12, false, false).plan(source);
      RateAllocator allocator =
          new RateAllocator(source, base, alike(source), RateAllocator.Options.DEFAULT);
      SizeForecast forecast = new SizeForecast(source);
      Coding coding = new Coding.Calibrated(allocator, forecast::bytes);
      long least = forecast.bytes(coding.plan(coding.lowest()));
      // The first rate of a tensor, and digits in the header.
      long step = 2L * ROWS * COLS / 8 + 16;
      long before = least;
      double error = coding.predicted(coding.lowest());
      for (int i = 1; coded(coding.plan(i / 100.0)); i++) {
        double knob = i / 100.0;
        long bytes = forecast.bytes(coding.plan(knob));
        assertThat(bytes).as("knob %s", knob).isBetween(before, before + step);
        double less = coding.predicted(knob);
        assertThat(less).isLessThanOrEqualTo(error * (1 + 1e-9));
        before = bytes;
        error = less;
      }
      assertThat(before).isGreaterThan(least + 7L * TENSORS * ROWS * COLS / 8);
    }
  }
}
