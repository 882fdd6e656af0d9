package io.pseed.converter.calibrate;

import static org.assertj.core.api.Assertions.assertThat;

import ai.onnxruntime.OnnxTensor;
import ai.onnxruntime.OrtEnvironment;
import ai.onnxruntime.OrtException;
import io.pseed.converter.SizeForecast;
import io.pseed.converter.encode.Workers;
import io.pseed.converter.onnx.proto.ModelProto;
import io.pseed.converter.plan.Plan;
import io.pseed.converter.plan.Planner;
import io.pseed.converter.plan.TensorPlan;
import io.pseed.converter.source.onnx.OnnxModelSource;
import java.nio.FloatBuffer;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.Set;
import org.junit.jupiter.api.Test;

class RateAllocatorTest {
  private static final class Noise implements CalibrationInputs {
    @Override
    public String description() {
      return "noise";
    }

    @Override
    public Origin origin() {
      return Origin.GENERATED;
    }

    @Override
    public int size() {
      return 4;
    }

    @Override
    public Map<String, OnnxTensor> make(OrtEnvironment environment, int index) throws OrtException {
      float[] x = TestGraph.gaussian(new Random(index), 8 * 64);
      return Map.of(
          "x", OnnxTensor.createTensor(environment, FloatBuffer.wrap(x), new long[] {8, 64}));
    }
  }

  /** Of weight a all depends, of b next to nothing: a is kept lossless before b gets many bits. */
  private static OnnxModelSource source() throws Exception {
    ModelProto model =
        new TestGraph()
            .input("x")
            .weight("a", 64, 512)
            .weight("b", 64, 512)
            .real("little", 1e-4f)
            .node("MatMul", "p", List.of("x", "a"))
            .node("MatMul", "q", List.of("x", "b"))
            .node("Mul", "r", List.of("q", "little"))
            .node("Add", "y", List.of("p", "r"))
            .model(11, Set.of("y"));
    return OnnxModelSource.open(Path.of("test.onnx"), model.toByteArray(), Optional.empty());
  }

  private static RateAllocator allocator(OnnxModelSource source) throws Exception {
    try (Workers workers = new Workers(1)) {
      return new RateAllocator(
          source,
          new Planner(4, 12, false, false).plan(source),
          new Calibrator(source, workers, Calibrator.Options.DEFAULT).run(new Noise()),
          RateAllocator.Options.DEFAULT);
    }
  }

  private static TensorPlan of(Plan plan, String name) {
    return plan.tensors().stream().filter(t -> t.name().equals(name)).findFirst().orElseThrow();
  }

  @Test
  void whatDoesNotFitLosslessLeavesItsRoomToOthers() throws Exception {
    try (OnnxModelSource source = source()) {
      RateAllocator allocator = allocator(source);
      SizeForecast forecast = new SizeForecast(source);
      Plan last = null;
      // Coded they take 33 KB each with 8 bits; lossless 131 KB.
      for (int kilobytes = 36; kilobytes <= 66; kilobytes += 6) {
        Plan plan = allocator.fit(forecast::bytes, kilobytes * 1000L).orElseThrow();
        assertThat(of(plan, "a").trellis()).as("%d KB", kilobytes).isNotNull();
        assertThat(forecast.bytes(plan)).isBetween(kilobytes * 1000L - 3000, kilobytes * 1000L);
        if (last != null) {
          assertThat(allocator.error(plan)).isLessThan(allocator.error(last));
        }
        last = plan;
      }
    }
  }

  @Test
  void whatFitsLosslessIsKeptSo() throws Exception {
    try (OnnxModelSource source = source()) {
      Plan plan = allocator(source).fit(new SizeForecast(source)::bytes, 160_000).orElseThrow();
      assertThat(of(plan, "a").trellis()).isNull();
      assertThat(of(plan, "b").trellis()).isNotNull();
    }
  }
}
