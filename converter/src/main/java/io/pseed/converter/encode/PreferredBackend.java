package io.pseed.converter.encode;

import java.util.Optional;
import java.util.function.Consumer;

/**
 * A device's backend for as long as it is of use, shared by all tensors of a conversion. Where it
 * fails, the CPU does the tensor again, and one sentence tells so.
 */
public final class PreferredBackend {
  /** No device. */
  public static final PreferredBackend NONE = new PreferredBackend(null, sentence -> {});

  private final EncoderBackend backend;
  private final Consumer<String> notices;
  private boolean lost;

  private PreferredBackend(EncoderBackend backend, Consumer<String> notices) {
    this.backend = backend;
    this.notices = notices;
  }

  /**
   * A device.
   *
   * @param notices is told what the user should know, from any thread
   */
  public static PreferredBackend of(EncoderBackend backend, Consumer<String> notices) {
    return new PreferredBackend(backend, notices);
  }

  /** The backend to use now; empty: the CPU. */
  synchronized Optional<EncoderBackend> now() {
    return lost ? Optional.empty() : Optional.ofNullable(backend);
  }

  /** It could not do a tensor. */
  synchronized void failed(String tensor, BackendException failure) {
    if (lost) {
      return;
    }
    lost = failure.lasting();
    notices.accept(
        (lost
                ? "the CPU searches tensor '" + tensor + "' and all that follow, because "
                : "the CPU searches tensor '" + tensor + "', because ")
            + backend.name()
            + " "
            + failure.getMessage()
            + "; the bytes are the same");
  }
}
