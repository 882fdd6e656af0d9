package io.pseed.maven;

import io.pseed.converter.command.ConversionWatcher;
import io.pseed.converter.command.ProgressLines;
import io.pseed.converter.plan.Plan;
import java.util.function.Consumer;

/** Tells in the log: sentences, and a line every few seconds. */
record LogWatcher(Consumer<String> log) implements ConversionWatcher {
  @Override
  public void say(String sentence) {
    log.accept(sentence);
  }

  @Override
  public void planned(Plan plan) {}

  @Override
  public Progress encoding() {
    return new ProgressLines(log);
  }
}
