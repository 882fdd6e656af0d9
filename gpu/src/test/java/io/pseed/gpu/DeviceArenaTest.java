package io.pseed.gpu;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(60)
class DeviceArenaTest {
  private static final long MB = 1 << 20;

  /** A device with so much memory; knows what is out. */
  private static final class Device implements DeviceArena.Source<boolean[]> {
    private long left;

    Device(long bytes) {
      left = bytes;
    }

    @Override
    public synchronized boolean[] allocate(long bytes) throws CudaFailure {
      if (bytes > left) {
        throw new CudaFailure("failed", CudaFailure.OUT_OF_MEMORY);
      }
      left -= bytes;
      // A place for each MB that is in use.
      return new boolean[(int) (bytes / MB)];
    }

    @Override
    public synchronized void free(boolean[] memory) {
      left += memory.length * MB;
    }
  }

  @Test
  void nothingIsLentTwiceAndTheLimitHolds() throws Exception {
    Device device = new Device(4000 * MB);
    DeviceArena<boolean[]> arena = new DeviceArena<>(device, 1000 * MB);
    ExecutorService threads = Executors.newFixedThreadPool(8);
    List<Future<?>> all = new ArrayList<>();
    for (int t = 0; t < 8; t++) {
      SplittableRandom random = new SplittableRandom(t);
      all.add(
          threads.submit(
              () -> {
                for (int i = 0; i < 500; i++) {
                  long least = (1 + random.nextInt(random.nextInt(10) == 0 ? 1000 : 200)) * MB;
                  DeviceArena.Slice<boolean[]> slice = arena.take(least, least + 100 * MB);
                  assertThat(slice.length()).isBetween(least, least + 100 * MB);
                  mark(slice, false);
                  Thread.onSpinWait();
                  mark(slice, true);
                  arena.give(slice);
                }
                return null;
              }));
    }
    for (Future<?> one : all) {
      one.get();
    }
    threads.shutdown();
    assertThat(arena.most()).isBetween(900 * MB, 1000 * MB);
    arena.close();
    assertThat(device.left).isEqualTo(4000 * MB);
  }

  private static void mark(DeviceArena.Slice<boolean[]> slice, boolean before) {
    synchronized (slice.memory()) {
      int from = (int) (slice.offset() / MB);
      for (int i = from; i < from + slice.length() / MB; i++) {
        if (slice.memory()[i] != before) {
          throw new AssertionError("MB " + i + " is lent twice");
        }
        slice.memory()[i] = !before;
      }
    }
  }

  @Test
  void whoCameFirstIsServedFirst() throws Exception {
    DeviceArena<boolean[]> arena = new DeviceArena<>(new Device(1000 * MB), 100 * MB);
    DeviceArena.Slice<boolean[]> first = arena.take(60 * MB, 60 * MB);
    CountDownLatch got = new CountDownLatch(1);
    Thread large =
        new Thread(
            () -> {
              try {
                arena.take(80 * MB, 80 * MB);
                got.countDown();
              } catch (Exception e) {
                throw new AssertionError(e);
              }
            });
    large.start();
    while (large.getState() != Thread.State.WAITING) {
      Thread.onSpinWait();
    }
    Thread small =
        new Thread(
            () -> {
              try {
                arena.take(10 * MB, 10 * MB);
              } catch (Exception e) {
                throw new AssertionError(e);
              }
            });
    small.start();
    small.join(200);
    assertThat(small.isAlive()).as("a later one waits").isTrue();
    arena.give(first);
    assertThat(got.await(10, TimeUnit.SECONDS)).isTrue();
    small.join();
  }

  @Test
  void lessThanTheLimitIsUsedWhereTheDeviceHasLess() throws Exception {
    DeviceArena<boolean[]> arena = new DeviceArena<>(new Device(300 * MB), 1000 * MB);
    DeviceArena.Slice<boolean[]> slice = arena.take(100 * MB, 900 * MB);
    assertThat(slice.length()).isBetween(100 * MB, 300 * MB);
    arena.give(slice);
    assertThatThrownBy(() -> arena.take(400 * MB, 400 * MB))
        .isInstanceOf(CudaFailure.class)
        .hasMessageContaining("has no room");
  }

  @Test
  void closedMeansClosed() {
    DeviceArena<boolean[]> arena = new DeviceArena<>(new Device(300 * MB), 100 * MB);
    arena.close();
    assertThatThrownBy(() -> arena.take(MB, MB)).hasMessage("was closed");
  }
}
