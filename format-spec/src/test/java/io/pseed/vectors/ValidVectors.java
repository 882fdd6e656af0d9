package io.pseed.vectors;

import io.pseed.format.DType;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;

/** The files of {@code testdata/valid}. */
final class ValidVectors {
  private static final int F32 = 1;
  private static final int F16 = 2;
  private static final int BF16 = 3;
  private static final int F64 = 4;

  private final List<Vector> vectors = new ArrayList<>();

  static List<Vector> all() {
    ValidVectors all = new ValidVectors();
    all.raw();
    all.poincare();
    all.trellisRates();
    all.trellisShapes();
    all.trellisScales();
    all.trellisPanels();
    all.trellisOutputs();
    all.containers();
    all.deflatedSections();
    all.workedExample();
    return all.vectors;
  }

  private void add(String file, String recipe, byte[] bytes) {
    vectors.add(new Vector("valid/" + file, bytes, recipe, null, false));
  }

  /**
   * The bytes that the specification prints, made by the other decoder's {@code worked_example.py
   * --write}.
   */
  private void workedExample() {
    add(
        "worked-example.rec",
        "the worked example of the specification, section 13",
        HexFormat.of()
            .parseHex(
                "5053523103010200720000000000000000000000000000000000000000000000"
                    + "21c87bec00000000020000000000000004000000000000000200000004000000"
                    + "0000000000000000080000010201000001000000000000000400000002000000"
                    + "0000003f0000803e000080395eedf9c21178"));
  }

  private static long[] shape(long... dims) {
    return dims;
  }

  private static Rng rng(String name) {
    return Rng.of(name);
  }

  private void raw() {
    for (DType type : DType.values()) {
      String name = "raw-" + type.name().toLowerCase(java.util.Locale.ROOT).replace('_', '-');
      add(
          name + ".rec",
          "codec raw, " + type.name() + ", 3 x 7 random elements",
          Rec.raw(type.id(), type.bits(), shape(3, 7), rng(name)));
    }
    add("raw-scalar.rec", "rank 0: one F32", Rec.raw(F32, 32, shape(), rng("raw-scalar")));
    add(
        "raw-rank8.rec",
        "rank 8, the highest",
        Rec.raw(6, 8, shape(2, 1, 3, 1, 2, 1, 1, 2), rng("raw-rank8")));
    add("raw-no-rows.rec", "no elements: 0 x 5", Rec.raw(F32, 32, shape(0, 5), rng("")));
    add(
        "raw-no-elements-huge.rec",
        "no elements, though the other dimensions alone would be 2^62 and 2^62",
        Rec.of(Rec.RAW, F16, shape(1L << 62, 1L << 62, 0), Rec.Seed.NONE, new byte[0]));
    add("raw-f4-odd.rec", "5 elements of 4 bits in 3 bytes", Rec.raw(21, 4, shape(5), rng("f4")));
    add("raw-f6-odd.rec", "3 elements of 6 bits in 3 bytes", Rec.raw(19, 6, shape(3), rng("f6")));
    add(
        "raw-nan.rec",
        "raw F32 takes any bits: a signalling NaN, a quiet one with a payload, -0, infinities",
        Rec.of(
            Rec.RAW,
            F32,
            shape(5),
            Rec.Seed.NONE,
            new Bytes()
                .u32(0x7FA00001)
                .u32(0xFFC12345)
                .u32(0x80000000)
                .u32(0x7F800000)
                .u32(0xFF800000)
                .toArray()));
  }

  private void layer(String name, String recipe, int dtype, int rows, int cols, int basis) {
    Rng rng = rng(name);
    Rec.Seed seed = Poincare.seed(basis, rows, cols, 12, rng);
    byte[] body = Rec.view(rows, cols, false).u32(0).u32(0).toArray();
    add(name + ".rec", recipe, Rec.of(Rec.POINCARE, dtype, shape(rows, cols), seed, body));
  }

