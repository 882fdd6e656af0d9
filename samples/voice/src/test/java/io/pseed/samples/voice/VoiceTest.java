package io.pseed.samples.voice;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import ai.onnxruntime.OrtEnvironment;
import ai.onnxruntime.OrtSession;
import io.pseed.samples.voice.Voice.Segment;
import java.io.ByteArrayOutputStream;
import java.io.InputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;

class VoiceTest {
  private static final Path ORIGINAL = Path.of("target/npm/package/dist/silero_vad_v5.onnx");

  /** The recording: two sentences, a tone between them. */
  private static final int SENTENCES = 2;

  /** Of one chunk of 512 samples; the model's answer is no finer. */
  private static final double CHUNK_SECONDS = 0.032;

  @Test
  void hearsWhatTheOriginalHears() throws Exception {
    List<Segment> expected;
    try (OrtSession session = OrtEnvironment.getEnvironment().createSession(ORIGINAL.toString());
        InputStream wav = Voice.class.getResourceAsStream("/recording.wav")) {
      expected = Voice.segments(Voice.probabilities(session, Voice.samples(wav)));
    }
    assertEquals(SENTENCES, expected.size(), "FP32 hears " + expected);
    List<Segment> heard = printedByMain();
    System.out.println("FP32 hears " + expected + ", pseed " + heard);
    assertEquals(expected.size(), heard.size());
    for (int i = 0; i < heard.size(); i++) {
      assertEquals(expected.get(i).from(), heard.get(i).from(), 1.5 * CHUNK_SECONDS);
      assertEquals(expected.get(i).to(), heard.get(i).to(), 1.5 * CHUNK_SECONDS);
    }
  }

  @Test
  void theModelIsAFifth() throws Exception {
    long before = Files.size(ORIGINAL);
    long after;
    try (InputStream in = Voice.class.getResourceAsStream("/silero.pseed")) {
      after = in.readAllBytes().length;
    }
    System.out.printf("model: %,d bytes before, %,d after%n", before, after);
    assertTrue(5 * after < before, after + " of " + before + " bytes");
  }

  private static List<Segment> printedByMain() throws Exception {
    PrintStream out = System.out;
    ByteArrayOutputStream printed = new ByteArrayOutputStream();
    System.setOut(new PrintStream(printed, true, StandardCharsets.UTF_8));
    try {
      Voice.main(new String[0]);
    } finally {
      System.setOut(out);
    }
    return printed
        .toString(StandardCharsets.UTF_8)
        .lines()
        .map(line -> line.split(" s( to )?"))
        .map(s -> new Segment(Double.parseDouble(s[0]), Double.parseDouble(s[1])))
        .toList();
  }
}
