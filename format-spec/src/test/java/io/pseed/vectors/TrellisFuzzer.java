package io.pseed.vectors;

/** Fuzz target: any bytes as a record of the codec {@code trellis}. */
public final class TrellisFuzzer {
  private TrellisFuzzer() {}

  /** What the fuzzer calls. */
  public static void fuzzerTestOneInput(byte[] data) {
    RecordFuzzer.decode(data, Rec.TRELLIS);
  }
}
