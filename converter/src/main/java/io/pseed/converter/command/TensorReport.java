package io.pseed.converter.command;

import com.fasterxml.jackson.databind.node.ObjectNode;
import io.pseed.converter.ConversionResult.TensorResult;
import io.pseed.format.Codec;
import io.pseed.format.TensorRecord;
import java.util.List;
import java.util.Locale;

/** Tensors in tables and JSON, the same words for all commands. */
public final class TensorReport {
  private TensorReport() {}

  /** A tensor for programs. */
  public static ObjectNode json(TensorResult tensor) {
    ObjectNode node = Json.object();
    node.put("name", tensor.name()).put("dtype", tensor.dtype().name());
    node.set("shape", Json.array(tensor.shape()));
    node.put("codec", tensor.codec().label()).put("layerSeed", tensor.layerSeed());
    node.put("bytes", tensor.bytes()).put("bitsPerWeight", tensor.bitsPerWeight());
    if (tensor.codec() == Codec.RAW) {
      node.put("reason", tensor.reason());
    } else {
      Json.number(node, "snrDb", tensor.snrDb());
    }
    return node;
  }

  /** Sums by codec. */
  public static Table codecs(List<TensorResult> tensors) {
    Table table = new Table("<codec", "tensors", "weights", "size", "bits/weight", "SNR dB");
    for (Codec codec : Codec.values()) {
      long count = 0;
      long weights = 0;
      long bytes = 0;
      double noise = 0;
      for (TensorResult tensor : tensors) {
        if (tensor.codec() == codec) {
          long n = TensorRecord.elementCount(tensor.shape());
          count++;
          weights += n;
          bytes += tensor.bytes();
          noise += n * Math.pow(10, -tensor.snrDb() / 10);
        }
      }
      if (count > 0) {
        table.row(
            codec.label(),
            String.valueOf(count),
            Units.count(weights),
            Units.bytes(bytes),
            weights == 0 ? "" : String.format(Locale.ROOT, "%.2f", 8.0 * bytes / weights),
            codec == Codec.RAW || weights == 0
                ? "lossless"
                : Units.decibels(-10 * Math.log10(noise / weights)));
      }
    }
    return table;
  }
}
