package io.pseed.converter.command;

/** What a user may set, where a sentence has to name it. */
public enum Setting {
  TARGET_SIZE,
  MIN_COSINE,
  SEED_BITS,
  CALIBRATE,
  NO_CALIBRATION,
  TOKENIZER,
  INPUT_SHAPE,
  JUDGE,
  WEIGHTS_ONLY,
  DEVICE,
  DEVICE_MEMORY
}
