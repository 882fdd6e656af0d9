package io.pseed.converter;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.pseed.converter.encode.BackendException;
import io.pseed.converter.encode.CpuBackend;
import io.pseed.converter.encode.EncoderBackend;
import io.pseed.converter.encode.ErrorMetric;
import io.pseed.converter.encode.SearchRequest;
import io.pseed.converter.encode.Workers;
import io.pseed.converter.plan.Plan;
import io.pseed.converter.plan.Planner;
import io.pseed.converter.source.TensorSource;
import io.pseed.converter.source.safetensors.SafetensorsSource;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.LongConsumer;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Conversions on a backend that is none of a device: many tensors at a time, and failures. */
@Timeout(120)
class BackendFallbackTest {
  private static final int TENSORS = 12;
  private static final int ROWS = 64;
  private static final int COLS = 96;

  @TempDir Path dir;
  private Path source;

  /** Searches on the CPU; fails where a test says. */
  private static final class Backend implements EncoderBackend {
    private final CpuBackend cpu;
    private final int failsFrom;
    private final int failsTo;
    private final boolean lasting;
    private final AtomicInteger calls = new AtomicInteger();
    private final AtomicInteger now = new AtomicInteger();
    private final AtomicInteger most = new AtomicInteger();
    private final CountDownLatch two = new CountDownLatch(2);

    Backend(Workers workers, int failsFrom, int failsTo, boolean lasting) {
      this.cpu = new CpuBackend(workers);
      this.failsFrom = failsFrom;
      this.failsTo = failsTo;
      this.lasting = lasting;
    }

    @Override
    public String name() {
      return "a device of tests";
    }

    @Override
    public int tensorsAtOnce() {
      return 5;
    }

    @Override
    public void search(SearchRequest request, LongConsumer progress)
        throws IOException, BackendException {
      int call = calls.getAndIncrement();
      most.accumulateAndGet(now.incrementAndGet(), Math::max);
      try {
        two.countDown();
        // Returns at once where a second tensor is in work; else the test fails.
        assertThat(two.await(20, TimeUnit.SECONDS)).isTrue();
        if (call >= failsFrom && call < failsTo) {
          // In the middle of the work, with part of it told.
          Arrays.fill(request.payload(), (byte) 0x55);
          progress.accept(17);
          throw new BackendException("ran out of memory", lasting);
        }
        cpu.search(request, progress);
      } catch (InterruptedException e) {
        throw new IOException(e);
      } finally {
        now.decrementAndGet();
      }
    }

    @Override
    public void close() {}
  }

  @BeforeEach
  void write() throws IOException {
    StringBuilder header = new StringBuilder("{");
    Random random = new Random(3);
    int bytes = 4 * ROWS * COLS;
    ByteBuffer data = ByteBuffer.allocate(bytes * TENSORS).order(ByteOrder.LITTLE_ENDIAN);
    for (int t = 0; t < TENSORS; t++) {
      header.append(
          String.format(
              "%s\"w%02d\":{\"dtype\":\"F32\",\"shape\":[%d,%d],\"data_offsets\":[%d,%d]}",
              t == 0 ? "" : ",", t, ROWS, COLS, t * bytes, (t + 1) * bytes));
      for (int i = 0; i < ROWS * COLS; i++) {
        data.putFloat((float) random.nextGaussian());
      }
    }
    byte[] text = header.append("}").toString().getBytes(StandardCharsets.UTF_8);
    ByteBuffer all =
        ByteBuffer.allocate(8 + text.length + data.capacity()).order(ByteOrder.LITTLE_ENDIAN);
    all.putLong(text.length).put(text).put(data.flip());
    source = Files.write(dir.resolve("m.safetensors"), all.array());
  }

  @SuppressWarnings("ArrayRecordComponent") // Its parts are compared, it is not.
  private record Made(byte[] file, List<String> notices, long told) {}

