package io.pseed.vectors;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.function.UnaryOperator;

/**
 * The files of {@code testdata/invalid}: each has one defect, and all sums are right but for the
 * one that is the defect.
 */
final class InvalidVectors {
  private static final String CORRUPT = "corrupt";
  private static final String UNKNOWN = "unknown-codec";
  private static final String OVER = "over-limit";

  private static final long[] SHAPE = {3, 4};

  private final List<Vector> vectors = new ArrayList<>();

  /** A raw record of 3 x 4 F32. */
  private final byte[] raw = Rec.raw(1, 32, SHAPE, Rng.of("invalid raw"));

  static List<Vector> all() {
    InvalidVectors all = new InvalidVectors();
    all.fixedPart();
    all.views();
    all.poincare();
    all.trellisFields();
    all.trellisScales();
    all.trellisPayload();
    all.bombs();
    all.prefix();
    all.jsonText();
    all.jsonMembers();
    all.extents();
    all.deflatedSections();
    return all.vectors;
  }

  private void add(String file, String error, String recipe, byte[] bytes) {
    vectors.add(new Vector("invalid/" + file, bytes, recipe, error, false));
  }

  private void addSmall(String file, String recipe, byte[] bytes) {
    vectors.add(new Vector("invalid/" + file, bytes, recipe, OVER, true));
  }

  private void record(String file, String recipe, byte[] bytes) {
    add("record-" + file + ".rec", CORRUPT, recipe, bytes);
  }

  // Section 3.

  private void fixedPart() {
    record("empty", "no bytes", new byte[0]);
    record("short", "43 bytes", Rec.fixLength(new byte[43]));
    record("magic", "magic PSR2", Rec.with(raw, 3, '2'));
    record("length-more", "length is one more than the bytes", Rec.with(raw, 8, raw.length + 1));
    record("length-less", "length is one less than the bytes", Rec.with(raw, 8, raw.length - 1));
    record("length-huge", "length 2^63 + the bytes", Rec.with(raw, 15, 0x80));
    record("truncated", "the last byte is missing", Arrays.copyOf(raw, raw.length - 1));
    record("truncated-half", "the second half is missing", Arrays.copyOf(raw, raw.length / 2));
    record("trailing", "a byte after the end", Arrays.copyOf(raw, raw.length + 1));
    record(
        "crc",
        "recordCrc is wrong in one bit",
        Bytes.patch(raw, raw.length - 1, raw[raw.length - 1] ^ 1));
    for (int codec : new int[] {0, 4, 255}) {
      add("record-codec-" + codec + ".rec", UNKNOWN, "codec " + codec, Rec.with(raw, 4, codec));
    }
    for (int dtype : new int[] {0, 26, 255}) {
      record("dtype-" + dtype, "dtype " + dtype, Rec.with(raw, 5, dtype));
    }
    record("rank-9", "rank 9, with room for the dimensions", rank9());
    record("rank-255", "rank 255", Rec.with(raw, 6, 255));
    record(
        "rank-no-room",
        "rank 8 where the record has bytes for 7 dimensions",
        Rec.shorten(Rec.undecoded(Rec.RAW, 6, new long[8], Rec.Seed.NONE, new byte[0]), 8));
    record("flags", "flags 1", Rec.with(raw, 7, 1));
    record("flags-high", "flags 128", Rec.with(raw, 7, 0x80));
    record("amplitude-alone", "layerAmplitude 1 without a seed", Rec.with(raw, 26, 0x80, 0x3F));
    record("amplitude-minus-zero", "layerAmplitude -0 without a seed", Rec.with(raw, 27, 0x80));
    record("shift-alone", "layerShift 1 without a seed", Rec.with(raw, 28, 1));
    byte[] layer = layer();
    record("amplitude-beyond-2-64", "layerAmplitude is 2^65", Rec.with(layer, 24, 0, 0, 0, 0x60));
    record("amplitude-nan", "layerAmplitude is a NaN", Rec.with(layer, 24, 0, 0, 0xC0, 0x7F));
    record("amplitude-infinite", "layerAmplitude -inf", Rec.with(layer, 24, 0, 0, 0x80, 0xFF));
    record("shift-65", "layerShift 65", Rec.with(layer, 28, 65));
    record("shift-minus-65", "layerShift -65", Rec.with(layer, 28, -65));
    record("shift-minus-128", "layerShift -128", Rec.with(layer, 28, -128));
    record("reserved-29", "reserved byte 29 is 1", Rec.with(raw, 29, 1));
    record("reserved-31", "reserved byte 31 is 128", Rec.with(raw, 31, 0x80));
    record("reserved-36", "reserved byte 36 is 1", Rec.with(raw, 36, 1));
    record("reserved-39", "reserved byte 39 is 1", Rec.with(raw, 39, 1));
    record("decoded-crc-raw", "decodedCrc is wrong, codec raw", Rec.with(raw, 32, raw[32] ^ 1));
    record(
        "decoded-crc-poincare",
        "decodedCrc is wrong, codec poincare",
        Rec.with(layer, 35, layer[35] ^ 0x80));
    byte[] trellis = trellis();
    record(
        "decoded-crc-trellis",
        "decodedCrc is wrong, codec trellis",
        Rec.with(trellis, 33, trellis[33] ^ 4));
    record(
        "dims-overflow",
        "shape 2^32 x 2^32: the product is 0 modulo 2^64",
        undecodedRaw(6, 1L << 32, 1L << 32));
    record("dims-2-60", "shape 2^60: one element too many", undecodedRaw(6, 1L << 60));
    record("dims-negative", "a dimension of 2^63", undecodedRaw(6, 1L << 63));
    record("dims-negative-zero", "shape 2^63 x 0", undecodedRaw(6, 1L << 63, 0));
    record(
        "raw-layer-seed",
        "a layer seed in a raw record",
        Rec.fix(Bytes.patch(Bytes.patch(raw, 16, 1), 24, 0, 0, 0x80, 0x3F)));
    record("raw-short", "the body is one byte short", Rec.shorten(raw, 1));
    record("raw-long", "the body is one byte long", Rec.extend(raw, 0));
    record(
        "raw-sub-byte-short",
        "5 elements of 4 bits in 2 bytes",
        Rec.undecoded(Rec.RAW, 21, new long[] {5}, Rec.Seed.NONE, new byte[2]));
    record(
        "raw-sub-byte-long",
        "5 elements of 6 bits in 5 bytes",
        Rec.undecoded(Rec.RAW, 19, new long[] {5}, Rec.Seed.NONE, new byte[5]));
    for (int dtype : new int[] {5, 13, 14, 24}) {
      record(
          "trellis-dtype-" + dtype,
          "codec trellis with element type " + dtype + ", which is no coded type",
          Rec.with(trellis, 5, dtype));
    }
    record("poincare-dtype", "codec poincare with element type U8", Rec.with(layer, 5, 6));
    record(
        "trellis-no-elements",
        "codec trellis with shape 0 x 10",
        Rec.fix(Bytes.patch64(trellis, 40, 0)));
    record(
        "poincare-no-elements",
        "codec poincare with shape 0 and a view of 0 x 0",
        Rec.undecoded(
            Rec.POINCARE,
            1,
            new long[] {0},
            new Rec.Seed(1L << 44, 1f, 0),
            Rec.view(0, 0, false).zeros(8).toArray()));
  }