  private void tiled(
      String name, String recipe, boolean transposed, int rows, int cols, int[] tile, int basis) {
    Rng rng = rng(name);
    Rec.Seed layer = basis < 0 ? Rec.Seed.NONE : Poincare.seed(basis, rows, cols, 10, rng);
    Bytes view = Rec.view(rows, cols, transposed);
    byte[] body = Poincare.tiles(view, rows, cols, tile[0], tile[1], rng).toArray();
    long[] shape = transposed ? shape(cols, rows) : shape(rows, cols);
    add(name + ".rec", recipe, Rec.of(Rec.POINCARE, F32, shape, layer, body));
  }

  private void poincare() {
    for (int basis = 0; basis < 16; basis++) {
      layer(
          "poincare-basis-" + basis,
          "layer seed of basis " + basis + " on 9 x 12, no tiles",
          F32,
          9,
          12,
          basis);
    }
    for (int basis = 4; basis < 8; basis++) {
      layer(
          "poincare-centre-basis-" + basis,
          "Bessel basis " + basis + " on 9 x 7: the middle has rLocal = 0",
          F32,
          9,
          7,
          basis);
    }
    int[][] poles = {{0xFFFFE, 0}, {0x7FFFF, 2}, {0x80000, 2}, {0xB504E, 1}, {0x5A827, 3}};
    for (int[] pole : poles) {
      String name = "poincare-pole-" + Integer.toHexString(pole[0]);
      Rng rng = rng(name);
      Rec.Seed seed = null;
      while (seed == null) {
        long bits = (rng.next() & 0xFFFFFF00000L) | ((long) pole[0] << 44) | (10L << 16);
        seed = Poincare.scaled(bits | (long) pole[1] << 6, 4, 7, 12, 0x1p-12f);
      }
      byte[] body = Rec.view(4, 7, false).u32(0).u32(0).toArray();
      add(
          name + ".rec",
          "1 - c r^2 nearly cancels: r = " + pole[0] + " / 1048575, c = " + (1 << pole[1]),
          Rec.of(Rec.POINCARE, F32, shape(4, 7), seed, body));
    }
    add(
        "poincare-pole.rec",
        "1 - c r^2 = 0: all values are 0",
        Rec.of(
            Rec.POINCARE,
            F32,
            shape(2, 3),
            new Rec.Seed(0xFFFFFL << 44 | 1L << 40, 1f, 64),
            Rec.view(2, 3, false).zeros(8).toArray()));
    layer("poincare-one-row", "1 x 17: y is 0", F32, 1, 17, 1);
    layer("poincare-one-column", "17 x 1: x is 0", F32, 17, 1, 10);
    layer("poincare-one-place", "1 x 1: x and y are 0", F32, 1, 1, 5);
    layer("poincare-f16", "layer seed, decoded to F16", F16, 5, 6, 9);
    layer("poincare-bf16", "layer seed, decoded to BF16", BF16, 5, 6, 11);
    layer("poincare-f64", "layer seed, decoded to F64", F64, 5, 6, 8);
    for (int order = 0; order < 8; order++) {
      for (int basis = 0; basis < 2; basis++) {
        String name = "poincare-derivative-" + basis + "-" + order / 2 + "-" + order % 2;
        Rng rng = rng(name);
        Rec.Seed seed = null;
        while (seed == null) {
          long bits = rng.next() & ~(15L << 16 | 7L << 13);
          bits |= (long) (basis + 2 * (order / 4)) << 16 | (long) order << 13;
          seed = Poincare.scaled(bits, 4, 6, 12, 0x1p-12f);
        }
        byte[] body = Rec.view(4, 6, false).u32(0).u32(0).toArray();
        add(
            name + ".rec",
            "basis "
                + (basis + 2 * (order / 4))
                + " with dTheta = "
                + order / 2
                + " and dR = "
                + order % 2,
            Rec.of(Rec.POINCARE, F32, shape(4, 6), seed, body));
      }
    }
    for (int rot = 0; rot < 16; rot++) {
      String name = "poincare-rotation-" + rot;
      Rng rng = rng(name);
      Rec.Seed seed = null;
      while (seed == null) {
        long bits =
            (rng.next() & ~((15L << 16) | (15L << 9) | (7L << 6)))
                | (10L << 16)
                | ((long) rot << 9);
        seed = Poincare.scaled(bits | (long) (rot & 7) << 6, 3, 5, 12, -0x1p-12f);
      }
      byte[] body = Rec.view(3, 5, false).u32(0).u32(0).toArray();
      add(
          name + ".rec",
          "rotation code "
              + rot
              + " and curvature field "
              + (rot & 7)
              + "; the amplitude is negative",
          Rec.of(Rec.POINCARE, F32, shape(3, 5), seed, body));
    }
    tiled("poincare-tiles", "tiles of 4 x 4 that fit 8 x 12", false, 8, 12, new int[] {4, 4}, -1);
    tiled(
        "poincare-tiles-ragged",
        "tiles of 4 x 5 on 10 x 13: smaller ones at both edges",
        false,
        10,
        13,
        new int[] {4, 5},
        -1);
    tiled(
        "poincare-tiles-one", "one tile, as large as the view", false, 5, 7, new int[] {5, 7}, -1);
    tiled("poincare-tiles-1x1", "tiles of 1 x 1 on 3 x 4", false, 3, 4, new int[] {1, 1}, -1);
    tiled("poincare-layer-tiles", "layer seed + tiles", false, 10, 13, new int[] {4, 5}, 3);
    tiled(
        "poincare-transposed",
        "view 6 x 9 of a tensor of shape 9 x 6, layer seed + tiles",
        true,
        6,
        9,
        new int[] {4, 4},
        2);
    tiled("poincare-row-tiles", "1 x 20 in tiles of 1 x 6", false, 1, 20, new int[] {1, 6}, -1);
  }

