package io.pseed.gpu;

import io.pseed.converter.encode.TrellisSearch;
import java.nio.ByteBuffer;
import java.util.Arrays;

/** Does with a unit's arrays and jobs what the kernels are to do, by the Java search. */
final class JobInterpreter {
  private final SearchUnit unit;
  private final float[] targets;
  private final float[] errors;
  private final byte[] payload;

  JobInterpreter(SearchUnit unit) {
    this.unit = unit;
    this.targets = new float[(int) unit.weightCount()];
    for (int i = 0; i < unit.rows(); i++) {
      System.arraycopy(unit.targets(), unit.targetOf(i), targets, i * unit.width(), unit.width());
    }
    this.errors = new float[(int) unit.errorCount()];
    Arrays.fill(errors, Float.NaN);
    this.payload = new byte[(int) unit.payloadBytes()];
  }

  /** All jobs, those with several rows in slices of so many. */
  void run(int slice) {
    for (SearchUnit.Bucket bucket : unit.buckets()) {
      for (int j = 0; j < bucket.count(); j++) {
        ByteBuffer job =
            bucket
                .jobs()
                .slice(j * SearchLayout.JOB_BYTES, SearchLayout.JOB_BYTES)
                .order(bucket.jobs().order());
        int rows = job.getInt(SearchLayout.JOB_ROWS);
        for (int row = 0; row < rows; row += slice) {
          rows(job, row, Math.min(rows, row + slice), bucket);
        }
      }
    }
  }

  private void rows(ByteBuffer job, int first, int end, SearchUnit.Bucket bucket) {
    int n = job.getInt(68);
    int block = job.getInt(72);
    int stride = job.getInt(60);
    for (int row = first; row < end; row++) {
      float[] wanted = new float[n];
      int from = (int) job.getLong(0) + row * stride;
      System.arraycopy(targets, from, wanted, 0, n);
      int error = (int) job.getLong(8) + row * n;
      if (block > 0) {
        int start = row / block * block;
        for (int k = start; k < row; k++) {
          float factor = unit.factor()[(int) job.getLong(16) + row * block + k - start];
          for (int i = 0; i < n; i++) {
            wanted[i] -= factor * errors[(int) job.getLong(8) + k * n + i];
          }
        }
      }
      int rate = unit.rowRates()[(int) job.getLong(32) + row];
      float[] found = new float[n];
      if (rate > 0) {
        if (rate < bucket.leastRate() || rate > bucket.mostRate() || n > bucket.longest()) {
          throw new IllegalStateException("a row of rate " + rate + " does not fit " + bucket);
        }
        int offset = (int) unit.offsets()[(int) job.getLong(24) + row] + job.getInt(56);
        new TrellisSearch(unit.code(), rate)
            .encode(wanted, 0, n, payload, offset, found, weights(job, n));
      }
      for (int i = 0; block > 0 && i < n; i++) {
        errors[error + i] = found[i] - targets[from + i];
      }
    }
  }

  private byte[] weights(ByteBuffer job, int n) {
    long at = job.getLong(40);
    return at == SearchLayout.NONE
        ? null
        : Arrays.copyOfRange(unit.columnWeights(), (int) at, (int) at + n);
  }

  /** Brings the payload to its place, in pieces of so many bytes. */
  void takePayload(int piece) {
    for (int at = 0; at < payload.length; at += piece) {
      unit.takePayload(ByteBuffer.wrap(payload, at, Math.min(piece, payload.length - at)), at);
    }
  }
}
