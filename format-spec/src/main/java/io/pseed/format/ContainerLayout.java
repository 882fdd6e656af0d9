package io.pseed.format;

/**
 * Every magic number and offset of the container (specification, section 2).
 *
 * <pre>
 * offset   0        8     10    12     16          24            32           36         40      72        124        128
 *          +--------+-----+-----+------+-----------+-------------+------------+----------+-------+---------+----------+
 *          | magic  |major|minor|flags |fileLength |headerOffset |headerLength|headerCrc |digest |reserved |prefixCrc |
 *          +--------+-----+-----+------+-----------+-------------+------------+----------+-------+---------+----------+
 * </pre>
 */
final class ContainerLayout {
  /** {@code 89 50 53 44 0D 0A 1A 0A}, read as a little-endian u64. */
  static final long MAGIC = 0x0A1A0A0D44535089L;

  static final int MAJOR = 1;
  static final int MINOR = 0;

  static final int PREFIX_LENGTH = 128;
  static final int ALIGNMENT = 64;

  static final int OFFSET_MAJOR = 8;
  static final int OFFSET_MINOR = 10;
  static final int OFFSET_FLAGS = 12;
  static final int OFFSET_FILE_LENGTH = 16;
  static final int OFFSET_HEADER_OFFSET = 24;
  static final int OFFSET_HEADER_LENGTH = 32;
  static final int OFFSET_HEADER_CRC = 36;
  static final int OFFSET_DIGEST = 40;
  static final int DIGEST_LENGTH = 32;
  static final int OFFSET_RESERVED = 72;
  static final int OFFSET_PREFIX_CRC = 124;

  /** Longest JSON header of any level, in bytes. */
  static final int MAX_HEADER_LENGTH = 100_000_000;

  private ContainerLayout() {}

  /**
   * The smallest multiple of {@link #ALIGNMENT} that is not below {@code offset}.
   *
   * @throws ArithmeticException where it overflows
   */
  static long align(long offset) {
    return Math.addExact(offset, ALIGNMENT - 1) & -ALIGNMENT;
  }
}
