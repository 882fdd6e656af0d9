package io.pseed.gpu;

import io.pseed.codec.trellis.Panels;
import io.pseed.codec.trellis.TrellisCode;
import io.pseed.converter.encode.SearchRequest;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;

/**
 * A piece of a request that goes to a device in one go: some rows without feedback, or all rows of
 * some neighbouring panels with it. Says what is uploaded and which jobs there are; knows nothing
 * of devices.
 */
final class SearchUnit {
  private final SearchRequest request;
  private final int firstRow;
  private final int rows;
  private final List<SearchRequest.Part> parts;
  private final int firstColumn;
  private final int width;
  private final long[] offsets;
  private final byte[] rates;
  private final byte[] weights;
  private final List<Bucket> buckets;

  /**
   * Jobs that are launched together: their least rate decides how much memory a block takes.
   *
   * @param jobs the jobs, {@link SearchLayout#JOB_BYTES} each, as uploaded
   * @param count number of jobs
   * @param longest weights of the longest row
   */
  record Bucket(int leastRate, int mostRate, int longest, int count, ByteBuffer jobs) {
    long largestDecisionBytes(int seedBits) {
      return SearchLayout.largestDecisionBytes(seedBits, leastRate, mostRate);
    }
  }

  private SearchUnit(
      SearchRequest request, int firstRow, int rows, List<SearchRequest.Part> parts) {
    this.request = request;
    this.firstRow = firstRow;
    this.rows = rows;
    this.parts = parts;
    this.firstColumn = parts.get(0).firstColumn();
    int end = 0;
    for (SearchRequest.Part part : parts) {
      end = part.firstColumn() + part.columns();
    }
    this.width = end - firstColumn;
    this.offsets = new long[rows + 1];
    for (int i = 0; i < rows; i++) {
      offsets[i + 1] = offsets[i] + rowBytes(i);
    }
    Optional<SearchRequest.Feedback> feedback = request.feedback();
    this.weights = feedback.isPresent() ? weights(feedback.get()) : new byte[0];
    this.rates = feedback.isPresent() ? rates() : new byte[] {0, 1, 2, 3, 4, 5, 6, 7, 8};
    this.buckets = feedback.isPresent() ? panelJobs(feedback.get()) : rowJobs();
  }

  /** The whole request. */
  static SearchUnit of(SearchRequest request) {
    return new SearchUnit(request, 0, request.rows(), request.parts());
  }

  /** Two halves that together are this unit; empty where it is one job. */
  Optional<List<SearchUnit>> halves() {
    if (!feedback() && rows > 1) {
      int half = rows / 2;
      return Optional.of(
          List.of(
              new SearchUnit(request, firstRow, half, parts),
              new SearchUnit(request, firstRow + half, rows - half, parts)));
    }
    if (parts.size() > 1) {
      int half = parts.size() / 2;
      return Optional.of(
          List.of(
              new SearchUnit(request, firstRow, rows, List.copyOf(parts.subList(0, half))),
              new SearchUnit(
                  request, firstRow, rows, List.copyOf(parts.subList(half, parts.size())))));
    }
    return Optional.empty();
  }

  private int rowBytes(int row) {
    if (request.panels().byRows()) {
      int at = firstRow + row;
      return request.rowOffset()[at + 1] - request.rowOffset()[at];
    }
    int sum = 0;
    for (SearchRequest.Part part : parts) {
      sum += Panels.segmentBytes(part.columns(), request.rate(part, 0));
    }
    return sum;
  }

  private byte[] weights(SearchRequest.Feedback feedback) {
    byte[] all = new byte[width];
    for (SearchRequest.Part part : parts) {
      byte[] own = feedback.weights().get(part.number());
      if (own != null) {
        System.arraycopy(own, 0, all, part.firstColumn() - firstColumn, own.length);
      }
    }
    return all;
  }

  /** By rows: their rates; by columns: for each rate a row of its own, all alike. */
  private byte[] rates() {
    if (request.panels().byRows()) {
      byte[] own = new byte[rows];
      for (int i = 0; i < rows; i++) {
        own[i] = (byte) request.rate(parts.get(0), firstRow + i);
      }
      return own;
    }
    byte[] all = new byte[(TrellisCode.MAX_RATE + 1) * rows];
    for (int k = 0; k <= TrellisCode.MAX_RATE; k++) {
      Arrays.fill(all, k * rows, (k + 1) * rows, (byte) k);
    }
    return all;
  }

