package io.pseed.vectors;

import io.pseed.format.DType;
import java.util.ArrayList;
import java.util.List;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;

/**
 * Legal but odd: records and containers that no encoder of ours would write. It walks the paths of
 * a decoder that the vectors do not name one by one.
 */
final class OddFileGenerator {
  private OddFileGenerator() {}

  /** A container and what is in it. */
  @SuppressWarnings("ArrayRecordComponent") // The bytes are read, never changed.
  record Odd(byte[] file, List<String> names, List<byte[]> records, List<byte[]> sections) {}

  static Arbitrary<byte[]> records() {
    return Arbitraries.longs().map(seed -> record(new Rng(seed)));
  }

  static Arbitrary<Odd> containers() {
    return Arbitraries.longs().map(seed -> container(new Rng(seed)));
  }

  static byte[] record(Rng rng) {
    return switch (rng.below(4)) {
      case 0 -> {
        List<DType> types = List.of(DType.values());
        DType type = types.get(rng.below(types.size()));
        long[] shape = new long[rng.below(9)];
        for (int i = 0; i < shape.length; i++) {
          shape[i] = rng.below(i < 4 ? 4 : 3);
        }
        yield Rec.raw(type.id(), type.bits(), shape, rng);
      }
      case 1 -> poincare(rng);
      default -> trellis(rng);
    };
  }

  private static byte[] poincare(Rng rng) {
    int rows = rng.between(1, 14);
    int cols = rng.between(1, 14);
    Rec.Seed layer = layer(rows, cols, rng);
    Bytes body = Rec.view(rows, cols, rng.flip());
    if (!layer.equals(Rec.Seed.NONE) && rng.flip()) {
      body.u32(0).u32(0);
    } else {
      Poincare.tiles(body, rows, cols, rng.between(1, rows), rng.between(1, cols), rng);
    }
    return Rec.of(Rec.POINCARE, rng.between(1, 4), shape(rows, cols, rng), layer, body.toArray());
  }

  private static byte[] trellis(Rng rng) {
    int rowLog2 = rng.flip() ? 0 : rng.below(5);
    int colLog2 = rng.flip() ? 0 : rng.below(5);
    int rows = rng.between(1, 40 >> rowLog2) << rowLog2;
    int cols = rng.between(1, 40 >> colLog2) << colLog2;
    Trellis trellis = new Trellis(rows, cols).bits(rng.between(8, 20)).blocks(rowLog2, colLog2);
    if (rng.below(3) == 0) {
      trellis.law(1, rng.between(1, 255));
    }
    if (rng.flip()) {
      trellis.transposed();
    }
    trellis.kinds(rng.below(5), rng.below(5));
    trellis.exponents(rng.between(-100, 10), rng.between(-30, 10));
    boolean byRows = rng.flip();
    int[] lengths = partition(byRows ? rows : cols, rng);
    int[] rates = new int[lengths.length];
    for (int p = 0; p < rates.length; p++) {
      rates[p] = rng.below(9);
    }
    if (byRows) {
      trellis.rowPanels(lengths, rates);
    } else {
      trellis.columnPanels(lengths, rates);
    }
    if (rng.flip()) {
      trellis.permuted(rng);
    }
    Rec.Seed layer = rng.below(3) == 0 ? layer(rows, cols, rng) : Rec.Seed.NONE;
    return trellis.record(rng.between(1, 4), shape(rows, cols, rng), layer, rng);
  }

  private static Rec.Seed layer(int rows, int cols, Rng rng) {
    return rng.below(3) == 0
        ? Rec.Seed.NONE
        : Poincare.seed(rng.below(16), rows, cols, rng.between(2, 14), rng);
  }

  /** Dimensions with that product; they need not look like the view. */
  private static long[] shape(int rows, int cols, Rng rng) {
    return switch (rng.below(6)) {
      case 0 -> new long[] {(long) rows * cols};
      case 1 -> new long[] {cols, rows};
      case 2 -> new long[] {1, cols, 1, 1, rows, 1, 1, 1};
      case 3 -> rows * cols == 1 ? new long[0] : new long[] {1, (long) rows * cols};
      default -> new long[] {rows, cols};
    };
  }

  private static int[] partition(int n, Rng rng) {
    List<Integer> lengths = new ArrayList<>();
    int most = rng.between(1, n);
    for (int left = n; left > 0; ) {
      int length = rng.between(1, Math.min(most, left));
      lengths.add(length);
      left -= length;
    }
    return lengths.stream().mapToInt(Integer::intValue).toArray();
  }

  static Odd container(Rng rng) {
    Box box = new Box().minor(rng.flip() ? 0 : rng.below(1 << 16));
    List<String> names = new ArrayList<>();
    List<byte[]> records = new ArrayList<>();
    int tensors = rng.below(5);
    for (int i = 0; i < tensors; i++) {
      byte[] record = record(rng);
      String name = name(i, rng);
      box.tensor(name, dtype(record), shapeOf(record), record, rng.flip() ? "" : ",\"stats\":{}");
      names.add(name);
      records.add(record);
    }
    List<byte[]> sections = new ArrayList<>();
    int count = rng.below(3);
    for (int i = 0; i < count; i++) {
      byte[] content = rng.bytes(rng.below(200));
      box.section(name(i, rng), content, rng.flip() ? "" : ",\"mediaType\":\"\"");
      sections.add(content);
    }
    String[] extras = {
      "",
      ",\"metadata\":{\"z\":\"1\",\"a\":\"2\"}",
      ",\"x\":[[],{\"a\":{}},null,1e9]",
      ",\"source\":{},\"plan\":{\"a\":[0.25]}"
    };
    box.members(extras[rng.below(extras.length)]);
    if (rng.flip()) {
      box.edit(json -> "\t" + json.replace("\":", "\" :\r\n") + " ");
    }
    return new Odd(box.build(), names, records, sections);
  }

  private static String name(int index, Rng rng) {
    String[] odd = {"w", "a/b.c", "\"quoted\\", "ü\uD83C\uDF31", "\n\t\u0001", " ", "null", ""};
    return odd[rng.below(odd.length)] + (index == 0 ? "" : "." + index);
  }

  static String dtype(byte[] record) {
    return DType.ofId(record[5]).orElseThrow().name();
  }

  static long[] shapeOf(byte[] record) {
    long[] shape = new long[record[6]];
    java.nio.ByteBuffer in =
        java.nio.ByteBuffer.wrap(record).order(java.nio.ByteOrder.LITTLE_ENDIAN);
    for (int i = 0; i < shape.length; i++) {
      shape[i] = in.getLong(40 + 8 * i);
    }
    return shape;
  }
}