  private static byte[] undecodedRaw(int dtype, long... shape) {
    return Rec.undecoded(Rec.RAW, dtype, shape, Rec.Seed.NONE, new byte[16]);
  }

  private static byte[] rank9() {
    long[] shape = new long[9];
    Arrays.fill(shape, 1);
    return Rec.undecoded(Rec.RAW, 6, shape, Rec.Seed.NONE, new byte[1]);
  }

  /** A poincare record of 5 x 6 with a layer seed and no tiles. */
  private static byte[] layer() {
    Rng rng = Rng.of("invalid layer");
    Rec.Seed seed = Poincare.seed(1, 5, 6, 12, rng);
    byte[] body = Rec.view(5, 6, false).u32(0).u32(0).toArray();
    return Rec.of(Rec.POINCARE, 1, new long[] {5, 6}, seed, body);
  }

  /**
   * A trellis record of 6 x 10 with panels of 6 and 4 columns, scales of kinds 1 and 3, permuted.
   */
  private static byte[] trellis() {
    Rng rng = Rng.of("invalid trellis");
    return new Trellis(6, 10)
        .bits(12)
        .columnPanels(new int[] {6, 4}, 3, 1)
        .kinds(1, 3)
        .permuted(rng)
        .record(1, rng);
  }

  // Section 4.

  private void views() {
    byte[] t = trellis();
    view("rows-0", "0 rows", Rec.withBody(t, 0, 0));
    view("cols-0", "0 columns", Rec.withBody(t, 4, 0));
    view("rows-2-31", "2^31 + 6 rows", Rec.withBody(t, 3, 0x80));
    view("cols-2-31", "2^31 + 10 columns", Rec.withBody(t, 7, 0x80));
    view("product", "6 x 11 for 60 elements", Rec.withBody(t, 4, 11));
    view("transposed-2", "transposed is 2", Rec.withBody(t, 8, 2));
    view("transposed-255", "transposed is 255", Rec.withBody(t, 8, 255));
    view("reserved-9", "reserved byte 9 is 1", Rec.withBody(t, 9, 1));
    view("reserved-15", "reserved byte 15 is 1", Rec.withBody(t, 15, 1));
    view("none", "the body is empty", cut(t, 0));
    view("short", "the body has 15 bytes", cut(t, 15));
    byte[] wrapped =
        Rec.undecoded(
            Rec.POINCARE,
            1,
            new long[] {4},
            new Rec.Seed(1L << 44, 1f, 0),
            Rec.view(1 << 30, 4, false).zeros(8).toArray());
    view("wraps", "2^30 x 4 for 4 elements: 4 modulo 2^32 would be 0", wrapped);
    view("poincare", "2 x 16 for 30 elements, codec poincare", Rec.withBody(layer(), 0, 2));
  }

  private void view(String file, String recipe, byte[] bytes) {
    add("view-" + file + ".rec", CORRUPT, recipe, bytes);
  }

  /** The record with a body of so many bytes. */
  private static byte[] cut(byte[] record, int body) {
    return Rec.shorten(record, record.length - 4 - Rec.body(record) - body);
  }

  // Sections 6 and 7.

  private void poincare() {
    byte[] layer = layer();
    Rng rng = Rng.of("invalid tiles");
    byte[] body = Poincare.tiles(Rec.view(5, 6, false), 5, 6, 3, 4, rng).toArray();
    // The first tile is no zero tile, so that its fields matter.
    Bytes first = Poincare.tile(new Bytes(), Poincare.seed(2, 3, 4, 10, rng));
    System.arraycopy(first.toArray(), 0, body, 24, 16);
    byte[] tiles = Rec.of(Rec.POINCARE, 1, new long[] {5, 6}, Rec.Seed.NONE, body);
    tiles(
        "nothing",
        "neither a layer seed nor tiles",
        Rec.undecoded(
            Rec.POINCARE,
            1,
            new long[] {5, 6},
            Rec.Seed.NONE,
            Rec.view(5, 6, false).zeros(8).toArray()));
    tiles("no-sizes", "the body ends after the view", cut(layer, 16));
    tiles("half-sizes", "the body ends after tileRows", cut(layer, 20));
    tiles("rows-above", "tileRows 6 for 5 rows", Rec.withBody(tiles, 16, 6));
    tiles("cols-above", "tileCols 7 for 6 columns", Rec.withBody(tiles, 20, 7));
    tiles("rows-huge", "tileRows 2^31 + 3", Rec.withBody(tiles, 19, 0x80));
    tiles("rows-0", "tileRows 0, tileCols 4", Rec.withBody(tiles, 16, 0));
    tiles("cols-0", "tileRows 3, tileCols 0", Rec.withBody(tiles, 20, 0));
    tiles("few", "a tile is missing", Rec.shorten(tiles, 16));
    tiles("many", "a tile too many", Rec.extend(tiles, new int[16]));
    tiles("trailing", "8 bytes after the last tile", Rec.extend(tiles, new int[8]));
    tiles("layer-trailing", "a tile after sizes of 0", Rec.extend(layer, new int[16]));
    tiles("nan", "amplitude of a tile is a NaN", Rec.withBody(tiles, 32, 1, 0, 0x80, 0x7F));
    tiles("infinite", "amplitude of a tile is inf", Rec.withBody(tiles, 32, 0, 0, 0x80, 0x7F));
    tiles("shift-65", "shift of a tile is 65", Rec.withBody(tiles, 36, 65));
    tiles("shift-minus-65", "shift of a tile is -65", Rec.withBody(tiles, 36, -65));
    tiles("reserved", "a reserved byte of a tile is 1", Rec.withBody(tiles, 37, 1));
    tiles("reserved-last", "the last reserved byte of a tile is 128", Rec.withBody(tiles, 39, 128));
    byte[] zero = Rec.withBody(tiles, 24, new int[16]);
    tiles("zero-amplitude", "seed 0 with amplitude 1", Rec.withBody(zero, 34, 0x80, 0x3F));
    tiles("zero-minus-zero", "seed 0 with amplitude -0", Rec.withBody(zero, 35, 0x80));
    tiles("zero-shift", "seed 0 with shift 1", Rec.withBody(zero, 36, 1));
    tiles(
        "code-above",
        "the codes of a tile are 2^20 times larger: above 32767",
        Rec.withBody(tiles, 36, tiles[Rec.body(tiles) + 36] + 20));
    tiles(
        "layer-code-above",
        "the codes of the layer seed are 2^20 times larger: above 32767",
        Rec.with(layer, 28, layer[28] + 20));
    tiles(
        "code-above-2-57",
        "found by fuzzing: a code of 58 bits, whose last digits JDKs and decoders print differently",
        codeOf58Bits());
  }