  private void trellis(String name, String recipe, Trellis trellis) {
    add(name + ".rec", recipe, trellis.record(F32, rng(name)));
  }

  private void trellisRates() {
    for (int bits : new int[] {8, 12, 16, 20}) {
      for (int k = 0; k <= 8; k++) {
        trellis(
            "trellis-l" + bits + "-k" + k,
            "L = " + bits + ", rate " + k + ", 5 x 27, one scale, random streams",
            new Trellis(5, 27).bits(bits).rate(k));
      }
    }
    for (int bits : new int[] {9, 10, 11, 13, 14, 15, 17, 18, 19}) {
      trellis(
          "trellis-l" + bits,
          "L = " + bits + ", rate 3, 3 x 43",
          new Trellis(3, 43).bits(bits).rate(3));
    }
    for (int kappa : new int[] {1, 64, 128, 200, 240, 255}) {
      trellis(
          "trellis-disk-" + kappa,
          "law 1 with kappa " + kappa + ", L = 12, rate 4",
          new Trellis(4, 32).bits(12).law(1, kappa).rate(4));
    }
    trellis(
        "trellis-disk-l20",
        "law 1 with kappa 255 and L = 20, rate 8",
        new Trellis(4, 40).bits(20).law(1, 255).rate(8));
    trellis(
        "trellis-all-states",
        "L = 8 at rate 8: 16 x 64 random states, nearly every one of the 256",
        new Trellis(16, 64).bits(8).rate(8));
  }

