package io.pseed.onnx;

import ai.onnxruntime.OrtEnvironment;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;

/**
 * ONNX Runtime's environment, made where there is room for it. Starting, ONNX Runtime 1.29 matches
 * the text of {@code /proc/cpuinfo} with a regular expression that recurses with each character of
 * a line: a line of 712 needs 0.9 MB of stack, and a thread of Java has 1 MB. Where that is too
 * little the process dies without a word (signal 11, exit code 139).
 */
public final class OrtRuntime {
  /** Bytes of address space; memory is what is used of it. */
  private static final long STACK = 64L << 20;

  private static volatile boolean started;

  private OrtRuntime() {}

  /**
   * As {@link OrtEnvironment#getEnvironment()}; the first call makes it on a thread with a large
   * stack. Of no use where the environment is there already.
   *
   * @throws UnsatisfiedLinkError where ONNX Runtime has no library for this platform
   */
  public static OrtEnvironment environment() {
    if (!started) {
      start();
    }
    return OrtEnvironment.getEnvironment();
  }

  private static synchronized void start() {
    if (started) {
      return;
    }
    FutureTask<OrtEnvironment> task = new FutureTask<>(OrtEnvironment::getEnvironment);
    Thread thread = new Thread(null, task, "pseed-ort-start", STACK);
    thread.setDaemon(true);
    thread.start();
    boolean interrupted = false;
    while (!started) {
      try {
        task.get();
        started = true;
      } catch (InterruptedException e) {
        interrupted = true;
      } catch (ExecutionException e) {
        if (interrupted) {
          Thread.currentThread().interrupt();
        }
        if (e.getCause() instanceof Error error) {
          throw error;
        }
        throw (RuntimeException) e.getCause();
      }
    }
    if (interrupted) {
      Thread.currentThread().interrupt();
    }
  }
}
