package io.pseed.converter.encode;

import io.pseed.onnx.SearchLibrary;
import java.io.IOException;
import java.util.Locale;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicBoolean;

/**
 * Whether searches run in native code or in Java. Both find the same; the native code is several
 * times as fast.
 */
public enum SearchChoice {
  /** Native code where there is a library for this platform, else Java. */
  AUTO,
  /** Java alone. */
  JAVA,
  /** Native code; without a library nothing is converted. */
  NATIVE;

  /**
   * System property that chooses: {@code auto}, which is the default, {@code java}, {@code native}.
   */
  public static final String PROPERTY = "io.pseed.search";

  /** Whether Java has stood in for native code. */
  private static final AtomicBoolean STOOD_IN = new AtomicBoolean();

  /**
   * The choice of the system property.
   *
   * @throws IllegalArgumentException where it is none of the three
   */
  public static SearchChoice ofThisProcess() {
    String value = System.getProperty(PROPERTY, "auto");
    for (SearchChoice choice : values()) {
      if (choice.name().toLowerCase(Locale.ROOT).equals(value)) {
        return choice;
      }
    }
    throw new IllegalArgumentException(
        "the system property " + PROPERTY + " is '" + value + "', expected auto, java or native");
  }

  /**
   * Fails where the system property asks for what is not there, before work is done.
   *
   * @throws IOException with a sentence for the user
   */
  public static void requirePossible() throws IOException {
    SearchChoice choice;
    try {
      choice = ofThisProcess();
    } catch (IllegalArgumentException e) {
      throw new IOException(e.getMessage(), e);
    }
    Optional<String> reason = choice == NATIVE ? SearchLibrary.unavailable() : Optional.empty();
    if (reason.isPresent()) {
      throw new IOException(
          "the system property " + PROPERTY + " is 'native', but " + reason.get());
    }
  }

  /** A sentence for the user where Java stood in for native code in this process. */
  public static Optional<String> notice() {
    return STOOD_IN.get()
        ? SearchLibrary.unavailable()
            .map(
                reason ->
                    "the search ran in Java, several times slower than native code, to the same"
                        + " bytes: "
                        + reason)
        : Optional.empty();
  }

  /**
   * A search.
   *
   * @param codes of all states, in the metric's units
   * @param unreachable the metric of states at which no stream starts
   */
  PathSearch search(int bits, int rate, int[] codes, int unreachable) {
    // Seeds that are hardly longer than what each step adds are Java's.
    if (this != JAVA && SearchLibrary.supports(bits, rate)) {
      if (SearchLibrary.unavailable().isEmpty()) {
        return new SearchLibrary(bits, rate, codes, unreachable)::find;
      }
      if (this == NATIVE) {
        throw new IllegalStateException(SearchLibrary.unavailable().get());
      }
      STOOD_IN.set(true);
    }
    return new JavaPathSearch(bits, rate, codes, unreachable);
  }
}
