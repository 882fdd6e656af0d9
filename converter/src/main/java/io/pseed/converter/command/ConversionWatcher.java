package io.pseed.converter.command;

import io.pseed.converter.ProgressListener;
import io.pseed.converter.plan.Plan;
import java.io.IOException;

/** Told how a conversion goes on. */
public interface ConversionWatcher {
  /** A sentence about what goes on. */
  void say(String sentence);

  /** The plan that a file is made by, before it is made; of a search, the plan that it chose. */
  void planned(Plan plan) throws IOException;

  /** A file is made: where to tell how far it is. {@link Progress#close} follows. */
  Progress encoding();

  /** A listener for one file. */
  interface Progress extends ProgressListener, AutoCloseable {
    @Override
    void close();
  }
}
