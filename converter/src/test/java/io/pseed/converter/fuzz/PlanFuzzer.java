package io.pseed.converter.fuzz;

import io.pseed.converter.plan.Plan;
import io.pseed.converter.plan.PlanJson;
import java.nio.charset.StandardCharsets;

/** Fuzz target: any text as a plan. What is read is written and read again. */
public final class PlanFuzzer {
  private PlanFuzzer() {}

  /** What the fuzzer calls. */
  public static void fuzzerTestOneInput(byte[] data) {
    Plan plan;
    try {
      plan = PlanJson.read(new String(data, StandardCharsets.UTF_8), "fuzz");
    } catch (PlanJson.PlanException e) {
      if (!e.getMessage().startsWith("fuzz: ")) {
        throw new AssertionError("the message does not begin with the file", e);
      }
      return;
    }
    String text = PlanJson.write(plan);
    try {
      if (!PlanJson.write(PlanJson.read(text, "fuzz")).equals(text)) {
        throw new AssertionError("another plan after writing and reading: " + text);
      }
    } catch (PlanJson.PlanException e) {
      throw new AssertionError("what was read is refused when it is written: " + text, e);
    }
  }
}
