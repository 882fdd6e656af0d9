package io.pseed.vectors;

import io.pseed.codec.TensorDecoder;
import io.pseed.format.Limits;
import io.pseed.format.PseedReader;
import io.pseed.format.RecordPlace;
import io.pseed.format.SectionEntry;
import io.pseed.format.TensorEntry;
import io.pseed.format.TensorRecord;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * One file of the folder {@code testdata}.
 *
 * @param file path in the folder
 * @param bytes its content
 * @param recipe how it was made, and for an invalid file what is wrong with it
 * @param error the kind of error it must give; null for a valid file
 * @param small whether it is to be read with the limits of level small
 */
@SuppressWarnings("ArrayRecordComponent") // The bytes are written and read, never changed.
record Vector(String file, byte[] bytes, String recipe, String error, boolean small) {
  @Override
  public String toString() {
    return file;
  }

  /** A tensor of a valid file. */
  record Decoded(String name, String dtype, List<Long> shape, String sha256) {
    static Decoded of(String name, TensorRecord record, ByteBuffer bytes) {
      byte[] array = new byte[bytes.remaining()];
      bytes.get(array);
      List<Long> shape = new ArrayList<>();
      for (long dim : record.shape()) {
        shape.add(dim);
      }
      String digest = HexFormat.of().formatHex(Bytes.sha256(array, 0, array.length));
      return new Decoded(name, record.dtype().name(), shape, digest);
    }
  }

  boolean isRecord() {
    return file.endsWith(".rec");
  }

  /** Reads all of it with the product: the procedure that the README describes. */
  List<Decoded> read() throws IOException {
    return read(bytes, isRecord(), small ? Limits.SMALL : Limits.STANDARD);
  }

  /** The SHA-256 of each section's decoded bytes, read with the product. */
  Map<String, String> readSections() throws IOException {
    Map<String, String> digests = new LinkedHashMap<>();
    if (isRecord()) {
      return digests;
    }
    try (PseedReader reader = PseedReader.of(ByteBuffer.wrap(bytes), file, Limits.STANDARD)) {
      for (SectionEntry section : reader.header().sections()) {
        ByteBuffer content = reader.section(section);
        byte[] array = new byte[content.remaining()];
        content.get(array);
        digests.put(section.name(), HexFormat.of().formatHex(Bytes.sha256(array, 0, array.length)));
      }
    }
    return digests;
  }

  static List<Decoded> read(byte[] bytes, boolean isRecord, Limits limits) throws IOException {
    List<Decoded> decoded = new ArrayList<>();
    if (isRecord) {
      RecordPlace place = RecordPlace.standalone("record");
      TensorRecord record = TensorRecord.parse(ByteBuffer.wrap(bytes), place, limits);
      decoded.add(Decoded.of("", record, TensorDecoder.of(record).decode()));
      return decoded;
    }
    try (PseedReader reader = PseedReader.of(ByteBuffer.wrap(bytes), "container", limits)) {
      for (TensorEntry tensor : reader.header().tensors()) {
        TensorRecord record = reader.record(tensor);
        decoded.add(Decoded.of(tensor.name(), record, TensorDecoder.of(record).decode()));
      }
      for (SectionEntry section : reader.header().sections()) {
        reader.section(section);
      }
      reader.validate();
    }
    return decoded;
  }
}
