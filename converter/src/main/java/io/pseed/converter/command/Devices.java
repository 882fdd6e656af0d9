package io.pseed.converter.command;

import io.pseed.converter.encode.BackendException;
import io.pseed.converter.encode.EncoderBackend;
import io.pseed.converter.encode.EncoderBackendProvider;
import io.pseed.converter.encode.EncoderBackendProvider.Device;
import io.pseed.converter.encode.EncoderBackendProvider.Found;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.ServiceLoader;
import java.util.function.Consumer;

/** Opens the device that a user asks for, or says why there is none. */
public final class Devices {
  private final List<EncoderBackendProvider> providers;
  private final Wording wording;

  Devices(List<EncoderBackendProvider> providers, Wording wording) {
    this.providers = List.copyOf(providers);
    this.wording = wording;
  }

  /** The devices of the providers on the class path. */
  public static Devices installed(Wording wording) {
    List<EncoderBackendProvider> found = new ArrayList<>();
    ServiceLoader.load(EncoderBackendProvider.class, EncoderBackendProvider.class.getClassLoader())
        .forEach(found::add);
    return new Devices(found, wording);
  }

  /**
   * Opens what is asked for.
   *
   * @param say is told, where the choice is ours, what it is and why
   * @return empty: the CPU; else to be closed
   * @throws CommandFailure where a device that was named is not there or cannot be opened
   */
  public Optional<EncoderBackend> open(DeviceSetting setting, Consumer<String> say)
      throws CommandFailure {
    return switch (setting.kind()) {
      case "cpu" -> Optional.empty();
      case "auto" -> any(setting, say);
      default -> Optional.of(named(setting));
    };
  }

  private Optional<EncoderBackend> any(DeviceSetting setting, Consumer<String> say) {
    List<String> reasons = new ArrayList<>();
    for (EncoderBackendProvider provider : providers) {
      Found found = provider.find();
      found.trouble().ifPresent(reasons::add);
      for (Device device : found.devices()) {
        device.unfit().ifPresent(why -> reasons.add(label(provider, device) + ": " + why));
      }
      if (!found.fit().isEmpty()) {
        try {
          EncoderBackend backend = provider.open(found.fit(), setting.memory());
          say.accept("searching on " + backend.name());
          return Optional.of(backend);
        } catch (BackendException e) {
          reasons.add(provider.kind() + " " + e.getMessage());
        }
      }
    }
    if (providers.isEmpty()) {
      reasons.add("pseed-gpu is not on the class path");
    }
    say.accept("searching on the CPU: " + String.join("; ", reasons));
    return Optional.empty();
  }

  private EncoderBackend named(DeviceSetting setting) throws CommandFailure {
    String asked = wording.of(Setting.DEVICE) + " " + setting + ": ";
    EncoderBackendProvider provider =
        providers.stream()
            .filter(p -> p.kind().equals(setting.kind()))
            .findFirst()
            .orElseThrow(() -> new CommandFailure(asked + "pseed-gpu is not on the class path"));
    Found found = provider.find();
    if (found.trouble().isPresent()) {
      throw new CommandFailure(asked + found.trouble().get());
    }
    List<Integer> numbers = found.fit();
    if (setting.number().isPresent()) {
      int number = setting.number().getAsInt();
      Device device =
          found.devices().stream()
              .filter(d -> d.number() == number)
              .findFirst()
              .orElseThrow(
                  () -> new CommandFailure(asked + "no such device; " + list(provider, found)));
      if (device.unfit().isPresent()) {
        throw new CommandFailure(
            asked + device.name() + " cannot be used: " + device.unfit().get());
      }
      numbers = List.of(number);
    }
    if (numbers.isEmpty()) {
      throw new CommandFailure(asked + "no device can be used; " + list(provider, found));
    }
    try {
      return provider.open(numbers, setting.memory());
    } catch (BackendException e) {
      throw new CommandFailure(asked + "the device " + e.getMessage(), e);
    }
  }

  private static String label(EncoderBackendProvider provider, Device device) {
    return provider.kind() + ":" + device.number() + " (" + device.name() + ")";
  }

  private static String list(EncoderBackendProvider provider, Found found) {
    List<String> all = new ArrayList<>();
    for (Device device : found.devices()) {
      all.add(label(provider, device) + device.unfit().map(why -> ", unfit: " + why).orElse(""));
    }
    return "there is " + (all.isEmpty() ? "none" : String.join("; ", all));
  }
}
