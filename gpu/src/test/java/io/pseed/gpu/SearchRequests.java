package io.pseed.gpu;

import io.pseed.codec.trellis.Panels;
import io.pseed.codec.trellis.TrellisCode;
import io.pseed.converter.encode.SearchRequest;
import io.pseed.converter.encode.TrellisSearch;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.SplittableRandom;

/** Requests that any backend must answer alike. */
final class SearchRequests {
  private SearchRequests() {}

  /** The same request once more, nothing found yet. */
  static SearchRequest again(SearchRequest request) {
    return SearchRequest.of(
        request.code(),
        request.panels(),
        request.firstRow(),
        request.rows(),
        request.cols(),
        request.targets(),
        request.feedback());
  }

  /** Rows that do not depend on one another. */
  static SearchRequest plain(int seedBits, Panels panels, int rows, int cols, long seed) {
    return SearchRequest.of(
        TrellisCode.of(seedBits, TrellisCode.LAW_RAYLEIGH, 0),
        panels,
        0,
        rows,
        cols,
        targets(rows * cols, seed),
        Optional.empty());
  }

  /**
   * Rows that make up for the errors of rows before them.
   *
   * @param block rows of a block of the factor
   * @param weighted whether errors of columns count differently, in every other panel
   */
  static SearchRequest feedback(
      int seedBits, Panels panels, int rows, int cols, int block, boolean weighted, long seed) {
    SplittableRandom random = new SplittableRandom(seed);
    float[] factor = new float[rows * block];
    for (int i = 0; i < factor.length; i++) {
      factor[i] = (float) (random.nextDouble() - 0.5) / 4;
    }
    int count = panels.byRows() ? 1 : panels.count();
    List<byte[]> weights = new ArrayList<>();
    for (int p = 0; p < count; p++) {
      byte[] own =
          weighted && p % 2 == 0 ? new byte[panels.byRows() ? cols : panels.lengths()[p]] : null;
      for (int j = 0; own != null && j < own.length; j++) {
        own[j] = (byte) (1 + random.nextInt(TrellisSearch.FULL_WEIGHT));
      }
      weights.add(own);
    }
    return SearchRequest.of(
        TrellisCode.of(seedBits, TrellisCode.LAW_RAYLEIGH, 0),
        panels,
        0,
        rows,
        cols,
        targets(rows * cols, seed + 1),
        Optional.of(new SearchRequest.Feedback(factor, block, weights)));
  }

  /** About normal, in code units; halves of a unit and values far out of reach among them. */
  static float[] targets(int n, long seed) {
    SplittableRandom random = new SplittableRandom(seed);
    float[] targets = new float[n];
    for (int i = 0; i < n; i++) {
      double sum = -6;
      for (int j = 0; j < 12; j++) {
        sum += random.nextDouble();
      }
      targets[i] =
          switch (i % 64) {
            case 3 -> (float) Math.rint(sum * 64) * 64 + 32;
            case 9 -> (float) sum * 60000;
            default -> (float) sum * TrellisCode.UNIT;
          };
    }
    return targets;
  }
}
