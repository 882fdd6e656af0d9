package io.pseed.samples.ocr;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import ai.onnxruntime.OrtEnvironment;
import ai.onnxruntime.OrtSession;
import java.awt.image.BufferedImage;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.List;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Test;

class OcrTest {
  private static final List<String> ORIGINALS =
      List.of("/models/ch_PP-OCRv4_det_infer.onnx", "/models/ch_PP-OCRv4_rec_infer.onnx");
  private static final List<String> SEEDS = List.of("/detect.pseed", "/read.pseed");

  @Test
  void readsWhatTheOriginalReads() throws Exception {
    BufferedImage picture = drawn();
    List<String> expected;
    try (Ocr ocr = new Ocr(original(0), original(1))) {
      expected = ocr.lines(picture);
    }
    assertEquals(letters(Receipt.LINES), letters(expected), "FP32");
    List<String> read = printedByMain();
    System.out.println("FP32 reads " + expected + ", pseed " + read);
    assertEquals(letters(expected), letters(read));
  }

  @Test
  void theModelsAreAFourth() throws Exception {
    long before = 0;
    long after = 0;
    for (int i = 0; i < 2; i++) {
      before += bytes(ORIGINALS.get(i)).length;
      after += bytes(SEEDS.get(i)).length;
    }
    System.out.printf("models: %,d bytes before, %,d after%n", before, after);
    assertTrue(4 * after < before, after + " of " + before + " bytes");
  }

  /** A bare JDK has no fonts: then this says so and is skipped. */
  private static BufferedImage drawn() {
    try {
      return Receipt.draw();
    } catch (RuntimeException | LinkageError | InternalError e) {
      String why =
          "no font to draw with (Debian: apt-get install fontconfig fonts-dejavu-core): " + e;
      System.out.println("SKIPPED: " + why);
      Assumptions.abort(why);
      throw e;
    }
  }

  /** The model knows where words end, but not as well as what they are. */
  private static List<String> letters(List<String> lines) {
    return lines.stream().map(line -> line.replace(" ", "")).toList();
  }

  private static OrtSession original(int i) throws Exception {
    return OrtEnvironment.getEnvironment().createSession(bytes(ORIGINALS.get(i)));
  }

  private static byte[] bytes(String resource) throws IOException {
    try (InputStream in = OcrTest.class.getResourceAsStream(resource)) {
      return in.readAllBytes();
    }
  }

  private static List<String> printedByMain() throws Exception {
    PrintStream out = System.out;
    ByteArrayOutputStream printed = new ByteArrayOutputStream();
    System.setOut(new PrintStream(printed, true, StandardCharsets.UTF_8));
    try {
      Ocr.main(new String[0]);
    } finally {
      System.setOut(out);
    }
    return printed.toString(StandardCharsets.UTF_8).lines().toList();
  }
}
