package io.pseed.vectors;

/** Fuzz target: any bytes as a record of the codec {@code poincare}. */
public final class PoincareFuzzer {
  private PoincareFuzzer() {}

  /** What the fuzzer calls. */
  public static void fuzzerTestOneInput(byte[] data) {
    RecordFuzzer.decode(data, Rec.POINCARE);
  }
}
