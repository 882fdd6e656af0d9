package io.pseed.converter.verify;

import io.pseed.codec.TensorDecoder;
import io.pseed.converter.source.SourceException;
import io.pseed.converter.source.SourceTensor;
import io.pseed.converter.source.TensorSource;
import io.pseed.format.CodedElements;
import io.pseed.format.DType;
import io.pseed.format.PseedReader;
import io.pseed.format.TensorEntry;
import io.pseed.format.TensorRecord;
import io.pseed.onnx.RecordDecoder;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** Decodes tensor after tensor, in bounded memory where their views allow. */
public final class WeightCheck {
  private static final int CHUNK = 1 << 20;

  private WeightCheck() {}

  /**
   * Checks that a file is whole: digest, padding, every section, every record, and the checksum of
   * every decoded tensor.
   *
   * @throws io.pseed.format.PseedException at the first thing that is not as it should be
   */
  public static void container(PseedReader reader) throws IOException {
    reader.validate();
    RecordDecoder decoder = RecordDecoder.ofThisProcess();
    for (TensorEntry entry : reader.header().tensors()) {
      decoder.decodeTo(reader.record(entry), bytes -> {});
    }
  }

  /**
   * Compares every tensor with its original.
   *
   * @throws SourceException where the file was not made from this source
   * @throws io.pseed.format.PseedException where a record is damaged
   */
  public static List<WeightError> compare(TensorSource original, PseedReader reader)
      throws IOException {
    Map<String, SourceTensor> originals = new LinkedHashMap<>();
    for (SourceTensor tensor : original.tensors()) {
      originals.put(tensor.name(), tensor);
    }
    RecordDecoder decoder = RecordDecoder.ofThisProcess();
    List<WeightError> errors = new ArrayList<>();
    for (TensorEntry entry : reader.header().tensors()) {
      SourceTensor tensor = originals.remove(entry.name());
      if (tensor == null) {
        throw new SourceException(
            original.path(),
            "has no tensor '"
                + entry.name()
                + "', so "
                + reader.label()
                + " was made from another model");
      }
      if (tensor.dtype() != entry.dtype() || !Arrays.equals(tensor.shape(), entry.shape())) {
        throw new SourceException(
            original.path(),
            String.format(
                "tensor '%s' is %s %s, but %s %s in %s, which was made from another model",
                entry.name(),
                tensor.dtype(),
                Arrays.toString(tensor.shape()),
                entry.dtype(),
                Arrays.toString(entry.shape()),
                reader.label()));
      }
      TensorRecord record = reader.record(entry);
      Meter meter = new Meter(original.path(), tensor);
      decoder.decodeTo(record, meter);
      errors.add(new WeightError(entry.name(), record.codec(), meter.snrDb(), meter.maxAbs));
    }
    if (!originals.isEmpty()) {
      throw new SourceException(
          original.path(),
          "has a tensor '"
              + originals.keySet().iterator().next()
              + "' that "
              + reader.label()
              + " lacks, which was made from another model");
    }
    return errors;
  }

  /** Takes decoded bytes in order and reads the original's beside them. */
  private static final class Meter implements TensorDecoder.Sink {
    private final Path original;
    private final SourceTensor tensor;
    private final ByteBuffer expected = ByteBuffer.allocate(CHUNK).order(ByteOrder.LITTLE_ENDIAN);
    private long offset;
    private double signal;
    private double noise;
    private double maxAbs;
    private boolean equal = true;

    Meter(Path original, SourceTensor tensor) {
      this.original = original;
      this.tensor = tensor;
    }

    double snrDb() {
      return equal || noise == 0 ? Double.POSITIVE_INFINITY : 10 * Math.log10(signal / noise);
    }

    @Override
    public void accept(ByteBuffer decoded) throws IOException {
      ByteBuffer bytes = decoded.slice().order(ByteOrder.LITTLE_ENDIAN);
      DType dtype = tensor.dtype();
      for (int at = 0; at < bytes.limit(); at += expected.limit()) {
        expected.clear().limit(Math.min(CHUNK, bytes.limit() - at));
        tensor.read(offset + at, expected);
        expected.flip();
        ByteBuffer part = bytes.slice(at, expected.limit()).order(ByteOrder.LITTLE_ENDIAN);
        boolean same = part.equals(expected);
        equal &= same;
        if (dtype.isCoded()) {
          add(dtype, part);
        } else if (!same) {
          throw new SourceException(
              original,
              "tensor '"
                  + tensor.name()
                  + "' differs although it is stored lossless: the file was made from another model");
        }
      }
      offset += bytes.limit();
    }

    private void add(DType dtype, ByteBuffer decoded) {
      int width = dtype.bits() / 8;
      for (int i = 0; i < decoded.limit(); i += width) {
        double value = CodedElements.get(expected, dtype, i);
        double difference = CodedElements.get(decoded, dtype, i) - value;
        if (Double.isNaN(difference)) {
          // NaN and infinities are kept lossless: where both have one, the difference is none.
          difference = 0;
        }
        signal += Double.isFinite(value) ? value * value : 0;
        noise += difference * difference;
        maxAbs = Math.max(maxAbs, Math.abs(difference));
      }
    }
  }
}