  /** Five tiles of 2 x 4, the last with seed 0x7366666F2065ABB7 and shift 46. */
  private static byte[] codeOf58Bits() {
    Bytes body = Rec.view(10, 4, false).u32(2).u32(4);
    for (int tile = 0; tile < 4; tile++) {
      Poincare.tile(body, Rec.Seed.NONE);
    }
    Poincare.tile(body, new Rec.Seed(0x7366666F2065ABB7L, 1f, 46));
    long[] shape = {10, 4};
    return Rec.undecoded(Rec.POINCARE, 1, shape, Rec.Seed.NONE, body.toArray());
  }

  private void tiles(String file, String recipe, byte[] bytes) {
    add("poincare-" + file + ".rec", CORRUPT, recipe, bytes);
  }

  // Section 8.

  private void trellis(String file, String recipe, byte[] bytes) {
    add("trellis-" + file + ".rec", CORRUPT, recipe, bytes);
  }

  private void trellisFields() {
    byte[] t = trellis();
    trellis("no-fields", "the body ends after the view", cut(t, 16));
    trellis("short-fields", "the body has 31 bytes", cut(t, 31));
    trellis("l-7", "L = 7", Rec.withBody(t, 16, 7));
    trellis("l-21", "L = 21", Rec.withBody(t, 16, 21));
    trellis("l-0", "L = 0", Rec.withBody(t, 16, 0));
    trellis("l-255", "L = 255", Rec.withBody(t, 16, 255));
    add("trellis-law-2.rec", UNKNOWN, "law 2", Rec.withBody(t, 17, 2));
    add("trellis-law-255.rec", UNKNOWN, "law 255", Rec.withBody(t, 17, 255));
    trellis("kappa-law-0", "law 0 with kappa 1", Rec.withBody(t, 18, 1));
    trellis("kappa-law-1", "law 1 with kappa 0", Rec.withBody(t, 17, 1));
    trellis("row-block-8", "rowBlockLog2 8", Rec.withBody(t, 19, 8));
    trellis("row-block-divides", "row blocks of 4 for 6 rows", Rec.withBody(t, 19, 2));
    trellis("row-block-255", "rowBlockLog2 255", Rec.withBody(t, 19, 255));
    trellis("col-block-8", "colBlockLog2 8", Rec.withBody(t, 20, 8));
    trellis("col-block-divides", "column blocks of 4 for 10 columns", Rec.withBody(t, 20, 2));
    trellis("row-kind-5", "rowScaleKind 5", Rec.withBody(t, 21, 5));
    trellis("col-kind-5", "colScaleKind 5", Rec.withBody(t, 22, 5));
    trellis("col-kind-255", "colScaleKind 255", Rec.withBody(t, 22, 255));
    trellis("axis-2", "panelAxis 2", Rec.withBody(t, 23, 2));
    trellis("panels-0", "panelCount 0", Rec.withBody(t, 24, 0));
    trellis("panels-11", "panelCount 11 for 10 columns", Rec.withBody(t, 24, 11));
    trellis("panels-huge", "panelCount 2^32 - 1", Rec.withBody(t, 24, 0xFF, 0xFF, 0xFF, 0xFF));
    trellis("panels-2-29", "panelCount 2^29 + 2: 8 times it is 16", Rec.withBody(t, 27, 0x20));
    trellis("permuted-2", "permuted is 2", Rec.withBody(t, 28, 2));
    trellis("reserved-29", "reserved byte 29 is 1", Rec.withBody(t, 29, 1));
    trellis("reserved-31", "reserved byte 31 is 1", Rec.withBody(t, 31, 1));
    trellis("panel-sum-low", "panels of 5 and 4 for 10 columns", Rec.withBody(t, 32, 5));
    trellis("panel-sum-high", "panels of 6 and 5 for 10 columns", Rec.withBody(t, 40, 5));
    trellis("panel-0", "a panel of 0 columns", Rec.fix(panels(t, 10, 0)));
    trellis(
        "panel-wraps",
        "panels of 2^31 + 6 and 2^31 + 4: 10 modulo 2^32",
        Rec.fix(panels(t, 0x80000006, 0x80000004)));
    trellis("panel-2-31", "panels of 2^31 - 1 and 4", Rec.fix(panels(t, 0x7FFFFFFF, 4)));
    trellis("rate-9", "rate 9", Rec.withBody(t, 36, 9));
    trellis("rate-255", "rate 255", Rec.withBody(t, 44, 255));
    trellis("panel-reserved", "a reserved byte of a panel is 1", Rec.withBody(t, 37, 1));
    trellis("panel-reserved-last", "byte 15 of the panels is 1", Rec.withBody(t, 47, 1));
    int p = 48 + 24 + 16;
    int other = t[Rec.body(t) + p + 4];
    trellis("permutation-twice", "an entry is there twice", Rec.withBody(t, p, other));
    trellis("permutation-10", "an entry is 10 of 0 to 9", Rec.withBody(t, p, 10));
    trellis(
        "permutation-negative", "an entry is 2^32 - 1", Rec.withBody(t, p, 0xFF, 0xFF, 0xFF, 0xFF));
  }

  private static byte[] panels(byte[] record, int first, int second) {
    int at = Rec.body(record) + 32;
    return Bytes.patch32(Bytes.patch32(record, at, first), at + 8, second);
  }

