package io.pseed.format;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Arrays;
import java.util.List;
import java.util.zip.CRC32C;

/**
 * One tensor's record, with its fixed part parsed and its checksum verified (specification, section
 * 3).
 *
 * <pre>
 * offset  0      4     5     6    7     8      16        24             28         29  32         36  40
 *         +------+-----+-----+----+-----+------+---------+--------------+----------+---+----------+---+------+------+---------+
 *         | PSR1 |codec|dtype|rank|flags|length|layerSeed|layerAmplitude|layerShift| 0 |decodedCrc| 0 | dims | body |recordCrc|
 *         +------+-----+-----+----+-----+------+---------+--------------+----------+---+----------+---+------+------+---------+
 * </pre>
 */
public final class TensorRecord {
  /** {@code PSR1}, read as a little-endian u32. */
  static final int MAGIC = 0x31525350;

  static final int FIXED_LENGTH = 40;
  static final int CRC_LENGTH = 4;
  static final int OFFSET_DECODED_CRC = 32;

  /** Most dimensions of a tensor. */
  public static final int MAX_RANK = 8;

  /** First number of elements that a record cannot have. */
  static final long MAX_ELEMENTS = 1L << 60;

  /** Largest absolute shift of a Poincaré seed's codes. */
  public static final int MAX_SHIFT = 64;

  private final RecordPlace place;
  private final Codec codec;
  private final DType dtype;
  private final long[] shape;
  private final long elements;
  private final long layerSeed;
  private final float layerAmplitude;
  private final int layerShift;
  private final int decodedCrc;
  private final ByteBuffer bytes;
  private final ByteBuffer body;

  private TensorRecord(
      RecordPlace place,
      Codec codec,
      DType dtype,
      long[] shape,
      long elements,
      long layerSeed,
      float layerAmplitude,
      int layerShift,
      int decodedCrc,
      ByteBuffer bytes,
      ByteBuffer body) {
    this.place = place;
    this.codec = codec;
    this.dtype = dtype;
    this.shape = shape;
    this.elements = elements;
    this.layerSeed = layerSeed;
    this.layerAmplitude = layerAmplitude;
    this.layerShift = layerShift;
    this.decodedCrc = decodedCrc;
    this.bytes = bytes;
    this.body = body;
  }

