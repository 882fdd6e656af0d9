package io.pseed.codec.poincare;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.pseed.codec.poincare.PoincareTiles.Tile;
import io.pseed.format.CorruptException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import net.jqwik.api.Example;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.IntRange;

class PoincareDecoderTest {
  private static final PoincareSeed SEED = PoincareSeed.encode(0.3, 1.1, 10, 0, 0, 0, 1, 0);

  @Example
  void weightIsCodeTimesAmplitude() throws CorruptException {
    int[] codes = PoincareCodes.of(SEED, 14, 6, 5);
    float[] dst = new float[2 + 3 * 5 + 1];
    Arrays.fill(dst, 7f);
    PoincareDecoder.fill(SEED.toBits(), 0.3f, 14, 6, 5, 2, 5, dst, 2);
    assertThat(dst[0]).isEqualTo(7f);
    assertThat(dst[1]).isEqualTo(7f);
    assertThat(dst[17]).as("beyond the range").isEqualTo(7f);
    for (int k = 0; k < 15; k++) {
      assertThat(dst[2 + k]).isEqualTo(codes[10 + k] * 0.3f);
    }
    PoincareDecoder.add(SEED.toBits(), 0.3f, 14, 6, 5, 2, 5, dst, 2);
    for (int k = 0; k < 15; k++) {
      assertThat(dst[2 + k]).isEqualTo(codes[10 + k] * 0.3f + codes[10 + k] * 0.3f);
    }
    PoincareDecoder.fill(0, 0f, 0, 6, 5, 2, 5, dst, 2);
    assertThat(Arrays.copyOfRange(dst, 2, 17)).containsOnly(0f);
  }

  @Example
  void refusesWhatCannotBe() {
    float[] dst = new float[30];
    assertThatThrownBy(() -> PoincareDecoder.fill(SEED.toBits(), Float.NaN, 14, 6, 5, 0, 6, dst, 0))
        .isInstanceOf(CorruptException.class)
        .hasMessageContaining("amplitude of a Poincaré seed is NaN");
    assertThatThrownBy(() -> PoincareDecoder.fill(SEED.toBits(), 1f, 40, 6, 5, 0, 6, dst, 0))
        .isInstanceOf(CorruptException.class)
        .hasMessageContaining("expected at most 32767");
    assertThatThrownBy(() -> PoincareDecoder.fill(SEED.toBits(), 1f, 14, 6, 5, 0, 6, dst, 1))
        .isInstanceOf(IndexOutOfBoundsException.class);
  }

  private static PoincareTiles grid(int rows, int cols, int tileRows, int tileCols) {
    List<Tile> tiles = new ArrayList<>();
    int down = (rows + tileRows - 1) / tileRows;
    int across = (cols + tileCols - 1) / tileCols;
    for (int k = 0; k < down * across; k++) {
      PoincareSeed seed = PoincareSeed.encode(0.01 * (1 + k % 50), 0.7 * k, k % 12, 0, 0, 0, 0, 0);
      tiles.add(k % 4 == 3 ? Tile.ZERO : new Tile(seed.toBits(), 0.5f + k, 2));
    }
    return new PoincareTiles(rows, cols, tileRows, tileCols, tiles);
  }

  @Property(tries = 200)
  void tilesAreMatricesOfTheirOwnSize(
      @ForAll @IntRange(min = 1, max = 11) int rows,
      @ForAll @IntRange(min = 1, max = 11) int cols,
      @ForAll @IntRange(min = 1, max = 11) int tileRows,
      @ForAll @IntRange(min = 1, max = 11) int tileCols,
      @ForAll @IntRange(max = 10) int from)
      throws CorruptException {
    int tr = Math.min(tileRows, rows);
    int tc = Math.min(tileCols, cols);
    PoincareTiles grid = grid(rows, cols, tr, tc);
    ByteBuffer bytes = ByteBuffer.allocate((int) grid.bytes()).order(ByteOrder.BIG_ENDIAN);
    grid.write(bytes);
    assertThat(bytes.order()).isEqualTo(ByteOrder.BIG_ENDIAN);
    PoincareTiles back = PoincareTiles.read(bytes.flip(), rows, cols);
    assertThat(back).isEqualTo(grid);
    assertThat(bytes.hasRemaining()).isFalse();

    int rowFrom = Math.min(from, rows);
    float[] weights = new float[1 + (rows - rowFrom) * cols];
    back.fill(rowFrom, rows, weights, 1);
    int across = (cols + tc - 1) / tc;
    for (int i = rowFrom; i < rows; i++) {
      for (int j = 0; j < cols; j++) {
        Tile tile = grid.tiles().get(i / tr * across + j / tc);
        int m = Math.min(tr, rows - i / tr * tr);
        int n = Math.min(tc, cols - j / tc * tc);
        int[] codes = PoincareCodes.of(PoincareSeed.fromBits(tile.seed()), tile.shift(), m, n);
        assertThat(weights[1 + (i - rowFrom) * cols + j])
            .isEqualTo(codes[i % tr * n + j % tc] * tile.amplitude());
      }
    }
  }

