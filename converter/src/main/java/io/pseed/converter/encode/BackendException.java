package io.pseed.converter.encode;

/**
 * A backend cannot do what it was asked for; its message is a clause that says why. Whoever asked
 * does the work in another way: nothing is lost.
 */
public final class BackendException extends Exception {
  private static final long serialVersionUID = 1L;

  private final boolean lasting;

  /**
   * A failure.
   *
   * @param lasting whether the backend is of no more use; else others may still succeed
   */
  public BackendException(String reason, boolean lasting) {
    super(reason);
    this.lasting = lasting;
  }

  /** Whether the backend is of no more use. */
  public boolean lasting() {
    return lasting;
  }
}
