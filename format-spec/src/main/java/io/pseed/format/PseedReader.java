package io.pseed.format;

import java.io.Closeable;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.Arrays;
import java.util.HashMap;
import java.util.HexFormat;
import java.util.Map;
import java.util.zip.CRC32C;

/**
 * Reads a {@code .pseed} container (specification, section 2). Opening reads and checks the prefix
 * and the JSON header; a record is read and checked when it is asked for; {@link #validate} checks
 * all the rest. Safe for use from several threads.
 */
public final class PseedReader implements Closeable {
  private final ByteSource source;
  private final Limits limits;
  private final PseedHeader header;
  private final Map<String, TensorEntry> byName = new HashMap<>();
  private final byte[] digest;
  private final int minor;
  private final long fileLength;

  private PseedReader(ByteSource source, Limits limits) throws IOException {
    this.source = source;
    this.limits = limits;
    String file = source.label();
    this.fileLength = source.size();
    ByteBuffer prefix = prefix(source, file);
    int major = Short.toUnsignedInt(prefix.getShort(ContainerLayout.OFFSET_MAJOR));
    if (major > ContainerLayout.MAJOR) {
      throw new TooNewException(
          String.format(
              "%s: format version %d, this pseed reads version %d; use a newer pseed",
              file, major, ContainerLayout.MAJOR));
    }
    int crc = crc32c(prefix.slice(0, ContainerLayout.OFFSET_PREFIX_CRC));
    expectCrc(
        file,
        ContainerLayout.OFFSET_PREFIX_CRC,
        "prefixCrc",
        prefix.getInt(ContainerLayout.OFFSET_PREFIX_CRC),
        crc);
    expect(file, ContainerLayout.OFFSET_MAJOR, "major version", major, ContainerLayout.MAJOR);
    this.minor = Short.toUnsignedInt(prefix.getShort(ContainerLayout.OFFSET_MINOR));
    expect(
        file,
        ContainerLayout.OFFSET_FLAGS,
        "flags",
        Integer.toUnsignedLong(prefix.getInt(ContainerLayout.OFFSET_FLAGS)),
        0);
    long storedLength = prefix.getLong(ContainerLayout.OFFSET_FILE_LENGTH);
    expect(file, ContainerLayout.OFFSET_FILE_LENGTH, "fileLength", storedLength, fileLength);
    long headerOffset = prefix.getLong(ContainerLayout.OFFSET_HEADER_OFFSET);
    if (headerOffset < ContainerLayout.PREFIX_LENGTH
        || headerOffset % ContainerLayout.ALIGNMENT != 0
        || headerOffset > fileLength) {
      throw corrupt(
          file,
          ContainerLayout.OFFSET_HEADER_OFFSET,
          "headerOffset",
          Long.toUnsignedString(headerOffset),
          "a multiple of 64 from 128 to the file's length " + fileLength);
    }
    long headerLength = Integer.toUnsignedLong(prefix.getInt(ContainerLayout.OFFSET_HEADER_LENGTH));
    int longestHeader = Math.min(limits.maxHeaderBytes(), ContainerLayout.MAX_HEADER_LENGTH);
    if (headerLength > longestHeader) {
      throw new OverLimitException(
          String.format(
              "%s: JSON header of %d bytes (offset %d), the limit is %d",
              file, headerLength, ContainerLayout.OFFSET_HEADER_LENGTH, longestHeader));
    }
    expect(
        file,
        ContainerLayout.OFFSET_HEADER_LENGTH,
        "headerLength",
        headerLength,
        fileLength - headerOffset);
    if (headerLength < 2) {
      throw corrupt(
          file, ContainerLayout.OFFSET_HEADER_LENGTH, "headerLength", headerLength, "at least 2");
    }
    this.digest = new byte[ContainerLayout.DIGEST_LENGTH];
    prefix.get(ContainerLayout.OFFSET_DIGEST, digest);
    for (int i = ContainerLayout.OFFSET_RESERVED; i < ContainerLayout.OFFSET_PREFIX_CRC; i++) {
      expect(file, i, "reserved byte", Byte.toUnsignedLong(prefix.get(i)), 0);
    }
    byte[] json = new byte[(int) headerLength];
    source.read(headerOffset, ByteBuffer.wrap(json));
    expectCrc(
        file,
        ContainerLayout.OFFSET_HEADER_CRC,
        "headerCrc",
        prefix.getInt(ContainerLayout.OFFSET_HEADER_CRC),
        crc32c(ByteBuffer.wrap(json)));
    this.header = PseedHeader.parse(json, file, headerOffset, limits);
    for (TensorEntry tensor : header.tensors()) {
      byName.put(tensor.name(), tensor);
    }
  }

