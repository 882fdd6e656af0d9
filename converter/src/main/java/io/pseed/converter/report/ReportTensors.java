package io.pseed.converter.report;

import io.pseed.codec.trellis.Panels;
import io.pseed.codec.trellis.TrellisBody;
import io.pseed.converter.ConversionResult.TensorResult;
import io.pseed.converter.Converter;
import io.pseed.format.Codec;
import io.pseed.format.PseedReader;
import io.pseed.format.TensorEntry;
import io.pseed.format.TensorRecord;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/** Reads from a file what a report says of its tensors. */
public final class ReportTensors {
  private ReportTensors() {}

  /**
   * All tensors of a file.
   *
   * @param readers nodes that read tensors whose names tell no place, by tensor
   * @param shares share of the predicted error by name; tensors that are not named have none
   * @param whys why a coded tensor is coded as it is, by name; the file knows it of lossless ones
   */
  public static List<Report.Tensor> of(
      PseedReader reader,
      Map<String, String> readers,
      Map<String, Double> shares,
      Map<String, String> whys)
      throws IOException {
    List<Report.Tensor> tensors = new ArrayList<>();
    for (TensorEntry entry : reader.header().tensors()) {
      TensorResult told = Converter.result(entry);
      TensorRecord record = reader.record(entry);
      boolean raw = record.codec() == Codec.RAW;
      boolean known = told.codec() == record.codec() && Double.isFinite(told.snrDb());
      tensors.add(
          new Report.Tensor(
              entry.name(),
              readers.getOrDefault(entry.name(), ""),
              entry.dtype().name(),
              Arrays.stream(entry.shape()).boxed().toList(),
              record.codec().label(),
              record.codec() == Codec.TRELLIS ? form(TrellisBody.parse(record)) : "",
              record.layerSeed().isPresent(),
              entry.length(),
              entry.elements(),
              told.bitsPerWeight(),
              raw ? Double.POSITIVE_INFINITY : known ? told.snrDb() : Double.NaN,
              shares.getOrDefault(entry.name(), Double.NaN),
              raw
                  ? told.reason().isEmpty() ? "the file does not say" : told.reason()
                  : whys.getOrDefault(entry.name(), "")));
    }
    return tensors;
  }

  private static String form(TrellisBody body) {
    return String.format(
        Locale.ROOT,
        "%d × %d%s, %s, L %d, rotated %d × %d",
        body.view().rows(),
        body.view().cols(),
        body.view().transposed() ? " transposed" : "",
        rates(body.panels()),
        body.code().bits(),
        1 << body.rowBlockLog2(),
        1 << body.colBlockLog2());
  }

  /** {@code 4 bits}, or {@code 2–5 bits by columns}. */
  private static String rates(Panels panels) {
    int low = Arrays.stream(panels.rates()).min().orElse(0);
    int high = Arrays.stream(panels.rates()).max().orElse(0);
    return low == high
        ? low + " bits"
        : low + "–" + high + " bits by " + (panels.byRows() ? "rows" : "columns");
  }
}
