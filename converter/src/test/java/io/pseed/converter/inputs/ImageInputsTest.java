package io.pseed.converter.inputs;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import ai.onnxruntime.OnnxTensor;
import ai.onnxruntime.OrtEnvironment;
import io.pseed.converter.calibrate.CalibrationInputs;
import io.pseed.converter.inputs.InputFiles.Levels;
import io.pseed.converter.onnx.proto.TensorProto.DataType;
import java.awt.image.BufferedImage;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Map;
import javax.imageio.ImageIO;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ImageInputsTest {
  @TempDir Path dir;
  private Path folder;

  /** Left half red, right half blue. */
  @BeforeEach
  void paint() throws IOException {
    folder = Files.createDirectory(dir.resolve("images"));
    BufferedImage image = new BufferedImage(200, 100, BufferedImage.TYPE_INT_RGB);
    for (int y = 0; y < 100; y++) {
      for (int x = 0; x < 200; x++) {
        image.setRGB(x, y, x < 100 ? 0xFF0000 : 0x0000FF);
      }
    }
    for (String type : new String[] {"png", "bmp", "gif", "jpg"}) {
      assertThat(ImageIO.write(image, type, folder.resolve("a." + type).toFile())).isTrue();
    }
    Files.writeString(folder.resolve("notes.txt"), "no image");
  }

  private static InputSignature takes(DataType type, long... shape) {
    return new Signatures().input("x", type, shape).signature();
  }

  private CalibrationInputs open(InputSignature signature, Levels levels, boolean blueFirst)
      throws IOException {
    return InputFiles.images(folder, signature, Map.of(), levels, blueFirst, 100);
  }

  private static float[] values(CalibrationInputs inputs, int index, long... shape)
      throws Exception {
    Map<String, OnnxTensor> made = inputs.make(OrtEnvironment.getEnvironment(), index);
    try {
      assertThat(made.get("x").getInfo().getShape()).containsExactly(shape);
      float[] out = new float[made.get("x").getFloatBuffer().remaining()];
      made.get("x").getFloatBuffer().get(out);
      return out;
    } finally {
      made.values().forEach(OnnxTensor::close);
    }
  }

  @Test
  void allFormatsGiveTheSamePicture() throws Exception {
    CalibrationInputs inputs = open(takes(DataType.FLOAT, -1, 3, 4, 8), Levels.UNIT, false);
    assertThat(inputs.size()).isEqualTo(4);
    assertThat(inputs.description())
        .isEqualTo("4 images of " + folder + ", levels 0 to 1, red first");
    for (int i = 0; i < 4; i++) {
      float[] x = values(inputs, i, 1, 3, 4, 8);
      assertThat(x[0]).isCloseTo(1, org.assertj.core.data.Offset.offset(0.02f));
      assertThat(x[7]).isCloseTo(0, org.assertj.core.data.Offset.offset(0.02f));
      assertThat(x[2 * 32 + 7]).isCloseTo(1, org.assertj.core.data.Offset.offset(0.02f));
    }
  }

  @Test
  void layoutLevelsAndOrderOfColoursAreAsAsked() throws Exception {
    float[] last =
        values(open(takes(DataType.FLOAT, 1, 4, 8, 3), Levels.SIGNED, false), 1, 1, 4, 8, 3);
    assertThat(Arrays.copyOf(last, 3)).containsExactly(1, -1, -1);
    float[] blue =
        values(open(takes(DataType.FLOAT, 1, 4, 8, 3), Levels.SIGNED, true), 1, 1, 4, 8, 3);
    assertThat(Arrays.copyOf(blue, 3)).containsExactly(-1, -1, 1);
    float[] usual = values(open(takes(DataType.FLOAT, 1, 3, 4, 8), null, false), 1, 1, 3, 4, 8);
    assertThat(usual[0]).isEqualTo((float) ((1 - 0.485) / 0.229));
    float[] grey = values(open(takes(DataType.FLOAT, 1, 1, 4, 8), null, false), 1, 1, 1, 4, 8);
    assertThat(grey[0]).isCloseTo(2 * 0.299f - 1, org.assertj.core.data.Offset.offset(1e-5f));
    CalibrationInputs raw = open(takes(DataType.UINT8, 1, 4, 8, 3), null, false);
    try (OnnxTensor x = raw.make(OrtEnvironment.getEnvironment(), 1).get("x")) {
      assertThat(x.getByteBuffer().get(0)).isEqualTo((byte) 255);
    }
  }

  @Test
  void openSizesKeepTheAspectInStepsOf32() throws Exception {
    values(open(takes(DataType.FLOAT, -1, 3, -1, -1), null, false), 0, 1, 3, 96, 192);
    values(open(takes(DataType.FLOAT, -1, 3, 48, -1), null, false), 0, 1, 3, 48, 96);
    CalibrationInputs told =
        InputFiles.images(
            folder,
            takes(DataType.FLOAT, -1, -1, -1, -1),
            Map.of("x", new long[] {1, 3, 32, -1}),
            null,
            false,
            1);
    values(told, 0, 1, 3, 32, 64);
    assertThat(told.description()).startsWith("1 of the 4 images");
    assertThat(ImageInputs.size(4000, 1000, -1, -1)).containsExactly(160, 640);
    assertThat(ImageInputs.size(10, 4000, 32, -1)).containsExactly(32, 32);
    assertThat(ImageInputs.size(90_000, 10, 48, -1)).containsExactly(48, 1280);
  }

  @Test
  void whatIsNoImageIsRefused() throws Exception {
    InputSignature colours = takes(DataType.FLOAT, -1, 3, 4, 8);
    Path bad = Files.writeString(folder.resolve("b.png"), "not a picture");
    assertThatThrownBy(() -> open(colours, null, false))
        .hasMessageContainingAll("b.png", "no image that can be read", "png, jpg, bmp or gif");
    byte[] png = Files.readAllBytes(folder.resolve("a.png"));
    Files.write(bad, Arrays.copyOf(png, 60));
    CalibrationInputs cut = open(colours, null, false);
    assertThatThrownBy(() -> cut.make(OrtEnvironment.getEnvironment(), 4))
        .hasMessageContainingAll("b.png", "cannot be decoded");
    // 60000 x 60000 pixels by the head of the file.
    byte[] huge = png.clone();
    java.nio.ByteBuffer.wrap(huge).putInt(16, 60_000).putInt(20, 60_000);
    Files.write(bad, huge);
    assertThatThrownBy(() -> open(colours, null, false))
        .hasMessageContainingAll("b.png", "3600000000 pixels");
    Path empty = Files.createDirectory(dir.resolve("empty"));
    assertThatThrownBy(() -> InputFiles.images(empty, colours, Map.of(), null, false, 9))
        .hasMessageContainingAll(empty.toString(), "has no images", ".png");
    assertThatThrownBy(() -> InputFiles.kind(folder.resolve("a.png")))
        .hasMessageContaining("give the folder");
  }

  @Test
  void modelsThatTakeNoImagesAreRefused() {
    assertThatThrownBy(() -> open(takes(DataType.INT64, -1, -1), null, false))
        .hasMessageContainingAll("'x' is int64 [?, ?]", "--input-shape");
    assertThatThrownBy(() -> open(takes(DataType.FLOAT, 1, 1, 4, 8), Levels.IMAGENET, false))
        .hasMessageContaining("three channels");
    InputSignature two =
        new Signatures()
            .input("x", DataType.FLOAT, 1, 3, 8, 8)
            .input("y", DataType.FLOAT, 1)
            .signature();
    assertThatThrownBy(() -> open(two, null, false)).hasMessageContaining("the model has 2");
    assertThatThrownBy(
            () ->
                InputFiles.images(
                    folder,
                    takes(DataType.FLOAT, 1, 3, 8, 8),
                    Map.of("nix", new long[] {1}),
                    null,
                    false,
                    9))
        .hasMessageContaining("no input 'nix'");
  }
}
