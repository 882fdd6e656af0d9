package io.pseed.converter.export.onnx;

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
import io.pseed.format.RecordPlace;
import io.pseed.format.TensorRecord;
import io.pseed.format.View;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Random;
import java.util.zip.CRC32C;

/** Records whose streams are random bits, which are as legal as any others. */
final class TestTensors {
  private TestTensors() {}

  /** A tensor, its record, and what the decoder makes of it. */
  record Tensor(String name, DType dtype, long[] shape, List<ByteBuffer> record, byte[] decoded) {
    long length() {
      return record.stream().mapToLong(ByteBuffer::remaining).sum();
    }
  }

  /** A trellis record to be made. */
  static final class Trellis {
    private final String name;
    private final int rows;
    private final int cols;
    private boolean transposed;
    private int bits = 12;
    private int law;
    private int kappa;
    private int rowLog2;
    private int colLog2;
    private Scales rowKind = Scales.F32;
    private Scales colKind = Scales.CONSTANT;
    private Panels panels;
    private boolean permuted;
    private DType dtype = DType.F32;
    private LayerSeed layer = LayerSeed.NONE;
    private long[] shape;
    private boolean largestCodes;

    Trellis(String name, int rows, int cols) {
      this.name = name;
      this.rows = rows;
      this.cols = cols;
      this.panels = Panels.uniform(cols, 4);
    }

    Trellis seeds(int newBits) {
      bits = newBits;
      return this;
    }

    Trellis disk(int newKappa) {
      law = TrellisCode.LAW_DISK;
      kappa = newKappa;
      return this;
    }

    Trellis rate(int rate) {
      panels = Panels.uniform(cols, rate);
      return this;
    }

    Trellis panels(boolean byRows, int[] lengths, int[] rates) {
      panels = new Panels(byRows, lengths, rates);
      return this;
    }

    Trellis transposed() {
      transposed = true;
      return this;
    }

    Trellis permuted() {
      permuted = true;
      return this;
    }

    Trellis blocks(int newRowLog2, int newColLog2) {
      rowLog2 = newRowLog2;
      colLog2 = newColLog2;
      return this;
    }

    Trellis scales(Scales newRowKind, Scales newColKind) {
      rowKind = newRowKind;
      colKind = newColKind;
      return this;
    }

    Trellis dtype(DType newDtype) {
      dtype = newDtype;
      return this;
    }

    Trellis layer(LayerSeed newLayer) {
      layer = newLayer;
      return this;
    }

    Trellis shape(long... newShape) {
      shape = newShape;
      return this;
    }

    /** Every weight has the code that is largest by magnitude: k must be at least L. */
    Trellis largestCodes() {
      largestCodes = true;
      return this;
    }

    Tensor make() {
      Random random = new Random(name.hashCode());
      View view = new View(rows, cols, transposed);
      byte[] payload = new byte[(int) panels.payloadBytes(rows, cols)];
      random.nextBytes(payload);
      if (largestCodes) {
        TrellisCode code = TrellisCode.of(bits, law, kappa);
        int best = 0;
        for (int s = 0; s < 1 << bits; s++) {
          best = code.code(s) > code.code(best) ? s : best;
        }
        Arrays.fill(payload, (byte) best);
      }
      clearUnusedBits(payload);
      TrellisBody body =
          new TrellisBody(
              view,
              TrellisCode.of(bits, law, kappa),
              law,
              kappa,
              rowLog2,
              colLog2,
              rowKind,
              colKind,
              randomScales(rowKind, rows, random),
              randomScales(colKind, cols, random),
              panels,
              permuted ? permutation(panels.byRows() ? rows : cols, random) : null,
              ByteBuffer.wrap(payload));
      long[] dims = shape;
      if (dims == null) {
        dims = transposed ? new long[] {cols, rows} : new long[] {rows, cols};
      }
      return finish(
          name, Codec.TRELLIS, dtype, dims, layer, List.of(body.head(), ByteBuffer.wrap(payload)));
    }

