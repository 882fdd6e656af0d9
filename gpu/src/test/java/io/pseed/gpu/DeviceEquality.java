package io.pseed.gpu;

import io.pseed.codec.TensorDecoder;
import io.pseed.codec.trellis.Panels;
import io.pseed.codec.trellis.Scales;
import io.pseed.codec.trellis.TrellisBody;
import io.pseed.codec.trellis.TrellisCode;
import io.pseed.converter.encode.CpuBackend;
import io.pseed.converter.encode.SearchRequest;
import io.pseed.converter.encode.Workers;
import io.pseed.converter.encode.poincare.MatrixRows;
import io.pseed.converter.encode.poincare.ShapeTotals;
import io.pseed.format.Codec;
import io.pseed.format.CorruptException;
import io.pseed.format.DType;
import io.pseed.format.LayerSeed;
import io.pseed.format.Limits;
import io.pseed.format.RecordPlace;
import io.pseed.format.TensorRecord;
import io.pseed.format.View;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import java.util.stream.IntStream;

/**
 * What a device must give exactly as the CPU does. Used by the tests of {@code -Pgpu} and, where
 * there is no Maven, by {@code gpu/device-check}.
 */
final class DeviceEquality {
  private DeviceEquality() {}

  /**
   * A search.
   *
   * @param name for people
   */
  record Case(String name, SearchRequest request) {
    @Override
    public String toString() {
      return name;
    }
  }

  /**
   * All seed lengths and rates, with and without feedback, weights, mixed rates, zero rates, rows
   * of lengths around the kernels' chunks.
   *
   * @param small few and short ones, for tools that slow everything down
   */
  static List<Case> searches(boolean small) {
    List<Case> all = new ArrayList<>();
    for (int bits = small ? 10 : TrellisCode.MIN_L;
        bits <= (small ? 13 : TrellisCode.MAX_L);
        bits++) {
      for (int rate = 1; rate <= TrellisCode.MAX_RATE; rate += small ? 3 : 1) {
        int n = bits > 16 ? 70 : 150 + rate;
        int rows = bits > 16 ? 2 : 5;
        Panels panels =
            new Panels(false, new int[] {n, 8, 33}, new int[] {rate, 0, Math.max(1, rate - 1)});
        String of = "L = " + bits + ", k = " + rate;
        all.add(new Case("rows, " + of, SearchRequests.plain(bits, panels, rows, n + 41, bits)));
        all.add(
            new Case(
                "feedback, " + of,
                SearchRequests.feedback(bits, panels, rows, n + 41, rows, false, rate)));
        all.add(
            new Case(
                "feedback and weights, " + of,
                SearchRequests.feedback(bits, panels, rows, n + 41, 3, true, 20 + rate)));
      }
      Panels byRows = new Panels(true, new int[] {2, 1, 2, 1}, new int[] {2, 0, 5, 4});
      int n = bits > 16 ? 40 : 200;
      all.add(
          new Case("rates by row, L = " + bits, SearchRequests.plain(bits, byRows, 6, n, bits)));
      all.add(
          new Case(
              "rates by row, feedback, L = " + bits,
              SearchRequests.feedback(bits, byRows, 6, n, 4, true, bits)));
    }
    for (int n : new int[] {1, 2, 7, 63, 64, 65, 127, 128, 129, 500}) {
      for (int bits : small ? new int[] {10} : new int[] {10, 12, 16}) {
        all.add(
            new Case(
                "rows of " + n + ", L = " + bits,
                SearchRequests.plain(bits, Panels.uniform(n, 3), 3, n, n)));
      }
    }
    all.add(
        new Case(
            "some rows with feedback",
            SearchRequests.feedback(10, panels(2, 40, 2), 90, 80, 60, true, 2)));
    if (!small) {
      // More rows and more jobs than fit at a time; slices of rows.
      all.add(
          new Case(
              "a long list of jobs", SearchRequests.plain(12, panels(32, 16, 4), 2000, 512, 1)));
      all.add(
          new Case(
              "many rows with feedback",
              SearchRequests.feedback(12, panels(4, 64, 2), 700, 256, 512, true, 2)));
    }
    return all;
  }

