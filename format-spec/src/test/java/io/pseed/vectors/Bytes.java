package io.pseed.vectors;

import java.io.ByteArrayOutputStream;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.zip.CRC32C;

/** A growing little-endian buffer, and the sums of section 1. */
final class Bytes {
  private final ByteArrayOutputStream out = new ByteArrayOutputStream();

  Bytes u8(int value) {
    out.write(value);
    return this;
  }

  Bytes u16(int value) {
    return u8(value).u8(value >> 8);
  }

  Bytes u32(int value) {
    return u16(value).u16(value >> 16);
  }

  Bytes u64(long value) {
    return u32((int) value).u32((int) (value >> 32));
  }

  Bytes f32(float value) {
    return u32(Float.floatToRawIntBits(value));
  }

  Bytes raw(byte[] bytes) {
    out.writeBytes(bytes);
    return this;
  }

  Bytes zeros(int count) {
    return raw(new byte[count]);
  }

  /** Zeros up to the next multiple of {@code alignment}. */
  Bytes align(int alignment) {
    return zeros((alignment - out.size() % alignment) % alignment);
  }

  int size() {
    return out.size();
  }

  byte[] toArray() {
    return out.toByteArray();
  }

  static int crc32c(byte[] bytes, int from, int to) {
    CRC32C crc = new CRC32C();
    crc.update(bytes, from, to - from);
    return (int) crc.getValue();
  }

  static int crc32c(byte[] bytes) {
    return crc32c(bytes, 0, bytes.length);
  }

  static byte[] sha256(byte[] bytes, int from, int to) {
    try {
      MessageDigest digest = MessageDigest.getInstance("SHA-256");
      digest.update(bytes, from, to - from);
      return digest.digest();
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException(e);
    }
  }

  /** A copy with some bytes replaced. */
  static byte[] patch(byte[] bytes, int at, int... values) {
    byte[] copy = bytes.clone();
    for (int i = 0; i < values.length; i++) {
      copy[at + i] = (byte) values[i];
    }
    return copy;
  }

  /** A copy with a u32 replaced. */
  static byte[] patch32(byte[] bytes, int at, int value) {
    return patch(bytes, at, value, value >> 8, value >> 16, value >> 24);
  }

  /** A copy with a u64 replaced. */
  static byte[] patch64(byte[] bytes, int at, long value) {
    return patch32(patch32(bytes, at, (int) value), at + 4, (int) (value >> 32));
  }
}
