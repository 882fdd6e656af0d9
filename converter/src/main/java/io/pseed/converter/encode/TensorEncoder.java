package io.pseed.converter.encode;

import io.pseed.codec.TensorDecoder;
import io.pseed.codec.trellis.Panels;
import io.pseed.converter.encode.poincare.MatrixRows;
import io.pseed.converter.encode.poincare.ShapeTotals;
import io.pseed.converter.plan.TensorPlan;
import io.pseed.converter.plan.TrellisPlan;
import io.pseed.converter.source.SourceTensor;
import io.pseed.format.Codec;
import io.pseed.format.CodedElements;
import io.pseed.format.LayerSeed;
import io.pseed.format.Limits;
import io.pseed.format.RecordContent;
import io.pseed.format.RecordPlace;
import io.pseed.format.TensorRecord;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.WritableByteChannel;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.LongConsumer;
import java.util.zip.CRC32C;

/**
 * From a source tensor and its plan to a record: encodes, decodes what it made, and says how far
 * that is from the original.
 */
public final class TensorEncoder {
  /**
   * Tensors of a larger root mean square, or one below its inverse, are kept lossless: scales end
   * at 2^48.
   */
  private static final double LARGEST_SIGMA = 0x1p40;

  private final Workers workers;
  private final PreferredBackend preferred;
  private final LayerSeedSearch layerSeeds;

  /** An encoder on {@code workers}. */
  public TensorEncoder(Workers workers) {
    this(workers, PreferredBackend.NONE);
  }

  /** An encoder on {@code workers} that searches on a device where that can be. */
  public TensorEncoder(Workers workers, PreferredBackend preferred) {
    this.workers = workers;
    this.preferred = preferred;
    this.layerSeeds = new LayerSeedSearch();
  }

  /**
   * Encodes one tensor.
   *
   * @param scan of the same tensor; a tensor with elements that are not finite is kept lossless
   * @param progress is told the number of weights just done, from any thread
   */
  public EncodedTensor encode(
      SourceTensor tensor, TensorPlan plan, TensorScan scan, LongConsumer progress)
      throws IOException {
    return encode(tensor, plan, scan, Optional.empty(), progress);
  }

  /**
   * Encodes one tensor so that what its errors cost is small.
   *
   * @param metric what an error costs, for the rows of the plan's view; empty: its square
   */
  public EncodedTensor encode(
      SourceTensor tensor,
      TensorPlan plan,
      TensorScan scan,
      Optional<ErrorMetric> metric,
      LongConsumer progress)
      throws IOException {
    long elements = TensorRecord.elementCount(tensor.shape());
    if (plan.codec() == Codec.RAW) {
      progress.accept(elements);
      return raw(tensor, scan, plan.reason());
    }
    if (scan.notFinite() > 0) {
      progress.accept(elements);
      return raw(tensor, scan, scan.notFinite() + " elements are NaN, infinite or beyond F32");
    }
    double sigma = Math.sqrt(scan.sumOfSquares() / elements);
    if (sigma > LARGEST_SIGMA || (sigma > 0 && sigma < 1 / LARGEST_SIGMA)) {
      progress.accept(elements);
      return raw(tensor, scan, "root mean square " + sigma + " is beyond the range of scales");
    }
    WeightMatrix matrix = WeightMatrix.of(tensor, plan.trellis().view());
    double bits = plan.trellis().panels().meanRate();
    LayerSeedSearch.Fit fit =
        plan.layerSeed()
            ? layerSeeds.find(matrix, bits, rows -> totals(tensor.name(), rows))
            : LayerSeedSearch.Fit.NONE;
    if (fit.enough()) {
      progress.accept(elements);
      return finish(
          tensor, scan, Codec.POINCARE, fit.seed(), List.of(fit.body(plan.trellis().view())));
    }
    if (metric.isPresent()) {
      // What the metric forgives counts as noise here: the plan's bound on the plain error is not
      // for it.
      TrellisEncoder.Coded coded =
          coded(
              tensor.name(),
              progress,
              (backend, told) ->
                  new FeedbackEncoder(backend)
                      .encode(fit.residual(matrix), plan.trellis(), metric.get(), told));
      return finish(tensor, scan, Codec.TRELLIS, fit.seed(), coded.parts());
    }
    TrellisPlan rates = plan.trellis();
    LongConsumer counted = progress;
    while (true) {
      TrellisPlan current = rates;
      TrellisEncoder.Coded coded =
          coded(
              tensor.name(),
              counted,
              (backend, told) ->
                  new TrellisEncoder(workers, backend).encode(fit.residual(matrix), current, told));
      EncodedTensor encoded = finish(tensor, scan, Codec.TRELLIS, fit.seed(), coded.parts());
      if (encoded.snrDb() >= plan.minSnrDb()) {
        return encoded;
      }
      Panels higher = rates.panels().raised();
      if (higher.equals(rates.panels())) {
        return raw(
            tensor,
            scan,
            String.format(
                Locale.ROOT,
                "%.1f dB at the highest rate, the plan asks for %.1f",
                encoded.snrDb(),
                plan.minSnrDb()));
      }
      rates = rates.withPanels(higher);
      // The first search was counted.
      counted = weights -> {};
    }
  }

