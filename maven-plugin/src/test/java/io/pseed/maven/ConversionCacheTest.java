package io.pseed.maven;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ConversionCacheTest {
  private final List<String> warnings = new ArrayList<>();
  @TempDir Path dir;
  private ConversionCache cache;
  private Path made;

  @BeforeEach
  void cache() throws IOException {
    cache = new ConversionCache(dir.resolve("cache"), warnings::add);
    made = Files.writeString(dir.resolve("made.pseed"), "seeds");
  }

  @Test
  void givesBackWhatItKept() throws IOException {
    Path target = dir.resolve("target.pseed");
    assertThat(cache.take("f1", target)).isFalse();
    cache.keep("f1", made, "m.onnx");
    assertThat(cache.take("f2", target)).isFalse();
    assertThat(target).doesNotExist();
    assertThat(cache.take("f1", target)).isTrue();
    assertThat(target).hasContent("seeds");
    assertThat(warnings).isEmpty();
    try (Stream<Path> files = Files.list(dir.resolve("cache"))) {
      assertThat(files.map(file -> file.getFileName().toString()))
          .containsExactlyInAnyOrder("f1.json", "f1.pseed");
    }
  }

  @Test
  void damagedEntriesAreNotTaken() throws IOException {
    cache.keep("f1", made, "m.onnx");
    Files.writeString(dir.resolve("cache/f1.pseed"), "weeds");
    assertThat(cache.take("f1", dir.resolve("target.pseed"))).isFalse();
    assertThat(warnings).singleElement().asString().contains("f1.pseed is damaged");
    cache.keep("f1", made, "m.onnx");
    assertThat(cache.take("f1", dir.resolve("target.pseed"))).isTrue();
    Files.writeString(dir.resolve("cache/f1.json"), "{\"sha256\"");
    assertThat(cache.take("f1", dir.resolve("other.pseed"))).isFalse();
    assertThat(dir.resolve("other.pseed")).doesNotExist();
  }

  @Test
  void aFolderThatCannotBeMadeIsAWarning() throws Exception {
    Path file = Files.writeString(dir.resolve("file"), "");
    ConversionCache blocked = new ConversionCache(file.resolve("cache"), warnings::add);
    blocked.keep("f1", made, "m.onnx");
    assertThat(warnings).singleElement().asString().contains("cannot be written");
    try (ConversionCache.Lock lock = blocked.lock("f1", () -> warnings.add("waits"))) {
      assertThat(blocked.take("f1", dir.resolve("t"))).isFalse();
    }
    assertThat(warnings).hasSize(1);
  }

  @Test
  void oneOfManyMakesAndTheOthersTake() throws Exception {
    int builds = 6;
    AtomicInteger conversions = new AtomicInteger();
    CountDownLatch start = new CountDownLatch(1);
    ExecutorService threads = Executors.newFixedThreadPool(builds);
    try {
      List<Future<Path>> results = new ArrayList<>();
      for (int i = 0; i < builds; i++) {
        Path target = dir.resolve(i + ".pseed");
        results.add(
            threads.submit(
                () -> {
                  start.await();
                  ConversionCache own = new ConversionCache(dir.resolve("cache"), text -> {});
                  try (ConversionCache.Lock lock = own.lock("f1", () -> {})) {
                    if (!own.take("f1", target)) {
                      conversions.incrementAndGet();
                      Files.copy(made, target);
                      own.keep("f1", target, "m.onnx");
                    }
                  }
                  return target;
                }));
      }
      start.countDown();
      for (Future<Path> result : results) {
        assertThat(result.get()).hasContent("seeds");
      }
    } finally {
      threads.shutdownNow();
    }
    assertThat(conversions).hasValue(1);
  }
}
