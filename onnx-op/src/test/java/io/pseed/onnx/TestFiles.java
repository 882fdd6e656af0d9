package io.pseed.onnx;

import io.pseed.codec.TensorDecoder;
import io.pseed.codec.trellis.Panels;
import io.pseed.codec.trellis.Scales;
import io.pseed.codec.trellis.TrellisBody;
import io.pseed.codec.trellis.TrellisCode;
import io.pseed.format.Codec;
import io.pseed.format.CorruptException;
import io.pseed.format.DType;
import io.pseed.format.LayerSeed;
import io.pseed.format.Limits;
import io.pseed.format.PseedWriter;
import io.pseed.format.RecordContent;
import io.pseed.format.RecordPlace;
import io.pseed.format.SectionEntry;
import io.pseed.format.TensorRecord;
import io.pseed.format.View;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.zip.CRC32C;
import java.util.zip.Deflater;

/**
 * Small {@code .pseed} files and the ONNX graphs in them, made by hand. Each graph gives back its
 * weights: output {@code out_NAME} is Identity of {@code NAME}, or for 4-bit types its value as
 * float.
 */
final class TestFiles {
  /** The attribute {@code to = FLOAT}. */
  private static final byte[] CAST_TO_FLOAT =
      message(5, text(1, "to"), number(3, 1), number(20, 2));

  private TestFiles() {}

  /** A tensor with its record. */
  @SuppressWarnings("ArrayRecordComponent") // Nothing compares them.
  record Tensor(String name, DType dtype, long[] shape, List<ByteBuffer> record, byte[] decoded) {}

  static Tensor raw(String name, DType dtype, long[] shape, byte[] elements) {
    CRC32C crc = new CRC32C();
    crc.update(elements);
    List<ByteBuffer> record =
        TensorRecord.assemble(
            Codec.RAW,
            dtype,
            shape,
            LayerSeed.NONE,
            (int) crc.getValue(),
            List.of(ByteBuffer.wrap(elements)));
    return new Tensor(name, dtype, shape, record, elements);
  }

  static Tensor randomRaw(String name, DType dtype, long... shape) {
    byte[] elements = new byte[(int) dtype.byteSize(TensorRecord.elementCount(shape))];
    new Random(name.hashCode()).nextBytes(elements);
    if (dtype == DType.BOOL) {
      for (int i = 0; i < elements.length; i++) {
        elements[i] &= 1;
      }
    }
    return raw(name, dtype, shape, elements);
  }