  /** Sums made on the device where there is one; else, or where it fails, on the CPU. */
  private ShapeTotals totals(String tensor, MatrixRows rows) throws IOException {
    Optional<EncoderBackend> device = preferred.now();
    if (device.isPresent()) {
      try {
        Optional<ShapeTotals> totals = device.get().shapeTotals(rows);
        if (totals.isPresent()) {
          return totals.get();
        }
      } catch (BackendException e) {
        preferred.failed(tensor, e);
      }
    }
    return ShapeTotals.of(rows);
  }

  /** A way to code a tensor, with any backend. */
  private interface Coder {
    TrellisEncoder.Coded code(EncoderBackend backend, LongConsumer progress)
        throws IOException, BackendException;
  }

  /** Codes on the device where there is one; where it fails, once more on the CPU. */
  private TrellisEncoder.Coded coded(String tensor, LongConsumer progress, Coder coder)
      throws IOException {
    LongConsumer left = progress;
    Optional<EncoderBackend> device = preferred.now();
    if (device.isPresent()) {
      AtomicLong told = new AtomicLong();
      try {
        return coder.code(
            device.get(),
            weights -> {
              told.addAndGet(weights);
              progress.accept(weights);
            });
      } catch (BackendException e) {
        preferred.failed(tensor, e);
        // What was told already is not told again.
        left = weights -> progress.accept(weights - taken(told, weights));
      }
    }
    try {
      return coder.code(new CpuBackend(workers), left);
    } catch (BackendException e) {
      throw new IllegalStateException("the CPU's backend has no reason to fail", e);
    }
  }

  /** Takes up to {@code most} off a count; how much it was. */
  private static long taken(AtomicLong count, long most) {
    return Math.min(most, count.getAndUpdate(left -> left - Math.min(left, most)));
  }

  private static EncodedTensor raw(SourceTensor tensor, TensorScan scan, String reason) {
    long elements = TensorRecord.elementCount(tensor.shape());
    RecordContent record = new RawRecord(tensor, scan.crc());
    return new EncodedTensor(
        record,
        Codec.RAW,
        false,
        elements == 0 ? 0 : 8.0 * record.length() / elements,
        elements == 0 ? 0 : Math.sqrt(scan.sumOfSquares() / elements),
        0,
        reason,
        scan.crc());
  }