    private void clearUnusedBits(byte[] payload) {
      int at = 0;
      int segments = panels.byRows() ? 1 : panels.count();
      for (int r = 0; r < rows; r++) {
        for (int s = 0; s < segments; s++) {
          int p = panels.byRows() ? panelOfRow(r) : s;
          long n = panels.byRows() ? cols : panels.lengths()[p];
          int bytes = (int) ((n * panels.rates()[p] + 7) / 8);
          at += bytes;
          int unused = (int) (8L * bytes - n * panels.rates()[p]);
          if (bytes > 0) {
            payload[at - 1] &= (byte) -(1 << unused);
          }
        }
      }
    }

    private int panelOfRow(int row) {
      int p = 0;
      int end = panels.lengths()[0];
      while (row >= end) {
        end += panels.lengths()[++p];
      }
      return p;
    }
  }

  private static float[] randomScales(Scales kind, int n, Random random) {
    float[] scales = new float[n];
    for (int i = 0; i < n; i++) {
      scales[i] = (random.nextBoolean() ? 1 : -1) * (0.1f + random.nextFloat()) / 300;
    }
    return kind.nearest(scales);
  }

  private static int[] permutation(int n, Random random) {
    List<Integer> order = new ArrayList<>();
    for (int i = 0; i < n; i++) {
      order.add(i);
    }
    Collections.shuffle(order, random);
    return order.stream().mapToInt(Integer::intValue).toArray();
  }

  /** A record with nothing but a layer seed. */
  static Tensor layerOnly(String name, DType dtype, int rows, int cols, boolean transposed) {
    ByteBuffer body = ByteBuffer.allocate(24).order(ByteOrder.LITTLE_ENDIAN);
    new View(rows, cols, transposed).write(body);
    body.putInt(0).putInt(0).flip();
    long[] shape = transposed ? new long[] {cols, rows} : new long[] {rows, cols};
    return finish(name, Codec.POINCARE, dtype, shape, layer(), List.of(body));
  }

  /** A record of one tile for each quarter. */
  static Tensor tiles(String name, DType dtype, int rows, int cols) {
    ByteBuffer body = ByteBuffer.allocate(24 + 64).order(ByteOrder.LITTLE_ENDIAN);
    new View(rows, cols, false).write(body);
    body.putInt((rows + 1) / 2).putInt((cols + 1) / 2);
    for (int i = 0; i < 4; i++) {
      body.putLong(layer().seed()).putFloat(0.25f + i).put((byte) 9).put(new byte[3]);
    }
    return finish(
        name, Codec.POINCARE, dtype, new long[] {rows, cols}, LayerSeed.NONE, List.of(body.flip()));
  }

  static LayerSeed layer() {
    return new LayerSeed(0x4321_0ABC_DEF1_0000L & ~0x3FL, -0.0123f, 9);
  }

  static Tensor raw(String name, DType dtype, long... shape) {
    byte[] elements = new byte[(int) dtype.byteSize(TensorRecord.elementCount(shape))];
    new Random(name.hashCode()).nextBytes(elements);
    return finish(
        name, Codec.RAW, dtype, shape, LayerSeed.NONE, List.of(ByteBuffer.wrap(elements)));
  }

  private static Tensor finish(
      String name,
      Codec codec,
      DType dtype,
      long[] shape,
      LayerSeed layer,
      List<ByteBuffer> parts) {
    byte[] decoded = new byte[(int) dtype.byteSize(TensorRecord.elementCount(shape))];
    try {
      TensorRecord draft = parse(TensorRecord.assemble(codec, dtype, shape, layer, 0, parts));
      try {
        TensorDecoder.of(draft).decode(ByteBuffer.wrap(decoded));
      } catch (CorruptException e) {
        if (!e.getMessage().contains("checksum of the decoded values")) {
          throw e;
        }
        // Only the checksum is missing yet.
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
        TensorRecord.assemble(codec, dtype, shape, layer, (int) crc.getValue(), parts),
        decoded);
  }

  static TensorRecord parse(List<ByteBuffer> parts) throws IOException {
    ByteBuffer whole =
        ByteBuffer.allocate(parts.stream().mapToInt(ByteBuffer::remaining).sum())
            .order(ByteOrder.LITTLE_ENDIAN);
    for (ByteBuffer part : parts) {
      whole.put(part.duplicate());
    }
    return TensorRecord.parse(whole.flip(), RecordPlace.standalone("test"), Limits.STANDARD);
  }
}