  /**
   * Opens a file with {@link Limits#STANDARD}.
   *
   * @throws PseedException where it is not a file that this reader takes
   */
  public static PseedReader open(Path file) throws IOException {
    return open(file, Limits.STANDARD);
  }

  /** Opens a file. */
  public static PseedReader open(Path file, Limits limits) throws IOException {
    return open(ByteSource.open(file), limits);
  }

  /**
   * Opens a container in memory.
   *
   * @param bytes from position to limit; not copied, must not change
   * @param label its name in messages
   */
  public static PseedReader of(ByteBuffer bytes, String label, Limits limits) throws IOException {
    return open(ByteSource.of(bytes, label), limits);
  }

  private static PseedReader open(ByteSource source, Limits limits) throws IOException {
    try {
      return new PseedReader(source, limits);
    } catch (IOException | RuntimeException e) {
      try {
        source.close();
      } catch (IOException closing) {
        e.addSuppressed(closing);
      }
      throw e;
    }
  }

  /** What the file lists. */
  public PseedHeader header() {
    return header;
  }

  /** Name of the file, for messages. */
  public String label() {
    return source.label();
  }

  /** Bytes of the file. */
  public long fileLength() {
    return fileLength;
  }

  /** The format's minor version that the file was written with. */
  public int minorVersion() {
    return minor;
  }

  /**
   * The file's SHA-256 (of all bytes from offset 128 on), as it is stored; {@link #validate} checks
   * it.
   */
  public String digest() {
    return HexFormat.of().formatHex(digest);
  }

  /** The limits that this reader keeps. */
  public Limits limits() {
    return limits;
  }

  /** The tensor with that name, or null. */
  public TensorEntry tensor(String name) {
    return byName.get(name);
  }

  /**
   * Reads a tensor's record and checks its checksum and that it says what the header says.
   *
   * @throws OverLimitException where the record itself has 2 GiB or more
   */
  public TensorRecord record(TensorEntry tensor) throws IOException {
    RecordPlace place = new RecordPlace(source.label(), tensor.name(), tensor.offset());
    return record(tensor, place, bytes(tensor.offset(), tensor.length(), place.label()));
  }

  /**
   * Like {@link #record(TensorEntry)}, in memory of the caller's: for native code, which wants it
   * outside of the heap. It must not change while the record is in use.
   *
   * @param memory from its position on for the record; its position and limit do not move
   */
  public TensorRecord record(TensorEntry tensor, ByteBuffer memory) throws IOException {
    if (memory.remaining() < tensor.length()) {
      throw new IllegalArgumentException(
          "buffer of " + memory.remaining() + " bytes for a record of " + tensor.length());
    }
    RecordPlace place = new RecordPlace(source.label(), tensor.name(), tensor.offset());
    ByteBuffer bytes = memory.slice(memory.position(), (int) tensor.length());
    source.read(tensor.offset(), bytes);
    return record(tensor, place, bytes.flip());
  }

  private TensorRecord record(TensorEntry tensor, RecordPlace place, ByteBuffer bytes)
      throws PseedException {
    TensorRecord record = TensorRecord.parse(bytes, place, limits);
    if (record.dtype() != tensor.dtype()) {
      throw place.corrupt(5, "dtype", record.dtype(), tensor.dtype() + " as in the JSON header");
    }
    if (!Arrays.equals(record.shape(), tensor.shape())) {
      throw place.corrupt(
          TensorRecord.FIXED_LENGTH,
          "shape",
          Arrays.toString(record.shape()),
          Arrays.toString(tensor.shape()) + " as in the JSON header");
    }
    return record;
  }

  /**
   * Reads a section, checks its checksum and decodes it.
   *
   * @return its decoded bytes
   * @throws UnknownCodecException where it is encoded in a way that this version does not know
   * @throws OverLimitException where it has 2 GiB or more
   */
  public ByteBuffer section(SectionEntry section) throws IOException {
    String label = source.label() + ": section '" + Names.shown(section.name()) + "'";
    String encoding = section.encoding();
    if (encoding != null && !encoding.equals(SectionEntry.DEFLATE)) {
      throw new UnknownCodecException(
          String.format(
              "%s: encoding is '%s', this pseed knows '%s' (file offset %d); use a newer pseed",
              label,
              encoding.length() > 80 ? encoding.substring(0, 80) + "..." : encoding,
              SectionEntry.DEFLATE,
              section.offset()));
    }
    ByteBuffer bytes = bytes(section.offset(), section.length(), label);
    int crc = crc32c(bytes.duplicate());
    if (crc != section.crc32c()) {
      throw new CorruptException(
          String.format(
              "%s: checksum is 0x%08x, expected 0x%08x (file offset %d)",
              label, crc, section.crc32c(), section.offset()));
    }
    return encoding == null
        ? bytes
        : DeflateStream.inflate(bytes, section.decodedLength(), label, section.offset());
  }

