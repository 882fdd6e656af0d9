package io.pseed.gpu;

import static org.assertj.core.api.Assertions.assertThat;

import io.pseed.converter.encode.EncoderBackendProvider;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ServiceLoader;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

class CudaDriverTest {
  @Test
  void saysWhatIsThereOrWhyNothingIs() throws Exception {
    CudaDriver driver = CudaDriver.get();
    assertThat(driver.devices().isEmpty()).isEqualTo(driver.trouble().isPresent());
    System.out.println(
        driver.trouble().map(why -> "no GPU here: " + why).orElse("GPUs: " + driver.devices()));
    try (Stream<Path> files = Files.list(Path.of(System.getProperty("java.io.tmpdir")))) {
      assertThat(files.map(file -> String.valueOf(file.getFileName())))
          .noneMatch(name -> name.startsWith("pseed-cuda"));
    }
  }

  @Test
  void isFoundByTheConverter() {
    assertThat(ServiceLoader.load(EncoderBackendProvider.class))
        .extracting(EncoderBackendProvider::kind)
        .containsExactly("cuda");
  }

  @Test
  void devicesThatDoNotFitSayWhy() {
    assertThat(device(70, 8L << 30).unfit())
        .contains("its compute capability is 7.0, 7.5 is needed");
    assertThat(device(75, 256L << 20).unfit()).contains("it has 256 MiB of memory, 512 are needed");
    assertThat(device(90, 80L << 30).unfit()).isEmpty();
    assertThat(device(90, 80L << 30).bytesPerSecond()).isEqualTo(2619e6 * 2 * 5120 / 8);
  }

  private static CudaDriver.Properties device(int capability, long memory) {
    return new CudaDriver.Properties(
        0, "Test", capability, 132, memory, 232448, 1980000, 2619000, 5120, false);
  }
}
