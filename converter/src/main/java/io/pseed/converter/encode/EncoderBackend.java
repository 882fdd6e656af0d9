package io.pseed.converter.encode;

import io.pseed.converter.encode.poincare.MatrixRows;
import io.pseed.converter.encode.poincare.ShapeTotals;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.Optional;
import java.util.function.LongConsumer;

/**
 * Where streams are searched. All backends find the same streams: the search works in integers, and
 * sums of what is fed back run in a fixed order without fused operations ({@link TrellisSearch},
 * {@link CpuBackend}). So a backend decides how long a conversion takes and nothing else.
 */
public interface EncoderBackend extends AutoCloseable {
  /** For people: what it runs on. */
  String name();

  /** So many matrices at a time keep it busy; each {@link #search} is one of them. */
  int tensorsAtOnce();

  /**
   * Gets ready for searches with seeds of so many bits, in the background: a device's kernels may
   * take seconds to compile. Searches need not wait for it to be asked for.
   */
  default void prepare(int seedBits) {}

  /**
   * Finds all streams of some rows of a matrix. Called from several threads.
   *
   * @param request its payload is filled
   * @param progress is told the number of weights just searched, from any thread
   * @throws BackendException where this backend cannot; the payload is then of no use
   */
  void search(SearchRequest request, LongConsumer progress) throws IOException, BackendException;

  /**
   * The sums by which shapes for a layer seed are ranked, with the bits of {@link ShapeTotals#of}.
   * Called from several threads.
   *
   * @return empty where the CPU does it as fast, or the matrix does not fit
   * @throws BackendException where this backend cannot
   * @throws UncheckedIOException where rows cannot be read
   */
  default Optional<ShapeTotals> shapeTotals(MatrixRows matrix)
      throws IOException, BackendException {
    return Optional.empty();
  }

  /** Gives back what it holds; searches that run are ended or waited for. */
  @Override
  void close();
}
