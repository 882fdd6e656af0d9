package io.pseed.gpu;

import io.pseed.converter.bench.DeviceBench;
import io.pseed.converter.encode.poincare.MatrixRows;
import io.pseed.format.TensorRecord;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.OptionalLong;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.stream.Stream;

/**
 * The device tests as a program, for machines without Maven: {@code gpu/device-check} runs it.
 * Arguments: {@code small} for few and short cases; {@code search}, {@code sums} or {@code decode}
 * for one of them alone; {@code bench} for the bench, also {@code quick}, or {@code tiny} to see
 * that it runs.
 */
public final class DeviceCheck {
  private int passed;
  private int failed;

  private DeviceCheck() {}

  /** Prints what is equal and what is not; the exit code is 1 where anything differs. */
  public static void main(String[] arguments) throws Exception {
    CudaDriver driver = CudaDriver.get();
    System.out.println(
        driver
            .trouble()
            .orElseGet(
                () ->
                    driver.devices()
                        + ", driver of CUDA "
                        + driver.version() / 1000
                        + "."
                        + driver.version() % 1000 / 10));
    if (driver.found().fit().isEmpty()) {
      System.out.println("SKIPPED: there is no device to check");
      System.exit(3);
    }
    List<String> words = List.of(arguments);
    if (words.contains("bench")) {
      (words.contains("tiny")
              ? new CudaBench(64, 32, 256, 1e-9, 1e4, List.of(12))
              : new CudaBench())
          .run(
              new DeviceBench.Settings(
                  OptionalInt.empty(),
                  OptionalLong.empty(),
                  Optional.empty(),
                  words.contains("quick")),
              System.out::println);
      System.exit(0);
    }
    DeviceCheck check = new DeviceCheck();
    boolean small = words.contains("small");
    boolean all = Stream.of("search", "sums", "decode").noneMatch(words::contains);
    if (all || words.contains("search")) {
      check.searches(driver, small);
    }
    if (all || words.contains("sums")) {
      check.sums(driver, small);
    }
    if (all || words.contains("decode")) {
      check.decoding(driver, small);
    }
    System.exit(check.failed == 0 ? 0 : 1);
  }

  private void searches(CudaDriver driver, boolean small) throws Exception {
    long start = System.nanoTime();
    int number = driver.found().fit().get(0);
    try (CudaTrellisBackend backend =
        CudaTrellisBackend.open(List.of(driver.devices().get(number)), OptionalLong.empty())) {
      for (DeviceEquality.Case one : DeviceEquality.searches(small)) {
        count(one.name(), () -> DeviceEquality.difference(backend, one));
      }
      // As a conversion does it: from threads that did not open the device, many at a time.
      ExecutorService threads = Executors.newFixedThreadPool(16);
      Map<String, Future<String>> all = new LinkedHashMap<>();
      for (DeviceEquality.Case one : DeviceEquality.searches(true)) {
        all.put(
            one.name() + ", among others",
            threads.submit(() -> DeviceEquality.difference(backend, one)));
      }
      for (Map.Entry<String, Future<String>> one : all.entrySet()) {
        count(one.getKey(), one.getValue()::get);
      }
      threads.shutdown();
      System.out.printf(
          "memory held at most: %d MiB of %d%n",
          backend.devices().get(0).arena().most() >> 20,
          backend.devices().get(0).arena().limit() >> 20);
    }
    end("searches", start);
  }

  private void sums(CudaDriver driver, boolean small) throws Exception {
    long start = System.nanoTime();
    int number = driver.found().fit().get(0);
    try (CudaTrellisBackend backend =
        CudaTrellisBackend.open(List.of(driver.devices().get(number)), OptionalLong.empty())) {
      for (MatrixRows matrix : DeviceEquality.matrices(small)) {
        count("sums", () -> DeviceEquality.difference(backend, matrix));
      }
    }
    end("sums", start);
  }

  private void decoding(CudaDriver driver, boolean small) throws Exception {
    long start = System.nanoTime();
    try (CudaDecoder decoder =
        CudaDecoder.open(driver.found().fit().get(0), OptionalLong.empty())) {
      for (TensorRecord record : DeviceEquality.records(small)) {
        count("record", () -> DeviceEquality.difference(decoder, record));
      }
    }
    end("records", start);
  }

  private void count(String name, Callable<String> comparison) {
    String difference;
    try {
      difference = comparison.call();
    } catch (Exception e) {
      difference = name + ": " + e;
    }
    if (difference.isEmpty()) {
      passed++;
    } else {
      failed++;
      System.out.println("DIFFERS: " + difference);
    }
  }

  private void end(String what, long start) {
    System.out.printf(
        "%d %s equal the CPU's, %d do not, %.1f s%n",
        passed, what, failed, (System.nanoTime() - start) / 1e9);
    System.out.flush();
    passed = 0;
  }
}
