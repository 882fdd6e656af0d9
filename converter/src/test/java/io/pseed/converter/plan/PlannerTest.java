package io.pseed.converter.plan;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.pseed.codec.trellis.Panels;
import io.pseed.converter.source.SourceTensor;
import io.pseed.converter.source.TensorRole;
import io.pseed.converter.source.TensorSource;
import io.pseed.format.Codec;
import io.pseed.format.DType;
import io.pseed.format.TensorRecord;
import io.pseed.format.View;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class PlannerTest {
  @SuppressWarnings("ArrayRecordComponent") // Nothing compares them.
  private record Shape(String name, DType dtype, TensorRole role, long... shape)
      implements SourceTensor {
    @Override
    public long byteSize() {
      return dtype.byteSize(TensorRecord.elementCount(shape));
    }

    @Override
    public void read(long offset, ByteBuffer dst) {
      throw new AssertionError("a planner reads no weights");
    }
  }

  private record Source(boolean quantized, List<SourceTensor> tensors) implements TensorSource {
    @Override
    public String format() {
      return "test";
    }

    @Override
    public Path path() {
      return Path.of("test");
    }

    @Override
    public long bytes() {
      return 0;
    }

    @Override
    public Map<String, String> metadata() {
      return Map.of();
    }

    @Override
    public Map<String, byte[]> sections() {
      return Map.of();
    }

    @Override
    public List<String> notices() {
      return List.of();
    }

    @Override
    public void close() {}
  }

  private static TensorPlan plan(double bits, int seedBits, SourceTensor tensor) {
    return new Planner(bits, seedBits, true, true)
        .plan(new Source(false, List.of(tensor)))
        .tensors()
        .get(0);
  }

  private static View view(TensorRole role, long... shape) {
    TensorPlan plan = plan(4, 12, new Shape("w", DType.F32, role, shape));
    return plan.trellis().view();
  }

  @Test
  void rowsAreTheInputDimension() {
    assertThat(view(TensorRole.MATMUL, 384, 1536)).isEqualTo(new View(384, 1536, false));
    assertThat(view(TensorRole.LINEAR_TRANSPOSED, 1536, 384)).isEqualTo(new View(384, 1536, true));
    assertThat(view(TensorRole.CONV, 256, 128, 3, 3)).isEqualTo(new View(1152, 256, true));
    assertThat(view(TensorRole.EMBEDDING, 30522, 384)).isEqualTo(new View(30522, 384, false));
    assertThat(view(TensorRole.MATMUL, 12, 64, 256)).isEqualTo(new View(768, 256, false));
    // One direction of an LSTM: not one row of 16384, whose factors would take 8 bits a weight.
    assertThat(view(TensorRole.LINEAR_TRANSPOSED, 1, 256, 64)).isEqualTo(new View(64, 256, true));
  }

  @Test
  void shortRowsAreTurnedOrCutAnew() {
    assertThat(view(TensorRole.CONV, 16, 64, 3, 3)).isEqualTo(new View(16, 576, false));
    assertThat(view(TensorRole.OTHER, 1 << 20)).isEqualTo(new View(1024, 1024, false));
    assertThat(view(TensorRole.OTHER, 4099)).isEqualTo(new View(1, 4099, false));
  }

  @Test
  void largeTensorsAreNotTransposed() {
    assertThat(view(TensorRole.LINEAR_TRANSPOSED, 32000, 4096))
        .isEqualTo(new View(32000, 4096, false));
  }

  @Test
  void whatIsNotCodedSaysWhy() {
    assertThat(plan(4, 12, new Shape("i", DType.I64, TensorRole.OTHER, 100, 100)).reason())
        .isEqualTo("I64 is kept lossless");
    assertThat(plan(4, 12, new Shape("b", DType.F32, TensorRole.OTHER, 384)).reason())
        .isEqualTo("fewer than 4096 elements");
    TensorPlan quantized =
        new Planner(4, 12, true, true)
            .plan(new Source(true, List.of(new Shape("w", DType.F32, TensorRole.MATMUL, 384, 384))))
            .tensors()
            .get(0);
    assertThat(quantized.codec()).isEqualTo(Codec.RAW);
    assertThat(quantized.reason()).isEqualTo("the model is quantized already");
  }

  @ParameterizedTest
  @ValueSource(doubles = {1, 2.25, 3.5, 4, 7.99, 8})
  void theMeanRateIsTheOneAskedFor(double bits) {
    Panels panels =
        plan(bits, 12, new Shape("w", DType.F32, TensorRole.MATMUL, 400, 384)).trellis().panels();
    assertThat(panels.meanRate()).isCloseTo(bits, org.assertj.core.data.Offset.offset(0.0013));
    assertThat(Arrays.stream(panels.rates()).allMatch(k -> Math.abs(k - bits) < 1)).isTrue();
  }

  @Test
  void longSegmentsAreCutWhereTheSearchWouldNeedTooMuchMemory() {
    Panels panels =
        plan(1, 20, new Shape("w", DType.F32, TensorRole.MATMUL, 64, 4096)).trellis().panels();
    assertThat(panels.byRows()).isFalse();
    assertThat(panels.lengths()).containsOnly(512);
    assertThat(panels.lengths()).hasSize(8);
  }

  @Test
  void ratesOutsideOfTheFormatAreRefused() {
    assertThatThrownBy(() -> new Planner(0.5, 12, true, true))
        .hasMessage("bits is 0.5, expected 1 to 8");
    assertThatThrownBy(() -> new Planner(4, 21, true, true))
        .hasMessage("L is 21, expected 8 to 20");
  }

  @Test
  void tensorsThatComeOutMuchWorseThanTheirRateGetMore() {
    Shape tensor = new Shape("w", DType.F32, TensorRole.MATMUL, 384, 384);
    assertThat(plan(4, 12, tensor).minSnrDb()).isEqualTo(20.1);
    assertThat(plan(8, 12, tensor).minSnrDb()).isEqualTo(39.7);
    assertThat(
            new Planner(4, 12, true, false)
                .plan(new Source(false, List.of(tensor)))
                .tensors()
                .get(0)
                .minSnrDb())
        .isEqualTo(TensorPlan.ANY_SNR);
  }

  @Test
  void plansSurviveJson() throws Exception {
    Plan plan =
        new Planner(3.3, 16, true, true)
            .plan(
                new Source(
                    false,
                    List.of(
                        new Shape("a", DType.F16, TensorRole.LINEAR_TRANSPOSED, 100, 300),
                        new Shape("b \"quoted\"", DType.I64, TensorRole.OTHER, 7))));
    String json = PlanJson.write(plan);
    Plan back = PlanJson.read(json, "p.json");
    assertThat(back).isEqualTo(plan);
    assertThat(PlanJson.write(back)).isEqualTo(json);
  }

  @Test
  void brokenPlansSayWhatIsWrong() {
    String good =
        PlanJson.write(
            new Planner(4, 12, true, true)
                .plan(
                    new Source(
                        false, List.of(new Shape("w", DType.F32, TensorRole.MATMUL, 384, 384)))));
    assertMessage("{", "p.json: is no JSON");
    assertMessage(good.replace("\"pseedPlan\" : 1", "\"pseedPlan\" : 9"), "plan version 9");
    assertMessage(
        good.replace("\"L\" : 12", "\"L\" : 99"),
        "tensor 'w' L is 99, expected an integer of 8 to 20");
    assertMessage(
        good.replace("\"rowBlock\" : 128", "\"rowBlock\" : 96"),
        "rowBlock is 96, expected a power of two that divides 384");
    assertMessage(
        good.replace("\"trellis\"", "\"magic\""),
        "codec is \"magic\", expected \"raw\" or \"trellis\"");
    assertMessage(
        good.replace("[ 384 ]", "[ 385 ]"), "lengths add up to 385, expected 384 columns");
    assertMessage(good.replace("[ 4 ]", "[ 4.5 ]"), "rate is 4.5, expected an integer of 0 to 8");
    assertMessage(good.replace("\"rows\" : 384,", ""), "tensor 'w' rows is missing");
    assertMessage(
        good.replace("\"rows\" : 384,", "\"rows\" : 18446744073709552000,"),
        "rows is 18446744073709552000, expected an integer of 1 to 2147483647");
    assertMessage(
        good.replace("[ 384 ]", "[ 18446744073709552000 ]"),
        "length is 18446744073709552000, expected an integer");
    assertMessage(
        good.replace("\"rows\" : 384,", "\"rows\" : [" + "1,".repeat(100_000) + "1],"),
        "rows is an array of 100001, expected an integer");
    assertMessage("[".repeat(100_000), "p.json: is no JSON");
  }

  private static void assertMessage(String json, String part) {
    assertThatThrownBy(() -> PlanJson.read(json, "p.json"))
        .isInstanceOf(PlanJson.PlanException.class)
        .hasMessageContaining(part);
  }
}
