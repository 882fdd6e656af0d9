package io.pseed.converter.source.onnx;

import com.sun.management.ThreadMXBean;
import java.lang.management.ManagementFactory;

/** Counts what this thread allocates: memory is bounded where this is. */
final class Allocations {
  private Allocations() {}

  /** Bytes that the current thread has allocated so far. */
  static long here() {
    ThreadMXBean threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();
    long bytes = threads.getThreadAllocatedBytes(Thread.currentThread().getId());
    if (bytes < 0) {
      throw new IllegalStateException("this virtual machine does not count allocations");
    }
    return bytes;
  }
}