  /** Decodes the new record against the source, and puts the checksum of the decoded values in. */
  private static EncodedTensor finish(
      SourceTensor tensor, TensorScan scan, Codec codec, LayerSeed seed, List<ByteBuffer> body)
      throws IOException {
    long[] shape = tensor.shape();
    long elements = TensorRecord.elementCount(shape);
    TensorRecord draft =
        TensorRecord.parse(
            join(TensorRecord.assemble(codec, tensor.dtype(), shape, seed, 0, body)),
            RecordPlace.standalone("new record of tensor '" + tensor.name() + "'"),
            Limits.LARGE);
    ErrorMeter meter = new ErrorMeter(tensor);
    int decodedCrc = TensorDecoder.of(draft).checksum(meter);
    RecordContent record =
        RecordContent.of(
            TensorRecord.assemble(codec, tensor.dtype(), shape, seed, decodedCrc, body));
    return new EncodedTensor(
        record,
        codec,
        seed.isPresent(),
        8.0 * record.length() / elements,
        Math.sqrt(scan.sumOfSquares() / elements),
        Math.sqrt(meter.squares / elements),
        "",
        scan.crc());
  }

  private static ByteBuffer join(List<ByteBuffer> parts) {
    if (parts.size() == 1) {
      return parts.get(0);
    }
    long length = 0;
    for (ByteBuffer part : parts) {
      length += part.remaining();
    }
    ByteBuffer all = ByteBuffer.allocate(Math.toIntExact(length));
    parts.forEach(part -> all.put(part.duplicate()));
    return all.flip();
  }

  /** Sums the squares of decoded minus original, in the tensor's order. */
  private static final class ErrorMeter implements TensorDecoder.Sink {
    private final SourceTensor tensor;
    private final int width;
    private long offset;
    private double squares;

    ErrorMeter(SourceTensor tensor) {
      this.tensor = tensor;
      this.width = tensor.dtype().bits() / 8;
    }

    @Override
    public void accept(ByteBuffer decoded) throws IOException {
      ByteBuffer d = decoded.slice().order(ByteOrder.LITTLE_ENDIAN);
      int chunk = 1 << 20;
      ByteBuffer original = ByteBuffer.allocate(chunk).order(ByteOrder.LITTLE_ENDIAN);
      for (int at = 0; at < d.limit(); at += original.limit()) {
        original.clear().limit(Math.min(chunk, d.limit() - at));
        tensor.read(offset + at, original);
        for (int i = 0; i < original.limit(); i += width) {
          double error =
              CodedElements.get(d, tensor.dtype(), at + i)
                  - CodedElements.get(original, tensor.dtype(), i);
          squares += error * error;
        }
      }
      offset += d.limit();
    }
  }

  /** A lossless record, copied from the source in pieces. */
  private record RawRecord(SourceTensor tensor, int decodedCrc) implements RecordContent {
    @Override
    public long length() {
      return head().remaining() + tensor.byteSize() + 4;
    }

    private ByteBuffer head() {
      return TensorRecord.header(
          Codec.RAW, tensor.dtype(), tensor.shape(), LayerSeed.NONE, decodedCrc, tensor.byteSize());
    }

    @Override
    public void writeTo(WritableByteChannel channel) throws IOException {
      CRC32C recordCrc = new CRC32C();
      CRC32C contentCrc = new CRC32C();
      ByteBuffer head = head();
      recordCrc.update(head.duplicate());
      writeFully(channel, head);
      ByteBuffer buffer = ByteBuffer.allocate(1 << 20);
      for (long at = 0; at < tensor.byteSize(); at += buffer.limit()) {
        buffer.clear().limit((int) Math.min(buffer.capacity(), tensor.byteSize() - at));
        tensor.read(at, buffer);
        buffer.flip();
        recordCrc.update(buffer.duplicate());
        contentCrc.update(buffer.duplicate());
        writeFully(channel, buffer);
      }
      if ((int) contentCrc.getValue() != decodedCrc) {
        throw new IOException(
            "tensor '" + tensor.name() + "' changed while it was read; convert again");
      }
      ByteBuffer tail = ByteBuffer.allocate(4).order(ByteOrder.LITTLE_ENDIAN);
      writeFully(channel, tail.putInt((int) recordCrc.getValue()).flip());
    }

    private static void writeFully(WritableByteChannel channel, ByteBuffer bytes)
        throws IOException {
      while (bytes.hasRemaining()) {
        channel.write(bytes);
      }
    }
  }
}