  private void trellisShapes() {
    trellis("trellis-one-row", "1 x 77", new Trellis(1, 77).rate(3));
    trellis("trellis-one-column", "77 x 1: a segment has one weight", new Trellis(77, 1).rate(3));
    trellis("trellis-one", "1 x 1 at rate 1", new Trellis(1, 1).rate(1));
    trellis(
        "trellis-transposed",
        "view 7 x 10 of a tensor of shape 10 x 7",
        new Trellis(7, 10).transposed().kinds(1, 1));
    Rng rng = rng("trellis-rank4");
    add(
        "trellis-rank4.rec",
        "shape 4 x 3 x 2 x 5 seen as 4 x 30",
        new Trellis(4, 30).record(F32, shape(4, 3, 2, 5), Rec.Seed.NONE, rng));
    rng = rng("trellis-scalar");
    add(
        "trellis-scalar.rec",
        "rank 0 seen as 1 x 1",
        new Trellis(1, 1).rate(8).record(F32, shape(), Rec.Seed.NONE, rng));
    for (int log2 = 0; log2 <= 7; log2++) {
      trellis(
          "trellis-col-block-" + (1 << log2),
          "Hadamard block of " + (1 << log2) + " on the columns of 2 x 384",
          new Trellis(2, 384).bits(12).blocks(0, log2));
      trellis(
          "trellis-row-block-" + (1 << log2),
          "Hadamard block of " + (1 << log2) + " on the rows of 128 x 3",
          new Trellis(128, 3).bits(12).blocks(log2, 0));
    }
    trellis(
        "trellis-blocks-both",
        "Hadamard blocks of 8 on the rows and 16 on the columns of 24 x 48",
        new Trellis(24, 48).blocks(3, 4));
    trellis(
        "trellis-blocks-largest",
        "Hadamard blocks of 128 x 128: the largest sums",
        new Trellis(128, 128).bits(16).blocks(7, 7).rate(1));
    trellis(
        "trellis-blocks-smaller",
        "blocks of 2 x 4 where larger ones would divide 8 x 32",
        new Trellis(8, 32).blocks(1, 2));
    trellis(
        "trellis-odd",
        "rows and columns that no power of two divides: 27 x 35",
        new Trellis(27, 35).kinds(1, 3));
    trellis(
        "trellis-transposed-blocks",
        "transposed view with blocks on both axes and row panels, permuted",
        new Trellis(16, 24)
            .transposed()
            .blocks(2, 3)
            .kinds(3, 2)
            .rowPanels(new int[] {5, 11}, 4, 1)
            .permuted(rng("trellis-transposed-blocks-p")));
  }

  private void trellisScales() {
    for (int row = 0; row <= 4; row++) {
      for (int col = 0; col <= 4; col++) {
        trellis(
            "trellis-scales-" + row + col,
            "row scale kind "
                + row
                + " and column scale kind "
                + col
                + " on 11 x 13: signs, zeros, subnormal values, padding",
            new Trellis(11, 13).kinds(row, col));
      }
    }
    trellis(
        "trellis-scales-no-padding",
        "kinds 2 and 4 on 8 x 32, where no padding and no unused sign bit is needed",
        new Trellis(8, 32).kinds(2, 4));
    trellis(
        "trellis-scales-exponents",
        "e = -100 for the rows, and scales near the largest, 2^48, for the columns",
        new Trellis(9, 10).kinds(3, 2).exponents(-100, 31));
    trellis(
        "trellis-scales-subnormal",
        "products below 2^-126: subnormal results, rounded, not flushed to zero",
        new Trellis(9, 40).kinds(4, 3).exponents(-100, -48));
    trellis(
        "trellis-scales-large",
        "scales near the largest, 2^48, on both sides: products up to 2^124",
        new Trellis(9, 40).kinds(4, 4).exponents(47, 47));
    trellis(
        "trellis-scales-half-rounded",
        "the order of the two products matters: full mantissas in both scales",
        new Trellis(12, 33).kinds(1, 1).blocks(2, 0));
  }