  private static Panels panels(int count, int length, int rate) {
    int[] lengths = new int[count];
    int[] rates = new int[count];
    Arrays.fill(lengths, length);
    Arrays.fill(rates, rate);
    return new Panels(false, lengths, rates);
  }

  /** What differs; empty where nothing does. */
  static String difference(CudaTrellisBackend backend, Case of) throws Exception {
    SearchRequest expected = SearchRequests.again(of.request());
    try (Workers workers = new Workers(Runtime.getRuntime().availableProcessors())) {
      new CpuBackend(workers).search(expected, n -> {});
    }
    SearchRequest found = SearchRequests.again(of.request());
    long[] told = new long[1];
    backend.search(
        found,
        n -> {
          synchronized (told) {
            told[0] += n;
          }
        });
    int at = Arrays.mismatch(expected.payload(), found.payload());
    if (at >= 0) {
      return String.format(
          "%s: byte %d of %d is %02x, expected %02x",
          of.name(), at, expected.payload().length, found.payload()[at], expected.payload()[at]);
    }
    long weights = (long) found.rows() * found.cols();
    return told[0] == weights
        ? ""
        : of.name() + ": progress was told " + told[0] + " weights, expected " + weights;
  }

  /** Matrices whose sums for layer seeds are made on a device, place by place and by averages. */
  static List<MatrixRows> matrices(boolean small) {
    List<MatrixRows> all = new ArrayList<>();
    int[][] sizes =
        small
            ? new int[][] {{256, 256}, {1, 70_000}, {600, 500}}
            : new int[][] {{256, 256}, {1, 70_000}, {30_522, 384}, {1536, 384}, {4096, 4096}};
    for (int[] size : sizes) {
      Random random = new Random(size[0]);
      float[] weights = new float[size[0] * size[1]];
      for (int i = 0; i < weights.length; i++) {
        weights[i] = (float) random.nextGaussian() / 50;
      }
      all.add(MatrixRows.of(weights, size[0], size[1]));
    }
    return all;
  }

  /** What differs; empty where nothing does. */
  static String difference(CudaTrellisBackend backend, MatrixRows of) throws Exception {
    String name = "sums of " + of.rows() + " x " + of.cols();
    Optional<ShapeTotals> found = backend.shapeTotals(of);
    if (found.isEmpty()) {
      return name + ": left to the CPU";
    }
    return found.get().sameBits(ShapeTotals.of(of)) ? "" : name;
  }

  /** Records of all shapes that the format has: rates, axes, blocks, types, permutations. */
  static List<TensorRecord> records(boolean small) throws Exception {
    List<TensorRecord> all = new ArrayList<>();
    int number = 0;
    for (int bits : small ? new int[] {9, 13} : new int[] {8, 9, 12, 14, 15, 16, 17, 20}) {
      for (DType type : List.of(DType.F32, DType.F16, DType.BF16)) {
        for (boolean byRows : new boolean[] {false, true}) {
          number++;
          Random random = new Random(number);
          int rowLog2 = random.nextInt(8);
          int colLog2 = random.nextInt(8);
          int rows = (1 + random.nextInt(3)) << rowLog2;
          int cols = (1 + random.nextInt(3)) << colLog2;
          // Enough for tiles on all sides.
          rows *= rows < 100 ? 7 : 2;
          cols *= cols < 100 ? 7 : 2;
          all.add(record(random, bits, type, byRows, rows, cols, rowLog2, colLog2));
        }
      }
    }
    return all;
  }