  private void trellisScales() {
    int row = 40;
    trellis("scale-beyond-2-48", "kind 0 is 2^49", Rec.withBody(kinds(0, 0), row, 0, 0, 0, 0x58));
    trellis("scale-nan", "kind 0 is a NaN", Rec.withBody(kinds(0, 0), row, 0, 0, 0xC0, 0x7F));
    trellis("scale-infinite", "kind 0 is inf", Rec.withBody(kinds(0, 0), row, 0, 0, 0x80, 0x7F));
    trellis(
        "scale-col-infinite",
        "kind 0 of the columns is -inf",
        Rec.withBody(kinds(0, 0), row + 4, 0, 0, 0x80, 0xFF));
    trellis(
        "scale-list-nan",
        "the last of kind 1 is a NaN",
        Rec.withBody(kinds(1, 0), row + 16, 1, 0, 0x80, 0xFF));
    trellis("scale-f16-infinite", "kind 2 has inf", Rec.withBody(kinds(2, 0), row + 4, 0, 0x7C));
    trellis("scale-f16-nan", "kind 2 has a NaN", Rec.withBody(kinds(2, 0), row + 6, 1, 0xFC));
    trellis("scale-f16-e-101", "e = 101 in kind 2", Rec.withBody(kinds(2, 0), row, 101));
    trellis("scale-f16-e-minus-101", "e = -101 in kind 2", Rec.withBody(kinds(2, 0), row, -101));
    trellis("scale-f16-reserved", "a byte after e is 1", Rec.withBody(kinds(2, 0), row + 1, 1));
    trellis("scale-f16-padding", "padding of kind 2 is 1", Rec.withBody(kinds(2, 0), row + 15, 1));
    trellis("scale-f8-80", "0x80 in kind 3", Rec.withBody(kinds(3, 0), row + 5, 0x80));
    trellis("scale-f8-e-127", "e = 127 in kind 3", Rec.withBody(kinds(3, 0), row, 127));
    trellis("scale-f8-e-minus-128", "e = -128 in kind 3", Rec.withBody(kinds(3, 0), row, -128));
    trellis("scale-f8-reserved", "a byte after e is 128", Rec.withBody(kinds(3, 0), row + 3, 128));
    trellis("scale-f8-padding", "padding of kind 3 is 1", Rec.withBody(kinds(3, 0), row + 9, 1));
    trellis("scale-signs-nan", "kind 4 is a NaN", Rec.withBody(kinds(4, 0), row, 1, 0, 0x80, 0x7F));
    trellis(
        "scale-signs-unused",
        "an unused sign bit of kind 4 is 1",
        Rec.withBody(kinds(4, 0), row + 4, 0x04));
    trellis("scale-signs-padding", "padding of kind 4 is 1", Rec.withBody(kinds(4, 0), row + 7, 1));
    trellis(
        "scale-col-padding",
        "padding of column scales is 1",
        Rec.withBody(kinds(0, 3), row + 4 + 4 + 6, 1));
    trellis("scales-end", "the body ends among the column scales", cut(kinds(0, 1), row + 4 + 8));
  }

  /** A record of 5 x 6 with one panel of rate 4 and scales of these kinds. */
  private static byte[] kinds(int rowKind, int colKind) {
    Rng rng = Rng.of("invalid kinds " + rowKind + colKind);
    return new Trellis(5, 6).bits(9).rate(4).kinds(rowKind, colKind).record(1, rng);
  }

  private void trellisPayload() {
    byte[] t = trellis();
    trellis("payload-short", "the payload is one byte short", Rec.shorten(t, 1));
    trellis("payload-long", "a byte after the payload", Rec.extend(t, 0));
    trellis("payload-none", "the payload is missing", Rec.shorten(t, 6 * 4));
    int payload = 48 + 24 + 16 + 40;
    int at = Rec.body(t) + payload;
    trellis(
        "unused-first",
        "an unused bit of the first segment is 1 (18 bits in 3 bytes)",
        Rec.with(t, at + 2, t[at + 2] | 1));
    trellis(
        "unused-second",
        "an unused bit of a row's last segment is 1 (4 bits in 1 byte)",
        Rec.with(t, at + 3, t[at + 3] | 8));
    trellis(
        "unused-last", "an unused bit of the last byte is 1", Rec.with(t, at + 23, t[at + 23] | 1));
    byte[] rows =
        new Trellis(4, 5).rowPanels(new int[] {3, 1}, 1, 3).record(1, Rng.of("invalid row panels"));
    int first = Rec.body(rows) + 32 + 16 + 8;
    trellis(
        "unused-row-panel",
        "an unused bit of a middle row is 1, panels by rows",
        Rec.with(rows, first + 1, rows[first + 1] | 4));
    trellis(
        "unused-row-panel-last",
        "an unused bit of the last row is 1, panels by rows",
        Rec.with(rows, first + 4, rows[first + 4] | 1));
  }

  // Section 11.

  private void bombs() {
    Rec.Seed seed = new Rec.Seed(1L << 43, 1f, 0);
    byte[] terabyte =
        Rec.undecoded(
            Rec.POINCARE,
            1,
            new long[] {1 << 19, 1 << 19},
            seed,
            Rec.view(1 << 19, 1 << 19, false).zeros(8).toArray());
    add("bomb-poincare.rec", OVER, "84 bytes that ask for 2^38 F32: 1 TiB", terabyte);
    add(
        "bomb.pseed",
        OVER,
        "a container with one tensor of 1 TiB",
        new Box().tensor("w", "F32", new long[] {1 << 19, 1 << 19}, terabyte).build());
    add(
        "bomb-trellis.rec",
        OVER,
        "trellis of rate 0 that asks for 2^39 F16: 1 TiB",
        Rec.undecoded(
            Rec.TRELLIS, 2, new long[] {1 << 20, 1 << 19}, Rec.Seed.NONE, rateZero(20, 19)));
    add(
        "bomb-raw.rec",
        OVER,
        "raw with 2^60 - 1 elements of 128 bits: more than 2^63 bytes",
        undecodedRaw(25, (1L << 60) - 1));
    add(
        "bomb-raw-container.pseed",
        OVER,
        "a container with a raw tensor of 2^60 - 1 elements of 128 bits",
        new Box()
            .tensor("w", "C128", new long[] {(1L << 60) - 1}, undecodedRaw(25, (1L << 60) - 1))
            .build());
    byte[] above =
        Rec.undecoded(
            Rec.TRELLIS, 2, new long[] {1 << 13, 1 << 13}, Rec.Seed.NONE, rateZero(13, 13));
    addSmall("limit-tensor-small.rec", "128 MiB where level small takes 64 MiB", above);
    addSmall(
        "limit-tensor-small.pseed",
        "a tensor of 128 MiB where level small takes 64 MiB",
        new Box().tensor("w", "F16", new long[] {1 << 13, 1 << 13}, above).build());
    Box sum = new Box();
    for (int i = 0; i < 5; i++) {
      byte[] record =
          Rec.undecoded(
              Rec.TRELLIS, 2, new long[] {1 << 12, 1 << 13}, Rec.Seed.NONE, rateZero(12, 13));
      sum.tensor("w" + i, "F16", new long[] {1 << 12, 1 << 13}, record);
    }
    addSmall(
        "limit-file-small.pseed",
        "5 tensors of 64 MiB where level small takes 256 MiB a file",
        sum.build());
  }

