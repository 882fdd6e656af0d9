package io.pseed.converter.bench;

import io.pseed.codec.TensorDecoder;
import io.pseed.format.Codec;
import io.pseed.format.PseedException;
import io.pseed.format.PseedReader;
import io.pseed.format.TensorEntry;
import io.pseed.format.TensorRecord;
import io.pseed.onnx.RecordDecoder;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ForkJoinPool;

/**
 * Coded weights a second: all records of a file in turn, by one thread, into memory that is there;
 * the best round.
 */
public final class DecodeRate {
  private static final int ROUNDS = 7;

  private final List<TensorRecord> records = new ArrayList<>();
  private final ByteBuffer out;
  private final long weights;

  /**
   * Reads the records, so that no disk is measured.
   *
   * @throws IOException where the file is damaged
   */
  public DecodeRate(PseedReader reader) throws IOException {
    long weights = 0;
    long largest = 0;
    for (TensorEntry tensor : reader.header().tensors()) {
      TensorRecord record = reader.record(tensor);
      if (record.codec() != Codec.RAW && record.decodedBytes() < Integer.MAX_VALUE - 64) {
        records.add(record);
        weights += tensor.elements();
        largest = Math.max(largest, record.decodedBytes());
      }
    }
    this.weights = weights;
    this.out = ByteBuffer.allocateDirect((int) largest);
  }

  /** Of {@link TensorDecoder}; NaN where nothing is coded. */
  public double inJava() throws IOException {
    return rate(record -> TensorDecoder.of(record).decode(out));
  }

  /** Of a decoder; NaN where nothing is coded. */
  public double of(RecordDecoder decoder) throws IOException {
    return rate(record -> decoder.decode(record, out));
  }

  private interface Decoding {
    void run(TensorRecord record) throws PseedException;
  }

  private double rate(Decoding decoding) throws IOException {
    if (records.isEmpty()) {
      return Double.NaN;
    }
    double best = Double.POSITIVE_INFINITY;
    // Decoders take the threads of the pool that they are called in.
    ForkJoinPool one = new ForkJoinPool(1);
    try {
      for (int round = 0; round < ROUNDS; round++) {
        best = Math.min(best, one.submit(() -> seconds(decoding)).get());
      }
    } catch (ExecutionException e) {
      throw new IOException("decoding failed: " + e.getCause().getMessage(), e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IOException("decoding was interrupted", e);
    } finally {
      one.shutdown();
    }
    return weights / best;
  }

  private double seconds(Decoding decoding) throws PseedException {
    long start = System.nanoTime();
    for (TensorRecord record : records) {
      decoding.run(record);
    }
    return (System.nanoTime() - start) / 1e9;
  }
}
