package io.pseed.maven;

import io.pseed.converter.command.Setting;
import io.pseed.converter.command.Wording;

/** Settings as they stand in a POM. */
final class MavenWording implements Wording {
  static final MavenWording INSTANCE = new MavenWording();

  private MavenWording() {}

  @Override
  public String of(Setting setting) {
    return switch (setting) {
      case TARGET_SIZE -> "<targetSize>";
      case MIN_COSINE -> "<minCosine>";
      case SEED_BITS -> "<seedBits>";
      case CALIBRATE -> "<calibration>";
      case NO_CALIBRATION -> "<calibration>none</calibration>";
      case TOKENIZER -> "<tokenizer>";
      case INPUT_SHAPE -> "<inputShapes>";
      case JUDGE -> "<judge>";
      case WEIGHTS_ONLY -> "<weightsOnly>";
      case DEVICE -> "<device>";
      case DEVICE_MEMORY -> "<deviceMemory>";
    };
  }

  @Override
  public String moreHeap() {
    return "give Maven more, for example with MAVEN_OPTS=-Xmx8g, or use fewer <threads>";
  }

  @Override
  public String stackTrace() {
    return "run Maven again with -e and report what it prints";
  }

  @Override
  public String again() {
    return "run the build again";
  }
}
