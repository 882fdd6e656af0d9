package io.pseed.converter.encode;

import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;

/** Finds devices that search. Providers are found by {@link java.util.ServiceLoader}. */
public interface EncoderBackendProvider {
  /** The word by which users ask for these devices, such as {@code cuda}. */
  String kind();

  /** What is there. Never fails: what is missing is a sentence. */
  Found find();

  /**
   * Opens devices.
   *
   * @param numbers of devices that {@link #find} found fit, at least one; tensors are shared among
   *     them
   * @param memory bytes of each device's memory to use at most; empty: a share of what is free
   * @throws BackendException where none can be opened
   */
  EncoderBackend open(List<Integer> numbers, OptionalLong memory) throws BackendException;

  /**
   * What is there.
   *
   * @param devices by number, those that do not fit included
   * @param trouble why there is none, such as a missing driver
   */
  record Found(List<Device> devices, Optional<String> trouble) {
    /** The numbers of devices that fit. */
    public List<Integer> fit() {
      return devices.stream().filter(d -> d.unfit().isEmpty()).map(Device::number).toList();
    }
  }

  /**
   * A device.
   *
   * @param number from 0
   * @param name for people, such as {@code NVIDIA H100 80GB HBM3}
   * @param unfit why it cannot be used
   */
  record Device(int number, String name, Optional<String> unfit) {}
}