  private void trellisPanels() {
    trellis(
        "trellis-column-panels",
        "columns in panels of 3, 10, 1, 6 at rates 4, 0, 8, 1",
        new Trellis(6, 20).columnPanels(new int[] {3, 10, 1, 6}, 4, 0, 8, 1));
    trellis(
        "trellis-row-panels",
        "rows in panels of 1, 4, 2 at rates 5, 0, 3",
        new Trellis(7, 21).rowPanels(new int[] {1, 4, 2}, 5, 0, 3));
    trellis(
        "trellis-column-panels-permuted",
        "columns in panels of 3, 5 at rates 6, 2, permuted; kinds 1 and 3",
        new Trellis(6, 8)
            .columnPanels(new int[] {3, 5}, 6, 2)
            .kinds(1, 3)
            .permuted(rng("column-permutation")));
    trellis(
        "trellis-row-panels-permuted",
        "rows in panels of 3, 5 at rates 6, 2, permuted; kinds 3 and 1",
        new Trellis(8, 6)
            .rowPanels(new int[] {3, 5}, 6, 2)
            .kinds(3, 1)
            .permuted(rng("row-permutation")));
    trellis(
        "trellis-panels-in-blocks",
        "a panel ends inside a Hadamard block of columns: blocks ignore panels",
        new Trellis(4, 16).columnPanels(new int[] {3, 13}, 5, 1).blocks(1, 4));
    trellis(
        "trellis-row-panels-in-blocks",
        "a panel ends inside a Hadamard block of rows, and the rows are permuted",
        new Trellis(16, 5)
            .rowPanels(new int[] {7, 9}, 5, 1)
            .blocks(3, 0)
            .permuted(rng("row-block-permutation")));
    int[] ones = new int[12];
    java.util.Arrays.fill(ones, 1);
    trellis(
        "trellis-panels-of-one",
        "a panel for every column",
        new Trellis(3, 12).columnPanels(ones, 0, 1, 2, 3, 4, 5, 6, 7, 8, 2, 2, 1));
    trellis(
        "trellis-panels-all-zero",
        "rate 0 everywhere: no payload, and the scales give zeros with signs",
        new Trellis(3, 12).rate(0).kinds(4, 4));
  }

  private void trellisOutputs() {
    int[] types = {F32, F16, BF16, F64};
    String[] names = {"f32", "f16", "bf16", "f64"};
    for (int i = 0; i < types.length; i++) {
      String name = "trellis-" + names[i];
      add(
          name + ".rec",
          "decoded to " + names[i] + ", with scales from 2^-26 on: F16 gets subnormal numbers",
          new Trellis(8, 21).kinds(1, 3).exponents(-26, -4).record(types[i], rng(name)));
      name = "trellis-layer-" + names[i];
      Rng rng = rng(name);
      Rec.Seed layer = Poincare.seed(i, 8, 21, 12, rng);
      add(
          name + ".rec",
          "layer seed + trellis, decoded to " + names[i],
          new Trellis(8, 21).blocks(3, 0).record(types[i], shape(8, 21), layer, rng));
    }
    add(
        "trellis-f16-overflow.rec",
        "values beyond 65520: infinities in F16",
        new Trellis(8, 21).exponents(2, 3).record(F16, rng("trellis-f16-overflow")));
    add(
        "trellis-bf16-large.rec",
        "values up to 2^120 in BF16",
        new Trellis(8, 40).exponents(47, 47).record(BF16, rng("trellis-bf16-large")));
    Rng rng = rng("trellis-layer-permuted");
    Trellis trellis = new Trellis(9, 14).rowPanels(new int[] {4, 5}, 2, 3).permuted(rng);
    add(
        "trellis-layer-permuted.rec",
        "layer seed + permuted trellis: the layer seed's matrix is the view, not the coded rows",
        trellis.record(F32, shape(9, 14), Poincare.seed(10, 9, 14, 12, rng), rng));
    rng = rng("trellis-layer-transposed");
    trellis = new Trellis(9, 14).transposed().columnPanels(new int[] {4, 10}, 2, 3).permuted(rng);
    add(
        "trellis-layer-transposed.rec",
        "layer seed + permuted columns in a transposed view",
        trellis.record(F32, shape(14, 9), Poincare.seed(6, 9, 14, 12, rng), rng));
  }