  private List<Bucket> rowJobs() {
    Map<Integer, List<SearchLayout.Job>> byRate = new TreeMap<>();
    for (int i = 0; i < rows; i++) {
      for (SearchRequest.Part part : parts) {
        int rate = request.rate(part, firstRow + i);
        if (rate > 0) {
          long target = (long) i * width + part.firstColumn() - firstColumn;
          byRate
              .computeIfAbsent(rate, k -> new ArrayList<>())
              .add(
                  new SearchLayout.Job(
                      target,
                      0,
                      0,
                      i,
                      rate,
                      SearchLayout.NONE,
                      part.at() - parts.get(0).at(),
                      width,
                      1,
                      part.columns(),
                      0));
        }
      }
    }
    List<Bucket> all = new ArrayList<>();
    byRate.forEach((rate, jobs) -> all.add(bucket(rate, rate, jobs)));
    return all;
  }

  private List<Bucket> panelJobs(SearchRequest.Feedback feedback) {
    Map<Integer, List<SearchLayout.Job>> byRate = new TreeMap<>();
    int most = 0;
    long errors = 0;
    for (SearchRequest.Part part : parts) {
      int least = TrellisCode.MAX_RATE + 1;
      boolean byRows = request.panels().byRows();
      for (int i = 0; i < (byRows ? rows : 1); i++) {
        int rate = request.rate(part, firstRow + i);
        least = rate > 0 ? Math.min(least, rate) : least;
        most = Math.max(most, rate);
      }
      if (least > TrellisCode.MAX_RATE) {
        continue;
      }
      int column = part.firstColumn() - firstColumn;
      byRate
          .computeIfAbsent(least, k -> new ArrayList<>())
          .add(
              new SearchLayout.Job(
                  column,
                  errors,
                  0,
                  0,
                  byRows ? 0 : (long) least * rows,
                  feedback.weights().get(part.number()) == null ? SearchLayout.NONE : column,
                  part.at() - parts.get(0).at(),
                  width,
                  rows,
                  part.columns(),
                  feedback.block()));
      errors += (long) rows * part.columns();
    }
    List<Bucket> all = new ArrayList<>();
    for (Map.Entry<Integer, List<SearchLayout.Job>> entry : byRate.entrySet()) {
      int rate = entry.getKey();
      all.add(bucket(rate, request.panels().byRows() ? most : rate, entry.getValue()));
    }
    return all;
  }

  private static Bucket bucket(int least, int most, List<SearchLayout.Job> jobs) {
    ByteBuffer bytes =
        ByteBuffer.allocate(Math.multiplyExact(jobs.size(), SearchLayout.JOB_BYTES))
            .order(ByteOrder.LITTLE_ENDIAN);
    int longest = 0;
    for (SearchLayout.Job job : jobs) {
      job.put(bytes);
      longest = Math.max(longest, job.n());
    }
    return new Bucket(least, most, longest, jobs.size(), bytes.flip());
  }

  TrellisCode code() {
    return request.code();
  }

  boolean feedback() {
    return request.feedback().isPresent();
  }

  int rows() {
    return rows;
  }

  int width() {
    return width;
  }

  long weightCount() {
    return (long) rows * width;
  }

  List<Bucket> buckets() {
    return buckets;
  }

  /** Where each row begins in the payload on the device. */
  long[] offsets() {
    return offsets;
  }

  byte[] rowRates() {
    return rates;
  }

  byte[] columnWeights() {
    return weights;
  }

  float[] factor() {
    return feedback() ? request.feedback().get().factor() : new float[0];
  }

  long errorCount() {
    return feedback() ? weightCount() : 0;
  }

  /** The source of row {@code i}'s targets: the request's array and where it starts there. */
  float[] targets() {
    return request.targets();
  }

  int targetOf(int row) {
    return (firstRow + row) * request.cols() + firstColumn;
  }

  long payloadBytes() {
    return offsets[rows];
  }

  /** Brings part of the device's payload to its place. */
  void takePayload(ByteBuffer bytes, long from) {
    int row = rowAt(from);
    long at = from;
    while (bytes.hasRemaining()) {
      while (offsets[row + 1] <= at) {
        row++;
      }
      int n = (int) Math.min(bytes.remaining(), offsets[row + 1] - at);
      int to = request.rowOffset()[firstRow + row] + parts.get(0).at() + (int) (at - offsets[row]);
      bytes.get(request.payload(), to, n);
      at += n;
    }
  }

  private int rowAt(long offset) {
    int found = Arrays.binarySearch(offsets, offset);
    return found >= 0 ? found : -found - 2;
  }
}