  /** A trellis body of 2^rowLog2 x 2^colLog2 weights without a payload. */
  private static byte[] rateZero(int rowLog2, int colLog2) {
    Bytes out = Rec.view(1 << rowLog2, 1 << colLog2, false);
    out.u8(8).zeros(7).u32(1).zeros(4).u32(1 << colLog2).zeros(4).f32(1f).f32(1f);
    return out.toArray();
  }

  // Section 2.1.

  private Box one() {
    return new Box().tensor("w", "F32", SHAPE, raw);
  }

  private void file(String name, String recipe, byte[] bytes) {
    add(name + ".pseed", CORRUPT, recipe, bytes);
  }

  private void foreign(String name, String recipe, byte[] bytes) {
    add("magic-" + name + ".pseed", "not-pseed", recipe, bytes);
  }

  private void prefix() {
    byte[] f = one().build();
    foreign("empty", "no bytes", new byte[0]);
    foreign("7", "the first 7 bytes", Arrays.copyOf(f, 7));
    foreign("zip", "begins like a ZIP archive", Bytes.patch(f, 0, 'P', 'K', 3, 4));
    foreign("zeros", "128 zeros", new byte[128]);
    foreign("7-bit", "the magic lost its high bit", Bytes.patch(f, 0, 0x09));
    byte[] lf = new byte[f.length - 1];
    System.arraycopy(f, 0, lf, 0, 4);
    System.arraycopy(f, 5, lf, 4, f.length - 5);
    foreign("lf", "a transfer in text mode made LF of CR LF", lf);
    byte[] crlf = new byte[f.length + 1];
    System.arraycopy(f, 0, crlf, 0, 7);
    crlf[7] = '\r';
    System.arraycopy(f, 7, crlf, 8, f.length - 7);
    foreign("crlf", "a transfer in text mode made CR LF of the last LF of the magic", crlf);

    file("prefix-8", "the magic alone", Arrays.copyOf(f, 8));
    file("prefix-127", "the first 127 bytes", Arrays.copyOf(f, 127));
    file("prefix-only", "the first 128 bytes", Arrays.copyOf(f, 128));
    file("truncated-1", "the last byte is missing", Arrays.copyOf(f, f.length - 1));
    file("truncated-half", "the second half is missing", Arrays.copyOf(f, f.length / 2));
    file("trailing", "a byte after the end", Arrays.copyOf(f, f.length + 1));
    file("major-0", "major version 0", prefix(f, 8, 0));
    add("major-2.pseed", "too-new", "major version 2", prefix(f, 8, 2));
    add(
        "major-65535.pseed",
        "too-new",
        "major version 65535, whose prefix has another prefixCrc",
        Bytes.patch(f, 8, 0xFF, 0xFF));
    file("prefix-crc", "prefixCrc is wrong in one bit", Bytes.patch(f, 127, f[127] ^ 0x80));
    file("flags", "flags 1", prefix(f, 12, 1));
    file("flags-high", "flags 2^31", prefix(f, 15, 0x80));
    file("file-length-more", "fileLength is 256 more", prefix(f, 17, f[17] + 1));
    file(
        "file-length-max",
        "fileLength 2^64 - 1",
        prefix(f, 16, 255, 255, 255, 255, 255, 255, 255, 255));
    file("header-offset-odd", "headerOffset is one more", prefix(f, 24, f[24] + 1));
    file("header-offset-64", "headerOffset 64", prefix(f, 24, 64, 0));
    file("header-offset-end", "headerOffset is 2^16 more", prefix(f, 26, 1));
    file("header-offset-negative", "headerOffset is 2^63 more", prefix(f, 31, 0x80));
    file("header-length-0", "headerLength 0", prefix(f, 32, 0));
    file("header-length-less", "headerLength is one less", prefix(f, 32, f[32] - 1));
    file("header-length-more", "headerLength is one more", prefix(f, 32, f[32] + 1));
    file("header-1", "the JSON header is one byte", new Box().build(new byte[] {'7'}));
    file("header-0", "the JSON header has no bytes", new Box().build(new byte[0]));
    add(
        "header-length-over.pseed",
        OVER,
        "headerLength 100 000 001",
        Box.fixPrefix(Bytes.patch32(f, 32, 100_000_001)));
    add(
        "header-length-max.pseed",
        OVER,
        "headerLength 2^32 - 1",
        Box.fixPrefix(Bytes.patch32(f, 32, -1)));
    file("header-crc", "headerCrc is wrong in one bit", prefix(f, 36, f[36] ^ 1));
    file("digest", "the digest is wrong in one bit", prefix(f, 40, f[40] ^ 1));
    file("digest-end", "the digest's last byte is wrong", prefix(f, 71, f[71] ^ 0x80));
    file("reserved-72", "reserved byte 72 is 1", prefix(f, 72, 1));
    file("reserved-123", "reserved byte 123 is 1", prefix(f, 123, 1));
  }

  private static byte[] prefix(byte[] file, int at, int... values) {
    return Box.fixPrefix(Bytes.patch(file, at, values));
  }

  // Section 2.2, as text.

  private void json(String name, String recipe, byte[] json) {
    file("json-" + name, recipe, new Box().build(json));
  }

  private void json(String name, String recipe, String json) {
    json(name, recipe, json.getBytes(StandardCharsets.UTF_8));
  }

  private void members(String name, String recipe, String text) {
    file("json-" + name, recipe, new Box().members(text).build());
  }

