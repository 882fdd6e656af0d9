package io.pseed.codec;

import io.pseed.codec.trellis.TrellisBody;
import io.pseed.codec.trellis.TrellisDecoder;
import io.pseed.format.Codec;
import io.pseed.format.CorruptException;
import io.pseed.format.DType;
import io.pseed.format.Halfs;
import io.pseed.format.OverLimitException;
import io.pseed.format.PseedException;
import io.pseed.format.TensorRecord;
import io.pseed.format.View;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ForkJoinTask;
import java.util.concurrent.RecursiveAction;
import java.util.zip.CRC32C;

/**
 * From a record to the elements of its tensor (specification, section 9). The result is exact: the
 * same bytes on every machine, with any number of threads.
 *
 * <p>Instances are immutable and may be used from several threads.
 */
public final class TensorDecoder {
  /** Weights that one task decodes at the least: below, a task costs more than it saves. */
  private static final int TASK_WEIGHTS = 1 << 16;

  private final TensorRecord record;
  private final View view;
  private final TrellisDecoder trellis;
  private final PoincarePart poincare;
  private final int elementBytes;

  private TensorDecoder(
      TensorRecord record, View view, TrellisDecoder trellis, PoincarePart poincare) {
    this.record = record;
    this.view = view;
    this.trellis = trellis;
    this.poincare = poincare;
    this.elementBytes = record.dtype().bits() / 8;
  }

  /**
   * Parses the record's body.
   *
   * @throws PseedException where the body breaks a rule of its codec
   */
  public static TensorDecoder of(TensorRecord record) throws PseedException {
    return switch (record.codec()) {
      case RAW -> {
        if (record.body().remaining() != record.decodedBytes()) {
          throw record.corruptBody(
              0, "body", record.body().remaining() + " bytes", record.decodedBytes());
        }
        yield new TensorDecoder(record, null, null, null);
      }
      case POINCARE -> {
        View view = View.parse(record);
        yield new TensorDecoder(record, view, null, PoincarePart.ofBody(record, view));
      }
      case TRELLIS -> {
        TrellisBody body = TrellisBody.parse(record);
        yield new TensorDecoder(
            record,
            body.view(),
            new TrellisDecoder(body),
            PoincarePart.ofLayer(record, body.view()));
      }
    };
  }

  /**
   * Decodes the whole tensor, in parallel on the common pool (or on the pool that the caller runs
   * in), and compares the result with the record's checksum.
   *
   * @return a heap buffer from 0 to the tensor's size, little-endian, row-major
   * @throws OverLimitException where the tensor has 2 GiB or more
   * @throws CorruptException where the checksum of the decoded elements is wrong
   */
  public ByteBuffer decode() throws PseedException {
    ByteBuffer out = ByteBuffer.allocate(requireArraySize()).order(ByteOrder.LITTLE_ENDIAN);
    decode(out);
    return out;
  }

  /**
   * Like {@link #decode()}, into {@code out} from its position on; the position does not move.
   *
   * @param out with at least the tensor's size remaining; its byte order does not matter
   */
  public void decode(ByteBuffer out) throws PseedException {
    check(decodeUnchecked(out));
  }

  /** Decodes without comparing; returns the CRC-32C of the elements. */
  private int decodeUnchecked(ByteBuffer out) throws PseedException {
    int size = requireArraySize();
    if (out.remaining() < size) {
      throw new IllegalArgumentException(
          "buffer of " + out.remaining() + " bytes for a tensor of " + size);
    }
    ByteBuffer dst = out.slice(out.position(), size).order(ByteOrder.LITTLE_ENDIAN);
    if (record.codec() == Codec.RAW) {
      dst.duplicate().put(record.body());
    } else {
      decodeBands(dst);
    }
    CRC32C crc = new CRC32C();
    crc.update(dst.duplicate());
    return (int) crc.getValue();
  }

  /** Takes decoded bytes in order. */
  @FunctionalInterface
  public interface Sink {
    /** The next bytes, from position to limit; valid during the call only. */
    void accept(ByteBuffer bytes) throws IOException;
  }

  /**
   * Decodes the tensor in order, in bounded memory where its view allows (not transposed, rows not
   * permuted), and compares the checksum at the end.
   *
   * @throws OverLimitException where the view does not allow it and the tensor has 2 GiB or more
   * @throws CorruptException after the last byte was handed out, where the checksum of the decoded
   *     elements is wrong
   */
  public void decodeTo(Sink sink) throws IOException {
    check(checksum(sink));
  }

