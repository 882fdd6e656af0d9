package io.pseed.samples.checkpoint;

import io.pseed.converter.ConversionResult;
import io.pseed.converter.Converter;
import io.pseed.converter.ProgressListener;
import io.pseed.converter.Sources;
import io.pseed.converter.encode.Workers;
import io.pseed.converter.export.SafetensorsExporter;
import io.pseed.converter.plan.Planner;
import io.pseed.converter.source.TensorSource;
import io.pseed.format.PseedReader;
import io.pseed.format.TensorEntry;
import java.io.IOException;
import java.nio.file.Path;

/**
 * Makes seeds of a checkpoint, says what they hold, and makes a checkpoint of them again: {@code
 * Checkpoint FILE.safetensors BITS SEEDS.pseed RESTORED.safetensors}.
 */
public final class Checkpoint {
  /** Bits of a weight's seed; neighbours share all but BITS of them. */
  private static final int SEED_BITS = 12;

  private Checkpoint() {}

  public static void main(String[] args) throws IOException {
    Path seeds = Path.of(args[2]);
    convert(Path.of(args[0]), Double.parseDouble(args[1]), seeds);
    try (PseedReader reader = PseedReader.open(seeds)) {
      for (TensorEntry entry : reader.header().tensors()) {
        ConversionResult.TensorResult tensor = Converter.result(entry);
        System.out.printf(
            "%-50s %-7s %5.2f bits a weight  %s%n",
            tensor.name(),
            tensor.codec(),
            tensor.bitsPerWeight(),
            tensor.reason().isEmpty() ? String.format("%.1f dB", tensor.snrDb()) : tensor.reason());
      }
      long bytes = SafetensorsExporter.export(reader, Path.of(args[3]));
      System.out.printf("%s: %,d bytes%n", args[3], bytes);
    }
  }

  static ConversionResult convert(Path checkpoint, double bits, Path seeds) throws IOException {
    try (TensorSource source = Sources.open(checkpoint);
        Workers workers = new Workers(Runtime.getRuntime().availableProcessors())) {
      return new Converter(workers, ProgressListener.NONE)
          .convert(source, new Planner(bits, SEED_BITS, true, true).plan(source), seeds);
    }
  }
}
