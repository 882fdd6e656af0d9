package io.pseed.vectors;

/** Fuzz target: any bytes as a record of the codec {@code raw}. */
public final class RawFuzzer {
  private RawFuzzer() {}

  /** What the fuzzer calls. */
  public static void fuzzerTestOneInput(byte[] data) {
    RecordFuzzer.decode(data, Rec.RAW);
  }
}
