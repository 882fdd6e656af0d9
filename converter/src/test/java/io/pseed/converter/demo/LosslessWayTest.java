package io.pseed.converter.demo;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Objects;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class LosslessWayTest {
  @TempDir Path folder;

  @Test
  void aRealModelGivesTheSameBits() throws Exception {
    Path model = folder.resolve("model.onnx");
    try (InputStream in =
        LosslessWayTest.class.getResourceAsStream("/models/ch_ppocr_mobile_v2.0_cls_infer.onnx")) {
      Files.write(model, Objects.requireNonNull(in).readAllBytes());
    }
    LosslessWay.Outcome found = LosslessWay.check(model, folder, 2);
    assertThat(found.tensors()).isGreaterThan(10);
    assertThat(found.bytes()).isGreaterThan(Files.size(model) / 2);
    assertThat(found.outputs()).isEqualTo(4);
    assertThat(found.unequal()).isZero();
    assertThat(folder.toFile().list()).as("nothing is left").containsExactly("model.onnx");
  }
}