  private void jsonText() {
    String empty = "{\"producer\":\"p\",\"tensors\":[],\"sections\":[]}";
    json("bom", "a byte order mark", "\uFEFF" + empty);
    json("utf-16", "UTF-16", empty.getBytes(StandardCharsets.UTF_16LE));
    byte[] text = empty.getBytes(StandardCharsets.UTF_8);
    int p = empty.indexOf("\"p\"") + 1;
    json("utf-8-continuation", "a lone continuation byte in a string", Bytes.patch(text, p, 0x80));
    json("utf-8-latin-1", "a string in Latin-1", Bytes.patch(text, p, 0xFC));
    json("utf-8-surrogate", "U+D800 in UTF-8", inString(0xED, 0xA0, 0x80));
    json("utf-8-overlong", "an overlong slash", inString(0xC0, 0xAF));
    json("utf-8-above", "U+110000 in UTF-8", inString(0xF4, 0x90, 0x80, 0x80));
    json("blanks", "blanks only", "   ");
    json("array", "an array", "[]");
    json("string", "a string", "\"producer\"");
    json("null", "null", "null");
    json("cut", "the last brace is missing", empty.substring(0, empty.length() - 1));
    json("trailing-token", "a second object", empty + "{}");
    json("trailing-brace", "a brace too many", empty + "}");
    json("trailing-nul", "a NUL after the object", empty + "\0");
    json("comment", "a comment", "/**/" + empty);
    json("single-quotes", "single quotes", empty.replace('"', '\''));
    json("control", "a line end in a string", empty.replace("\"p\"", "\"\n\""));
    json("escape", "an escape that JSON does not have", empty.replace("\"p\"", "\"\\x41\""));
    json("trailing-comma", "a comma after the last member", empty.replace("[]}", "[],}"));
    json("array-comma", "a comma after the last element", empty.replace("[]}", "[1,]}"));
    members("nan", "NaN", ",\"x\":NaN");
    members("infinity", "Infinity", ",\"x\":-Infinity");
    members("leading-zero", "a number with a leading zero", ",\"x\":01");
    members("plus", "a number with a plus sign", ",\"x\":+1");
    members("hex", "a hexadecimal number", ",\"x\":0x10");
    members("number-long", "an integer of 1000 digits", ",\"x\":" + "1".repeat(1000));
    members("number-long-real", "a real number of 1000 digits", ",\"x\":0." + "1".repeat(1000));
    members("depth-65", "nested 65 deep", ",\"x\":" + "[".repeat(64) + "]".repeat(64));
    members("depth-100000", "nested 100 000 deep and cut off", ",\"x\":" + "[".repeat(100_000));
    members("twice", "a member of the header twice", ",\"producer\":\"p\"");
    members("twice-escaped", "the same name twice, once escaped", ",\"tens\\u006frs\":[]");
    members("twice-unknown", "a name twice in an unknown object", ",\"x\":{\"a\":1,\"a\":1}");
    members(
        "twice-deep", "a name twice in an array's object", ",\"x\":[1,{\"a\":{\"b\":1,\"b\":2}}]");
    members("twice-metadata", "a name twice in metadata", ",\"metadata\":{\"a\":\"\",\"a\":\"\"}");
  }

  private static byte[] inString(int... bytes) {
    Bytes out = new Bytes().raw("{\"producer\":\"".getBytes(StandardCharsets.UTF_8));
    for (int b : bytes) {
      out.u8(b);
    }
    return out.raw("\",\"tensors\":[],\"sections\":[]}".getBytes(StandardCharsets.UTF_8)).toArray();
  }

  // Section 2.2, members.

  private void edited(String name, String recipe, UnaryOperator<String> edit) {
    Box box = one().section("s", new byte[] {1, 2, 3}, ",\"mediaType\":\"a/b\"");
    file("member-" + name, recipe, box.edit(edit).build());
  }

  private void replaced(String name, String recipe, String old, String text) {
    edited(
        name,
        recipe,
        json -> {
          if (!json.contains(old)) {
            throw new IllegalArgumentException(old + " is not in " + json);
          }
          return json.replace(old, text);
        });
  }

  private void jsonMembers() {
    replaced("no-producer", "producer is missing", "\"producer\":\"vectors 1\",", "");
    replaced("producer-number", "producer is a number", "\"vectors 1\"", "1");
    replaced("producer-null", "producer is null", "\"vectors 1\"", "null");
    replaced("no-tensors", "tensors is missing", "\"tensors\":", "\"tensor\":");
    json(
        "tensors-object",
        "tensors is an object",
        "{\"producer\":\"\",\"tensors\":{},\"sections\":[]}");
    json("tensors-null", "tensors is null", "{\"producer\":\"\",\"tensors\":null,\"sections\":[]}");
    json("no-sections", "sections is missing", "{\"producer\":\"\",\"tensors\":[]}");
    json(
        "sections-text",
        "sections is a string",
        "{\"producer\":\"\",\"tensors\":[],\"sections\":\"\"}");
    json(
        "tensor-null",
        "a tensor is null",
        "{\"producer\":\"\",\"tensors\":[null],\"sections\":[]}");
    json(
        "section-array",
        "a section is an array",
        "{\"producer\":\"\",\"tensors\":[],\"sections\":[[]]}");
    members("metadata-number", "a number in metadata", ",\"metadata\":{\"a\":1}");
    members("metadata-array", "metadata is an array", ",\"metadata\":[]");
    members("source-string", "source is a string", ",\"source\":\"x\"");
    members("plan-array", "plan is an array", ",\"plan\":[]");
    replaced("no-name", "name of a tensor is missing", "\"name\":\"w\",", "");
    replaced("name-number", "name of a tensor is a number", "\"w\"", "5");
    replaced("dtype-unknown", "dtype F31", "\"F32\"", "\"F31\"");
    replaced("dtype-case", "dtype f32", "\"F32\"", "\"f32\"");
    replaced("dtype-number", "dtype is the id", "\"F32\"", "1");
    replaced("no-dtype", "dtype is missing", "\"dtype\":\"F32\",", "");
    replaced("dtype-other", "dtype I32 where the record has F32", "\"F32\"", "\"I32\"");
    replaced("no-shape", "shape is missing", "\"shape\":[3,4],", "");
    replaced("shape-other", "shape 4 x 3 where the record has 3 x 4", "[3,4]", "[4,3]");
    replaced("shape-rank", "shape 12 where the record has 3 x 4", "[3,4]", "[12]");
    replaced("shape-number", "shape is a number", "[3,4]", "12");
    replaced("shape-9", "shape has 9 dimensions", "[3,4]", "[3,4,1,1,1,1,1,1,1]");
    replaced("shape-negative", "a dimension of -3", "[3,4]", "[-3,-4]");
    replaced("shape-real", "a dimension of 3.0", "[3,4]", "[3.0,4]");
    replaced("shape-exponent", "a dimension of 3e0", "[3,4]", "[3e0,4]");
    replaced("shape-string", "a dimension is a string", "[3,4]", "[\"3\",4]");
    replaced("shape-bool", "a dimension is true", "[3,4]", "[true,12]");
    replaced("shape-2-64", "a dimension of 2^64 + 3", "[3,4]", "[18446744073709551619,4]");
    replaced("shape-2-60", "2^60 elements", "[3,4]", "[1073741824,1073741824]");
    replaced("shape-wraps", "2^64 elements", "[3,4]", "[4294967296,4294967296]");
    replaced("no-offset", "offset is missing", "\"offset\":128,", "");
    replaced("offset-string", "offset is a string", "\"offset\":128", "\"offset\":\"128\"");
    replaced("offset-real", "offset is 128.0", "\"offset\":128", "\"offset\":128.0");
    replaced("offset-negative", "offset is -128", "\"offset\":128", "\"offset\":-128");
    replaced("offset-0", "offset 0: in the prefix", "\"offset\":128", "\"offset\":0");
    replaced("offset-odd", "offset 129", "\"offset\":128", "\"offset\":129");
    replaced("offset-next", "offset 192: a hole before", "\"offset\":128", "\"offset\":192");
    replaced(
        "offset-2-64", "offset 2^64 + 128", "\"offset\":128", "\"offset\":18446744073709551744");
    String length = "\"length\":" + raw.length;
    replaced("no-length", "length is missing", "," + length, "");
    replaced("length-real", "length has a fraction of 0", length, length + ".0");
    replaced("length-negative", "length is negative", length, "\"length\":-" + raw.length);
    replaced("length-less", "length is one less", length, "\"length\":" + (raw.length - 1));
    replaced("length-0", "length is 0", length, "\"length\":0");
    replaced("length-max", "length 2^63 - 1", length, "\"length\":9223372036854775807");
    replaced("length-beyond", "length reaches into the section", length, "\"length\":1000");
    replaced("stats-number", "stats is a number", length, length + ",\"stats\":1");
    replaced("section-no-name", "name of a section is missing", "\"name\":\"s\",", "");
    edited(
        "section-crc",
        "crc32c is wrong",
        json -> json.replaceFirst("\"crc32c\":\\d+", "\"crc32c\":12345"));
    replaced("section-crc-2-32", "crc32c is 2^32 or more", "\"crc32c\":", "\"crc32c\":9");
    replaced("section-crc-negative", "crc32c is negative", "\"crc32c\":", "\"crc32c\":-");
    replaced("section-no-crc", "crc32c is missing", "\"crc32c\":", "\"crc32\":");
    replaced("section-media-type", "mediaType is a number", "\"a/b\"", "1");
    replaced("section-length", "length of a section is one more", "\"length\":3", "\"length\":4");
    replaced(
        "section-length-max", "2^63 - 1 bytes", "\"length\":3", "\"length\":9223372036854775807");
    replaced("section-order", "sections and tensors swapped", "\"tensors\":", "\"x\":[],\"y\":");
  }