  /** The text of the dynamic block of {@code sections-deflate.pseed}. */
  private static byte[] sectionLines() {
    StringBuilder text = new StringBuilder();
    for (int i = 0; i < 40; i++) {
      text.append("section ").append(i * i % 97).append(" of the graph\n");
    }
    return text.toString().getBytes(StandardCharsets.UTF_8);
  }

  // Section 2.3.

  private void deflatedSections() {
    byte[] content = "a section\n".getBytes(StandardCharsets.UTF_8);
    byte[] noise = rng("deflated sections").bytes(100);
    byte[] dynamic =
        HexFormat.of()
            .parseHex(
                "7592bb0d80300c057ba6c808e4ef8c835020340441f6170d15f2b54fd6f9f4ec"
                    + "a7aee3e8a7994ddfcc68d5ecf772b5e9f962abc7418f0b40929ebba8e71ee603"
                    + "f013e808d87bd0014cc87a9e1d70602bd824982fd40ee8673a21f023700ab54f"
                    + "47a71f213e7022f80bd406f538b8960027828e83da849e909e0d3c2dcc0bd49f"
                    + "7ef90b");
    Box box = new Box();
    box.deflated("empty", new Deflated().fixed(true).symbol(256).toArray(), 0);
    box.deflated(
        "stored-blocks",
        new Deflated()
            .stored(content, false)
            .stored(new byte[0], false)
            .stored(noise, true)
            .toArray(),
        110);
    // A match of 258 at distance 1, one of 258 at distance 4 that overlaps itself, one of 3 at 2.
    byte[] fixed =
        new Deflated()
            .fixed(false)
            .literals(content)
            .longest(0, 1)
            .literals(noise)
            .symbol(256)
            .fixed(true)
            .longest(3, 2)
            .symbol(257)
            .distance(1)
            .symbol(256)
            .toArray();
    box.deflated("fixed-codes", fixed, 10 + 258 + 100 + 2 * 258 + 3);
    box.section("stored", content, "");
    box.section("nothing", new byte[0], "");
    box.deflated("dynamic-codes", dynamic, sectionLines().length);
    byte[] distant =
        new Deflated()
            .fixed(false)
            .literals(noise)
            .longest(0, 127)
            .symbol(256)
            .fixed(true)
            .symbol(285)
            .distance(29)
            .bits(32768 - 24577, 13)
            .symbol(256)
            .toArray();
    box.deflated("most-distant", distant, 100 + 128 * 258);
    byte[] ones = new Deflated().fixed(true).literals(content).symbol(256).bits(63, 6).toArray();
    box.deflated("unused-bits", ones, 10);
    add(
        "sections-deflate.pseed",
        "compressed sections: no bytes, stored blocks, fixed and dynamic codes, a match over 32768 bytes, unused bits set;"
            + " two sections stored as they are among them",
        box.build());
    add(
        "section-deflate-larger.pseed",
        "a compressed section that is larger than what it gives, with a mediaType, beside a tensor",
        new Box()
            .tensor("w", "F32", shape(3, 4), Rec.raw(F32, 32, shape(3, 4), rng("deflated")))
            .section(
                "s",
                new Deflated().stored(content, true).toArray(),
                ",\"decodedLength\":10,\"encoding\":\"deflate\",\"mediaType\":\"text/plain\"")
            .build());
  }