  /**
   * Like {@link #decodeTo}, but compares nothing: for encoders, which make a record, decode it, and
   * put the checksum in.
   *
   * @return CRC-32C of the decoded elements
   */
  public int checksum(Sink sink) throws IOException {
    if (record.codec() == Codec.RAW) {
      CRC32C crc = new CRC32C();
      crc.update(record.body());
      sink.accept(record.body());
      return (int) crc.getValue();
    }
    boolean ordered = !view.transposed() && (trellis == null || !trellis.permutesRows());
    if (!ordered) {
      ByteBuffer all = ByteBuffer.allocate(requireArraySize()).order(ByteOrder.LITTLE_ENDIAN);
      int checksum = decodeUnchecked(all);
      sink.accept(all);
      return checksum;
    }
    CRC32C crc = new CRC32C();
    int step = bandRows(Math.max(1, (4 << 20) / elementBytes / view.cols()));
    ByteBuffer buffer =
        ByteBuffer.allocate(
                requireArraySize((long) Math.min(step, view.rows()) * view.cols() * elementBytes))
            .order(ByteOrder.LITTLE_ENDIAN);
    // first + step may exceed an int: a poincare view may have 2^31 - 1 rows.
    for (int first = 0, count;
        first < view.rows();
        first = (int) Math.min((long) first + step, view.rows())) {
      count = Math.min(step, view.rows() - first);
      buffer.clear();
      Band band = new Band(count);
      band.decode(first, count);
      band.store(buffer, first, count);
      buffer.limit(count * view.cols() * elementBytes);
      crc.update(buffer.duplicate());
      sink.accept(buffer);
    }
    return (int) crc.getValue();
  }

  private void check(int crc) throws CorruptException {
    if (crc != record.decodedCrc()) {
      throw record
          .place()
          .corrupt(
              32,
              "checksum of the decoded values",
              String.format("0x%08x", crc),
              String.format("0x%08x", record.decodedCrc()));
    }
  }

  private int requireArraySize() throws OverLimitException {
    return requireArraySize(record.decodedBytes());
  }

  private int requireArraySize(long bytes) throws OverLimitException {
    if (bytes > Integer.MAX_VALUE - 64) {
      throw new OverLimitException(
          record.place().label()
              + ": needs "
              + bytes
              + " bytes at once, Java takes less than 2 GiB");
    }
    return (int) bytes;
  }

  /** The multiple of the Hadamard block that is nearest to {@code wanted} rows from above. */
  private int bandRows(int wanted) {
    int block = trellis == null ? 1 : trellis.bandRows();
    return (int) Math.min(view.rows(), ((long) wanted + block - 1) / block * block);
  }

  private void decodeBands(ByteBuffer dst) throws PseedException {
    int step = bandRows(Math.max(1, TASK_WEIGHTS / view.cols()));
    List<BandTask> tasks = new ArrayList<>();
    for (int first = 0; first < view.rows(); first += step) {
      tasks.add(new BandTask(dst, first, Math.min(step, view.rows() - first)));
    }
    // A task keeps its failure: an exception thrown through invokeAll would come back while other
    // tasks still write to the caller's buffer.
    ForkJoinTask.invokeAll(tasks);
    for (BandTask task : tasks) {
      if (task.failure != null) {
        throw task.failure;
      }
    }
  }

  private final class BandTask extends RecursiveAction {
    private static final long serialVersionUID = 1L;
    private final transient ByteBuffer dst;
    private final int first;
    private final int count;
    private transient PseedException failure;

    BandTask(ByteBuffer dst, int first, int count) {
      this.dst = dst;
      this.first = first;
      this.count = count;
    }

    @Override
    protected void compute() {
      try {
        Band band = new Band(count);
        band.decode(first, count);
        band.store(dst, 0, count);
      } catch (PseedException e) {
        failure = e;
      }
    }
  }

  /** The values of some rows, and the places they go to. */
  private final class Band {
    private final float[] values;
    private final int[] viewRow;

    Band(int count) throws OverLimitException {
      requireArraySize((long) count * view.cols() * 4);
      this.values = new float[count * view.cols()];
      this.viewRow = new int[count];
    }

    void decode(int first, int count) throws PseedException {
      if (trellis != null) {
        trellis.decode(first, count, values);
      }
      for (int i = 0; i < count; i++) {
        viewRow[i] = trellis == null ? first + i : trellis.viewRow(first + i);
        if (poincare != null) {
          poincare.addRow(viewRow[i], values, i * view.cols(), trellis != null);
        }
      }
    }

    /**
     * Stores the rows in {@code dst}, whose first element is that of the view's row {@code origin}.
     */
    void store(ByteBuffer dst, int origin, int count) {
      int cols = view.cols();
      DType dtype = record.dtype();
      if (view.transposed()) {
        for (int j = 0; j < cols; j++) {
          for (int i = 0; i < count; i++) {
            put(dst, dtype, (j * view.rows() + viewRow[i]) * elementBytes, values[i * cols + j]);
          }
        }
        return;
      }
      for (int i = 0; i < count; i++) {
        storeRow(dst, dtype, (viewRow[i] - origin) * cols * elementBytes, i * cols, cols);
      }
    }

    private void storeRow(ByteBuffer dst, DType dtype, int at, int from, int n) {
      if (dtype == DType.F32) {
        dst.slice(at, n * 4).order(ByteOrder.LITTLE_ENDIAN).asFloatBuffer().put(values, from, n);
        return;
      }
      for (int j = 0; j < n; j++) {
        put(dst, dtype, at + j * elementBytes, values[from + j]);
      }
    }
  }

  private static void put(ByteBuffer dst, DType dtype, int at, float value) {
    switch (dtype) {
      case F32 -> dst.putFloat(at, value);
      case F16 -> dst.putShort(at, Halfs.fromFloat(value));
      case BF16 -> dst.putShort(at, Halfs.toBFloat16(value));
      default -> dst.putDouble(at, value);
    }
  }
}
