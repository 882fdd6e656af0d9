package io.pseed.gpu;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.pseed.codec.trellis.Panels;
import io.pseed.converter.encode.BackendException;
import io.pseed.converter.encode.CpuBackend;
import io.pseed.converter.encode.SearchRequest;
import io.pseed.converter.encode.Workers;
import io.pseed.converter.encode.poincare.MatrixRows;
import io.pseed.format.TensorRecord;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalLong;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** On a device: the bytes of the CPU. Runs with {@code -Pgpu}. */
@Tag("device")
class DeviceTest {
  private static CudaTrellisBackend backend;

  @BeforeAll
  static void open() throws Exception {
    CudaDriver driver = CudaDriver.get();
    List<CudaDriver.Properties> fit =
        driver.devices().stream().filter(d -> d.unfit().isEmpty()).toList();
    if (fit.isEmpty()) {
      String why = driver.trouble().orElse("no device fits: " + driver.devices());
      System.out.println("SKIPPED: tests on a GPU: " + why);
      assumeTrue(false, why);
    }
    backend = CudaTrellisBackend.open(fit, OptionalLong.empty());
  }

  @AfterAll
  static void close() {
    if (backend != null) {
      backend.close();
    }
  }

  @Test
  void searchesGiveTheBytesOfTheCpu() throws Exception {
    List<String> differences = new ArrayList<>();
    for (DeviceEquality.Case one : DeviceEquality.searches(false)) {
      differences.add(DeviceEquality.difference(backend, one));
    }
    assertThat(differences).containsOnly("");
  }

  @Test
  void sumsForLayerSeedsHaveTheSameBits() throws Exception {
    List<String> differences = new ArrayList<>();
    for (MatrixRows matrix : DeviceEquality.matrices(false)) {
      differences.add(DeviceEquality.difference(backend, matrix));
    }
    assertThat(differences).containsOnly("");
  }

  @Test
  void manyAtATimeGiveTheSame() throws Exception {
    SearchRequest request =
        SearchRequests.feedback(
            12, new Panels(false, new int[] {64, 64}, new int[] {3, 4}), 60, 128, 60, true, 1);
    SearchRequest expected = SearchRequests.again(request);
    try (Workers workers = new Workers(2)) {
      new CpuBackend(workers).search(expected, n -> {});
    }
    ExecutorService threads = Executors.newFixedThreadPool(100);
    List<Future<byte[]>> all = new ArrayList<>();
    for (int i = 0; i < 200; i++) {
      all.add(
          threads.submit(
              () -> {
                SearchRequest own = SearchRequests.again(request);
                backend.search(own, n -> {});
                return own.payload();
              }));
    }
    for (Future<byte[]> one : all) {
      assertThat(one.get()).isEqualTo(expected.payload());
    }
    threads.shutdown();
  }

  @Test
  void littleMemoryGivesTheSameAndIsNotExceeded() throws Exception {
    CudaDriver.Properties first = backend.devices().get(0).properties();
    long limit = 256L << 20;
    try (CudaTrellisBackend small =
        CudaTrellisBackend.open(List.of(first), OptionalLong.of(limit))) {
      // 1500 x 8192 weights: more than one piece.
      SearchRequest request = SearchRequests.plain(10, Panels.uniform(8192, 2), 1500, 8192, 3);
      DeviceEquality.Case one = new DeviceEquality.Case("little memory", request);
      assertThat(DeviceEquality.difference(small, one)).isEmpty();
      assertThat(small.devices().get(0).arena().most()).isLessThanOrEqualTo(limit);
    }
  }

  @Test
  void whatDoesNotFitSaysSo() throws Exception {
    CudaDriver.Properties first = backend.devices().get(0).properties();
    try (CudaTrellisBackend small =
        CudaTrellisBackend.open(List.of(first), OptionalLong.of(256L << 20))) {
      SearchRequest request = SearchRequests.plain(20, Panels.uniform(9000, 1), 1, 9000, 3);
      assertThatThrownBy(() -> small.search(request, n -> {}))
          .isInstanceOf(BackendException.class)
          .hasMessageContaining("has no room for one panel of 1 x 9000 weights");
    }
  }

  @Test
  void recordsDecodeToTheSameBits() throws Exception {
    try (CudaDecoder decoder =
        CudaDecoder.open(backend.devices().get(0).properties().number(), OptionalLong.empty())) {
      List<String> differences = new ArrayList<>();
      for (TensorRecord record : DeviceEquality.records(false)) {
        differences.add(DeviceEquality.difference(decoder, record));
      }
      assertThat(differences).containsOnly("");
    }
  }
}