  private void containers() {
    byte[] content = "a section\n".getBytes(StandardCharsets.UTF_8);
    add("empty.pseed", "no tensors and no sections", new Box().build());
    Rng rng = rng("containers");
    long[] shape = shape(3, 4);
    byte[] raw = Rec.raw(F32, 32, shape, rng);
    add("one.pseed", "one raw tensor", new Box().tensor("w", "F32", shape, raw).build());
    Box many = new Box();
    for (DType type : DType.values()) {
      many.tensor(
          "raw." + type.name(),
          type.name(),
          shape(2, 5),
          Rec.raw(type.id(), type.bits(), shape(2, 5), rng));
    }
    add("types.pseed", "a raw tensor of every element type", many.build());
    Box mixed = new Box();
    for (int i = 0; i < 12; i++) {
      Trellis trellis = new Trellis(4 + i, 16).bits(8 + i).rate(i % 9).blocks(0, i % 5).kinds(1, 2);
      mixed.tensor("layer." + i, "BF16", trellis.shape(), trellis.record(BF16, rng));
    }
    Rec.Seed layer = Poincare.seed(3, 6, 5, 12, rng);
    byte[] body = Poincare.tiles(Rec.view(6, 5, false), 6, 5, 4, 4, rng).toArray();
    mixed.tensor("p", "F16", shape(6, 5), Rec.of(Rec.POINCARE, F16, shape(6, 5), layer, body));
    mixed.tensor("scalar", "F32", shape(), Rec.raw(F32, 32, shape(), rng));
    mixed.tensor("nothing", "I64", shape(0), Rec.raw(11, 64, shape(0), rng));
    mixed.section("notes", content, ",\"mediaType\":\"text/plain\"");
    mixed.section("empty", new byte[0], "");
    mixed.section("after", rng.bytes(100), "");
    add("mixed.pseed", "trellis, poincare and raw tensors, three sections", mixed.build());
    add(
        "sections-only.pseed",
        "sections and no tensors; the first has exactly 64 bytes, so nothing is padded",
        new Box().section("a", rng.bytes(64), "").section("b", content, "").build());
    add(
        "metadata.pseed",
        "metadata, source, plan and stats, with text beyond ASCII and the plane 16",
        new Box()
            .tensor("größe/\uD83C\uDF31", "F32", shape, raw, ",\"stats\":{\"snr\":21.5}")
            .members(
                ",\"metadata\":{\"a\":\"1\",\"\":\"empty name\",\"ü\":\"\uDBFF\uDFFD\"},"
                    + "\"source\":{\"file\":\"x.onnx\"},\"plan\":{\"k\":[1,2,3]}")
            .build());
    add(
        "unknown-members.pseed",
        "members that this version does not know, in every object",
        new Box()
            .tensor("w", "F32", shape, raw, ",\"later\":[null,true,{\"a\":-1.5e-7}]")
            .section("s", content, ",\"later\":false")
            .members(",\"later\":{\"x\":[[],{}]},\"other\":1e400")
            .build());
    add(
        "minor-version.pseed",
        "minor version 513: accepted",
        new Box().tensor("w", "F32", shape, raw).minor(513).build());
    add(
        "whitespace.pseed",
        "blanks, tabs and line ends between the tokens, and after the last",
        new Box()
            .tensor("w", "F32", shape, raw)
            .edit(json -> " \r\n" + json.replace(",", " ,\n\t").replace(":", " : ") + "\n\n ")
            .build());
    add(
        "escapes.pseed",
        "escapes in strings: the tensor is named w, a line end and a surrogate pair",
        new Box()
            .tensor("w", "F32", shape, raw)
            .replace("\"name\":\"w\"", "\"n\\u0061me\":\"\\u0077\\n\\/\\ud83c\\udf31\"")
            .build());
    add(
        "member-order.pseed",
        "tensors and their members in another order than usual",
        new Box()
            .build(
                "{\"sections\":[],\"tensors\":[],\"metadata\":{},\"producer\":\"\"}"
                    .getBytes(StandardCharsets.UTF_8)));
    add(
        "depth-64.pseed",
        "JSON nested 64 deep, the most",
        new Box().members(",\"deep\":" + "[".repeat(63) + "]".repeat(63)).build());
    add(
        "long-number.pseed",
        "an integer of 40 digits in an unknown member, the longest",
        new Box().members(",\"n\":" + "7".repeat(40)).build());
  }
}
