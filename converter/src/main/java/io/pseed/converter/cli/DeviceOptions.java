package io.pseed.converter.cli;

import io.pseed.converter.command.DeviceSetting;
import java.util.Optional;
import java.util.OptionalLong;
import picocli.CommandLine.Option;

/** Where streams are searched. */
final class DeviceOptions {
  @Option(
      names = "--device",
      paramLabel = "DEVICE",
      description =
          "Where to search: cpu; cuda, all NVIDIA GPUs; cuda:0, one of them; auto, a GPU where one is"
              + " there that fits (default: auto). The bytes are the same.")
  String device = "auto";

  @Option(
      names = "--device-memory",
      paramLabel = "SIZE",
      converter = Converters.Size.class,
      description =
          "Use at most so much memory of each GPU, for example 4GiB (default: 80 %% of what is"
              + " free).")
  Long memory;

  /** What is wrong with what was given. */
  Optional<String> trouble() {
    try {
      DeviceSetting given = setting();
      return memory != null && given.kind().equals("cpu")
          ? Optional.of("--device cpu leaves nothing to do for --device-memory")
          : Optional.empty();
    } catch (IllegalArgumentException e) {
      return Optional.of("--device: " + e.getMessage());
    }
  }

  /** What was asked for; {@link #trouble} found nothing wrong. */
  DeviceSetting setting() {
    return DeviceSetting.of(
        device, memory == null ? OptionalLong.empty() : OptionalLong.of(memory));
  }
}