  @Example
  void noTilesAreZeros() throws CorruptException {
    PoincareTiles none = PoincareTiles.none(3, 4);
    float[] dst = new float[12];
    Arrays.fill(dst, 1f);
    none.fill(0, 3, dst, 0);
    assertThat(dst).containsOnly(0f);
    assertThat(PoincareTiles.read(ByteBuffer.allocate(8), 3, 4)).isEqualTo(none);
  }

  private static ByteBuffer body(int tileRows, int tileCols, Number... rest) {
    ByteBuffer b = ByteBuffer.allocate(200).order(ByteOrder.LITTLE_ENDIAN);
    b.putInt(tileRows).putInt(tileCols);
    for (Number n : rest) {
      if (n instanceof Long l) {
        b.putLong(l);
      } else if (n instanceof Float f) {
        b.putFloat(f);
      } else {
        b.putInt(n.intValue());
      }
    }
    return b.flip();
  }

  @Example
  void corruptGridsAreRefusedWithAReason() {
    refused(ByteBuffer.allocate(7), "has 7 bytes after the view, expected at least 8");
    refused(body(4, 4, 1L, 1f, 0), "tileRows is 4, expected 0 to 3");
    refused(body(3, -1, 1L, 1f, 0), "tileCols is 4294967295, expected 0 to 4");
    refused(body(0, 4), "tileRows is 0 and tileCols 4, expected both or none to be 0");
    refused(body(3, 4), "has 0 bytes of tiles, expected 1 tiles of 16 bytes");
    refused(body(3, 4, 1L, 1f, 0, 0), "has 20 bytes of tiles");
    refused(body(0, 0, 1L, 1f, 0), "has 16 bytes of tiles, expected 0 tiles");
    refused(body(3, 4, 1L, 1f, 0x100), "tile 0 has reserved bytes that are not 0");
    refused(body(3, 4, 1L, 1f, 65), "tile 0: shift of a Poincaré seed is 65");
    refused(body(3, 4, 1L, 1f, 0xBF), "tile 0: shift of a Poincaré seed is -65");
    refused(body(3, 4, 1L, Float.NaN, 0), "tile 0: amplitude of a Poincaré seed is NaN");
    refused(body(3, 4, 0L, -0f, 0), "tile 0 has seed 0 with amplitude -0.0 and shift 0");
    refused(body(3, 4, 0L, 0f, 1), "tile 0 has seed 0 with amplitude 0.0 and shift 1");
  }

  @Example
  void tilesThatCannotBeWrittenCannotBeMade() {
    assertThatIllegalArgumentException().isThrownBy(() -> new Tile(0, 1f, 0));
    assertThatIllegalArgumentException().isThrownBy(() -> new Tile(0, -0f, 0));
    assertThatIllegalArgumentException().isThrownBy(() -> new Tile(1, Float.NaN, 0));
    assertThatIllegalArgumentException()
        .isThrownBy(() -> new Tile(1, 1f, 65))
        .withMessageContaining("shift 65, expected a finite one and -64 to 64");
  }

  private static void refused(ByteBuffer body, String reason) {
    assertThatThrownBy(() -> PoincareTiles.read(body, 3, 4))
        .isInstanceOf(CorruptException.class)
        .hasMessageContaining(reason);
  }

  @Example
  void aBadTileIsNamed() {
    Tile loud = new Tile(PoincareSeed.encode(0, 0, 5, 0, 0, 0, 0, 0).toBits(), 1f, 30);
    PoincareTiles grid = new PoincareTiles(2, 2, 2, 1, List.of(Tile.ZERO, loud));
    assertThatThrownBy(() -> grid.fill(0, 2, new float[4], 0))
        .isInstanceOf(CorruptException.class)
        .hasMessageStartingWith("tile 1: Poincaré seed");
    assertThatIllegalArgumentException()
        .isThrownBy(() -> new PoincareTiles(2, 2, 2, 1, List.of(Tile.ZERO)))
        .withMessage("grid has 1 tiles, expected 2");
  }
}