  /**
   * Parses the record that fills {@code bytes} from position to limit. The buffer is not copied and
   * must not change while the record is in use.
   *
   * @throws CorruptException where a field is out of range or the checksum is wrong
   * @throws UnknownCodecException where the codec is not of this version
   * @throws OverLimitException where the decoded tensor would exceed {@code limits}
   */
  public static TensorRecord parse(ByteBuffer bytes, RecordPlace place, Limits limits)
      throws PseedException {
    ByteBuffer in = bytes.slice().order(ByteOrder.LITTLE_ENDIAN);
    int size = in.remaining();
    if (size < FIXED_LENGTH + CRC_LENGTH) {
      throw place.corrupt(0, "record", size + " bytes", "at least " + (FIXED_LENGTH + CRC_LENGTH));
    }
    if (in.getInt(0) != MAGIC) {
      throw place.corrupt(0, "record magic", hex(in.getInt(0)), hex(MAGIC));
    }
    if (in.getLong(8) != size) {
      throw place.corrupt(8, "record length", Long.toUnsignedString(in.getLong(8)), size);
    }
    int storedCrc = in.getInt(size - CRC_LENGTH);
    int crc = crc32c(in.slice(0, size - CRC_LENGTH));
    if (storedCrc != crc) {
      throw place.corrupt(size - CRC_LENGTH, "recordCrc", hex(storedCrc), hex(crc));
    }

    int codecId = Byte.toUnsignedInt(in.get(4));
    Codec codec =
        Codec.ofId(codecId)
            .orElseThrow(
                () ->
                    new UnknownCodecException(
                        String.format(
                            "%s: codec %d is unknown to this version, which knows %s; a newer pseed may"
                                + " read it",
                            place.label(), codecId, Codec.known())));
    int dtypeId = Byte.toUnsignedInt(in.get(5));
    DType dtype =
        DType.ofId(dtypeId).orElseThrow(() -> place.corrupt(5, "dtype", dtypeId, "1 to 25"));
    int rank = Byte.toUnsignedInt(in.get(6));
    if (rank > MAX_RANK) {
      throw place.corrupt(6, "rank", rank, "0 to " + MAX_RANK);
    }
    requireZero(in, 7, 1, "flags", place);
    long seed = in.getLong(16);
    float amplitude = in.getFloat(24);
    int shift = in.get(28);
    if (seed == 0
        ? Float.floatToRawIntBits(amplitude) != 0 || shift != 0
        : !(Math.abs(amplitude) <= LayerSeed.LARGEST_AMPLITUDE) || Math.abs(shift) > MAX_SHIFT) {
      throw place.corrupt(
          24,
          "layer seed's amplitude and shift",
          amplitude + " and " + shift,
          seed == 0 ? "0 and 0 without a seed" : "at most 2^64 in magnitude, and -64 to 64");
    }
    if (seed != 0 && codec == Codec.RAW) {
      throw place.corrupt(16, "layer seed", hex(seed), "0 in a raw record");
    }
    requireZero(in, 29, 3, "reserved bytes", place);
    requireZero(in, 36, 4, "reserved bytes", place);

    int bodyOffset = FIXED_LENGTH + 8 * rank;
    if (bodyOffset + CRC_LENGTH > size) {
      throw place.corrupt(
          6, "record", size + " bytes", "room for " + rank + " dimensions of 8 bytes");
    }
    long[] shape = new long[rank];
    for (int i = 0; i < rank; i++) {
      shape[i] = in.getLong(FIXED_LENGTH + 8 * i);
    }
    long elements = elementCount(shape);
    if (elements < 0 || elements >= MAX_ELEMENTS) {
      throw place.corrupt(
          FIXED_LENGTH, "shape", Arrays.toString(shape), "fewer than 2^60 elements");
    }
    long bytesDecoded = dtype.byteSize(elements);
    if (bytesDecoded > limits.maxTensorBytes()) {
      throw new OverLimitException(
          String.format(
              "%s: %d decoded bytes, the limit is %d; raise the reader's limits to take it",
              place.label(), bytesDecoded, limits.maxTensorBytes()));
    }
    if (codec != Codec.RAW && !dtype.isCoded()) {
      throw place.corrupt(5, "dtype", dtype, "F32, F16, BF16 or F64 for codec " + codec.label());
    }
    ByteBuffer body =
        in.slice(bodyOffset, size - CRC_LENGTH - bodyOffset).order(ByteOrder.LITTLE_ENDIAN);
    return new TensorRecord(
        place, codec, dtype, shape, elements, seed, amplitude, shift, in.getInt(32), in, body);
  }

  /**
   * Makes the bytes of a record.
   *
   * @param body the codec's body, in parts, each taken from position to limit; not consumed
   * @param decodedCrc CRC-32C of the decoded elements
   * @return the parts of the whole record: fixed part, body parts, checksum
   */
  public static List<ByteBuffer> assemble(
      Codec codec,
      DType dtype,
      long[] shape,
      LayerSeed layer,
      int decodedCrc,
      List<ByteBuffer> body) {
    long bodyLength = 0;
    for (ByteBuffer part : body) {
      bodyLength += part.remaining();
    }
    ByteBuffer head = header(codec, dtype, shape, layer, decodedCrc, bodyLength);
    CRC32C crc = new CRC32C();
    crc.update(head.duplicate());
    ByteBuffer[] parts = new ByteBuffer[body.size() + 2];
    parts[0] = head;
    for (int i = 0; i < body.size(); i++) {
      parts[i + 1] = body.get(i).duplicate();
      crc.update(body.get(i).duplicate());
    }
    ByteBuffer tail = ByteBuffer.allocate(CRC_LENGTH).order(ByteOrder.LITTLE_ENDIAN);
    tail.putInt((int) crc.getValue()).flip();
    parts[parts.length - 1] = tail;
    return List.of(parts);
  }

