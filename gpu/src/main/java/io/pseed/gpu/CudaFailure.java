package io.pseed.gpu;

import java.util.Set;

/** A call of the driver that failed; the message is a clause such as "failed at cuMemAlloc ...". */
public final class CudaFailure extends Exception {
  private static final long serialVersionUID = 1L;

  /** CUDA_ERROR_OUT_OF_MEMORY. */
  static final int OUT_OF_MEMORY = 2;

  /** Errors behind which a context is of no more use, or the device is gone. */
  private static final Set<Integer> LASTING =
      Set.of(
          4, 46, 100, 101, 201, 214, 220, 226, 700, 702, 709, 710, 714, 715, 716, 717, 718, 719,
          999);

  private final int code;

  CudaFailure(String message) {
    super(message);
    this.code = 999;
  }

  CudaFailure(String message, int code) {
    super(message);
    this.code = code;
  }

  /** The driver's number of the error. */
  public int code() {
    return code;
  }

  /** Whether the device is of no more use to this process. */
  public boolean lasting() {
    return LASTING.contains(code);
  }
}
