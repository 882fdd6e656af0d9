package io.pseed.converter.command;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.pseed.converter.encode.BackendException;
import io.pseed.converter.encode.EncoderBackend;
import io.pseed.converter.encode.EncoderBackendProvider;
import io.pseed.converter.encode.SearchRequest;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.OptionalLong;
import java.util.function.LongConsumer;
import org.junit.jupiter.api.Test;

class DevicesTest {
  private final List<String> said = new ArrayList<>();

  /** Devices as a test says; opening fails where {@code failure} is given. */
  private record Provider(Found found, Optional<String> failure) implements EncoderBackendProvider {
    @Override
    public String kind() {
      return "cuda";
    }

    @Override
    public Found find() {
      return found;
    }

    @Override
    public EncoderBackend open(List<Integer> numbers, OptionalLong memory) throws BackendException {
      if (failure.isPresent()) {
        throw new BackendException(failure.get(), true);
      }
      return new EncoderBackend() {
        @Override
        public String name() {
          return "cuda " + numbers + " " + memory;
        }

        @Override
        public int tensorsAtOnce() {
          return 1;
        }

        @Override
        public void search(SearchRequest request, LongConsumer progress) {}

        @Override
        public void close() {}
      };
    }
  }

  private static Devices of(String trouble) {
    return new Devices(
        List.of(
            new Provider(
                new EncoderBackendProvider.Found(List.of(), Optional.of(trouble)),
                Optional.empty())),
        Wording.OPTIONS);
  }

  private static Devices two(Optional<String> failure) {
    return new Devices(
        List.of(
            new Provider(
                new EncoderBackendProvider.Found(
                    List.of(
                        new EncoderBackendProvider.Device(0, "Fast", Optional.empty()),
                        new EncoderBackendProvider.Device(1, "Old", Optional.of("it is too old"))),
                    Optional.empty()),
                failure)),
        Wording.OPTIONS);
  }

  private Optional<String> open(Devices devices, String text) throws Exception {
    return devices
        .open(DeviceSetting.of(text, OptionalLong.of(7)), said::add)
        .map(EncoderBackend::name);
  }

  @Test
  void autoTakesWhatFitsAndSaysSo() throws Exception {
    assertThat(open(two(Optional.empty()), "auto")).contains("cuda [0] OptionalLong[7]");
    assertThat(said).containsExactly("searching on cuda [0] OptionalLong[7]");
  }

  @Test
  void autoSaysWhyItIsTheCpu() throws Exception {
    assertThat(open(of("there is no driver"), "auto")).isEmpty();
    assertThat(open(two(Optional.of("has no memory")), "auto")).isEmpty();
    assertThat(open(new Devices(List.of(), Wording.OPTIONS), "auto")).isEmpty();
    assertThat(said)
        .containsExactly(
            "searching on the CPU: there is no driver",
            "searching on the CPU: cuda:1 (Old): it is too old; cuda has no memory",
            "searching on the CPU: pseed-gpu is not on the class path");
  }

  @Test
  void theCpuIsTakenWithoutAWord() throws Exception {
    assertThat(open(two(Optional.empty()), "cpu")).isEmpty();
    assertThat(said).isEmpty();
  }

  @Test
  void namedDevicesMustBeThere() throws Exception {
    assertThat(open(two(Optional.empty()), "cuda:0")).isPresent();
    assertThat(open(two(Optional.empty()), "cuda")).isPresent();
    assertFails(
        two(Optional.empty()), "cuda:1", "--device cuda:1: Old cannot be used: it is too old");
    assertFails(
        two(Optional.empty()),
        "cuda:2",
        "--device cuda:2: no such device; there is cuda:0 (Fast); cuda:1 (Old), unfit: it is too"
            + " old");
    assertFails(of("there is no driver"), "cuda", "--device cuda: there is no driver");
    assertFails(
        two(Optional.of("has no memory")), "cuda", "--device cuda: the device has no memory");
    assertFails(
        new Devices(List.of(), Wording.OPTIONS),
        "cuda",
        "--device cuda: pseed-gpu is not on the class path");
    assertThat(said).isEmpty();
  }

  private void assertFails(Devices devices, String text, String sentence) {
    assertThatThrownBy(() -> open(devices, text))
        .isInstanceOf(CommandFailure.class)
        .hasMessage(sentence);
  }

  @Test
  void settingsAreReadAsWritten() {
    assertThat(DeviceSetting.of("auto", OptionalLong.empty())).isEqualTo(DeviceSetting.AUTO);
    assertThat(DeviceSetting.of("cpu", OptionalLong.empty())).isEqualTo(DeviceSetting.CPU);
    assertThat(DeviceSetting.of("cuda:3", OptionalLong.of(5)))
        .isEqualTo(new DeviceSetting("cuda", OptionalInt.of(3), OptionalLong.of(5)))
        .hasToString("cuda:3");
    for (String wrong : new String[] {"", "gpu", "cuda:", "cuda:x", "cpu:0", "cuda:-1", "CUDA"}) {
      assertThatThrownBy(() -> DeviceSetting.of(wrong, OptionalLong.empty()))
          .hasMessage(
              "'" + wrong + "' is no device; expected auto, cpu, cuda, or cuda:0 and so on");
    }
  }
}