  private static TensorRecord record(
      Random random,
      int bits,
      DType type,
      boolean byRows,
      int rows,
      int cols,
      int rowLog2,
      int colLog2)
      throws Exception {
    int axis = byRows ? rows : cols;
    int first = 1 + random.nextInt(axis - 1);
    Panels panels =
        new Panels(
            byRows,
            new int[] {first, axis - first},
            new int[] {random.nextInt(9), 1 + random.nextInt(8)});
    byte[] payload = new byte[(int) panels.payloadBytes(rows, cols)];
    random.nextBytes(payload);
    clearUnusedBits(payload, panels, rows, cols);
    int[] permutation = null;
    if (random.nextBoolean()) {
      List<Integer> order = new ArrayList<>(IntStream.range(0, axis).boxed().toList());
      Collections.shuffle(order, random);
      permutation = order.stream().mapToInt(Integer::intValue).toArray();
    }
    float[] rowScales = new float[rows];
    float[] colScales = new float[cols];
    for (int i = 0; i < rows; i++) {
      rowScales[i] = (float) (random.nextGaussian() / 1000);
    }
    for (int j = 0; j < cols; j++) {
      colScales[j] = (float) random.nextGaussian();
    }
    boolean transposed = random.nextBoolean();
    boolean disk = random.nextBoolean();
    int kappa = disk ? 1 + random.nextInt(255) : 0;
    TrellisBody head =
        new TrellisBody(
            new View(rows, cols, transposed),
            TrellisCode.of(bits, disk ? TrellisCode.LAW_DISK : TrellisCode.LAW_RAYLEIGH, kappa),
            disk ? TrellisCode.LAW_DISK : TrellisCode.LAW_RAYLEIGH,
            kappa,
            rowLog2,
            colLog2,
            Scales.F32,
            Scales.F32,
            rowScales,
            colScales,
            panels,
            permutation,
            ByteBuffer.allocate(0));
    long[] shape = transposed ? new long[] {cols, rows} : new long[] {rows, cols};
    TensorRecord draft = parsed(type, shape, head, payload, 0);
    return parsed(type, shape, head, payload, TensorDecoder.of(draft).checksum(part -> {}));
  }

  /** The bits behind the last weight of a segment are zeros. */
  private static void clearUnusedBits(byte[] payload, Panels panels, int rows, int cols) {
    int at = 0;
    for (int row = 0; row < rows; row++) {
      for (int p = 0; p < (panels.byRows() ? 1 : panels.count()); p++) {
        int n = panels.byRows() ? cols : panels.lengths()[p];
        int rate = panels.byRows() ? panels.rateOfRow(row) : panels.rates()[p];
        at += Panels.segmentBytes(n, rate);
        int used = n * rate % 8;
        if (used > 0) {
          payload[at - 1] &= (byte) (0xFF << (8 - used));
        }
      }
    }
  }

  private static TensorRecord parsed(
      DType type, long[] shape, TrellisBody head, byte[] payload, int crc) throws Exception {
    List<ByteBuffer> parts =
        TensorRecord.assemble(
            Codec.TRELLIS,
            type,
            shape,
            LayerSeed.NONE,
            crc,
            List.of(head.head(), ByteBuffer.wrap(payload)));
    ByteBuffer all = ByteBuffer.allocate(parts.stream().mapToInt(ByteBuffer::remaining).sum());
    parts.forEach(part -> all.put(part.duplicate()));
    return TensorRecord.parse(all.flip(), RecordPlace.standalone("record"), Limits.LARGE);
  }

  /** What differs; empty where nothing does. */
  static String difference(CudaDecoder decoder, TensorRecord record) throws Exception {
    byte[] expected = TensorDecoder.of(record).decode().array();
    ByteBuffer found = ByteBuffer.allocate(expected.length);
    TrellisBody body = TrellisBody.parse(record);
    String of =
        String.format(
            "decoding %s, L = %d, %s, %s, blocks %d x %d",
            record.dtype(),
            body.code().bits(),
            body.view(),
            body.panels(),
            1 << body.rowBlockLog2(),
            1 << body.colBlockLog2());
    try {
      decoder.decode(record, found);
    } catch (CorruptException e) {
      return of + ": " + e.getMessage();
    }
    int at = Arrays.mismatch(expected, found.array());
    return at < 0 ? "" : of + ": byte " + at + " of " + expected.length + " differs";
  }
}