  /** A trellis record with random bits: 3 bits a weight, a Hadamard block of 4 on the rows. */
  static Tensor trellis(String name, DType dtype, int rows, int cols, LayerSeed layer) {
    Random random = new Random(name.hashCode());
    Panels panels = Panels.uniform(cols, 3);
    byte[] payload = new byte[(int) panels.payloadBytes(rows, cols)];
    random.nextBytes(payload);
    int stride = payload.length / rows;
    for (int r = 1; r <= rows; r++) {
      payload[r * stride - 1] &= (byte) -(1 << (8 * stride - 3 * cols));
    }
    float[] rowScales = new float[rows];
    for (int i = 0; i < rows; i++) {
      rowScales[i] = (random.nextBoolean() ? 1 : -1) * random.nextFloat() / 4096;
    }
    float[] colScales = new float[cols];
    Arrays.fill(colScales, 0.37f);
    TrellisBody body =
        new TrellisBody(
            new View(rows, cols, false),
            TrellisCode.of(12, 0, 0),
            0,
            0,
            2,
            0,
            Scales.F32,
            Scales.CONSTANT,
            rowScales,
            Scales.CONSTANT.nearest(colScales),
            panels,
            null,
            ByteBuffer.wrap(payload));
    long[] shape = {rows, cols};
    List<ByteBuffer> parts = List.of(body.head(), ByteBuffer.wrap(payload));
    byte[] decoded = new byte[(int) dtype.byteSize((long) rows * cols)];
    try {
      TensorRecord draft =
          parse(TensorRecord.assemble(Codec.TRELLIS, dtype, shape, layer, 0, parts));
      try {
        TensorDecoder.of(draft).decode(ByteBuffer.wrap(decoded));
      } catch (CorruptException e) {
        // The draft has no checksum of the decoded elements yet.
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    CRC32C crc = new CRC32C();
    crc.update(decoded);
    return new Tensor(
        name,
        dtype,
        shape,
        TensorRecord.assemble(Codec.TRELLIS, dtype, shape, layer, (int) crc.getValue(), parts),
        decoded);
  }

  static TensorRecord parse(List<ByteBuffer> parts) throws IOException {
    int length = 0;
    for (ByteBuffer part : parts) {
      length += part.remaining();
    }
    ByteBuffer whole = ByteBuffer.allocate(length).order(ByteOrder.LITTLE_ENDIAN);
    for (ByteBuffer part : parts) {
      whole.put(part.duplicate());
    }
    return TensorRecord.parse(whole.flip(), RecordPlace.standalone("test"), Limits.STANDARD);
  }

  /** A file with these tensors and, unless null, this graph. */
  static Path write(Path file, List<Tensor> tensors, byte[] graph) throws IOException {
    try (PseedWriter writer = PseedWriter.create(file, "test")) {
      for (Tensor t : tensors) {
        writer.tensor(t.name(), t.dtype(), t.shape(), RecordContent.of(t.record()), null, 0);
      }
      if (graph != null) {
        // Compressed, as the converter does it; small graphs grow, which a reader does not mind.
        Deflater deflater = new Deflater(6, true);
        deflater.setInput(graph);
        deflater.finish();
        byte[] stream = new byte[graph.length + 1000];
        int length = deflater.deflate(stream);
        deflater.end();
        writer.deflatedSection(
            SectionEntry.ONNX_GRAPH, null, ByteBuffer.wrap(stream, 0, length), graph.length);
      }
      writer.finish("test", Map.of(), null, null);
    }
    return file;
  }

  /** A graph whose one initializer, 4 floats, has its data elsewhere; its output is the data. */
  static byte[] foreignGraph(String location, long offset, boolean inAttribute) {
    byte[] tensor =
        concat(
            number(1, 4),
            number(2, 1),
            text(8, "w"),
            message(13, text(1, "location"), text(2, location)),
            message(13, text(1, "offset"), text(2, Long.toString(offset))),
            message(13, text(1, "length"), text(2, "16")),
            number(14, 1));
    byte[] node =
        inAttribute
            ? message(
                1,
                text(2, "y"),
                text(4, "Constant"),
                message(5, text(1, "value"), message(5, tensor), number(20, 4)))
            : message(1, text(1, "w"), text(2, "y"), text(4, "Identity"));
    return concat(
        number(1, 8),
        message(
            7,
            node,
            text(2, "foreign"),
            inAttribute ? new byte[0] : message(5, tensor),
            message(12, text(1, "y"), message(2, message(1, number(1, 1))))),
        message(8, text(1, ""), number(2, 17)));
  }

  /** The graph that returns each tensor. */
  static byte[] graph(List<Tensor> tensors) {
    List<byte[]> parts = new ArrayList<>();
    for (Tensor t : tensors) {
      parts.add(
          message(
              1,
              text(1, t.name()),
              text(2, "out_" + t.name()),
              text(3, "node_" + t.name()),
              text(4, packed(t.dtype()) ? "Cast" : "Identity"),
              packed(t.dtype()) ? CAST_TO_FLOAT : new byte[0]));
    }
    parts.add(text(2, "weights"));
    for (Tensor t : tensors) {
      List<byte[]> tensor = new ArrayList<>();
      for (long dim : t.shape()) {
        tensor.add(number(1, dim));
      }
      tensor.add(number(2, onnxType(t.dtype())));
      tensor.add(text(8, t.name()));
      tensor.add(message(13, text(1, "location"), text(2, "pseed")));
      tensor.add(number(14, 1));
      parts.add(message(5, tensor.toArray(byte[][]::new)));
    }
    for (Tensor t : tensors) {
      byte[] elementType = number(1, packed(t.dtype()) ? 1 : onnxType(t.dtype()));
      parts.add(message(12, text(1, "out_" + t.name()), message(2, message(1, elementType))));
    }
    return concat(
        number(1, 10), // IR version: FP8 and 4-bit types
        message(7, parts.toArray(byte[][]::new)),
        message(8, text(1, ""), number(2, 21)));
  }

  /** Types for which ONNX Runtime has no Identity: the output is a cast to float. */
  private static boolean packed(DType dtype) {
    return dtype.bits() < 8;
  }

  static int onnxType(DType dtype) {
    return switch (dtype) {
      case F32 -> 1;
      case U8 -> 2;
      case I8 -> 3;
      case U16 -> 4;
      case I16 -> 5;
      case I32 -> 6;
      case I64 -> 7;
      case BOOL -> 9;
      case F16 -> 10;
      case F64 -> 11;
      case U32 -> 12;
      case U64 -> 13;
      case BF16 -> 16;
      case F8_E4M3 -> 17;
      case F8_E5M2 -> 19;
      case U4 -> 21;
      case I4 -> 22;
      default -> throw new IllegalArgumentException(dtype.name());
    };
  }

  private static byte[] text(int field, String value) {
    return message(field, value.getBytes(StandardCharsets.UTF_8));
  }

  private static byte[] message(int field, byte[]... parts) {
    byte[] content = concat(parts);
    return concat(varint(((long) field << 3) | 2), varint(content.length), content);
  }

  private static byte[] number(int field, long value) {
    return concat(varint((long) field << 3), varint(value));
  }

  private static byte[] varint(long value) {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    long rest = value;
    while ((rest & ~0x7FL) != 0) {
      out.write((int) ((rest & 0x7F) | 0x80));
      rest >>>= 7;
    }
    out.write((int) rest);
    return out.toByteArray();
  }

  private static byte[] concat(byte[]... parts) {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    for (byte[] part : parts) {
      out.writeBytes(part);
    }
    return out.toByteArray();
  }
}