  /**
   * Checks the digest over the whole file, that the bytes between extents are zero, and every
   * section. With the checks of the records that the caller decodes, any flipped bit is found.
   */
  public void validate() throws IOException {
    MessageDigest sha256 = sha256();
    ByteBuffer buffer = ByteBuffer.allocate(1 << 20);
    for (long at = ContainerLayout.PREFIX_LENGTH; at < fileLength; at += buffer.limit()) {
      buffer.clear().limit((int) Math.min(buffer.capacity(), fileLength - at));
      source.read(at, buffer);
      sha256.update(buffer.flip());
    }
    byte[] found = sha256.digest();
    if (!Arrays.equals(found, digest)) {
      throw corrupt(
          source.label(),
          ContainerLayout.OFFSET_DIGEST,
          "digest",
          HexFormat.of().formatHex(digest),
          HexFormat.of().formatHex(found) + ", the SHA-256 of the content");
    }
    long end = ContainerLayout.PREFIX_LENGTH;
    for (TensorEntry tensor : header.tensors()) {
      requirePadding(end, tensor.offset());
      end = tensor.offset() + tensor.length();
    }
    for (SectionEntry section : header.sections()) {
      requirePadding(end, section.offset());
      end = section.offset() + section.length();
    }
    requirePadding(end, ContainerLayout.align(end));
    for (SectionEntry section : header.sections()) {
      section(section);
    }
  }

  private void requirePadding(long from, long to) throws IOException {
    ByteBuffer padding = ByteBuffer.allocate((int) (to - from));
    source.read(from, padding);
    for (int i = 0; i < padding.capacity(); i++) {
      expect(source.label(), from + i, "padding", Byte.toUnsignedLong(padding.get(i)), 0);
    }
  }

  private ByteBuffer bytes(long offset, long length, String label) throws IOException {
    // The header's extents end where the JSON header starts, so they lie in the file: no number is
    // trusted here.
    if (length > Integer.MAX_VALUE - 64) {
      throw new OverLimitException(
          label + ": " + length + " bytes in one piece, Java reads less than 2 GiB");
    }
    ByteBuffer bytes = ByteBuffer.allocate((int) length).order(ByteOrder.LITTLE_ENDIAN);
    source.read(offset, bytes);
    return bytes.flip();
  }

  private static ByteBuffer prefix(ByteSource source, String file) throws IOException {
    long size = source.size();
    ByteBuffer prefix =
        ByteBuffer.allocate((int) Math.min(size, ContainerLayout.PREFIX_LENGTH))
            .order(ByteOrder.LITTLE_ENDIAN);
    source.read(0, prefix);
    if (size < 8 || prefix.getLong(0) != ContainerLayout.MAGIC) {
      byte[] start = Arrays.copyOf(prefix.array(), (int) Math.min(size, 8));
      boolean textMode = size >= 4 && start[0] == (byte) 0x89 && start[1] == 'P' && start[2] == 'S';
      throw new NotPseedException(
          String.format(
              "%s: is no .pseed file: it begins with %s, expected 895053440d0a1a0a%s",
              file,
              start.length == 0 ? "nothing" : HexFormat.of().formatHex(start),
              textMode ? "; a transfer in text mode may have damaged it" : ""));
    }
    if (size < ContainerLayout.PREFIX_LENGTH) {
      throw corrupt(file, 0, "file", size + " bytes", "at least 128");
    }
    return prefix;
  }

  private static void expect(String file, long offset, String what, long found, long expected)
      throws CorruptException {
    if (found != expected) {
      throw corrupt(file, offset, what, Long.toUnsignedString(found), expected);
    }
  }

  private static void expectCrc(String file, long offset, String what, int found, int expected)
      throws CorruptException {
    if (found != expected) {
      throw corrupt(
          file,
          offset,
          what,
          String.format("0x%08x", found),
          String.format("0x%08x, the checksum of the bytes", expected));
    }
  }

  private static CorruptException corrupt(
      String file, long offset, String what, Object found, Object expected) {
    return new CorruptException(
        String.format(
            "%s: %s is %s, expected %s (offset %d)", file, what, found, expected, offset));
  }

  private static int crc32c(ByteBuffer bytes) {
    CRC32C crc = new CRC32C();
    crc.update(bytes);
    return (int) crc.getValue();
  }

  static MessageDigest sha256() {
    try {
      return MessageDigest.getInstance("SHA-256");
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("every Java platform has SHA-256", e);
    }
  }

  @Override
  public void close() throws IOException {
    source.close();
  }
}
