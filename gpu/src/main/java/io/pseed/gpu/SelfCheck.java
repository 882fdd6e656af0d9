package io.pseed.gpu;

import io.pseed.codec.trellis.Panels;
import io.pseed.codec.trellis.TrellisCode;
import io.pseed.converter.encode.CpuBackend;
import io.pseed.converter.encode.SearchRequest;
import io.pseed.converter.encode.TrellisSearch;
import io.pseed.converter.encode.Workers;
import java.io.IOException;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.SplittableRandom;

/**
 * Searches with known answers, before the first tensor of a kind on a device: a driver that
 * compiles the kernels wrongly, or memory that forgets, must not decide a file's bytes.
 */
final class SelfCheck {
  /** More than a chunk of the path that kernels trace back at a time. */
  private static final int WEIGHTS = 100;

  private static final int ROWS_PER_RATE = 2;

  private final Searcher searcher;
  private final Set<Kind> passed = new HashSet<>();

  private record Kind(int seedBits, int leastRate, int mostRate) {}

  /** A way to search on the device. */
  interface Searcher {
    void search(SearchRequest request) throws CudaFailure, InterruptedException;
  }

  SelfCheck(Searcher searcher) {
    this.searcher = searcher;
  }

  /** Whether the device finds what the CPU finds; asked once for each kind. */
  synchronized void require(int seedBits, int leastRate, int mostRate)
      throws CudaFailure, InterruptedException, IOException {
    Kind kind = new Kind(seedBits, leastRate, mostRate);
    if (!passed.contains(kind)) {
      for (SearchRequest request : requests(seedBits, leastRate, mostRate)) {
        SearchRequest expected = copy(request);
        try (Workers one = new Workers(1)) {
          new CpuBackend(one).search(expected, weights -> {});
        }
        searcher.search(request);
        if (!Arrays.equals(request.payload(), expected.payload())) {
          throw new CudaFailure(
              "finds other seeds than the CPU in a test (L = "
                  + seedBits
                  + ", k = "
                  + leastRate
                  + (mostRate == leastRate ? "" : " to " + mostRate)
                  + "), so its driver or its memory is not to be trusted");
        }
      }
      passed.add(kind);
    }
  }

  /** Rows of all rates: on their own, and with feedback and weights. */
  static List<SearchRequest> requests(int seedBits, int leastRate, int mostRate) {
    int count = mostRate - leastRate + 1;
    int[] lengths = new int[count];
    int[] rates = new int[count];
    for (int i = 0; i < count; i++) {
      lengths[i] = ROWS_PER_RATE;
      rates[i] = leastRate + i;
    }
    Panels panels = new Panels(true, lengths, rates);
    int rows = ROWS_PER_RATE * count;
    SplittableRandom random = new SplittableRandom(seedBits);
    float[] targets = new float[rows * WEIGHTS];
    for (int i = 0; i < targets.length; i++) {
      // About normal; some out of reach.
      double sum = random.nextDouble() + random.nextDouble() + random.nextDouble() - 1.5;
      targets[i] = (float) (sum * 2 * TrellisCode.UNIT * (i % 37 == 0 ? 9 : 1));
    }
    float[] factor = new float[rows * rows];
    for (int i = 0; i < factor.length; i++) {
      factor[i] = (float) (random.nextDouble() - 0.5) / 3;
    }
    byte[] weights = new byte[WEIGHTS];
    for (int j = 0; j < WEIGHTS; j++) {
      weights[j] = (byte) (1 + random.nextInt(TrellisSearch.FULL_WEIGHT));
    }
    SearchRequest.Feedback feedback = new SearchRequest.Feedback(factor, rows, List.of(weights));
    TrellisCode code = TrellisCode.of(seedBits, TrellisCode.LAW_RAYLEIGH, 0);
    return List.of(
        SearchRequest.of(code, panels, 0, rows, WEIGHTS, targets, Optional.empty()),
        SearchRequest.of(code, panels, 0, rows, WEIGHTS, targets, Optional.of(feedback)));
  }

  private static SearchRequest copy(SearchRequest request) {
    return SearchRequest.of(
        request.code(),
        request.panels(),
        request.firstRow(),
        request.rows(),
        request.cols(),
        request.targets(),
        request.feedback());
  }
}
