package io.pseed.converter.encode;

import io.pseed.codec.trellis.TrellisCode;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.function.LongConsumer;

/** Searches by {@link TrellisSearch}, on the threads of a conversion. */
public final class CpuBackend implements EncoderBackend {
  /** Rows of a task without feedback are chosen to make about so many weights. */
  private static final int TASK_WEIGHTS = 1 << 13;

  private final Workers workers;

  /** A backend on {@code workers}, which it does not close. */
  public CpuBackend(Workers workers) {
    this.workers = workers;
  }

  @Override
  public String name() {
    return "CPU, " + workers.threads() + " threads";
  }

  @Override
  public int tensorsAtOnce() {
    return 1;
  }

  @Override
  public void close() {}

  @Override
  public void search(SearchRequest request, LongConsumer progress) throws IOException {
    List<Workers.Task> tasks = new ArrayList<>();
    List<SearchRequest.Part> parts = request.parts();
    if (request.feedback().isPresent()) {
      SearchRequest.Feedback feedback = request.feedback().get();
      for (SearchRequest.Part part : parts) {
        tasks.add(() -> rowByRow(request, feedback, part, progress));
      }
    } else {
      Searches searches = new Searches(request.code());
      int step = Math.max(1, TASK_WEIGHTS / request.cols());
      for (int row = 0; row < request.rows(); row += step) {
        int from = row;
        int to = Math.min(request.rows(), row + step);
        tasks.add(
            () -> {
              for (int i = from; i < to; i++) {
                for (SearchRequest.Part part : parts) {
                  segment(request, searches, part, i);
                }
              }
              progress.accept((long) (to - from) * request.cols());
            });
      }
    }
    workers.run(tasks);
  }

  /** Searches at every rate, lent to one thread at a time. */
  private static final class Searches {
    private final TrellisCode code;
    private final List<ConcurrentLinkedQueue<TrellisSearch>> idle = new ArrayList<>();

    Searches(TrellisCode code) {
      this.code = code;
      for (int k = 0; k <= TrellisCode.MAX_RATE; k++) {
        idle.add(new ConcurrentLinkedQueue<>());
      }
    }

    TrellisSearch take(int rate) {
      TrellisSearch search = idle.get(rate).poll();
      return search == null ? new TrellisSearch(code, rate) : search;
    }

    void giveBack(int rate, TrellisSearch search) {
      idle.get(rate).add(search);
    }
  }

  private static void segment(
      SearchRequest request, Searches searches, SearchRequest.Part part, int row) {
    int rate = request.rate(part, row);
    if (rate == 0) {
      return;
    }
    TrellisSearch search = searches.take(rate);
    search.encode(
        request.targets(),
        row * request.cols() + part.firstColumn(),
        part.columns(),
        request.payload(),
        request.rowOffset()[row] + part.at());
    searches.giveBack(rate, search);
  }

  /** One panel, its rows in order, each towards what makes up for the errors of those before it. */
  private static void rowByRow(
      SearchRequest request,
      SearchRequest.Feedback feedback,
      SearchRequest.Part part,
      LongConsumer progress) {
    int rows = request.rows();
    int n = part.columns();
    if (!request.panels().byRows() && request.rate(part, 0) == 0) {
      progress.accept((long) rows * n);
      return;
    }
    TrellisSearch[] searches = new TrellisSearch[TrellisCode.MAX_RATE + 1];
    float[] errors = new float[Math.multiplyExact(rows, n)];
    float[] wanted = new float[n];
    float[] found = new float[n];
    byte[] weights = feedback.weights().get(part.number());
    for (int i = 0; i < rows; i++) {
      int target = i * request.cols() + part.firstColumn();
      System.arraycopy(request.targets(), target, wanted, 0, n);
      for (int k = feedback.first(i); k < i; k++) {
        subtract(feedback.of(i, k), errors, k * n, wanted, n);
      }
      int rate = request.rate(part, i);
      if (rate == 0) {
        Arrays.fill(found, 0);
      } else {
        if (searches[rate] == null) {
          searches[rate] = new TrellisSearch(request.code(), rate);
        }
        searches[rate].encode(
            wanted, 0, n, request.payload(), request.rowOffset()[i] + part.at(), found, weights);
      }
      for (int j = 0; j < n; j++) {
        errors[i * n + j] = found[j] - request.targets()[target + j];
      }
      progress.accept(n);
    }
  }

  private static void subtract(float factor, float[] errors, int at, float[] wanted, int n) {
    for (int j = 0; j < n; j++) {
      wanted[j] -= factor * errors[at + j];
    }
  }
}
