package io.pseed.samples.voice;

import ai.onnxruntime.OnnxTensor;
import ai.onnxruntime.OrtEnvironment;
import ai.onnxruntime.OrtException;
import ai.onnxruntime.OrtSession;
import io.pseed.onnx.PseedSession;
import java.io.BufferedInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.FloatBuffer;
import java.nio.ShortBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import javax.sound.sampled.AudioFormat;
import javax.sound.sampled.AudioInputStream;
import javax.sound.sampled.AudioSystem;
import javax.sound.sampled.UnsupportedAudioFileException;

/** Says when somebody speaks in a recording: {@code Voice [FILE.wav]}, 16 kHz, 16 bits, mono. */
public final class Voice {
  private static final int RATE = 16_000;

  /** The model takes so many samples at a time, behind the last ones of the time before. */
  private static final int CHUNK = 512;

  private static final int CONTEXT = 64;

  /** Where the model is surer than this, somebody speaks. */
  private static final float SURE = 0.5f;

  /** A shorter pause ends no segment. */
  private static final int PAUSE = 5;

  private Voice() {}

  /** Somebody speaks from the one second to the other. */
  record Segment(double from, double to) {
    @Override
    public String toString() {
      return String.format(Locale.ROOT, "%.2f s to %.2f s", from, to);
    }
  }

  public static void main(String[] args) throws Exception {
    try (OrtSession session = PseedSession.open(Voice.class, "/silero.pseed");
        InputStream wav =
            args.length > 0
                ? Files.newInputStream(Path.of(args[0]))
                : Voice.class.getResourceAsStream("/recording.wav")) {
      segments(probabilities(session, samples(wav))).forEach(System.out::println);
    }
  }

  /** Of a WAV file, as -1 to 1. */
  static float[] samples(InputStream wav) throws IOException, UnsupportedAudioFileException {
    try (AudioInputStream audio = AudioSystem.getAudioInputStream(new BufferedInputStream(wav))) {
      AudioFormat format = audio.getFormat();
      if (format.getSampleRate() != RATE
          || format.getChannels() != 1
          || format.getSampleSizeInBits() != 16) {
        throw new UnsupportedAudioFileException(
            "the recording is " + format + ", expected 16 kHz, 16 bits, mono");
      }
      ShortBuffer shorts =
          ByteBuffer.wrap(audio.readAllBytes()).order(ByteOrder.LITTLE_ENDIAN).asShortBuffer();
      float[] samples = new float[shorts.remaining()];
      for (int i = 0; i < samples.length; i++) {
        samples[i] = shorts.get(i) / 32768f;
      }
      return samples;
    }
  }

  /** How sure the model is of speech in each chunk. What it heard so far is in its state. */
  static float[] probabilities(OrtSession session, float[] samples) throws OrtException {
    OrtEnvironment environment = OrtEnvironment.getEnvironment();
    float[] probabilities = new float[samples.length / CHUNK];
    float[] state = new float[2 * 128];
    for (int i = 0; i < probabilities.length; i++) {
      float[] input = new float[CONTEXT + CHUNK];
      int context = Math.min(i * CHUNK, CONTEXT);
      System.arraycopy(samples, i * CHUNK - context, input, CONTEXT - context, context + CHUNK);
      try (OnnxTensor in =
              OnnxTensor.createTensor(
                  environment, FloatBuffer.wrap(input), new long[] {1, input.length});
          OnnxTensor before =
              OnnxTensor.createTensor(
                  environment, FloatBuffer.wrap(state), new long[] {2, 1, 128});
          OnnxTensor rate = OnnxTensor.createTensor(environment, (long) RATE);
          OrtSession.Result result =
              session.run(Map.of("input", in, "state", before, "sr", rate))) {
        probabilities[i] = ((OnnxTensor) result.get("output").orElseThrow()).getFloatBuffer().get();
        ((OnnxTensor) result.get("stateN").orElseThrow()).getFloatBuffer().get(state);
      }
    }
    return probabilities;
  }

  static List<Segment> segments(float[] probabilities) {
    List<Segment> segments = new ArrayList<>();
    int first = -1;
    int last = -1;
    for (int i = 0; i < probabilities.length; i++) {
      if (probabilities[i] > SURE) {
        first = first < 0 ? i : first;
        last = i;
      }
      if (first >= 0 && (i - last >= PAUSE || i == probabilities.length - 1)) {
        segments.add(new Segment(seconds(first), seconds(last + 1)));
        first = -1;
      }
    }
    return segments;
  }

  private static double seconds(int chunk) {
    return (double) chunk * CHUNK / RATE;
  }
}
