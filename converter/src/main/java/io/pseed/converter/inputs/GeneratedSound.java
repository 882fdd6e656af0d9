package io.pseed.converter.inputs;

import java.util.Random;

/**
 * Something like a recording of speech in a room, -1 to 1: pink noise all the time, and over it now
 * and then tones with overtones that rise, fall and glide, hisses, and silence.
 */
final class GeneratedSound {
  private static final int OVERTONES = 24;
  private static final int PINK = 12;

  private GeneratedSound() {}

  /**
   * The start of a recording.
   *
   * @param samples how many
   * @param rate samples a second
   */
  static double[] of(int samples, int rate, Random random) {
    double[] sound = new double[samples];
    pink(sound, StrictMath.pow(10, -3.5 + 1.5 * random.nextDouble()), random);
    int at = random.nextInt(1 + rate / 20);
    while (at < samples) {
      int length = rate / 20 + random.nextInt(1 + rate / 4);
      double loud = 0.02 + 0.4 * random.nextDouble();
      switch (random.nextInt(5)) {
        case 0 -> {}
        case 1 -> hiss(sound, at, length, loud * 0.3, random);
        default -> tone(sound, at, length, loud, rate, random);
      }
      at += Math.max(1, (int) (length * (0.8 + 0.4 * random.nextDouble())));
    }
    for (int i = 0; i < samples; i++) {
      sound[i] = Math.max(-1, Math.min(1, sound[i]));
    }
    return sound;
  }

  /** Held random numbers, each changing half as often as the one before (Voss). */
  private static void pink(double[] sound, double loud, Random random) {
    double[] held = new double[PINK];
    for (int i = 0; i < sound.length; i++) {
      double sum = 0;
      for (int k = 0; k < PINK; k++) {
        if (i % (1 << k) == 0) {
          held[k] = random.nextGaussian();
        }
        sum += held[k];
      }
      sound[i] += loud * sum / 3.5;
    }
  }

  private static void hiss(double[] sound, int from, int length, double loud, Random random) {
    double before = 0;
    for (int i = 0; i < length; i++) {
      double white = random.nextGaussian();
      if (from + i < sound.length) {
        sound[from + i] += loud * envelope(i, length) * (white - before) / 2;
      }
      before = white;
    }
  }

  private static void tone(
      double[] sound, int from, int length, double loud, int rate, Random random) {
    double pitch = 80 + 200 * random.nextDouble();
    double glide = 0.4 * (random.nextDouble() - 0.5);
    double[] formants = {
      250 + 600 * random.nextDouble(), 800 + 1600 * random.nextDouble(), 2500 + random.nextInt(900)
    };
    double[] strength = new double[OVERTONES];
    for (int k = 0; k < OVERTONES; k++) {
      double frequency = pitch * (k + 1);
      strength[k] = 0.05 / (k + 1);
      for (double formant : formants) {
        double off = (frequency - formant) / (90 + 0.05 * formant);
        strength[k] += 1 / (1 + off * off) / StrictMath.sqrt(k + 1);
      }
      if (frequency * 1.2 > rate / 2.0) {
        strength[k] = 0;
      }
    }
    double phase = 0;
    for (int i = 0; i < length && from + i < sound.length; i++) {
      phase += 2 * Math.PI * pitch * (1 + glide * i / length) / rate;
      double sum = 0;
      for (int k = 0; k < OVERTONES; k++) {
        if (strength[k] > 0) {
          sum += strength[k] * StrictMath.sin((k + 1) * phase);
        }
      }
      sound[from + i] += loud * envelope(i, length) * sum / 2;
    }
  }

  private static double envelope(int at, int length) {
    double rise = Math.min(1, 8.0 * at / length);
    double fall = Math.min(1, 3.0 * (length - at) / length);
    return rise * fall;
  }
}
