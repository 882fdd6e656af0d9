package io.pseed.converter.command;

import java.util.OptionalInt;
import java.util.OptionalLong;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Where a user wants streams searched.
 *
 * @param kind {@code auto}, {@code cpu}, or a kind of devices such as {@code cuda}
 * @param number which device of this kind; empty: all
 * @param memory bytes of each device's memory to use at most; empty: a share of what is free
 */
public record DeviceSetting(String kind, OptionalInt number, OptionalLong memory) {
  /** A device where one is there that fits, else the CPU. */
  public static final DeviceSetting AUTO =
      new DeviceSetting("auto", OptionalInt.empty(), OptionalLong.empty());

  /** The CPU. */
  public static final DeviceSetting CPU =
      new DeviceSetting("cpu", OptionalInt.empty(), OptionalLong.empty());

  private static final Pattern TEXT = Pattern.compile("(auto|cpu|cuda)|cuda:(\\d{1,4})");

  /**
   * Reads {@code auto}, {@code cpu}, {@code cuda} or {@code cuda:0}.
   *
   * @throws IllegalArgumentException where it is none of them, with a sentence
   */
  public static DeviceSetting of(String text, OptionalLong memory) {
    Matcher matcher = TEXT.matcher(text);
    if (!matcher.matches()) {
      throw new IllegalArgumentException(
          "'" + text + "' is no device; expected auto, cpu, cuda, or cuda:0 and so on");
    }
    return matcher.group(1) != null
        ? new DeviceSetting(matcher.group(1), OptionalInt.empty(), memory)
        : new DeviceSetting("cuda", OptionalInt.of(Integer.parseInt(matcher.group(2))), memory);
  }

  /** As the user wrote it. */
  @Override
  public String toString() {
    return number.isPresent() ? kind + ":" + number.getAsInt() : kind;
  }
}
