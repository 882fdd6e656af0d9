package io.pseed.onnx;

import java.io.IOException;

/**
 * A good {@code .pseed} file that cannot be run, because it holds weights only: it was made from a
 * checkpoint (safetensors), not from an ONNX model.
 */
public final class NoGraphException extends IOException {
  private static final long serialVersionUID = 1L;

  NoGraphException(String file, int tensors) {
    super(
        file
            + ": holds "
            + tensors
            + " tensors and no ONNX graph (section 'onnx.graph'), so there is nothing to run; convert"
            + " the ONNX model, or turn the file into a checkpoint with 'pseed export --safetensors'");
  }
}