  /** The fixed part and the dimensions of a record whose body has {@code bodyLength} bytes. */
  public static ByteBuffer header(
      Codec codec, DType dtype, long[] shape, LayerSeed layer, int decodedCrc, long bodyLength) {
    int length = FIXED_LENGTH + 8 * shape.length;
    ByteBuffer head = ByteBuffer.allocate(length).order(ByteOrder.LITTLE_ENDIAN);
    head.putInt(MAGIC).put((byte) codec.id()).put((byte) dtype.id()).put((byte) shape.length);
    head.put((byte) 0).putLong(length + bodyLength + CRC_LENGTH);
    head.putLong(layer.seed()).putFloat(layer.amplitude()).put((byte) layer.shift());
    head.put((byte) 0).put((byte) 0).put((byte) 0).putInt(decodedCrc).putInt(0);
    for (long dim : shape) {
      head.putLong(dim);
    }
    return head.flip();
  }

  /**
   * The product of the dimensions (1 for a scalar), or -1 where a dimension is negative or the
   * product does not fit into a long.
   */
  public static long elementCount(long[] shape) {
    long product = 1;
    boolean zero = false;
    for (long dim : shape) {
      if (dim < 0) {
        return -1;
      }
      zero |= dim == 0;
    }
    if (zero) {
      return 0;
    }
    for (long dim : shape) {
      if (Math.multiplyHigh(product, dim) != 0 || product * dim < 0) {
        return -1;
      }
      product *= dim;
    }
    return product;
  }

  /** Where the record came from. */
  public RecordPlace place() {
    return place;
  }

  /** The codec of the body. */
  public Codec codec() {
    return codec;
  }

  /** Type of the decoded elements. */
  public DType dtype() {
    return dtype;
  }

  /** Dimensions; a fresh copy. */
  public long[] shape() {
    return shape.clone();
  }

  /** Number of elements. */
  public long elements() {
    return elements;
  }

  /** Bytes of the decoded elements. */
  public long decodedBytes() {
    return dtype.byteSize(elements);
  }

  /** The layer's seed; {@link LayerSeed#NONE} where there is none. */
  public LayerSeed layerSeed() {
    return layerSeed == 0 ? LayerSeed.NONE : new LayerSeed(layerSeed, layerAmplitude, layerShift);
  }

  /** CRC-32C that the decoded elements must have. */
  public int decodedCrc() {
    return decodedCrc;
  }

  /** The whole record: little-endian, read-only in spirit, a fresh view from 0. */
  public ByteBuffer bytes() {
    return bytes.duplicate().order(ByteOrder.LITTLE_ENDIAN).rewind();
  }

  /** The codec's body: little-endian, read-only in spirit, a fresh view from 0. */
  public ByteBuffer body() {
    return body.duplicate().order(ByteOrder.LITTLE_ENDIAN).rewind();
  }

  /** Offset of the body in the record, for messages. */
  public int bodyOffset() {
    return FIXED_LENGTH + 8 * shape.length;
  }

  /** A {@link CorruptException} about the bytes at {@code local} of the body. */
  public CorruptException corruptBody(long local, String what, Object found, Object expected) {
    return place.corrupt(bodyOffset() + local, codec.label() + " " + what, found, expected);
  }

  /** Refuses nonzero reserved bytes of the body. */
  public void requireZeroInBody(int offset, int count, String what) throws CorruptException {
    for (int i = offset; i < offset + count; i++) {
      if (body.get(i) != 0) {
        throw corruptBody(i, what, Byte.toUnsignedInt(body.get(i)), 0);
      }
    }
  }

  private static void requireZero(
      ByteBuffer in, int offset, int count, String what, RecordPlace place)
      throws CorruptException {
    for (int i = offset; i < offset + count; i++) {
      if (in.get(i) != 0) {
        throw place.corrupt(i, what, Byte.toUnsignedInt(in.get(i)), 0);
      }
    }
  }

  private static int crc32c(ByteBuffer bytes) {
    CRC32C crc = new CRC32C();
    crc.update(bytes);
    return (int) crc.getValue();
  }

  private static String hex(int value) {
    return String.format("0x%08x", value);
  }

  private static String hex(long value) {
    return String.format("0x%016x", value);
  }
}