  private Made convert(Optional<EncoderBackend> device, boolean metrics) throws IOException {
    List<String> said = Collections.synchronizedList(new ArrayList<>());
    AtomicLong told = new AtomicLong();
    ProgressListener progress =
        new ProgressListener() {
          @Override
          public void done(long weights) {
            told.addAndGet(weights);
          }

          @Override
          public void notice(String sentence) {
            said.add(sentence);
          }
        };
    Path target = dir.resolve("m.pseed");
    try (TensorSource opened = SafetensorsSource.open(source);
        Workers workers = new Workers(2)) {
      Plan plan = new Planner(3, 9, false, true).plan(opened);
      Map<String, ErrorMetric> by = new HashMap<>();
      for (int t = 0; metrics && t < TENSORS; t += 2) {
        by.put(String.format("w%02d", t), metric(plan.tensors().get(t).trellis().view().rows()));
      }
      ConversionResult result =
          new Converter(workers, device, progress).convert(opened, plan, by, target);
      assertThat(result.notices()).isEqualTo(said);
    }
    return new Made(Files.readAllBytes(target), said, told.get());
  }

  private static ErrorMetric metric(int n) {
    double[] h = new double[n * n];
    for (int i = 0; i < n; i++) {
      for (int j = 0; j < n; j++) {
        h[i * n + j] = i == j ? 1 : 0.3 / (1 + Math.abs(i - j));
      }
    }
    double[] columns = new double[ROWS * COLS / n];
    Arrays.fill(columns, 1);
    return new ErrorMetric(n, h, columns, 0.01);
  }

  @Test
  void manyTensorsAtATimeGiveTheSameFile() throws Exception {
    for (boolean metrics : new boolean[] {false, true}) {
      Made expected = convert(Optional.empty(), metrics);
      try (Workers workers = new Workers(2)) {
        Backend backend = new Backend(workers, 0, 0, false);
        Made made = convert(Optional.of(backend), metrics);
        assertThat(made.file()).isEqualTo(expected.file());
        assertThat(made.told()).isEqualTo((long) TENSORS * ROWS * COLS);
        assertThat(made.notices()).isEmpty();
        assertThat(backend.calls.get()).isEqualTo(TENSORS);
        assertThat(backend.most.get()).isBetween(2, 5);
      }
    }
  }

  @Test
  void whatTheDeviceCannotTheCpuDoes() throws Exception {
    for (boolean metrics : new boolean[] {false, true}) {
      Made expected = convert(Optional.empty(), metrics);
      try (Workers workers = new Workers(2)) {
        Backend backend = new Backend(workers, 3, 5, false);
        Made made = convert(Optional.of(backend), metrics);
        assertThat(made.file()).isEqualTo(expected.file());
        assertThat(made.told()).isEqualTo((long) TENSORS * ROWS * COLS);
        assertThat(made.notices())
            .hasSize(2)
            .allMatch(
                notice ->
                    notice.matches(
                        "the CPU searches tensor 'w\\d\\d', because a device of tests ran out of"
                            + " memory; the bytes are the same"));
        assertThat(backend.calls.get()).isEqualTo(TENSORS);
      }
    }
  }

  @Test
  void aLostDeviceIsToldOnce() throws Exception {
    Made expected = convert(Optional.empty(), true);
    try (Workers workers = new Workers(2)) {
      Made made = convert(Optional.of(new Backend(workers, 4, 1000, true)), true);
      assertThat(made.file()).isEqualTo(expected.file());
      assertThat(made.told()).isEqualTo((long) TENSORS * ROWS * COLS);
      assertThat(made.notices())
          .singleElement()
          .asString()
          .matches("the CPU searches tensor 'w\\d\\d' and all that follow, because .*");
    }
  }

  @Test
  void aFailureOfTheSourceIsThrown() throws Exception {
    Turns.Encoder unreadable =
        i -> {
          throw new IOException("tensor " + i + " cannot be read");
        };
    try (TensorPipeline pipeline = new TensorPipeline(0, 3, 2, 1000, i -> 10, unreadable)) {
      assertThatThrownBy(() -> pipeline.take(0))
          .isInstanceOf(IOException.class)
          .hasMessage("tensor 0 cannot be read");
    }
  }
}