  // Section 2.2, extents.

  private void extents() {
    Box two = one().tensor("v", "F32", SHAPE, raw);
    file("tensor-twice", "two tensors of one name", one().tensor("w", "F32", SHAPE, raw).build());
    file(
        "section-twice",
        "two sections of one name",
        new Box().section("s", new byte[1], "").section("s", new byte[1], "").build());
    file(
        "extents-swapped",
        "the tensors are listed in another order than they stand",
        two.edit(
                json -> {
                  int a = json.indexOf("{\"name\":\"w\"");
                  int b = json.indexOf("{\"name\":\"v\"");
                  int end = json.indexOf("],\"sections\"");
                  return json.substring(0, a)
                      + json.substring(b, end)
                      + ","
                      + json.substring(a, b - 1)
                      + json.substring(end);
                })
            .build());
    file(
        "extents-overlap",
        "two tensors share a record",
        new Box()
            .tensor("w", "F32", SHAPE, raw)
            .edit(
                json -> {
                  int a = json.indexOf("{\"name\":\"w\"");
                  String tensor = json.substring(a, json.indexOf("],\"sections\""));
                  return json.replace(tensor, tensor + "," + tensor.replace("\"w\"", "\"v\""));
                })
            .build());
    file(
        "extents-hole",
        "64 bytes between the last extent and the header that no extent covers",
        one().editContent(content -> Arrays.copyOf(content, content.length + 64)).build());
    file(
        "extents-unlisted",
        "a record that the header does not list",
        one().edit(json -> "{\"producer\":\"\",\"tensors\":[],\"sections\":[]}").build());
    int end = 128 + raw.length;
    file(
        "padding",
        "the byte after a record, before the next, is 1",
        one()
            .tensor("v", "F32", SHAPE, raw)
            .editContent(content -> Bytes.patch(content, end, 1))
            .build());
    String longName = "n".repeat(5000);
    file(
        "name-long",
        "two tensors of one name, which has 5000 characters",
        new Box().tensor(longName, "F32", SHAPE, raw).tensor(longName, "F32", SHAPE, raw).build());
    file(
        "name-long-member",
        "a name of 5000 characters twice in metadata",
        one()
            .members(",\"metadata\":{\"" + longName + "\":\"\",\"" + longName + "\":\"\"}")
            .build());
    String terminal = "\u001b]0;title\u0007\u001b[2J\u202e";
    file(
        "name-terminal",
        "two tensors of one name, which would clear a terminal",
        new Box().tensor(terminal, "F32", SHAPE, raw).tensor(terminal, "F32", SHAPE, raw).build());
    byte[] most = undecodedRaw(5, 0x7FFFFFFFFFFFFFC0L);
    file(
        "mem-size-overflow",
        "two tensors of 2^63 - 64 elements: 2^64 - 128 bytes in all",
        new Box()
            .tensor("a", "I8", new long[] {0x7FFFFFFFFFFFFFC0L}, most)
            .tensor("b", "I8", new long[] {0x7FFFFFFFFFFFFFC0L}, most)
            .build());
    byte[] eighth = undecodedRaw(25, 1L << 59);
    add(
        "bomb-sum-wraps.pseed",
        OVER,
        "two tensors of 2^59 elements of 128 bits: 2^64 bytes in all",
        new Box()
            .tensor("a", "C128", new long[] {1L << 59}, eighth)
            .tensor("b", "C128", new long[] {1L << 59}, eighth)
            .build());
    file(
        "padding-last",
        "the byte before the header is 128",
        one().editContent(content -> Bytes.patch(content, content.length - 1, 0x80)).build());
    file(
        "record-crc",
        "a record's last byte is wrong",
        one().editContent(c -> Bytes.patch(c, end - 1, c[end - 1] ^ 1)).build());
    file(
        "record-element",
        "one bit of an element is wrong, and only recordCrc tells",
        one().editContent(c -> Bytes.patch(c, end - 8, c[end - 8] ^ 1)).build());
    file(
        "record-zeros",
        "zeros in place of a record",
        one().editContent(content -> new byte[content.length]).build());
    file(
        "section-content",
        "one bit of a section is wrong",
        new Box()
            .section("s", new byte[70], "")
            .editContent(content -> Bytes.patch(content, 128 + 69, 1))
            .build());
    add(
        "record-unknown-codec.pseed",
        UNKNOWN,
        "a container whose record has codec 9",
        new Box().tensor("w", "F32", SHAPE, Rec.with(raw, 4, 9)).build());
  }

  // Section 2.3.

