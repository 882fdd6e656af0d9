package io.pseed.converter;

import com.fasterxml.jackson.core.io.JsonStringEncoder;
import io.pseed.codec.trellis.Scales;
import io.pseed.converter.plan.Plan;
import io.pseed.converter.plan.PlanJson;
import io.pseed.converter.plan.TensorPlan;
import io.pseed.converter.plan.TrellisPlan;
import io.pseed.converter.source.SourceTensor;
import io.pseed.converter.source.TensorSource;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * How large a file will be, told from the plan alone. A forecast is an upper bound: where the
 * encoder chooses the kind of scales, the larger of its choices is counted, which is a few
 * thousandths of a file.
 */
public final class SizeForecast {
  private static final int PREFIX = 128;
  private static final int ALIGNMENT = 64;

  /** Bytes of a record without dimensions and body: fields and checksum. */
  private static final int RECORD_FIXED = 44;

  private static final int TRELLIS_FIXED = 32;
  private static final int PANEL = 8;

  /** Punctuation, member names, offset, length and statistics of a tensor in the JSON header. */
  private static final int JSON_TENSOR = 130;

  private static final int JSON_FIXED = 200;

  private final List<SourceTensor> tensors;
  private final long constant;

  /** A forecast for conversions of one source. */
  public SizeForecast(TensorSource source) throws IOException {
    this.tensors = List.copyOf(source.tensors());
    long sum = (long) PREFIX + JSON_FIXED + jsonLength(String.valueOf(source.path().getFileName()));
    for (Map.Entry<String, byte[]> section : source.sections().entrySet()) {
      sum += align(SectionBytes.of(section.getValue()).stored().remaining());
      sum += JSON_TENSOR + jsonLength(section.getKey());
    }
    for (Map.Entry<String, String> entry : source.metadata().entrySet()) {
      sum += jsonLength(entry.getKey()) + jsonLength(entry.getValue()) + 6L;
    }
    for (SourceTensor tensor : tensors) {
      sum += JSON_TENSOR + jsonLength(tensor.name()) + Arrays.toString(tensor.shape()).length();
    }
    this.constant = sum;
  }

  /** Bytes that the file takes at most. */
  public long bytes(Plan plan) {
    long sum = constant + PlanJson.summary(plan).toString().length();
    List<TensorPlan> plans = new ArrayList<>(plan.tensors());
    for (int i = 0; i < plans.size(); i++) {
      TensorPlan tensorPlan = plans.get(i);
      SourceTensor tensor = tensors.get(i);
      long body =
          tensorPlan.trellis() == null ? tensor.byteSize() : trellisBody(tensorPlan.trellis());
      sum += align(RECORD_FIXED + 8L * tensor.shape().length + body);
      sum += jsonLength(tensorPlan.reason());
    }
    return sum + ALIGNMENT;
  }

  private static long trellisBody(TrellisPlan plan) {
    int rows = plan.view().rows();
    int cols = plan.view().cols();
    return TRELLIS_FIXED
        + (long) PANEL * plan.panels().count()
        + largest(plan.rowScale()).paddedSize(rows)
        + largest(plan.colScale()).paddedSize(cols)
        + plan.panels().payloadBytes(rows, cols);
  }

  /** Of what the encoder may choose. */
  private static Scales largest(Optional<Scales> planned) {
    return planned.orElse(Scales.F8);
  }

  private static long align(long bytes) {
    return (bytes + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
  }

  private static int jsonLength(String text) {
    return JsonStringEncoder.getInstance().quoteAsUTF8(text).length + 2;
  }
}
