package io.pseed.converter;

/** Told what a conversion does. Calls may come from any thread. */
public interface ProgressListener {
  /** Told nothing. */
  ProgressListener NONE = new ProgressListener() {};

  /**
   * The work begins.
   *
   * @param tensors number of tensors
   * @param weights number of elements in all
   */
  default void begin(int tensors, long weights) {}

  /** The next tensor begins. */
  default void tensor(String name) {}

  /** So many more elements are done. */
  default void done(long weights) {}

  /** A sentence that the user should read. */
  default void notice(String sentence) {}
}