  private static Box deflated(byte[] stream, long decodedLength) {
    return new Box().deflated("s", stream, decodedLength);
  }

  private void deflated(String name, String recipe, byte[] stream, long decodedLength) {
    file("section-deflate-" + name, recipe, deflated(stream, decodedLength).build());
  }

  private void deflatedMember(String name, String error, String recipe, String old, String text) {
    byte[] good = new Deflated().stored(new byte[10], true).toArray();
    add(
        "section-encoding-" + name + ".pseed",
        error,
        recipe,
        deflated(good, 10).replace(old, text).build());
  }

  private void deflatedSections() {
    byte[] text = "a section\n".getBytes(StandardCharsets.UTF_8);
    byte[] good = new Deflated().fixed(true).literals(text).symbol(256).toArray();
    deflated("less", "the stream gives one byte less than decodedLength", good, 11);
    deflated("more", "the stream gives one byte more than decodedLength", good, 9);
    deflated("more-than-0", "the stream gives 10 bytes, decodedLength is 0", good, 0);
    deflated("trailing", "a byte after the final block", Arrays.copyOf(good, good.length + 1), 10);
    byte[] twice = Arrays.copyOf(good, 2 * good.length);
    System.arraycopy(good, 0, twice, good.length, good.length);
    deflated("trailing-stream", "a second stream after the final block", twice, 20);
    deflated("truncated", "the last byte is missing", Arrays.copyOf(good, good.length - 1), 10);
    deflated("truncated-half", "the second half is missing", Arrays.copyOf(good, 6), 10);
    deflated("empty", "no bytes and decodedLength 0", new byte[0], 0);
    deflated(
        "empty-cut",
        "the first of the two bytes that give nothing",
        Arrays.copyOf(new Deflated().fixed(true).symbol(256).toArray(), 1),
        0);
    deflated(
        "not-final", "no block is the final one", new Deflated().stored(text, false).toArray(), 10);
    deflated(
        "block-type", "a block of type 3", new Deflated().header(3, true).bits(0, 29).toArray(), 4);
    byte[] stored = new Deflated().stored(text, true).toArray();
    deflated(
        "stored-length",
        "LEN and NLEN of a stored block do not match",
        Bytes.patch(stored, 3, 0),
        10);
    deflated(
        "distance",
        "a match that begins before the first byte",
        new Deflated().fixed(true).literals(new byte[3]).longest(3, 1).symbol(256).toArray(),
        261);
    deflated(
        "distance-code",
        "distance symbol 30",
        new Deflated().fixed(true).literals(text).longest(30, 1).symbol(256).toArray(),
        268);
    deflated(
        "length-code",
        "length symbol 286",
        new Deflated().fixed(true).literals(text).symbol(286).distance(0).symbol(256).toArray(),
        268);
    deflated(
        "code-lengths",
        "a dynamic block whose code length code has 19 codes of one bit",
        new Deflated()
            .header(2, true)
            .bits(0, 10)
            .bits(15, 4)
            .bits(0x9249249, 30)
            .bits(0x4924924, 27)
            .bits(0, 64 - 7)
            .toArray(),
        10);
    byte[] zlib =
        new Bytes().u8(0x78).u8(0x9C).raw(good).u8(0x13).u8(0x8B).u8(0x03).u8(0x9B).toArray();
    deflated("zlib", "the stream within a zlib wrapper (RFC 1950)", zlib, 10);
    byte[] bomb = new Deflated().fixed(true).symbol(0).longest(0, 4000).symbol(256).toArray();
    deflated("bomb", "decodedLength 10, and the stream gives 1 032 001 bytes", bomb, 10);
    deflated(
        "ratio",
        "decodedLength 2^33, within the limit, where 12 bytes give at most 1032 times 12",
        good,
        1L << 33);
    file(
        "section-deflate-crc",
        "crc32c is that of the decoded bytes",
        deflated(good, 10)
            .replace(
                "\"crc32c\":" + Integer.toUnsignedLong(Bytes.crc32c(good)),
                "\"crc32c\":" + Integer.toUnsignedLong(Bytes.crc32c(text)))
            .build());
    add(
        "bomb-section.pseed",
        OVER,
        "a section with decodedLength 2^40",
        deflated(good, 1L << 40).build());
    add(
        "bomb-section-max.pseed",
        OVER,
        "two sections with decodedLength 2^63 - 1",
        deflated(good, Long.MAX_VALUE).deflated("t", good, Long.MAX_VALUE).build());
    addSmall(
        "limit-section-small.pseed",
        "a section that decodes to 64 MiB and one byte where level small takes 64 MiB",
        deflated(good, (64 << 20) + 1).build());
    Box sum = new Box();
    for (int i = 0; i < 5; i++) {
      sum.deflated("s" + i, good, 52 << 20);
    }
    addSmall(
        "limit-sections-small.pseed",
        "sections that decode to 260 MiB together where level small takes 256 MiB",
        sum.build());
    String encoding = "\"encoding\":\"deflate\"";
    deflatedMember("other", UNKNOWN, "encoding zstd", encoding, "\"encoding\":\"zstd\"");
    deflatedMember("case", UNKNOWN, "encoding Deflate", encoding, "\"encoding\":\"Deflate\"");
    deflatedMember("empty", UNKNOWN, "encoding is empty", encoding, "\"encoding\":\"\"");
    // JSON leaves DEL unescaped; a message that shows it would move a terminal's cursor.
    deflatedMember(
        "control", UNKNOWN, "encoding holds DEL", encoding, "\"encoding\":\"de\u007flate\"");
    deflatedMember("null", CORRUPT, "encoding is null", encoding, "\"encoding\":null");
    deflatedMember("number", CORRUPT, "encoding is a number", encoding, "\"encoding\":1");
    String length = "\"decodedLength\":10";
    deflatedMember("no-length", CORRUPT, "decodedLength is missing", "," + length, "");
    deflatedMember("length-real", CORRUPT, "decodedLength is 10.0", length, length + ".0");
    deflatedMember(
        "length-negative", CORRUPT, "decodedLength is negative", length, "\"decodedLength\":-10");
    deflatedMember(
        "length-2-64",
        CORRUPT,
        "decodedLength is 2^64 + 10",
        length,
        "\"decodedLength\":18446744073709551626");
    deflatedMember("length-alone", CORRUPT, "decodedLength without encoding", encoding + ",", "");
  }

  static Map<String, Integer> counts(List<Vector> vectors) {
    Map<String, Integer> counts = new java.util.TreeMap<>();
    for (Vector vector : vectors) {
      counts.merge(vector.error() == null ? "valid" : vector.error(), 1, Integer::sum);
    }
    return counts;
  }
}
