package io.pseed.gpu;

import static org.assertj.core.api.Assertions.assertThat;

import io.pseed.codec.trellis.Panels;
import io.pseed.converter.encode.CpuBackend;
import io.pseed.converter.encode.SearchRequest;
import io.pseed.converter.encode.Workers;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** The jobs of a request, done one by one, give the bytes of the CPU's backend. */
class SearchUnitTest {
  private static final Panels COLUMNS =
      new Panels(false, new int[] {24, 8, 16, 40}, new int[] {3, 0, 1, 3});
  private static final Panels ROWS = new Panels(true, new int[] {5, 3, 4}, new int[] {2, 0, 5});

  static Stream<SearchRequest> requests() {
    return Stream.of(
        SearchRequests.plain(9, Panels.uniform(50, 4), 7, 50, 1),
        SearchRequests.plain(9, COLUMNS, 12, 88, 2),
        SearchRequests.plain(10, ROWS, 12, 30, 3),
        SearchRequests.plain(8, Panels.uniform(5, 0), 2, 5, 4),
        SearchRequests.feedback(9, Panels.uniform(50, 4), 11, 50, 11, false, 5),
        SearchRequests.feedback(9, COLUMNS, 12, 88, 5, true, 6),
        SearchRequests.feedback(10, ROWS, 12, 30, 12, true, 7),
        SearchRequests.feedback(8, Panels.uniform(5, 0), 2, 5, 2, false, 8));
  }

  @ParameterizedTest
  @MethodSource("requests")
  void jobsGiveTheBytesOfTheCpu(SearchRequest request) throws Exception {
    try (Workers workers = new Workers(1)) {
      new CpuBackend(workers).search(request, n -> {});
    }
    for (int slice : new int[] {1, 3, 1000}) {
      assertThat(interpreted(request, slice, 1000)).isEqualTo(request.payload());
    }
    assertThat(interpreted(request, 1000, 7)).isEqualTo(request.payload());
  }

  private static byte[] interpreted(SearchRequest request, int slice, int piece) {
    SearchRequest own = SearchRequests.again(request);
    JobInterpreter interpreter = new JobInterpreter(SearchUnit.of(own));
    interpreter.run(slice);
    interpreter.takePayload(piece);
    return own.payload();
  }

  @ParameterizedTest
  @MethodSource("requests")
  void halvesGiveTheSame(SearchRequest request) throws Exception {
    try (Workers workers = new Workers(1)) {
      new CpuBackend(workers).search(request, n -> {});
    }
    SearchRequest own = SearchRequests.again(request);
    assertThat(inHalves(SearchUnit.of(own)))
        .isEqualTo(
            request.feedback().isPresent()
                ? request.parts().size()
                : own.rows() * request.parts().size());
    assertThat(own.payload()).isEqualTo(request.payload());
  }

  /** Down to single jobs; how many units that were. */
  private static int inHalves(SearchUnit unit) {
    List<SearchUnit> halves = unit.halves().orElse(List.of());
    if (halves.isEmpty()) {
      JobInterpreter interpreter = new JobInterpreter(unit);
      interpreter.run(1000);
      interpreter.takePayload(1000);
      return 1;
    }
    return halves.stream().mapToInt(SearchUnitTest::inHalves).sum();
  }

  @Test
  void jobsOfOneRateAreLaunchedTogether() {
    SearchUnit unit = SearchUnit.of(SearchRequests.plain(9, COLUMNS, 12, 88, 2));
    assertThat(unit.buckets()).extracting(SearchUnit.Bucket::leastRate).containsExactly(1, 3);
    assertThat(unit.buckets()).extracting(SearchUnit.Bucket::count).containsExactly(12, 24);
    assertThat(unit.buckets()).extracting(SearchUnit.Bucket::longest).containsExactly(16, 40);
    SearchUnit rows = SearchUnit.of(SearchRequests.feedback(10, ROWS, 12, 30, 12, true, 7));
    assertThat(rows.buckets()).hasSize(1);
    assertThat(rows.buckets().get(0).leastRate()).isEqualTo(2);
    assertThat(rows.buckets().get(0).mostRate()).isEqualTo(5);
  }
}
